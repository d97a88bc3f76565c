"""What gates ask, on this machine: an https server whose answers the tests write."""

import collections
import http.server
import json
import ssl
import threading
import urllib.parse

from .webhook import make_certificate

Asked = collections.namedtuple("Asked", "path form authorization")


class Source:
    """answer(Asked) returns (HTTP status, body or an iterator of bytes, headers); body: bytes, or what becomes JSON."""

    def __init__(self, folder, answer, port=0):
        self._answer = answer
        self.asked = []
        self.certificate, key = make_certificate(folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.handle_error = lambda *_: None  # who does not believe the certificate goes away
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="source", daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def paths(self):
        return [asked.path for asked in list(self.asked)]

    def _handler(self):
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 60

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = {name: values[0] for name, values in urllib.parse.parse_qs(body).items()}
                asked = Asked(self.path, form, self.headers.get("Authorization", ""))
                source.asked.append(asked)
                status, answer, *headers = source._answer(asked)
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self._write(answer)

            do_POST = do_GET

            def _write(self, answer):
                if not isinstance(answer, (bytes, collections.abc.Iterator)):
                    answer = json.dumps(answer).encode()
                try:
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        self.wfile.write(piece)
                except OSError:  # the reader has enough
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler


def scalar(value):
    """Prometheus' answer to a query that gives one number."""
    return {"status": "success", "data": {"resultType": "scalar", "result": [1700000000, str(value)]}}

"""A validating admission webhook for evictions, on this machine: an https server with a certificate of its own."""

import base64
import collections
import http.server
import json
import pathlib
import ssl
import subprocess
import threading
import time

ALLOW, BROKEN = "allow", "broken"  # answers beside HTTP status codes, with which the eviction is denied

Asked = collections.namedtuple("Asked", "time pod answer")  # time: time.monotonic()


class EvictionWebhook:
    """answer(pod name, how often it was asked before) says what becomes of an eviction in the namespace."""

    def __init__(self, client, name, namespace, folder, answer):
        self._client, self._name, self._namespace, self._answer = client, name, namespace, answer
        self.asked = []
        self._certificate, key = make_certificate(pathlib.Path(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="webhook", daemon=True)

    def start(self):
        self._thread.start()
        self._client.create("validatingwebhookconfigurations", {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": self._name},
            "webhooks": [{
                "name": f"{self._name}.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Fail", "timeoutSeconds": 10,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self._namespace}},
                "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"]}],
                "clientConfig": {
                    "url": f"https://127.0.0.1:{self._server.server_address[1]}/",
                    "caBundle": base64.b64encode(self._certificate.read_bytes()).decode()},
            }]})
        return self

    def stop(self):
        self._client.delete("validatingwebhookconfigurations", self._name)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def times(self, pod):
        return [asked.time for asked in list(self.asked) if asked.pod == pod]

    def _review(self, request):
        pod = request["name"]
        if request.get("dryRun"):
            return {"allowed": True}
        answer = self._answer(pod, len(self.times(pod)))
        self.asked.append(Asked(time.monotonic(), pod, answer))
        if answer == BROKEN:
            return None
        if answer == ALLOW:
            return {"allowed": True}
        return {"allowed": False, "status": {"code": answer, "message": f"{pod} is not to go"}}

    def _handler(self):
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                said = webhook._review(review["request"])
                body = b"not what was asked for" if said is None else json.dumps({
                    "apiVersion": review["apiVersion"], "kind": review["kind"],
                    "response": {"uid": review["request"]["uid"], **said}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def make_certificate(folder):
    """A certificate for 127.0.0.1 that is its own authority."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "webhook.crt", folder / "webhook.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=webhook", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=60)
    return certificate, key

"""What stands between a client and the API server: a relay that can go silent, and a proxy that knows CONNECT."""

import ctypes
import fcntl
import select
import socket
import struct
import termios
import threading

from .wait import wait_for

SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF: return 0


class Relay:
    """Passes connections on to the API server. go_dark() makes a black hole of those that are open: their packets are
    dropped before the kernel's TCP sees them, so that nothing is acknowledged any more, and nothing is closed either.
    A socket filter does that; it needs no rights."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.taken = 0  # connections so far
        self._pairs = []
        self._dark = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def meet(self, client):
        """The server's side of a new connection; None: it is refused."""
        del client
        return socket.create_connection(self.target, timeout=20)

    def go_dark(self):
        with self._lock:  # nothing is passed on meanwhile
            for client, server in self._pairs:
                # What was not acknowledged would be sent again and again: a sign of life.
                wait_for(lambda c=client: unacknowledged(c) == 0, 20, "all that was sent has arrived")
                program = ctypes.create_string_buffer(DROP_ALL)
                client.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))
                self._dark += [client, server]  # open until the end
            darkened, self._pairs = len(self._pairs), []
        self._wake.send(b"x")
        return darkened

    def cut(self):
        """Ends all connections, as a load balancer does that restarts; returns how many there were."""
        with self._lock:
            for client, _ in self._pairs:
                client.shutdown(socket.SHUT_RDWR)
            return len(self._pairs)

    def close(self):
        self._closing = True
        self._wake.send(b"x")
        self._thread.join()
        for sock in [self._listener, self._wake, self._woken, *self._dark, *[s for pair in self._pairs for s in pair]]:
            sock.close()

    def _run(self):
        while not self._closing:
            with self._lock:
                others = {a: b for pair in self._pairs for a, b in (pair, pair[::-1])}
            ready = select.select([self._listener, self._woken, *others], [], [], 60)[0]
            for sock in ready:
                if sock is self._listener:
                    self._take()
                elif sock is self._woken:
                    self._woken.recv(64)
                else:
                    self._pass_on(sock, others[sock])

    def _take(self):
        client = self._listener.accept()[0]
        self.taken += 1
        try:
            server = self.meet(client)
        except OSError:
            server = None
        if server is None:
            client.close()
            return
        with self._lock:
            self._pairs.append((client, server))

    def _pass_on(self, source, sink):
        with self._lock:
            if not any(source in pair for pair in self._pairs):
                return
            try:
                data = source.recv(65536)
                sink.sendall(data)
            except OSError:
                data = b""
            if not data:
                self._pairs = [pair for pair in self._pairs if source not in pair]
                source.close()
                sink.close()


def unacknowledged(sock):
    """Bytes that the other end has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, struct.pack("i", 0)))[0]


class ConnectProxy(Relay):
    """An HTTP proxy for tunnels. What it was asked for is in .requests."""

    def __init__(self, host, port):
        self.requests = []
        super().__init__(host, port)

    def meet(self, client):
        client.settimeout(20)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                return None
            head += byte
        self.requests.append(head.decode().splitlines()[0])
        server = super().meet(client)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return server

"""The programs under test, as processes of ours."""

import http.client
import pathlib
import signal
import socket
import subprocess

from .wait import WAIT, wait_for

LOG_TAIL_BYTES = 4000
_running = set()  # what was started and not waited for: an interrupted run ends it


def finish_all():
    """Ends every program that is still running, whatever interrupted the test that started it."""
    for process in list(_running):
        process.finish()


class Process:
    """One program with its log file. Ended by its process id only."""

    def __init__(self, name, command, log, environment=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        self.environment = environment
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as output:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=self.environment, start_new_session=True)
        _running.add(self)
        return self

    def running(self):
        return self._process is not None and self._process.poll() is None

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait(WAIT)

    def terminate(self, timeout=WAIT):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def signal(self, number):
        if self.running():
            self._process.send_signal(number)

    def wait(self, timeout):
        """Waits for its end; returns the exit code."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(timeout)
            _running.discard(self)
            return code
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s; its log ends:\n{self.tail()}") from None

    def tail(self):
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def check_alive(self):
        """For use inside wait_for: a program that ended will never do what is waited for."""
        if not self.running():
            raise AssertionError(f"{self.name} ended with {self._process.returncode}; its log ends:\n{self.tail()}")
        return True

    def finish(self):
        """For cleaning up: ends it whatever its state."""
        self.thaw()
        self.kill()


class Controller(Process):
    """patchwright-controller with the rights of its service account."""

    def __init__(self, build, kubeconfig, log, *flags, environment=None):
        self.port = free_port()
        super().__init__("patchwright-controller", [
            pathlib.Path(build) / "patchwright-controller", "--kubeconfig", kubeconfig,
            "--listen-address", f"127.0.0.1:{self.port}", *flags], log, environment)

    def wait_ready(self, timeout=WAIT):
        wait_for(lambda: self.check_alive() and self.http("/readyz")[0] == 200, timeout,
                 lambda: f"/readyz of {self.name} answers 200, but {self.http('/readyz')}; its log ends:\n{self.tail()}")
        return self

    def http(self, path):
        """GET; returns status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


class FleetAgent(Process):
    """fleet-agent: plays what job pods do on simulated nodes."""

    def __init__(self, build, kubeconfig, log, *flags, environment=None):
        super().__init__("fleet-agent", [pathlib.Path(build) / "fleet-agent", "--kubeconfig", kubeconfig, *flags],
                         log, environment)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

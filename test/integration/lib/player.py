"""api-player: requests to a real or the simulated API server, as the library sends them (test/player/player.h)."""

import json
import pathlib
import subprocess

ANSWER_TIMEOUT = 90  # seconds; a request of the player's ends after 60


class Player:
    def __init__(self, build, kubeconfig=None, log=None):
        command = [str(pathlib.Path(build) / "api-player"), *(["--kubeconfig", str(kubeconfig)] if kubeconfig else [])]
        self._log = open(log, "wb") if log else subprocess.DEVNULL  # pylint: disable=consider-using-with
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True)

    def tell(self, **command):
        """Sends one command; returns the answer."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"api-player ended with {self._process.wait(10)} at {command}")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{command}: {answer['error']}")
        return answer

    def request(self, method, target, content_type=None, body=None):
        """(code, Retry-After or None, decoded body)"""
        request = {"method": method, "target": target}
        if body is not None:
            request.update(contentType=content_type or "application/json", body=body)
        return self._taken(self.tell(request=request))

    def watch(self, name, target):
        return self._taken(self.tell(watch=name, target=target))

    def events(self, name, count, timeout):
        """(events, whether the watch has ended)"""
        answer = self.tell(events=name, count=count, timeoutMs=int(timeout * 1000))
        return [json.loads(line) for line in answer["lines"]], answer["ended"]

    @staticmethod
    def _taken(answer):
        text = answer.get("body", "")
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text
        return answer["status"], answer["retryAfter"] if answer["retryAfter"] >= 0 else None, body

    def end(self):
        """Returns the exit code: not 0 when a sanitizer has found something."""
        self._process.stdin.close()
        try:
            return self._process.wait(ANSWER_TIMEOUT)
        finally:
            self._process.kill()
            self._process.stdout.close()
            if self._log is not subprocess.DEVNULL:
                self._log.close()

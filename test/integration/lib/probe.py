"""kube-probe: libkube's client and transport, told what to do line by line (test/probe/probe.h)."""

import collections
import json
import pathlib
import subprocess
import threading

from . import process
from .wait import WAIT, wait_for


class Probe:
    """Runs until the test ends. Answers come in from a thread, in order."""

    def __init__(self, build, kubeconfig, log, *flags, environment=None):
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.answers = []
        self._ids = 0
        self._changed = threading.Condition()
        with open(self.log, "ab") as errors:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(pathlib.Path(build) / "kube-probe"), "--kubeconfig", str(kubeconfig), *flags], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, start_new_session=True)
        process._running.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self.answers.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self.answers.append({"event": "end"})
            self._changed.notify_all()

    def finish(self):
        """For cleaning up: ends it whatever its state."""
        process._running.discard(self)
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def wait(self, timeout=WAIT):
        """Its exit code, once it has ended by itself."""
        return self._process.wait(timeout)

    def tell(self, *words):
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()

    def find(self, **fields):
        """Answers that have these members."""
        with self._changed:
            return [answer for answer in self.answers if fields.items() <= answer.items()]

    def await_answer(self, what, timeout=WAIT, **fields):
        wait_for(lambda: self.find(**fields) or self.find(event="end"), timeout,
                 lambda: f"{what}; the probe said {self.answers[-3:]} and {self.log.read_text()[-500:]}")
        found = self.find(**fields)
        if not found:
            raise AssertionError(f"the probe ended: {self.log.read_text()[-1000:]}")
        return found[0]

    def start(self, *words):
        """Begins a command; returns its id. words: those of the command without the id."""
        self._ids += 1
        self.tell(words[0], str(self._ids), *words[1:])
        return str(self._ids)

    def end(self, number, timeout=WAIT):
        return self.await_answer(f"command {number} is done", timeout, id=number, event="done")

    def call(self, method, target, body=None, content_type="-"):
        """One request; returns the answer with "json" or "error"."""
        words = ["call", method, target]
        if body is not None:
            words += [content_type, json.dumps(body, separators=(",", ":"))]
        return self.end(self.start(*words))

    def whoami(self):
        """What the API server says of us: username, uid, groups, extra; or the error's message."""
        answer = self.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                           {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
        if "error" in answer:
            return answer["error"]["message"]
        return answer["json"]["status"]["userInfo"]

    def warnings(self):
        return collections.Counter(answer["text"] for answer in self.find(event="warning"))

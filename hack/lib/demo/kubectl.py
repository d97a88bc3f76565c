"""kubectl and the long-running programs of the demo."""
import json
import os
import shlex
import signal
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
HACK = os.path.join(ROOT, "hack")


class DemoError(Exception):
    """One sentence for the person at the terminal."""


class Kubectl:
    def __init__(self, kubeconfig, path=None):
        self.environ = dict(os.environ, KUBECONFIG=kubeconfig)
        if path:
            self.environ["PATH"] = path
        self.kubeconfig = kubeconfig

    def run(self, *args, stdin=None, check=True):
        done = subprocess.run(["kubectl", *args], input=stdin, env=self.environ, text=True, capture_output=True, check=False)
        if check and done.returncode != 0:
            raise DemoError(f"kubectl {shlex.join(args)} failed: {done.stderr.strip()}")
        return done.stdout

    def get(self, *args):
        """The decoded answer, or None when the object is not there."""
        text = self.run("get", *args, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def items(self, *args):
        return (self.get(*args) or {}).get("items", [])

    def apply(self, *objects):
        self.run("apply", "--server-side", "--force-conflicts", "--field-manager=demo", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def create(self, *objects):
        self.run("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def show(self, *args):
        """What a person would see."""
        print(f"$ kubectl {shlex.join(args)}", flush=True)
        print(self.run(*args), flush=True)


class Program:
    """A program in the background, its output in a file; stopped by stop()."""

    def __init__(self, name, command, log, environ=None):
        self.name, self.log = name, log
        with open(log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environ, start_new_session=True)

    def check(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                tail = "".join(log.readlines()[-5:])
            raise DemoError(f"{self.name} ended by itself (status {self.process.returncode}); the end of {self.log}:\n{tail}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def cluster(*args):
    """hack/cluster, its output shown."""
    done = subprocess.run([os.path.join(HACK, "cluster"), *args], check=False)
    if done.returncode != 0:
        raise DemoError(f"hack/cluster {shlex.join(args)} failed")


def cluster_env(name):
    """KUBECONFIG and PATH of a local cluster."""
    script = f'eval "$({shlex.quote(os.path.join(HACK, "cluster"))} env --name {shlex.quote(name)})" && printf "%s\\n%s" "$KUBECONFIG" "$PATH"'
    done = subprocess.run(["bash", "-c", script], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise DemoError(f"hack/cluster env failed: {done.stderr.strip()}")
    kubeconfig, path = done.stdout.split("\n", 1)
    return kubeconfig, path

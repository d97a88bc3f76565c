"""A cluster of hack/cluster, with the custom resources and rights installed."""

import os
import pathlib
import signal
import subprocess
import tempfile

from .api import Client, Kubeconfig
from .wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
UP_TIMEOUT = 1800  # the first `up` on a machine builds the control plane
SYSTEM, JOBS = "patchwright-system", "patchwright-jobs"
OURS = ("patchpolicies", "patchrollouts", "patchreports", "patchapprovals")

_up = set()  # what was started and not taken down: an interrupted run ends it


def down_all(keep=None):
    """Takes all down but the one that is to be kept."""
    for cluster in _up - {keep}:
        cluster.down()


class Cluster:
    def __init__(self, name):
        self.name = name
        self.environment = dict(os.environ)
        self.kubeconfig_path = None
        self.client = None

    def up(self, nodes=0, pods_per_node=0, **environment):
        """environment: settings of hack/cluster (PATCHWRIGHT_…) that the cluster keeps."""
        _up.add(self)
        self._hack("up", "--nodes", str(nodes), "--pods-per-node", str(pods_per_node), timeout=UP_TIMEOUT, environment=environment)
        self.attach()

    def attach(self):
        """Uses a cluster that runs already."""
        script = 'eval "$("$0" env --name "$1")" && printf "%s\\n" "$KUBECONFIG" "$PATH"'
        answer = subprocess.run(["bash", "-c", script, str(ROOT / "hack/cluster"), self.name],
                                check=True, stdout=subprocess.PIPE, text=True, timeout=60)
        self.kubeconfig_path, path = answer.stdout.splitlines()
        self.environment.update(KUBECONFIG=self.kubeconfig_path, PATH=path)
        self.client = Client(Kubeconfig(self.kubeconfig_path))

    def down(self):
        _up.discard(self)
        self._hack("down", timeout=120)

    def stop_part(self, part, kill=False):
        """part: etcd, apiserver, controller-manager, scheduler or kwok."""
        self._hack("stop", part, *(["--kill"] if kill else []), timeout=60)

    def start_part(self, part):
        self._hack("start", part, timeout=120)

    def restart_part(self, part, kill=False):
        self._hack("restart", part, *(["--kill"] if kill else []), timeout=120)

    def await_resources(self):
        """An established resource is still refused (429) while the server starts to watch its storage."""
        for plural in OURS:
            wait_for(lambda p=plural: self.client.list(p) is not None, 30, f"{plural} can be listed")

    def compact(self):
        """etcd forgets every version but the newest."""
        self._hack("compact", timeout=60)

    def freeze_part(self, part):
        """It stands still, its connections open, until thaw_part()."""
        self._hack("freeze", part, timeout=60)

    def thaw_part(self, part):
        self._hack("thaw", part, timeout=60)

    def install(self):
        """The custom resources and the controller's rights, as the documentation says."""
        self.kubectl("apply", "-f", str(ROOT / "crds"))
        # kubectl fails at once (status.conditions accessor error) where a server has not come to the new resource yet.
        established = ("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{plural}.patchwright.io" for plural in OURS))
        wait_for(lambda: self.kubectl(*established, check=False).returncode == 0, 60, "the custom resources are established")
        self.kubectl("apply", "-k", str(ROOT / "deploy/kustomize"))
        self.kubectl("apply", "-k", str(ROOT / "deploy/kustomize/roles"))
        self.await_resources()
        # Discovery, by which kubectl knows short names, is behind the resources themselves.
        known = ("api-resources", "--api-group=patchwright.io", "--no-headers")
        wait_for(lambda: self.kubectl(*known, check=False).stdout.count("patchwright.io/") >= len(OURS), 60, "kubectl knows the custom resources")
        wait_for(lambda: self.client.find("serviceaccounts", "default", JOBS), 30,
                 f"the namespace {JOBS} has its service account")

    def kubectl(self, *words, stdin=None, check=True):
        """Runs kubectl; returns what it did (stdout and stderr as text)."""
        done = subprocess.run(["kubectl", *words], input=stdin, env=self.environment,
                              capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(words)} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done

    def controller_kubeconfig(self, folder, server=None):
        """A kubeconfig with a token of the controller's service account: exactly its rights. Returns the path.
        server: another address of the API server than its own."""
        token = self.client.create(
            "serviceaccounts", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                                "spec": {"expirationSeconds": 86400}},
            SYSTEM, subresource="token", name="patchwright-controller")["status"]["token"]
        path = os.path.join(folder, "controller.kubeconfig")
        config = self.client.kubeconfig
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(f"""\
apiVersion: v1
kind: Config
current-context: main
clusters: [{{name: main, cluster: {{server: "{server or config.server}", certificate-authority-data: "{config.certificate_authority}"}}}}]
users: [{{name: controller, user: {{token: "{token}"}}}}]
contexts: [{{name: main, context: {{cluster: main, user: controller}}}}]
""")
        return path

    def _hack(self, command, *words, timeout, environment=None):
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(ROOT / "hack/cluster"), command, "--name", self.name, *words],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **(environment or {})})
            try:
                code = process.wait(timeout)
            except BaseException:
                # It is in a session of its own, so that Ctrl-C reaches us only: here it learns of it.
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)
                raise
            if code:
                output.seek(0)
                raise RuntimeError(f"hack/cluster {command} ended with {code}:\n{output.read()}")

"""The base class of the integration tests."""

import pathlib
import shutil
import unittest

from . import objects
from .api import ApiError
from .cluster import JOBS, ROOT, SYSTEM
from .process import Controller, FleetAgent
from .wait import WAIT, wait_for
from .watch import Recorder

OURS = (("patchpolicies", None), ("patchrollouts", None), ("patchreports", None), ("patchapprovals", None), ("pods", JOBS),
        ("controllerrevisions", SYSTEM))
APPROVER = "ada"


class ClusterTest(unittest.TestCase):
    """Tests on the run's cluster. Whatever a test makes with these helpers is gone when it ends."""

    cluster = None  # set by the runner
    build = ROOT / "build/address-undefined"
    longMessage = True

    def setUp(self):
        self.client = self.cluster.client
        self.tag = self._testMethodName.removeprefix("test_").replace("_", "-")[:30].strip("-").lower()
        self.logs = pathlib.Path(ROOT, "build/integration", self.id())
        shutil.rmtree(self.logs, ignore_errors=True)
        self.addCleanup(self._remove_ours)

    # --- Making things ---

    def make_nodes(self, count, labels=None, zones=3, version="containerd://1.6.20", prefix=None, wait=True, **fields):
        """Nodes <prefix>-001, …, labelled pool=<tag> unless labels say otherwise; Ready when this returns."""
        labels = {"pool": self.tag, **(labels or {})}
        names = []
        for number in range(count):
            name = f"{prefix or self.tag}-{number + 1:03}"
            zone = f"zone-{'abcdefghijklmnopqrstuvwxyz'[number % zones]}"
            self.client.create("nodes", objects.node(name, labels, zone, version, **fields))
            self.addCleanup(self.client.delete, "nodes", name)
            names.append(name)
        if wait:
            wait_for(lambda: all(self._usable(name) for name in names), WAIT + count / 5, f"{count} nodes are Ready")
        return names

    def _usable(self, name):
        node = self.client.get("nodes", name)
        taints = [taint["key"] for taint in node["spec"].get("taints", [])]
        return node_ready(node) and "node.kubernetes.io/not-ready" not in taints

    def delete_nodes(self, *names):
        for name in names:
            self.client.delete("nodes", name)

    def namespace(self):
        """The test's own namespace; made at the first call."""
        name = f"t-{self.tag}"
        if not self.client.find("namespaces", name):
            self.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self.addCleanup(self._remove_namespace, name)
        return name

    def make_deployment(self, name, replicas, node_selector=None, wait=True, **options):
        """Pods with the label app=<name> on the test's nodes, all available when this returns."""
        namespace = self.namespace()
        body = objects.deployment(name, replicas, node_selector or {"pool": self.tag}, **options)
        self.client.create("deployments", body, namespace)
        if wait:
            self.await_deployment(name, replicas)
        return name

    def await_deployment(self, name, replicas):
        namespace = self.namespace()
        wait_for(lambda: self._available(name, namespace) == replicas, WAIT + replicas / 5,
                 lambda: f"{replicas} pods of {namespace}/{name} are available: {self._available(name, namespace)} are")

    def _available(self, name, namespace):
        return self.client.get("deployments", name, namespace).get("status", {}).get("availableReplicas", 0)

    def make_pdb(self, name, wait=True, **spec):
        """A PodDisruptionBudget for app=<name>, known to the disruption controller when this returns."""
        namespace = self.namespace()
        created = self.client.create("poddisruptionbudgets", objects.pdb(name, **spec), namespace)
        generation = created["metadata"]["generation"]
        if wait:
            wait_for(lambda: self.client.get("poddisruptionbudgets", name, namespace).get("status", {})
                     .get("observedGeneration") == generation, WAIT, f"PodDisruptionBudget {name} is observed")
        return name

    def policy(self, name=None, **spec):
        """Creates a PatchPolicy for the test's nodes; spec replaces whole members. Returns what the server made of it."""
        spec.setdefault("target", {"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": self.tag}}}})
        return self.client.create("patchpolicies", objects.policy(name or self.tag, **spec))

    def bind(self, role, *users):
        """Gives a ClusterRole to users, until the test ends."""
        name = f"{self.tag}-{role}"
        self.client.create("clusterrolebindings", objects.cluster_role_binding(name, role, *users))
        self.addCleanup(self.client.delete, "clusterrolebindings", name)

    def make_approval(self, name, rollout=None, user=APPROVER, wave="", **spec):
        """The approval of a rollout by a user who may."""
        body = objects.approval(name, rollout or {"metadata": {"name": "r", "uid": "0"}}, user, wave, **spec)
        if not self.client.find("clusterrolebindings", f"{self.tag}-patchwright-approver"):
            self.bind("patchwright-approver", APPROVER, "grace", "linus", "mallory")
        return wait_for(lambda: self._try_to_approve(user, body), WAIT, f"{user} may approve")

    def _try_to_approve(self, user, body):
        """RBAC knows of a binding a moment later."""
        try:
            return self.client.as_user(user).create("patchapprovals", body)
        except ApiError as error:
            if error.code == 403 and ("cannot create" in error.message or "verb approve" in error.message):
                return None
            raise

    def record(self, plural, namespace=None):
        """A watch recorder that ends with the test."""
        recorder = Recorder(self.client.kubeconfig, plural, namespace)
        self.addCleanup(recorder.stop)
        return recorder

    # --- Programs ---

    def controller(self, *flags, log="controller.log", start=True, server=None):
        """A controller with its service account's rights; ready when this returns. server: as controller_kubeconfig() takes it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        kubeconfig = self.cluster.controller_kubeconfig(self.logs, server)
        self.addCleanup(pathlib.Path(kubeconfig).unlink, missing_ok=True)
        program = Controller(self.build, kubeconfig, self.logs / log, *flags, environment=self.cluster.environment)
        self.addCleanup(program.finish)
        return program.start().wait_ready() if start else program

    def fleet_agent(self, *flags, log="fleet-agent.log"):
        program = FleetAgent(self.build, self.cluster.kubeconfig_path, self.logs / log, *flags,
                             environment=self.cluster.environment)
        self.addCleanup(program.finish)
        return program.start()

    # --- Looking ---

    def assert_refused(self, hint, call, *args, **kwargs):
        """call must be refused by the API server with a message that contains hint."""
        try:
            call(*args, **kwargs)
        except ApiError as error:
            self.assertIn(error.code, (400, 403, 405, 409, 422), str(error))
            self.assertIn(hint, error.message)
        else:
            self.fail(f"was accepted, and should be refused with: {hint}")

    # --- Cleaning up ---

    def _remove_namespace(self, name):
        self.client.delete("namespaces", name)
        for deployment in self.client.list("deployments", name):
            self.client.delete("deployments", deployment["metadata"]["name"], name)
        wait_for(lambda: not self._remove_pods(name), 120, f"the pods of {name} are gone")

    def _remove_pods(self, namespace):
        self.client.delete_all("pods", namespace, grace=0)
        return self.client.list("pods", namespace)

    def _remove_ours(self):
        """No test finds another one's policies, rollouts, reports, plans or job pods. The controller has ended by now."""
        for plural, namespace in OURS:
            wait_for(lambda p=plural, n=namespace: not self._remove_all(p, n), WAIT, f"all {plural} are gone")

    def _remove_all(self, plural, namespace):
        items = self.client.list(plural, namespace)
        for item in items:
            name = item["metadata"]["name"]
            if item["metadata"].get("finalizers"):
                self._drop_finalizers(plural, name, namespace)
            self.client.delete(plural, name, namespace, grace=0)
        return items

    def _drop_finalizers(self, plural, name, namespace):
        try:
            self.client.patch(plural, name, {"metadata": {"finalizers": None}}, namespace)
        except ApiError as error:
            if error.code != 404:
                raise


def node_ready(node):
    return condition(node, "Ready") == "True"


def condition(item, kind):
    """The status of a condition, or None."""
    for entry in item.get("status", {}).get("conditions", []):
        if entry["type"] == kind:
            return entry["status"]
    return None

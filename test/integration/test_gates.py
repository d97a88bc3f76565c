"""Gates: what must hold outside before a node is started, and what becomes of a rollout when the source cannot be asked."""

import base64
import itertools
import re

from lib import objects
from lib.cluster import SYSTEM
from lib.flow import WAIT, FlowTest, strategy, wait_for
from lib.process import free_port
from lib.rollout import cordoned, runtime_version, step_of
from lib.source import Source, scalar

QUICK = {"interval": "4s", "timeout": "3s"}
NEW = "containerd://1.7.27"
ALERTS = 'count(ALERTS{alertstate="firing",node!~"{{active}}"}) or vector(0)'


def encode(text):
    return base64.b64encode(text.encode()).decode()


class GateTest(FlowTest):
    source = None

    @classmethod
    def start_programs(cls):
        cls.answers = {}  # by the first part of the path: the test that asks
        cls.source = Source(cls.class_logs, lambda asked: cls.answers[asked.path.split("/")[1]](asked))
        cls.addClassCleanup(cls.source.stop)
        super().start_programs()

    def setUp(self):
        super().setUp()
        self.answers[self.tag] = lambda asked: (200, scalar(0))
        self.url = f"{self.source.url}/{self.tag}"

    def asked(self):
        return [asked for asked in list(self.source.asked) if asked.path.split("/")[1] == self.tag]

    def secret(self, use="gate", hosts=None, **data):
        """The test's Secret: the source's CA, and data."""
        data = {"ca.crt": self.source.certificate.read_text(), **data}
        self.client.create("secrets", {
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.tag, "labels": {"patchwright.io/use": use},
                         "annotations": {"patchwright.io/hosts": hosts} if hosts else {}},
            "data": {name: encode(text) for name, text in data.items()}}, SYSTEM)
        self.addCleanup(self.client.delete, "secrets", self.tag, SYSTEM)

    def prometheus(self, name="g", query="up", address=None, **fields):
        return {"name": name, "type": "Prometheus", **QUICK, **fields, "prometheus": {
            "address": address or self.url, "query": query, "max": "0", "secretRef": {"name": self.tag}}}

    def http(self, name="g", path="/ok", url=None, secret=True, **fields):
        return {"name": name, "type": "HTTP", **QUICK, "http": {
            "url": url or self.url + path, **({"secretRef": {"name": self.tag}} if secret else {}), **fields}}

    def gates(self):
        found = self.rollouts_of()
        return {gate["name"]: gate for gate in found[-1].get("status", {}).get("gates", [])} if found else {}

    def wait_gate(self, verdict, contains="", name="g"):
        def found():
            gate = self.gates().get(name, {})
            return gate if gate.get("verdict") == verdict and contains in gate.get("message", "") else None
        return wait_for(found, WAIT, lambda: f"gate {name} is {verdict} ({contains}): {self.gates()}")

    def assert_untouched(self, names):
        for name in names:
            self.assertFalse(any(cordoned(event.object) or step_of(event.object) for event in self.nodes.events(name)), name)


class TestGates(GateTest):
    at_once = 6
    flags = ("--allow-endpoints", "127.0.0.1")

    def test_alerts_of_a_node_in_work_do_not_hold_the_rollout(self):
        """The source plays Prometheus: an alert fires for every node that is cordoned, and for one that is not ours."""
        names = self.pool(2, behave="delay=5s", prefix=f"{self.tag}-fast")  # longer than an answer counts
        slow, = self.pool(1, behave="hold", prefix=f"{self.tag}-0-slow")
        others = []

        def answer(asked):
            excluded = re.search(r'node!~"([^"]*)"', asked.form["query"]).group(1)
            away = [name for name in [slow, *names] if cordoned(self.node(name))] + others
            return 200, scalar(sum(not re.fullmatch(excluded, name) for name in away))
        self.answers[self.tag] = answer
        self.secret(token="letmein")
        others.append("another")
        self.policy(gates=[self.prometheus(query=ALERTS)], strategy=strategy(maxUnavailable=2, order=["Name"]))
        self.wait_gate("Closed", "the value 1 is above max 0")
        name = self.running()["metadata"]["name"]
        self.assertEqual(self.wait_condition("patchrollouts", name, "Progressing", "WaitingForGate", "gate g is closed since")[0],
                         "False")
        self.assert_untouched([slow, *names])
        others.clear()
        wait_for(lambda: step_of(self.node(names[1])), WAIT, "the last node is started while the alert of the slow one fires")
        self.assertTrue(cordoned(self.node(slow)))
        self.release(slow)
        rollout = self.ended("Succeeded")
        self.assertEqual({asked.authorization for asked in self.asked()}, {"Bearer letmein"})
        self.assertIn(f'node!~"{slow}"', [re.search(r'node!~"[^"]*"', asked.form["query"]).group(0) for asked in self.asked()])
        self.assertEqual(rollout["status"]["gates"][0]["verdict"], "Open")
        self.assert_put_away([slow, *names])

    def test_a_source_that_cannot_be_reached_never_counts_as_passed(self):
        names = self.pool(1)
        port = free_port()
        self.secret()
        self.policy(gates=[self.http(url=f"https://127.0.0.1:{port}/{self.tag}")])
        first = self.wait_gate("Error", "cannot connect")
        again = wait_for(lambda: (gate := self.gates()["g"])["at"] != first["at"] and gate, WAIT, "it is asked again")
        self.assertEqual((again["verdict"], again["since"]), ("Error", first["since"]))
        self.assert_untouched(names)
        source = Source(self.logs, lambda asked: self.answers[self.tag](asked), port)
        self.addCleanup(source.stop)
        self.wait_gate("Error", "not signed by")  # another certificate than the Secret's
        self.assertEqual(source.asked, [])
        self.client.patch("secrets", self.tag, {"data": {"ca.crt": encode(source.certificate.read_text())}}, SYSTEM)
        self.ended("Succeeded")

    def test_what_requests_obey(self):
        names = self.pool(1)
        zeros = b"0" * 65536
        self.answers[self.tag] = lambda asked: {
            "redirect": (302, b"", ("Location", f"{self.url}/ok")),
            "endless": (200, (zeros for _ in itertools.count())),
            "nan/api/v1/query": (200, scalar("NaN")),
            "bad/api/v1/query": (400, {"status": "error", "errorType": "bad_data", "error": "parse error: unclosed left parenthesis"}),
        }[asked.path.removeprefix(f"/{self.tag}/")]
        self.secret(hosts=f"127.0.0.1:{self.source.port}")
        self.policy(gates=[
            self.http("redirect", "/redirect"), self.http("endless", "/endless", field="a", value="b"),
            self.http("link-local", url="https://169.254.169.254/latest/meta-data", secret=False),
            self.http("plain", url="http://example.com/x", secret=False),
            self.http("elsewhere", url="https://127.0.0.2/x"),
            self.prometheus("nan", address=f"{self.url}/nan"),
            self.prometheus("bad", "count(up", address=f"{self.url}/bad"),
        ])
        self.wait_gate("Closed", "answers 302, not 200; redirects are not followed", "redirect")
        self.wait_gate("Error", "larger than 1048576 bytes", "endless")
        self.wait_gate("Error", "169.254.169.254 is a link-local address", "link-local")
        self.wait_gate("Error", "plain http", "plain")
        self.wait_gate("Error", "patchwright.io/hosts does not list it", "elsewhere")
        self.wait_gate("Error", "not a number", "nan")
        self.wait_gate("Error", "fails with status 400: bad_data, so the query is wrong", "bad")
        self.assertNotIn(f"/{self.tag}/ok", self.source.paths())
        self.assert_untouched(names)

    def test_secrets_are_for_their_use_only(self):
        names = self.pool(1)
        self.answers[self.tag] = lambda asked: (200, {}) if asked.authorization == f"Basic {encode('me:word')}" else (401, {})
        self.policy(gates=[self.http()])
        self.wait_gate("Error", f"there is no Secret {self.tag} in the namespace {SYSTEM}")
        self.secret(use="channel", username="me", password="word")
        self.wait_gate("Error", "label it with patchwright.io/use=gate")
        self.assertEqual(self.asked(), [])
        self.assert_untouched(names)
        self.client.patch("secrets", self.tag, {"metadata": {"labels": {"patchwright.io/use": "gate"}}}, SYSTEM)
        self.ended("Succeeded")
        said = self.program.log.read_text()
        self.assertNotIn("word", said)

    def test_pods_and_conditions(self):
        names = self.pool(2)
        namespace = self.namespace()
        self.make_deployment("cart", 1)
        self.policy(gates=[
            {"name": "pods", "type": "Pods", **QUICK,
             "pods": {"namespace": namespace, "selector": {"matchLabels": {"app": "cart"}}, "minReady": 2}},
            {"name": "available", "type": "Resource", "at": ["Rollout"], **QUICK,
             "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespace, "name": "cart",
                          "condition": "Available"}}])
        self.wait_gate("Closed", f"1 of 1 pods in {namespace} are Ready, and 2 must be", "pods")
        self.wait_gate("Error", 'grant it the verb get on deployments in "apps"', "available")
        self.assert_untouched(names)
        role = f"{self.tag}-gates"
        self.client.create("clusterroles", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {
            "name": role}, "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]})
        self.addCleanup(self.client.delete, "clusterroles", role)
        self.client.create("clusterrolebindings", objects.cluster_role_binding(
            role, role, f"system:serviceaccount:{SYSTEM}:patchwright-controller"))
        self.addCleanup(self.client.delete, "clusterrolebindings", role)
        self.wait_gate("Open", "the condition Available of Deployment cart is True", "available")
        self.client.patch("deployments", "cart", {"spec": {"replicas": 2}}, namespace)
        self.ended("Succeeded", timeout=2 * WAIT)

    def test_on_error_fail(self):
        names = self.pool(2, behave="delay=13s")  # longer than an answer counts
        self.answers[self.tag] = lambda asked: (503, {}) if any(runtime_version(self.node(name)) == NEW for name in names) else (
            200, scalar(0))
        self.secret()
        self.policy(gates=[self.prometheus(onError="Fail", at=["Wave"], interval="12s", timeout="11s")],
                    strategy=strategy(waves=[{"name": "first", "size": 1}, {"name": "rest"}]))
        rollout = self.ended("Failed")
        self.assertEqual(rollout["status"]["counts"]["patched"], 1)
        self.assertEqual(rollout["status"]["waves"][1]["reason"], "GateFailed")
        self.assertIn("the server answers 503", rollout["status"]["waves"][1]["message"])
        self.assert_put_away(names)


class TestAddresses(GateTest):
    """As it is by default."""

    def test_loopback_is_refused(self):
        names = self.pool(1)
        self.secret()
        self.policy(gates=[self.http(url=f"https://localhost:{self.source.port}/{self.tag}"),
                           self.http("plain", url=f"http://127.0.0.1:{self.source.port}/{self.tag}")])
        self.wait_gate("Error", "is a loopback address, and --allow-endpoints does not list it")
        self.wait_gate("Error", "plain http", "plain")
        name = self.running()["metadata"]["name"]
        self.assertEqual(self.wait_condition("patchrollouts", name, "Progressing", "WaitingForGate")[0], "False")
        self.assertEqual(self.source.asked, [])
        self.assert_untouched(names)

"""Calls of libkube against the real API server: patches, conflicts, warnings and throttling."""

import json

from lib.case import ClusterTest
from lib.probe import Probe
from lib.wait import WAIT, wait_for

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"


class RequestTest(ClusterTest):
    at_once = 4

    def setUp(self):
        super().setUp()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.node = f"/api/v1/nodes/{self.tag}"

    def probe(self, kubeconfig=None):
        probe = Probe(self.build, kubeconfig or self.cluster.kubeconfig_path, self.logs / "probe.log",
                      environment=self.cluster.environment)
        self.addCleanup(probe.finish)
        return probe

    def make_node(self):
        self.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.tag, "labels": {"number": "0"}}})
        self.addCleanup(self.client.delete, "nodes", self.tag)


class TestPatches(RequestTest):
    def test_each_kind_of_patch(self):
        self.make_node()
        probe = self.probe()

        def patch(content_type, body, query=""):
            answer = probe.call("PATCH", self.node + query, body, content_type)
            self.assertNotIn("error", answer)
            return answer["json"]
        labels = patch(MERGE_PATCH, {"metadata": {"labels": {"a": "1", "number": None}}})["metadata"]["labels"]
        self.assertEqual(labels, {"a": "1"})
        labels = patch(JSON_PATCH, [{"op": "test", "path": "/metadata/labels/a", "value": "1"},
                                    {"op": "add", "path": "/metadata/labels/b", "value": "2"}])["metadata"]["labels"]
        self.assertEqual(labels, {"a": "1", "b": "2"})
        refused = probe.call("PATCH", self.node, [{"op": "test", "path": "/metadata/labels/a", "value": "9"}], JSON_PATCH)
        self.assertEqual((refused["error"]["status"], refused["error"]["reason"]), (422, "Invalid"))

        def conditions(content_type, kind):
            body = {"status": {"conditions": [{"type": kind, "status": "True"}]}}
            answer = probe.call("PATCH", self.node + "/status", body, content_type)
            return {condition["type"] for condition in answer["json"]["status"]["conditions"]}
        conditions(STRATEGIC, "OneTest")
        self.assertLessEqual({"OneTest", "TwoTest"}, conditions(STRATEGIC, "TwoTest"), "strategic: lists are merged by their key")
        self.assertEqual(conditions(MERGE_PATCH, "ThreeTest"), {"ThreeTest"}, "merge: lists are replaced")
        probe.call("PATCH", self.node + "?dryRun=All", {"metadata": {"labels": {"a": "dry"}}}, MERGE_PATCH)
        self.assertEqual(self.client.get("nodes", self.tag)["metadata"]["labels"]["a"], "1")

    def test_apply_has_an_owner(self):
        self.make_node()
        probe = self.probe()

        def apply(manager, value, force):
            body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.tag, "labels": {"mine": value}}}
            return probe.call("PATCH", f"{self.node}?fieldManager={manager}&force={force}", body, APPLY)
        self.assertEqual(apply("one", "1", "false")["json"]["metadata"]["labels"]["mine"], "1")
        conflict = apply("two", "2", "false")["error"]
        self.assertEqual((conflict["status"], conflict["reason"]), (409, "Conflict"))
        self.assertIn("one", conflict["message"])
        self.assertEqual(apply("two", "2", "true")["json"]["metadata"]["labels"]["mine"], "2")
        unnamed = probe.call("PATCH", self.node, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.tag}}, APPLY)
        self.assertIn("fieldManager", unnamed["error"]["message"])

    def test_strict_validation(self):
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.tag}, "spec": {"frobnicate": True}}
        refused = self.probe().call("POST", "/api/v1/nodes?fieldValidation=Strict&dryRun=All", body)
        self.assertIn('unknown field "spec.frobnicate"', refused["error"]["message"])


class TestConflicts(RequestTest):
    def test_no_increment_is_lost(self):
        """Several count at once, each reading, changing and writing: the server refuses whoever comes too late."""
        self.make_node()
        probes = [self.probe() for _ in range(2)]
        counted, tries = 0, 0
        while counted < 20:
            numbers = [(probe, probe.start("increment", self.tag, "number")) for probe in probes]
            for probe, number in numbers:
                answer = probe.end(number)
                tries += 1
                if "error" in answer:
                    self.assertEqual(answer["error"]["reason"], "Conflict")
                else:
                    counted += 1
            self.assertLess(tries, 200)
        self.assertEqual(self.client.get("nodes", self.tag)["metadata"]["labels"]["number"], str(counted))


class TestWarnings(RequestTest):
    def test_each_is_told_once(self):
        probe = self.probe()
        for _ in range(3):
            probe.call("GET", "/api/v1/componentstatuses")
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.tag}, "spec": {"frobnicate": True, "unknown": 1}}
        for _ in range(2):
            self.assertNotIn("error", probe.call("POST", "/api/v1/nodes?dryRun=All", body))
        self.assertEqual(probe.warnings(), {"v1 ComponentStatus is deprecated in v1.19+": 1, 'unknown field "spec.frobnicate"': 1,
                                            'unknown field "spec.unknown"': 1})


class TestEvents(RequestTest):
    def event(self, note):
        """The Event with that note, as the API server has it now."""
        found = [event for event in self.client.request("GET", "/apis/events.k8s.io/v1/namespaces/default/events")["items"]
                 if event.get("note") == note]
        self.assertLessEqual(len(found), 1, "one occurrence and its repetitions are one object")
        return found[0] if found else None

    def test_repetitions_are_a_series(self):
        probe, note = self.probe(), f"{self.tag}:what-happened"

        def emit():
            self.assertNotIn("error", probe.end(probe.start("event", "Tested", note)))

        def count():
            return (self.event(note) or {}).get("series", {}).get("count", 0)
        emit()
        event = wait_for(lambda: self.event(note), WAIT, "the first occurrence is there")
        self.assertEqual((event["type"], event["reason"], event["action"]), ("Normal", "Tested", "Testing"))
        self.assertEqual((event["reportingController"], event["reportingInstance"]), ("kube-probe", "kube-probe-test"))
        self.assertEqual((event["regarding"]["kind"], event["regarding"]["name"]), ("Namespace", "default"))
        self.assertNotIn("series", event)
        emit()
        wait_for(lambda: count() == 2, WAIT, lambda: f"the second one makes it a series: {self.event(note)}")
        for _ in range(3):
            emit()
        probe.end(probe.start("flush"))
        wait_for(lambda: count() == 5, WAIT, lambda: f"what was counted meanwhile: {self.event(note)}")
        seen = self.cluster.kubectl("-n", "default", "get", "events", "--field-selector", "reason=Tested", "-o", "name").stdout.split()
        self.assertIn(f"event/{event['metadata']['name']}", seen)


class TestThrottling(RequestTest):
    GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1"
    USER = "throttled"

    def flow(self):
        rules = [{"subjects": [{"kind": "User", "user": {"name": self.USER}}],
                  "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/version"]}]}]
        return {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": self.tag},
                "spec": {"matchingPrecedence": 2, "priorityLevelConfiguration": {"name": self.tag}, "rules": rules}}

    def level(self):
        return {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration", "metadata": {"name": self.tag},
                "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
                                                        "limitResponse": {"type": "Reject"}}}}

    def remove(self, admin, plural):
        admin.call("DELETE", f"{self.GROUP}/{plural}/{self.tag}")

    def test_a_throttled_request_waits_as_it_is_told(self):
        admin = self.probe()
        for plural, body in (("prioritylevelconfigurations", self.level()), ("flowschemas", self.flow())):
            made = admin.call("POST", f"{self.GROUP}/{plural}", body)
            self.assertNotIn("error", made)
            self.addCleanup(self.remove, admin, plural)
        uid = made["json"]["metadata"]["uid"]
        config = json.loads(self.cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        config["users"][0]["user"]["as"] = self.USER
        path = self.logs / "throttled.kubeconfig"
        path.write_text(json.dumps(config))
        probe = self.probe(path)
        log = self.logs / "probe.log"

        def throttled():
            """All at once are more than the level takes: it refuses some, which wait and are sent again."""
            numbers = [probe.start("call", "GET", "/version") for _ in range(50)]
            answers = [probe.end(number) for number in numbers]
            self.assertEqual([answer["json"]["major"] for answer in answers], ["1"] * 50)
            return f"flowSchemaUID={uid}" in log.read_text() and max(a["ms"] for a in answers) - min(a["ms"] for a in answers)
        spread = wait_for(throttled, WAIT, "the server throttles this user")
        self.assertGreaterEqual(spread, 900, "Retry-After is 1 s")

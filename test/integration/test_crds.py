"""The custom resources: definitions, defaults, limits and what cannot be changed, on a real API server."""

import json

from lib import objects
from lib.case import ClusterTest
from lib.cluster import ROOT

CRDS = {"patchpolicies": "PatchPolicy", "patchrollouts": "PatchRollout", "patchreports": "PatchReport",
        "patchapprovals": "PatchApproval"}
ADMISSION = 10  # five ValidatingAdmissionPolicies with their bindings
KIB = 1024
TIME = "2026-11-21T12:00:00Z"


def schema(crd):
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def walk(node, path=""):
    """Every schema of a schema, with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(key), dict):
            yield from walk(node[key], path + mark)


def size_of(document):
    return len(json.dumps(document, separators=(",", ":")))


def largest(node, text, number=0):
    """The largest document of a schema. text(path's own schema, number) makes its strings."""
    if node["type"] == "object":
        return {name: largest(child, text, number) for name, child in node["properties"].items()}
    if node["type"] == "array":
        return [largest(node["items"], text, index) for index in range(node["maxItems"])]
    if node["type"] == "integer":
        return node["maximum"]
    if node["type"] == "boolean":
        return False
    if node.get("format") == "date-time":
        return TIME
    return max(node["enum"], key=len) if "enum" in node else text(node, number)


def longest(node, number):
    return f"x{number}".ljust(node["maxLength"], "x")


REAL = {280: 50, 256: 100, 253: 45, 128: 30, 63: 25, 40: 36, 32: 16}  # by maxLength


def realistic(node, number):
    """As long as it gets in practice: names of 45 characters, sentences of 100; evidence and hashes to their limit."""
    return f"x{number}".ljust(REAL.get(node["maxLength"], node["maxLength"]), "x")


class TestDefinitions(ClusterTest):
    def crds(self):
        for plural in CRDS:
            yield plural, self.client.get("customresourcedefinitions", f"{plural}.patchwright.io")

    def test_applying_again_changes_nothing(self):
        said = self.cluster.kubectl("apply", "-f", str(ROOT / "crds")).stdout.splitlines()
        self.assertEqual(len(said), len(CRDS) + ADMISSION)
        for line in said:
            self.assertIn("unchanged", line)

    def test_names_and_scope(self):
        short = {"patchpolicies": "pp", "patchrollouts": "prl", "patchreports": "prp", "patchapprovals": "pa"}
        for plural, crd in self.crds():
            spec = crd["spec"]
            self.assertEqual(spec["scope"], "Cluster", plural)
            self.assertEqual(spec["names"]["kind"], CRDS[plural])
            self.assertEqual(spec["names"]["shortNames"], [short[plural]])
            self.assertEqual(spec["names"]["categories"], ["patchwright"])
            self.assertEqual([v["name"] for v in spec["versions"]], ["v1alpha1"])
            self.assertEqual("subresources" in spec["versions"][0], plural in ("patchpolicies", "patchrollouts"), plural)

    def test_each_is_smaller_than_client_side_apply_takes(self):
        for plural, crd in self.crds():
            applied = crd["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
            self.assertLess(len(applied), 200 * KIB, plural)

    def test_every_field_is_described(self):
        for plural, crd in self.crds():
            for path, node in walk(schema(crd)):
                self.assertGreaterEqual(len(node.get("description", "")), 4, f"{plural}{path} has no description")

    def test_everything_has_a_limit(self):
        for plural, crd in self.crds():
            for path, node in walk(schema(crd)):
                with self.subTest(f"{plural}{path}"):
                    self.check_limits(node)

    def check_limits(self, node):
        kind = node.get("type")
        if kind == "array":
            self.assertIn("maxItems", node)
            self.assertIn(node.get("x-kubernetes-list-type"), ("atomic", "map", "set"))
        elif kind == "string":
            self.assertIn("maxLength", node)
        elif kind == "integer":
            self.assertIn("minimum", node)
            self.assertIn("maximum", node)
        elif kind == "object" and "additionalProperties" in node:
            self.assertIn("maxProperties", node)
        elif node.get("x-kubernetes-int-or-string"):
            self.assertLessEqual({"minimum", "maximum", "maxLength", "pattern"}, set(node))

    def test_optional_settings_have_a_default(self):
        without = {"nodeInfo", "label", "annotation", "observed", "command", "args", "env", "resources", "rollback", "prepare", "verify",
                   "secrets", "supportedFrom", "version", "channel", "configMap", "minimumAge", "url", "secretRef", "interval",
                   "matchLabels", "matchExpressions", "values", "limits", "requests", "nodes", "size", "waves[].maxUnavailable",
                   "podSelector", "order", "windows", "days", "start", "schedule", "freezes", "reason", "topology", "selector",
                   "gates", "prometheus", "http", "pods", "resource", "max", "min", "field", "value", "secretRef", "namespace",
                   "exceptions", "reference"}
        crd = self.client.get("customresourcedefinitions", "patchpolicies.patchwright.io")
        for path, node in walk(schema(crd)["properties"]["spec"]):
            for name, child in node.get("properties", {}).items():
                if name in node.get("required", []) or "default" in child:
                    continue
                known = name in without or f"{path}.{name}".endswith("waves[].maxUnavailable")
                self.assertTrue(known, f"spec{path}.{name} is neither required nor has a default")

    def test_kubectl_explain_shows_every_field(self):
        for plural, crd in self.crds():
            shown = self.cluster.kubectl("explain", plural, "--recursive").stdout
            for path, node in walk(schema(crd)):
                for name in node.get("properties", {}):
                    self.assertRegex(shown, rf"(?m)^ +{name}\s+<", f"{plural}{path}.{name}")

    def test_kubectl_explain_teaches(self):
        for field, words in (
                ("pp.spec.strategy.maxUnavailable", "rounded down, but at"),
                ("pp.spec.patches.job.timeout", "Default 15m"),
                ("pp.spec.patches.observed", "A Custom component that no node shows"),
                ("pp.spec.drain.unmanagedPods", "blocks the drain"),
                ("pp.spec.approval.separationOfDuties", "nobody approves what they wrote"),
                ("pa.spec.planHash", "needs another approval"),
                ("pp.spec.windows", "at most half of the window's duration"),
                ("prl.status.active.blockedBy", "What it waits for"),
                ("prp.spec.targets.steps.seconds", "whole seconds")):
            said = " ".join(self.cluster.kubectl("explain", field).stdout.split())  # kubectl breaks lines where it likes
            self.assertIn(words, said, field)

    def test_columns(self):
        self.client.create("patchpolicies", objects.policy("columns"))
        self.client.create("patchrollouts", objects.rollout("columns-1", "columns"))
        self.client.create("patchreports", objects.report("columns-1-0-1"))
        self.make_approval("columns")
        for words, header in (
                (["pp"], ["NAME", "COMPONENT", "VERSION", "UP-TO-DATE", "ROLLOUT", "NEXT", "WINDOW", "READY", "AGE"]),
                (["prl"], ["NAME", "VERSION", "WAVE", "PROGRESS", "FAILED", "OUTCOME", "AGE"]),
                (["prl", "-o", "wide"], ["NAME", "VERSION", "WAVE", "PROGRESS", "FAILED", "OUTCOME", "MESSAGE", "AGE"]),
                (["prp"], ["NAME", "ROLLOUT", "OUTCOME", "PAGE", "AGE"]),
                (["pa"], ["NAME", "ROLLOUT", "WAVE", "USER", "AGE"])):
            self.assertEqual(self.cluster.kubectl("get", *words).stdout.splitlines()[0].split(), header)
        everything = self.cluster.kubectl("get", "patchwright", "-o", "name").stdout.split()
        self.assertEqual(len(everything), 4, everything)


class TestDefaults(ClusterTest):
    def test_smallest_policy_is_completed(self):
        spec = self.client.create("patchpolicies", objects.policy("smallest"))["spec"]
        self.assertEqual(spec, {
            "suspend": False, "trigger": "Automatic",
            "target": {"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": "workers"}}}},
            "patches": [{
                "component": "ContainerRuntime", "version": "1.7.27", "observeTimeout": "5m", "allowDowngrade": False,
                "job": {"image": objects.IMAGE, "hostPath": "/host", "privileged": True, "timeout": "15m", "retries": 0},
                "reboot": {"expected": False, "timeout": "30m"}}],
            "strategy": {
                "order": ["Criticality", "Zone", "PodCount", "Name"], "maxUnavailable": 1, "failureBudget": 0, "onFailure": "Quarantine",
                "waves": [{"name": "canary", "size": 1, "soak": "10m", "approval": False},
                          {"name": "rest", "soak": "0s", "approval": False}],
                "settle": {"readyFor": "15s", "timeout": "10m"}},
            "drain": {"enabled": True, "timeout": "15m", "gracePeriodSeconds": -1, "parallelism": 10,
                      "deleteEmptyDirData": False, "unmanagedPods": "Block", "onTimeout": "Abort", "waitForJobs": "0s",
                      "skipWaitForDeleteTimeout": "0s", "localVolumes": "Block", "waitForVolumeDetach": True,
                      "requireCapacity": False},
            "rollback": {"timeout": "30m"}, "historyLimit": 10,
            "approval": {"mode": "None", "required": 1, "separationOfDuties": True, "expiresAfter": "24h"},
            "emergency": {"allow": False, "bypass": ["Windows", "Soak"]},
        })

    def test_partly_given_objects_are_completed(self):
        body = objects.policy("partly", strategy={"settle": {"readyFor": "1m"}, "waves": [{"name": "all"}]},
                              drain={"timeout": "1h"}, target={"nodes": {"selector": {"matchLabels": {"a": "b"}}}})
        body["spec"]["patches"][0]["rollback"] = {"image": "a"}
        spec = self.client.create("patchpolicies", body)["spec"]
        self.assertEqual(spec["target"]["type"], "Nodes")
        self.assertEqual(spec["strategy"]["settle"], {"readyFor": "1m", "timeout": "10m"})
        self.assertEqual(spec["strategy"]["waves"], [{"name": "all", "soak": "0s", "approval": False}])
        self.assertEqual(spec["drain"]["parallelism"], 10)
        self.assertEqual(spec["patches"][0]["rollback"]["timeout"], "15m")

    def test_in_progress_until_the_controller_has_looked(self):
        """kstatus (Flux, Helm, kpt) takes what has neither observedGeneration nor conditions for current."""
        unseen = {"observedGeneration": -1}
        for plural, body in (("patchpolicies", objects.policy("unseen")), ("patchrollouts", objects.rollout("unseen", "a"))):
            made = self.client.create(plural, {**body, "status": {"progress": "1/1"}})
            self.assertEqual(made["status"], unseen, plural)
            read, = (item for item in self.client.list(plural) if item["metadata"]["name"] == "unseen")
            self.assertEqual(read["status"], unseen, plural)
            self.assertEqual(self.client.patch(plural, "unseen", {"metadata": {"labels": {"a": "b"}}})["status"], unseen, plural)
            looked = self.client.replace(plural, {**self.client.get(plural, "unseen"), "status": {"observedGeneration": 1}}, subresource="status")
            self.assertEqual(looked["status"], {"observedGeneration": 1}, plural)

    def test_status_does_not_change_the_generation(self):
        body = self.client.create("patchpolicies", objects.policy("generation"))
        body["status"] = {"observedGeneration": 1, "progress": "0/0"}
        self.assertEqual(self.client.replace("patchpolicies", body, subresource="status")["metadata"]["generation"], 1)
        changed = self.client.patch("patchpolicies", "generation", {"spec": {"suspend": True}})
        self.assertEqual(changed["metadata"]["generation"], 2)
        self.assertEqual(changed["status"]["progress"], "0/0")


class TestImmutability(ClusterTest):
    def test_spec_of_a_rollout(self):
        self.client.create("patchrollouts", objects.rollout("fixed", "a"))
        self.assert_refused("the policy of a PatchRollout cannot be changed", self.client.patch, "patchrollouts", "fixed",
                            {"spec": {"policyRef": {"name": "b"}}})
        self.assert_refused("spec: Required value", self.client.patch, "patchrollouts", "fixed", {"spec": None})
        self.client.patch("patchrollouts", "fixed", {"metadata": {"finalizers": ["patchwright.io/rollout"]}})

    def test_intent_of_a_rollout(self):
        self.client.create("patchrollouts", objects.rollout("intent", "a"))

        def intend(**intent):
            return self.client.patch("patchrollouts", "intent", {"spec": {"intent": intent}})
        user = "kubernetes-admin"
        self.assertEqual(intend(by=user)["spec"]["intent"], {"action": "Run", "by": user})
        self.assertEqual(intend(action="Pause")["metadata"]["generation"], 3)
        self.assert_refused('Unsupported value: "Stop"', intend, action="Stop")
        intend(action="Abort", reason="wrong version")
        for change in ({"action": "Run"}, {"reason": "another"}):
            self.assert_refused("Abort is final", intend, **change)
        self.assert_refused("Abort is final", self.client.patch, "patchrollouts", "intent", {"spec": {"intent": None}})
        self.client.create("patchrollouts", objects.rollout("ended", "a"))
        self.client.patch("patchrollouts", "ended", {"status": {"outcome": "Succeeded"}}, subresource="status")
        self.assert_refused("the rollout has ended", self.client.patch, "patchrollouts", "ended", {"spec": {"intent": {"action": "Pause"}}})

    def test_emergency_of_a_rollout(self):
        def rollout(name, **emergency):
            body = objects.rollout(name, "a")
            body["spec"]["emergency"] = emergency
            return body
        reason = "CVE-2027-1234 is exploited"
        for wrong in ({"enabled": True}, {"enabled": True, "reason": ""}):
            self.assert_refused("an emergency needs a reason", self.client.create, "patchrollouts", rollout("wrong", **wrong))
        self.client.create("patchrollouts", rollout("emergency", enabled=True, reason=reason))
        self.client.create("patchrollouts", objects.rollout("none", "a"))
        self.client.create("patchrollouts", rollout("not-yet", reason=reason))
        for name, change in (("emergency", {"enabled": False}), ("emergency", {"reason": "another"}), ("emergency", None),
                             ("none", {"enabled": True, "reason": reason}), ("not-yet", {"enabled": True})):
            self.assert_refused("whether a PatchRollout is an emergency cannot be changed", self.client.patch, "patchrollouts", name,
                                {"spec": {"emergency": change}})

    def test_versions_of_a_rollout(self):
        def rollout(name, *versions):
            body = objects.rollout(name, "a")
            body["spec"]["versions"] = [{"component": "ContainerRuntime", "version": version} for version in versions]
            return body
        for hint, wrong in (("at least 1 items", []), ("Duplicate value", ["1.7.25", "1.7.26"]), ("should match", ["1;reboot"])):
            self.assert_refused(hint, self.client.create, "patchrollouts", rollout("wrong", *wrong))
        self.client.create("patchrollouts", rollout("pinned", "1.7.25"))
        self.client.create("patchrollouts", objects.rollout("free", "a"))
        for name, change in (("pinned", "1.7.26"), ("pinned", None), ("free", "1.7.25")):
            self.assert_refused("the versions of a PatchRollout cannot be changed", self.client.patch, "patchrollouts", name,
                                {"spec": {"versions": rollout("x", change)["spec"]["versions"] if change else None}})

    def test_report(self):
        self.client.create("patchreports", objects.report("fixed", targets=[{"node": "a", "step": "Patched"}]))
        for change in ({"outcome": "Failed"}, {"targets": []}, {"targets": None}, {"planHash": "0"}):
            self.assert_refused("a PatchReport is a record and cannot be changed",
                                self.client.patch, "patchreports", "fixed", {"spec": change})
        self.assert_refused("page must not be greater than pages", self.client.create, "patchreports",
                            objects.report("page", page=2))

    def test_approval(self):
        self.make_approval("fixed")
        for change in ({"wave": "canary"}, {"user": "somebody"}, {"comment": "x"}, {"planHash": "1" * 64}, {"rolloutRef": {"uid": "1"}}):
            self.assert_refused("a PatchApproval cannot be changed", self.client.patch, "patchapprovals", "fixed", {"spec": change})

    def test_epoch_never_goes_down(self):
        self.client.create("patchrollouts", objects.rollout("epoch", "a"))

        def write(epoch):
            return self.client.patch("patchrollouts", "epoch", {"status": {"epoch": epoch}}, subresource="status")
        write(3)
        write(3)
        self.assert_refused("the epoch never goes down", write, 2)
        self.assertEqual(write(4)["status"]["epoch"], 4)


class TestLimits(ClusterTest):
    def status_schema(self, plural):
        crd = self.client.get("customresourcedefinitions", f"{plural}.patchwright.io")
        return schema(crd)["properties"]["status"]

    def write_status(self, plural, body, status):
        body = {**self.client.create(plural, body), "status": status}
        written = self.client.replace(plural, body, subresource="status")["status"]
        self.assertEqual(written, status)
        return size_of(written)

    def test_largest_status_of_a_policy(self):
        status = largest(self.status_schema("patchpolicies"), longest)
        self.assertLess(self.write_status("patchpolicies", objects.policy("full"), status), 48 * KIB)

    def test_largest_status_of_a_rollout(self):
        """All that the schema allows at once, 253 characters for every name. The controller cuts texts to stay below 128 KiB."""
        status = largest(self.status_schema("patchrollouts"), longest)
        self.assertEqual([len(status[key]) for key in ("active", "failed", "decisions", "waves")], [100, 50, 50, 16])
        self.assertLess(self.write_status("patchrollouts", objects.rollout("full", "a"), status), 512 * KIB)

    def test_one_more_than_the_maximum_is_refused(self):
        self.client.create("patchrollouts", objects.rollout("more", "a"))
        full = largest(self.status_schema("patchrollouts"), longest)
        for key, limit, extra in (("active", 100, {"nodeUID": "one-more"}), ("failed", 50, {}), ("decisions", 50, {"id": "one-more"})):
            entries = full[key] + [{**full[key][0], **extra}]
            self.assert_refused(f"must have at most {limit} items", self.client.patch, "patchrollouts", "more",
                                {"status": {key: entries}}, subresource="status")
        long = [{**full["decisions"][0], "evidence": "x" * 513}]
        self.assert_refused("may not be more than 512", self.client.patch, "patchrollouts", "more",
                            {"status": {"decisions": long}}, subresource="status")

    def test_full_page_of_a_report(self):
        crd = self.client.get("customresourcedefinitions", "patchreports.patchwright.io")
        parts = schema(crd)["properties"]["spec"]["properties"]
        target = largest(parts["targets"]["items"], realistic)
        target.update({key: target[key][:2] for key in ("from", "to", "jobs")}, steps=target["steps"][:7])
        decision = largest(parts["decisions"]["items"], realistic)
        body = objects.report("full", targets=[target] * 250, decisions=[decision] * 500)
        self.assertEqual(self.client.create("patchreports", body)["spec"], body["spec"])
        body = objects.report("more", targets=[{"node": "a"}] * 251)
        self.assert_refused("must have at most 250 items", self.client.create, "patchreports", body)

"""The custom resources and the controller's rights, on a real API server."""

import copy
import json
import re
import textwrap

from lib import objects
from lib.case import ClusterTest
from lib.cluster import JOBS, ROOT, SYSTEM

CRDS = {"patchpolicies": "PatchPolicy", "patchrollouts": "PatchRollout", "patchreports": "PatchReport"}
KIB = 1024
TIME = "2026-11-21T12:00:00Z"
GONE = object()  # in a table: the field is taken away

CUSTOM = {"component": "Custom", "version": "1", "job": {"image": "a"}}
KUBELET = {"component": "Kubelet", "version": "1.34.4", "job": {"image": "a"}}


def label(name):
    return {**CUSTOM, "observed": {"type": "Label", "label": name}}


def waves(*entries):
    return [dict(entry) for entry in entries]


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


def set_path(document, path, value):
    """Sets the member at a path like patches.0.job.image; GONE removes it."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        document = document[part] if isinstance(part, int) else document.setdefault(part, {})
    if value is GONE:
        del document[last]
    else:
        document[last] = value


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
        self.assertEqual(len(said), len(CRDS))
        for line in said:
            self.assertIn("unchanged", line)

    def test_names_and_scope(self):
        short = {"patchpolicies": "pp", "patchrollouts": "prl", "patchreports": "prp"}
        for plural, crd in self.crds():
            spec = crd["spec"]
            self.assertEqual(spec["scope"], "Cluster", plural)
            self.assertEqual(spec["names"]["kind"], CRDS[plural])
            self.assertEqual(spec["names"]["shortNames"], [short[plural]])
            self.assertEqual(spec["names"]["categories"], ["patchwright"])
            self.assertEqual([v["name"] for v in spec["versions"]], ["v1alpha1"])
            self.assertEqual("subresources" in spec["versions"][0], plural != "patchreports", plural)

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
            self.assertIn(node.get("x-kubernetes-list-type"), ("atomic", "map"))
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
        without = {"nodeInfo", "label", "annotation", "observed", "command", "args", "env", "resources", "rollback",
                   "matchLabels", "matchExpressions", "values", "limits", "requests", "nodes", "size", "waves[].maxUnavailable"}
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
                ("pp.spec.patches.observed", "Required for Custom"),
                ("pp.spec.drain.unmanagedPods", "blocks the drain"),
                ("prl.status.active.blockedBy", "What it waits for"),
                ("prp.spec.targets.steps.seconds", "whole seconds")):
            self.assertIn(words, self.cluster.kubectl("explain", field).stdout, field)

    def test_columns(self):
        self.client.create("patchpolicies", objects.policy("columns"))
        self.client.create("patchrollouts", objects.rollout("columns-1", "columns"))
        self.client.create("patchreports", report("columns-1-0-1"))
        for words, header in (
                (["pp"], ["NAME", "COMPONENT", "VERSION", "UP-TO-DATE", "ROLLOUT", "READY", "AGE"]),
                (["prl"], ["NAME", "VERSION", "WAVE", "PROGRESS", "FAILED", "OUTCOME", "AGE"]),
                (["prl", "-o", "wide"], ["NAME", "VERSION", "WAVE", "PROGRESS", "FAILED", "OUTCOME", "MESSAGE", "AGE"]),
                (["prp"], ["NAME", "ROLLOUT", "OUTCOME", "PAGE", "AGE"])):
            self.assertEqual(self.cluster.kubectl("get", *words).stdout.splitlines()[0].split(), header)
        everything = self.cluster.kubectl("get", "patchwright", "-o", "name").stdout.split()
        self.assertEqual(len(everything), 3, everything)


class TestDefaults(ClusterTest):
    def test_smallest_policy_is_completed(self):
        spec = self.client.create("patchpolicies", objects.policy("smallest"))["spec"]
        self.assertEqual(spec, {
            "suspend": False, "trigger": "Automatic",
            "target": {"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": "workers"}}}},
            "patches": [{
                "component": "ContainerRuntime", "version": "1.7.27", "observeTimeout": "5m",
                "job": {"image": objects.IMAGE, "hostPath": "/host", "privileged": True, "timeout": "15m"}}],
            "strategy": {
                "maxUnavailable": 1, "onFailure": "Quarantine",
                "waves": [{"name": "canary", "size": 1, "soak": "10m"}, {"name": "rest", "soak": "0s"}],
                "settle": {"readyFor": "15s", "timeout": "10m"}},
            "drain": {"enabled": True, "timeout": "15m", "gracePeriodSeconds": -1, "parallelism": 10,
                      "deleteEmptyDirData": False, "unmanagedPods": "Block"},
            "rollback": {"timeout": "30m"}, "historyLimit": 10,
        })

    def test_partly_given_objects_are_completed(self):
        body = objects.policy("partly", strategy={"settle": {"readyFor": "1m"}, "waves": [{"name": "all"}]},
                              drain={"timeout": "1h"}, target={"nodes": {"selector": {"matchLabels": {"a": "b"}}}})
        body["spec"]["patches"][0]["rollback"] = {"image": "a"}
        spec = self.client.create("patchpolicies", body)["spec"]
        self.assertEqual(spec["target"]["type"], "Nodes")
        self.assertEqual(spec["strategy"]["settle"], {"readyFor": "1m", "timeout": "10m"})
        self.assertEqual(spec["strategy"]["waves"], [{"name": "all", "soak": "0s"}])
        self.assertEqual(spec["drain"]["parallelism"], 10)
        self.assertEqual(spec["patches"][0]["rollback"]["timeout"], "15m")

    def test_status_does_not_change_the_generation(self):
        body = self.client.create("patchpolicies", objects.policy("generation"))
        body["status"] = {"observedGeneration": 1, "progress": "0/0"}
        self.assertEqual(self.client.replace("patchpolicies", body, subresource="status")["metadata"]["generation"], 1)
        changed = self.client.patch("patchpolicies", "generation", {"spec": {"suspend": True}})
        self.assertEqual(changed["metadata"]["generation"], 2)
        self.assertEqual(changed["status"]["progress"], "0/0")


SELECTOR = "target.nodes.selector"
WRONG_POLICIES = (
    # path in spec, value, what the message must contain
    ("target", GONE, "Required value"),
    ("target.type", "Workloads", 'supported values: "Nodes"'),
    ("target", {"type": "Nodes"}, "type Nodes needs nodes.selector"),
    ("target.nodes", {}, "spec.target.nodes.selector: Required value"),
    (SELECTOR, {}, "an empty selector would select every node"),
    (SELECTOR, {"matchLabels": {}}, "an empty selector would select every node"),
    (SELECTOR, {"matchExpressions": []}, "an empty selector would select every node"),
    (SELECTOR, {"matchLabels": {"pool": "no spaces"}}, "matchLabels.pool"),
    (SELECTOR, {"matchLabels": {"x" * 318: "a"}}, "a label key has 1 to 63 characters"),
    (SELECTOR, {"matchLabels": {f"l{n}": "" for n in range(21)}}, "must have at most 20"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "Has"}]}, 'supported values: "In"'),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "In"}]}, "the operators In and NotIn need values"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": []}]}, "the operators In and NotIn need values"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "take no values; leave values out"),
    ("patches", GONE, "spec.patches: Required value"),
    ("patches", [], "at least 1 items"),
    ("patches", [label(f"l{n}") for n in range(9)], "must have at most 8 items"),
    ("patches", [KUBELET, KUBELET], "a component other than Custom may be listed only once"),
    ("patches", [label("a"), label("a")], "two patches read their version from the same place"),
    ("patches.0.component", "Docker", 'supported values: "Kubelet"'),
    ("patches.0.version", GONE, "spec.patches[0].version: Required value"),
    ("patches.0.version", "1.7; rm -rf /", "because it reaches a root shell"),
    ("patches.0.version", "$(reboot)", "because it reaches a root shell"),
    ("patches.0.version", "-1", "starts with a letter or digit"),
    ("patches.0.version", "1\n2", "because it reaches a root shell"),
    ("patches.0.version", "1" * 65, "may not be more than 64"),
    ("patches.0.job", GONE, "spec.patches[0].job: Required value"),
    ("patches.0.job.image", GONE, "image: Required value"),
    ("patches.0.job.image", "", "image is no image reference"),
    ("patches.0.job.image", "a b", "image is no image reference"),
    ("patches.0.job.hostPath", "host", "hostPath must be an absolute path"),
    ("patches.0.job.hostPath", "/", "hostPath must be an absolute path below /"),
    ("patches.0.job.hostPath", "/host/../etc", "without .."),
    ("patches.0.job.timeout", "0s", "choose a duration from 1s to 24h"),
    ("patches.0.job.timeout", "15 minutes", "must be a duration from 1s to 24h, for example 15m"),
    ("patches.0.job.timeout", "-15m", "choose a duration from 1s to 24h"),
    ("patches.0.job.timeout", 900, "must be of type string"),
    ("patches.0.job.timeout", "9999999h9999999h", "must be a duration from 1s to 24h"),
    ("patches.0.job.env", [{"name": "PATCHWRIGHT_NODE", "value": "a"}], "names that start with PATCHWRIGHT_ are set by the controller"),
    ("patches.0.job.env", [{"name": "A", "value": "a"}, {"name": "A", "value": "b"}], "Duplicate value"),
    ("patches.0.job.env", [{"name": "1A", "value": "a"}], "should match"),
    ("patches.0.job.resources", {"limits": {"memory": "lots"}}, "limits.memory"),
    ("patches.0.job.resources", {"requests": {"cpu": -1}}, "greater than or equal to 0"),
    ("patches.0.rollback", {}, "rollback.image: Required value"),
    ("patches.0.observed", {"type": "File"}, 'supported values: "NodeInfo"'),
    ("patches.0.observed", {"label": "a"}, "observed.type: Required value"),
    ("patches.0.observed", {"type": "NodeInfo"}, "nodeInfo is needed with type NodeInfo"),
    ("patches.0.observed", {"type": "Label"}, "label is needed with type Label"),
    ("patches.0.observed", {"type": "Annotation", "label": "a"}, "label is needed with type Label and must be absent"),
    ("patches.0.observed", {"type": "Annotation"}, "annotation is needed with type Annotation"),
    ("patches.0.observed", {"type": "NodeInfo", "nodeInfo": "bootID"}, "supported values"),
    ("patches.0", CUSTOM, "component Custom needs observed"),
    ("patches.0.observeTimeout", "25h", "choose a duration from 1s to 24h"),
    ("strategy.maxUnavailable", 0, "0 and 0% would mean that nothing is ever patched"),
    ("strategy.maxUnavailable", "0%", "0 and 0% would mean that nothing is ever patched"),
    ("strategy.maxUnavailable", -1, "use at least 1 or 1%"),
    ("strategy.maxUnavailable", "3", "write a count as a number without quotes"),
    ("strategy.maxUnavailable", "101%", "a percentage goes from 1% to 100%"),
    ("strategy.maxUnavailable", "1.5%", "should match"),
    ("strategy.maxUnavailable", 100001, "less than or equal to 100000"),
    ("strategy.waves", [], "at least 1 items"),
    ("strategy.waves", waves({"name": "a", "size": 1}, {"name": "a"}), "two waves have the same name"),
    ("strategy.waves", waves({"name": "a"}, {"name": "b"}), "every wave but the last needs a size"),
    ("strategy.waves", waves({"name": "a", "size": 1}, {"name": "b", "size": 2}), "the last wave (b) must not have a size"),
    ("strategy.waves", waves({"name": "a", "size": 0}, {"name": "b"}), "0 and 0% would make an empty wave"),
    ("strategy.waves", waves({"name": "a", "size": "0%"}, {"name": "b"}), "0 and 0% would make an empty wave"),
    ("strategy.waves", waves({"name": "a", "size": "many"}, {"name": "b"}), "a string must be a percentage such as 10%"),
    ("strategy.waves", waves({"name": "Canary"}), "should match"),
    ("strategy.waves", waves({"size": 1}, {"name": "b"}), "name: Required value"),
    ("strategy.waves", waves({"name": "a", "maxUnavailable": 0}), "0 and 0% would mean that nothing is ever patched"),
    ("strategy.waves", waves({"name": "a", "soak": "1d"}), "must be a duration from 0s to 336h"),
    ("strategy.waves", waves(*({"name": f"w{n}", "size": 1} for n in range(16)), {"name": "rest"}), "must have at most 16 items"),
    ("strategy.settle", {"readyFor": "10m"}, "settle.timeout must be longer than settle.readyFor"),
    ("strategy.onFailure", "Ignore", 'supported values: "Quarantine", "Uncordon"'),
    ("strategy.order", ["Name"], 'unknown field "spec.strategy.order"'),
    ("drain.timeout", "soon", "must be a duration from 1s to 24h, for example 15m"),
    ("drain.gracePeriodSeconds", -2, "greater than or equal to -1"),
    ("drain.parallelism", 0, "greater than or equal to 1"),
    ("drain.parallelism", 101, "less than or equal to 100"),
    ("drain.unmanagedPods", "Evict", 'supported values: "Block", "Delete"'),
    ("rollback.timeout", "0s", "choose a duration from 1s to 24h"),
    ("historyLimit", 101, "less than or equal to 100"),
    ("historyLimit", -1, "greater than or equal to 0"),
    ("trigger", "Never", 'supported values: "Automatic", "Manual"'),
    ("suspend", "yes", "must be of type boolean"),
    ("paused", True, 'unknown field "spec.paused"'),
)
RIGHT_POLICIES = (
    ("patches.0.version", "1.34.4+k3s1"),
    ("patches.0.version", "1:2.3~rc1-4"),
    ("patches.0.job.hostPath", ""),
    ("patches.0.job.resources", {"limits": {"memory": "64Mi", "cpu": 1}, "requests": {"cpu": "0.5"}}),
    ("patches.0.job.timeout", "1h30m"),
    ("patches.0.job.timeout", "1.5h"),
    ("patches.0.job.image", "registry.example:5000/a/b@sha256:" + "0" * 64),
    ("patches", [KUBELET, label("a"), label("b")]),
    ("patches.0", {**CUSTOM, "observed": {"type": "Annotation", "annotation": "example.com/v"}}),
    ("strategy.maxUnavailable", "1%"),
    ("strategy.maxUnavailable", "100%"),
    ("strategy.maxUnavailable", 5000),
    ("strategy.waves", waves({"name": "only", "soak": "336h"})),
    ("strategy.waves", waves({"name": "a", "size": "10%", "maxUnavailable": "50%"}, {"name": "b", "size": 3}, {"name": "c"})),
    ("strategy.settle", {"readyFor": "0s", "timeout": "1s"}),
    (SELECTOR, {"matchExpressions": [{"key": "example.com/pool", "operator": "NotIn", "values": ["gpu", ""]}]}),
    (SELECTOR, {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}),
    ("historyLimit", 0),
    ("drain.gracePeriodSeconds", 0),
)


class TestValidation(ClusterTest):
    def changed(self, path, value):
        body = copy.deepcopy(objects.policy("table"))
        set_path(body["spec"], path, copy.deepcopy(value) if value is not GONE else value)
        return body

    def test_wrong_policies_are_refused_with_a_hint(self):
        self.assertGreaterEqual(len(WRONG_POLICIES), 40)
        for path, value, hint in WRONG_POLICIES:
            with self.subTest(f"{path}: {'absent' if value is GONE else value}"[:100]):
                self.assert_refused(hint, self.client.create, "patchpolicies", self.changed(path, value), dry_run=True)

    def test_right_policies_are_accepted_as_they_are(self):
        for path, value in RIGHT_POLICIES:
            with self.subTest(f"{path}: {value}"):
                body = self.changed(path, value)
                self.client.create("patchpolicies", body, dry_run=True)

    def test_names_leave_room_for_what_is_made_from_them(self):
        for plural, limit, make in (("patchpolicies", 55, objects.policy),
                                    ("patchrollouts", 61, lambda name: objects.rollout(name, "a"))):
            self.client.create(plural, make("n" * limit), dry_run=True)
            self.assert_refused(f"metadata.name must have at most {limit} characters",
                                self.client.create, plural, make("n" * (limit + 1)), dry_run=True)

    def test_rollout_needs_a_policy(self):
        body = objects.rollout("r", "p")
        for spec, hint in (({}, "policyRef: Required value"), ({"policyRef": {}}, "name: Required value"),
                           ({"policyRef": {"name": ""}}, "at least 1 chars"),
                           ({"policyRef": {"name": "n" * 56}}, "may not be more than 55"),
                           ({"policyRef": {"name": "No"}}, "should match")):
            self.assert_refused(hint, self.client.create, "patchrollouts", {**body, "spec": spec}, dry_run=True)
        self.assert_refused("spec: Required value", self.client.create, "patchrollouts",
                            {key: body[key] for key in ("apiVersion", "kind", "metadata")}, dry_run=True)


class TestGuide(ClusterTest):
    """docs/policy.md"""

    HEAD = ("apiVersion: patchwright.io/v1alpha1\nkind: PatchPolicy\nmetadata: {name: example}\nspec:\n"
            "  target: {nodes: {selector: {matchLabels: {pool: workers}}}}\n")
    PATCH = "  patches:\n    - component: ContainerRuntime\n      version: 1.7.27\n"

    def whole(self, example):
        """A fragment of the guide as a whole object."""
        if example.startswith("apiVersion:"):
            return example
        if example.startswith("patches:"):
            return self.HEAD + textwrap.indent(example, "  ")
        if example.startswith("job:"):
            return self.HEAD + self.PATCH + textwrap.indent(example, "      ")
        return self.HEAD + self.PATCH + "      job: {image: a}\n" + textwrap.indent(example, "  ")

    def test_every_example_is_accepted(self):
        examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/policy.md").read_text(encoding="utf-8"), re.S)
        self.assertGreater(len(examples), 5)
        for example in examples:
            with self.subTest(example.splitlines()[0]):
                self.cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=self.whole(example))

    def test_every_quoted_message_exists(self):
        table = (ROOT / "docs/policy.md").read_text(encoding="utf-8").partition("When the API server refuses")[2]
        rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crds").iterdir())
        messages = [message for line in re.findall(r"(?m)^\| (`.*?) \|", table) for message in re.findall(r"`(.*?)`", line)]
        self.assertGreater(len(messages), 7)
        for message in messages:
            for part in message.split(" … "):
                self.assertIn(part, rules)


def report(name, **spec):
    return {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchReport", "metadata": {"name": name}, "spec": {
        "rolloutRef": {"name": "r", "uid": "0"}, "policyRef": {"name": "p"}, "page": 1, "pages": 1,
        "outcome": "Succeeded", **spec}}


class TestImmutability(ClusterTest):
    def test_spec_of_a_rollout(self):
        self.client.create("patchrollouts", objects.rollout("fixed", "a"))
        self.assert_refused("the spec of a PatchRollout cannot be changed", self.client.patch, "patchrollouts", "fixed",
                            {"spec": {"policyRef": {"name": "b"}}})
        self.assert_refused("spec: Required value", self.client.patch, "patchrollouts", "fixed", {"spec": None})
        self.client.patch("patchrollouts", "fixed", {"metadata": {"finalizers": ["patchwright.io/rollout"]}})

    def test_report(self):
        self.client.create("patchreports", report("fixed", targets=[{"node": "a", "step": "Patched"}]))
        for change in ({"outcome": "Failed"}, {"targets": []}, {"targets": None}, {"planHash": "0"}):
            self.assert_refused("a PatchReport is a record and cannot be changed",
                                self.client.patch, "patchreports", "fixed", {"spec": change})
        self.assert_refused("page must not be greater than pages", self.client.create, "patchreports",
                            report("page", page=2))

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

    def test_a_decision_and_a_grant_are_there_once(self):
        self.client.create("patchrollouts", objects.rollout("twice", "a"))
        grant = {"node": "a", "nodeUID": "1", "step": "Claimed"}
        decision = {"id": "1", "seq": 1, "at": TIME, "type": "Start"}
        for key, entry in (("active", grant), ("decisions", decision)):
            self.assert_refused("Duplicate value", self.client.patch, "patchrollouts", "twice",
                                {"status": {key: [entry, entry]}}, subresource="status")

    def test_full_page_of_a_report(self):
        crd = self.client.get("customresourcedefinitions", "patchreports.patchwright.io")
        parts = schema(crd)["properties"]["spec"]["properties"]
        target = largest(parts["targets"]["items"], realistic)
        target.update({key: target[key][:2] for key in ("from", "to", "jobs")}, steps=target["steps"][:7])
        decision = largest(parts["decisions"]["items"], realistic)
        body = report("full", targets=[target] * 250, decisions=[decision] * 500)
        self.assertEqual(self.client.create("patchreports", body)["spec"], body["spec"])
        body = report("more", targets=[{"node": "a"}] * 251)
        self.assert_refused("must have at most 250 items", self.client.create, "patchreports", body)


# --- The controller's rights ---

ACCOUNT = f"system:serviceaccount:{SYSTEM}:patchwright-controller"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate")
READ = {"get", "list", "watch"}
RIGHTS = {
    # (API group, resource): (verbs in every namespace, in patchwright-system, in patchwright-jobs)
    ("", "nodes"): (READ | {"patch"}, set(), set()),
    ("", "nodes/status"): (set(), set(), set()),
    ("", "nodes/proxy"): (set(), set(), set()),
    ("", "pods"): ({"list", "watch"}, set(), {"get", "create", "patch", "delete", "deletecollection"}),
    ("", "pods/eviction"): ({"create"}, set(), set()),
    ("", "pods/exec"): (set(), set(), set()),
    ("", "pods/status"): (set(), set(), set()),
    ("", "pods/log"): (set(), set(), set()),
    ("", "secrets"): (set(), set(), set()),
    ("", "configmaps"): (set(), set(), set()),
    ("", "serviceaccounts"): (set(), set(), set()),
    ("", "serviceaccounts/token"): (set(), set(), set()),
    ("", "namespaces"): (set(), set(), set()),
    ("", "events"): (set(), set(), set()),
    ("events.k8s.io", "events"): ({"create", "patch"}, set(), set()),
    ("policy", "poddisruptionbudgets"): ({"list", "watch"}, set(), set()),
    ("apps", "controllerrevisions"): (set(), READ | {"create", "delete"}, set()),
    ("apps", "deployments"): (set(), set(), set()),
    ("batch", "jobs"): (set(), set(), set()),
    ("coordination.k8s.io", "leases"): (set(), set(), set()),
    ("patchwright.io", "patchpolicies"): (READ, set(), set()),
    ("patchwright.io", "patchpolicies/status"): ({"update", "patch"}, set(), set()),
    ("patchwright.io", "patchrollouts"): (READ | {"create", "update", "patch", "delete"}, set(), set()),
    ("patchwright.io", "patchrollouts/status"): ({"update", "patch"}, set(), set()),
    ("patchwright.io", "patchreports"): (READ | {"create"}, set(), set()),
    ("rbac.authorization.k8s.io", "clusterroles"): (set(), set(), set()),
    ("rbac.authorization.k8s.io", "rolebindings"): (set(), set(), set()),
    ("apiextensions.k8s.io", "customresourcedefinitions"): (set(), set(), set()),
}


class TestRights(ClusterTest):
    def roles(self):
        yield self.client.get("clusterroles", "patchwright-controller")
        for namespace in (SYSTEM, JOBS):
            yield self.client.get("roles", "patchwright-controller", namespace)

    def test_no_role_has_a_wildcard(self):
        for role in self.roles():
            self.assertNotIn("aggregationRule", role)
            for rule in role["rules"]:
                self.assertNotIn("nonResourceURLs", rule)
                for key in ("apiGroups", "resources", "verbs"):
                    self.assertTrue(rule[key])
                    for word in rule[key]:
                        self.assertNotIn("*", word, rule)

    def allowed(self, namespace, group, resource, verb):
        name, _, subresource = resource.partition("/")
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": ACCOUNT, "groups": ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"],
            "resourceAttributes": {"namespace": namespace, "group": group, "resource": name,
                                   "subresource": subresource, "verb": verb}}}
        return self.client.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]

    def test_it_may_do_this_and_nothing_else(self):
        for (group, resource), (everywhere, system, jobs) in RIGHTS.items():
            for namespace, extra in (("", set()), ("default", set()), (SYSTEM, system), (JOBS, jobs)):
                granted = {verb for verb in VERBS if self.allowed(namespace, group, resource, verb)}
                self.assertEqual(granted, everywhere | extra, f"{resource}.{group} in {namespace or 'all namespaces'}")

    def test_kubectl_says_the_same(self):
        for words, answer in (("patch nodes", "yes"), ("create pods --subresource=eviction -n shop", "yes"), ("delete nodes", "no"),
                              (f"create pods -n {JOBS}", "yes"), ("create pods -n default", "no"),
                              ("get secrets -A", "no"), ("patch patchpolicies.patchwright.io", "no")):
            said = self.cluster.kubectl("auth", "can-i", *words.split(), "--as", ACCOUNT, check=False)
            self.assertEqual(said.stdout.strip(), answer, f"{words}: {said.stderr}")

    def test_namespaces_have_their_pod_security(self):
        for name, level in ((SYSTEM, "restricted"), (JOBS, "privileged")):
            labels = self.client.get("namespaces", name)["metadata"]["labels"]
            self.assertEqual(labels["pod-security.kubernetes.io/enforce"], level)

    def test_its_token_works(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.cluster.controller_kubeconfig(self.logs)
        who = self.cluster.kubectl("--kubeconfig", path, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
        self.assertEqual(who.stdout, ACCOUNT)
        said = self.cluster.kubectl("--kubeconfig", path, "get", "secrets", "-A", check=False)
        self.assertIn("Forbidden", said.stderr)

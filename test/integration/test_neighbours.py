"""Who else works on nodes: other operators, people, autoscalers, other policies, and the controller's own pod."""

import json
import re

from lib import objects
from lib.case import ClusterTest, node_ready
from lib.flow import BEHAVE, FlowTest, ONE_WAVE, WAIT, conditions, strategy, wait_for
from lib.rollout import cordoned, most_unavailable, runtime_version, state_of, step_of
from lib.wait import wait_for as wait_until

SCALE_DOWN, DISRUPTION = "cluster-autoscaler.kubernetes.io/scale-down-disabled", "karpenter.sh/do-not-disrupt"
KURED_LOCK = "weave.works/kured-node-lock"
NEW = "containerd://1.7.27"


def annotations(node):
    return node["metadata"].get("annotations", {})


class TestNeighbours(FlowTest):
    def wait_named(self, *texts):
        """The wave says who is waited for, and the rollout does not progress for that reason."""
        def told():
            status = self.running()["status"]
            wave = (status.get("waves") or [{}])[0]
            return wave.get("reason") == "NeighbourAtWork" and all(text in wave["message"] for text in texts) and status
        return wait_for(told, WAIT, lambda: f"{texts} are named: {self.running()['status']}")

    def untouched(self, name):
        self.assertEqual([event for event in self.nodes.events(name) if state_of(event.object)], [], f"{name} was touched")

    def kured(self):
        """A DaemonSet that runs nowhere; returns its namespace."""
        namespace = self.namespace()
        self.client.create("daemonsets", {
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "kured"},
            "spec": {"selector": {"matchLabels": {"app": "kured"}}, "template": {
                "metadata": {"labels": {"app": "kured"}},
                "spec": {"nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": "example/kured:1"}]}}}}, namespace)
        self.addCleanup(self.client.delete, "daemonsets", "kured", namespace)
        return namespace

    def check_metrics(self):
        """State age, the reason that blocks, the budget: of what other tests of the class do, too."""
        rollout = re.escape(self.running()["metadata"]["name"])
        for line in (rf'patchwright_rollout_waiting\{{rollout="{rollout}",reason="NeighbourAtWork"\}} 1',
                     r'patchwright_rollouts\{outcome="Running"\} [1-9]',
                     rf'patchwright_policy_unavailable_nodes\{{policy="{self.tag}"\}} 0',
                     rf'patchwright_policy_max_unavailable\{{policy="{self.tag}"\}} 1',
                     r'patchwright_cluster_unavailable_nodes \d',
                     r'patchwright_node_step_oldest_seconds\{step="Draining"\} \d'):
            wait_for(lambda l=line: re.search(l, self.program.http("/metrics")[1]), WAIT, line)

    def check_kstatus(self, item, done):
        """As `kubectl wait`, kstatus and Argo CD read it."""
        self.assertEqual(item["status"]["observedGeneration"], item["metadata"]["generation"])
        found = {kind: status for kind, (status, _, _) in conditions(item).items()}
        self.assertEqual(found["Ready"], "True" if done else "False")
        self.assertEqual((found.get("Reconciling"), found.get("Stalled")), (None if done else "True", None), conditions(item))

    def lock(self, namespace, value):
        self.client.patch("daemonsets", "kured", {"metadata": {"annotations": {KURED_LOCK: value}}}, namespace)

    def test_lock_of_kured(self):
        names, namespace = self.pool(2), self.kured()
        self.lock(namespace, json.dumps({"nodeID": names[0], "metadata": {"unschedulable": False},
                                         "created": "2026-01-01T00:00:00Z", "TTL": 0}))
        self.policy()
        status = self.wait_named(f"node {names[0]} is worked on by kured", f"DaemonSet {namespace}/kured")
        wait_for(lambda: runtime_version(self.node(names[1])) == NEW, WAIT, "the other node is patched meanwhile")
        wait_for(lambda: conditions(self.running())["Progressing"][:2] == ("False", "NeighbourAtWork"), WAIT,
                 f"Progressing says why: {status}")
        self.untouched(names[0])
        self.check_metrics()
        self.check_kstatus(self.running(), False)
        self.check_kstatus(self.client.get("patchpolicies", self.tag), False)
        self.lock(namespace, None)
        self.check_kstatus(self.ended("Succeeded"), True)
        self.wait_policy("Ready", "UpToDate")
        self.check_kstatus(self.client.get("patchpolicies", self.tag), True)
        self.assertEqual(runtime_version(self.node(names[0])), NEW)
        self.assert_put_away(names)

    def test_marks_of_other_operators(self):
        names = self.pool(2)
        self.client.patch("nodes", names[0], {"spec": {"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]}})
        self.bare_pod(names[1], "apply-plan")
        self.client.patch("pods", "apply-plan", {"metadata": {"labels": {"upgrade.cattle.io/node": names[1]}}}, self.namespace())
        self.policy(drain={"unmanagedPods": "Delete"})
        self.wait_named(f"node {names[0]} is worked on by Karpenter, which removes it (taint karpenter.sh/disrupted) (and 1 more)")
        self.client.patch("nodes", names[0], {"spec": {"taints": None}})
        self.wait_named(f"node {names[1]} is worked on by system-upgrade-controller (pod {self.namespace()}/apply-plan)")
        self.untouched(names[1])
        self.client.delete("pods", "apply-plan", self.namespace(), grace=0)
        self.ended("Succeeded")
        self.assert_put_away(names)

    def test_a_person_who_drains(self):
        name, = self.pool(1)
        pod = self.bare_pod(name, "cart")
        self.client.patch("pods", "cart", {"metadata": {"finalizers": ["example.com/hold"]}}, self.namespace())
        self.client.patch("nodes", name, {"spec": {"unschedulable": True}})
        self.client.delete("pods", "cart", self.namespace(), grace=1)
        self.policy()
        self.wait_named(f"node {name} is worked on by somebody who drains it (pod {pod} is leaving)")
        self.untouched(name)
        self.client.patch("pods", "cart", {"metadata": {"finalizers": None}}, self.namespace())
        self.ended("Succeeded")
        self.assert_put_away([name], cordoned=[name])

    def test_autoscalers_are_held_off(self):
        names = self.pool(3, behave="delay=1s", annotations={DISRUPTION: "10m"})
        self.client.patch("nodes", names[1], {"metadata": {"annotations": {SCALE_DOWN: "true"}}})
        self.policy(strategy=strategy(maxUnavailable=3))
        self.ended("Succeeded")
        for name in names:
            working = [event.object for event in self.nodes.events(name) if step_of(event.object) in ("Draining", "Patching", "Settling")]
            self.assertTrue(working)
            for node in working:
                self.assertEqual((annotations(node).get(SCALE_DOWN), annotations(node).get(DISRUPTION)), ("true", "true"))
            now = annotations(self.node(name))
            self.assertEqual((now.get(SCALE_DOWN), now.get(DISRUPTION)), ("true" if name == names[1] else None, "10m"))
        self.assert_put_away(names)

    def test_policies_that_overlap_and_windows_nodes(self):
        name, = self.pool(1)
        windows, = self.make_nodes(1, {"kubernetes.io/os": "windows"}, prefix=f"{self.tag}-win", wait=False)
        self.client.patch("nodes", windows, {"status": {"nodeInfo": {"operatingSystem": "windows"}}}, subresource="status")
        self.policy(f"{self.tag}-a", trigger="Manual")
        self.policy(f"{self.tag}-b", trigger="Manual")
        for one, other in (("a", "b"), ("b", "a")):
            self.wait_policy("Overlapping", "TargetsOverlap", f"PatchPolicy {self.tag}-{other} selects 1 of the same nodes ({name})",
                             policy=f"{self.tag}-{one}")
        self.change(f"{self.tag}-b", target={"nodes": {"selector": {"matchLabels": {"pool": "another"}}}})
        wait_for(lambda: "Overlapping" not in conditions(self.client.get("patchpolicies", f"{self.tag}-a")), WAIT, "it goes by itself")
        self.change(f"{self.tag}-a", trigger="Automatic")
        self.ended("Succeeded", policy=f"{self.tag}-a")
        self.assertEqual((runtime_version(self.node(name)), runtime_version(self.node(windows))), (NEW, "containerd://1.6.20"))
        self.untouched(windows)


class TestCeiling(FlowTest):
    flags = ("--max-unavailable-total", "2")

    def test_ceiling_over_all_policies(self):
        names = {one: self.make_nodes(3, {"pool": f"{self.tag}-{one}"}, prefix=f"{self.tag}-{one}",
                                      annotations={BEHAVE: "hold"}) for one in "ab"}
        for one in "ab":
            self.policy(f"{self.tag}-{one}", strategy=strategy(maxUnavailable=3),
                        target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": f"{self.tag}-{one}"}}}})
        self.rollouts.wait_for(lambda event: "nodes of the cluster are unavailable" in event.object.get("status", {}).get("summary", ""),
                               WAIT, "a rollout says that the cluster's limit is reached")
        self.release(*names["a"], *names["b"])
        for one in "ab":
            self.ended("Succeeded", policy=f"{self.tag}-{one}")
        ours = [event for event in self.nodes.events()
                if event.object["metadata"]["name"].startswith(self.tag) and node_ready(event.object)]  # they begin not Ready
        self.assertEqual(most_unavailable(ours), 2)
        self.assert_put_away(names["a"] + names["b"])


class TestOwnNode(ClusterTest):
    """The pod is a stand-in: the controller runs beside the cluster, and is told that this pod is its own."""

    def test_own_node_last_and_handed_over(self):
        names = self.make_nodes(2)
        namespace = self.namespace()
        wait_until(lambda: self.client.find("serviceaccounts", "default", namespace), WAIT, "the namespace has its service account")
        body = objects.deployment("controller", 1, {"pool": self.tag})
        body["spec"]["template"]["spec"]["nodeName"] = names[0]
        self.client.create("deployments", body, namespace)
        self.await_deployment("controller", 1)
        pod, = self.client.list("pods", namespace)
        self.fleet_agent("--delay", "300ms")
        first = self.controller("--leader-elect", "--pod-name", pod["metadata"]["name"], "--pod-namespace", namespace, log="first.log")
        self.policy(drain={"deleteEmptyDirData": True}, strategy=strategy(ONE_WAVE))
        self.assertEqual(first.wait(WAIT), 0, "it ends by itself when its pod is the last one")
        self.assertEqual(runtime_version(self.client.get("nodes", names[1])), NEW, "its own node is the last")
        self.assertEqual(step_of(self.client.get("nodes", names[0])), "Draining")
        self.assertTrue(cordoned(self.client.get("nodes", names[0])))
        self.assertEqual(self.client.get("leases", "patchwright-controller", "patchwright-system")["spec"].get("holderIdentity", ""), "")
        body["spec"]["template"]["spec"].pop("nodeName")
        self.client.patch("deployments", "controller", {"spec": {"template": {"spec": {"nodeName": None}}}}, namespace)
        second = self.controller("--leader-elect", log="second.log")
        wait_until(lambda: second.check_alive() and runtime_version(self.client.get("nodes", names[0])) == NEW
                   and not cordoned(self.client.get("nodes", names[0])), WAIT, "the next leader goes on")
        self.assertRegex(second.http("/metrics")[1], r'patchwright_lease_holder\{holder="[^"]+"\} 1')
        self.assertEqual(second.terminate(), 0)

    def test_not_where_nobody_could_take_it(self):
        name, = self.make_nodes(1)
        namespace = self.namespace()
        wait_until(lambda: self.client.find("serviceaccounts", "default", namespace), WAIT, "the namespace has its service account")
        self.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "controller"}, "spec": {
            "nodeName": name, "containers": [{"name": "main", "image": "example/controller:1"}]}}, namespace)
        program = self.controller("--pod-name", "controller", "--pod-namespace", namespace)
        self.policy()
        def unsafe():
            found = self.client.list("patchrollouts")
            return found and conditions(found[0]).get("Progressing", ("", "", ""))[1] == "SelfDrainUnsafe"
        wait_until(unsafe, WAIT, lambda: f"it waits and says why: {[r.get('status') for r in self.client.list('patchrollouts')]}")
        wait_until(lambda: "DrainGoesNowhere" in conditions(self.client.get("patchpolicies", self.tag)), WAIT, "the policy says so, too")
        self.assertFalse(cordoned(self.client.get("nodes", name)))
        self.client.delete("patchpolicies", self.tag)
        wait_until(lambda: not self.client.list("patchrollouts"), WAIT, "the rollout is gone")
        self.assertEqual(program.terminate(), 0)

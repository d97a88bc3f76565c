"""What is in the way of a drain: named in the status, and gone on from as soon as it is out of the way."""

import re
import time

from lib import objects
from lib.flow import FlowTest, PROMPT, WAIT, conditions, strategy, wait_for
from lib.rollout import STATE, cordoned, decisions, job_pods, runtime_version, step_of, undrained


class TestBlockers(FlowTest):
    def check_done(self, names, rollout=None):
        rollout = rollout or self.ended("Succeeded")
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.7.27"] * len(names))
        self.assertEqual(undrained(self.pod_events(names)), [])
        self.assert_put_away(names)
        return rollout

    def test_budget_that_allows_nothing(self):
        name, = self.pool(1)
        self.make_deployment("cart", 2)
        self.make_pdb("cart", maxUnavailable=0)
        namespace = self.namespace()
        self.policy()
        self.wait_step(name, "Draining")
        since = time.monotonic()
        rollout, active = self.wait_blocked()
        self.assertLess(time.monotonic() - since, PROMPT)
        blocker = active["blockedBy"]
        pods = {f"{namespace}/{pod['metadata']['name']}": pod["metadata"]["uid"] for pod in self.client.list("pods", namespace)}
        self.assertEqual((active["node"], active["step"]), (name, "Draining"))
        self.assertEqual((blocker["kind"], blocker["namespace"], blocker["name"]), ("PodDisruptionBudget", namespace, "cart"))
        self.assertIn(blocker["pod"], pods)
        self.assertTrue(blocker["message"] and blocker["since"])
        wait_for(lambda: f"waiting for PodDisruptionBudget {namespace}/cart" in self.running()["status"]["summary"], WAIT, "the summary names it")
        self.assertIn("Reconciling", conditions(self.running()))
        text = self.program.http("/metrics")[1]
        name_of = re.escape(rollout["metadata"]["name"])
        self.assertRegex(text, rf'patchwright_blocked_targets\{{rollout="{name_of}",kind="PodDisruptionBudget"\}} 1')
        self.assertEqual({pod["metadata"]["uid"] for pod in self.client.list("pods", namespace)}, set(pods.values()))

        # The relief: nothing else happens that could wake the controller.
        self.client.patch("poddisruptionbudgets", "cart", {"spec": {"maxUnavailable": 2}}, namespace)
        relief = wait_for(lambda: self.client.get("poddisruptionbudgets", "cart", namespace)["status"]["disruptionsAllowed"] > 0
                          and time.monotonic(), WAIT, "the budget allows a disruption")
        gone = wait_for(lambda: all(pod["metadata"].get("deletionTimestamp") for pod in self.client.list("pods", namespace)
                                    if pod["metadata"]["uid"] in pods.values()) and time.monotonic(), WAIT, "the pods are evicted")
        self.assertLess(gone - relief, PROMPT)
        self.check_done([name])

    def test_budgets_that_overlap(self):
        name, = self.pool(1)
        self.make_deployment("cart", 1)
        namespace = self.namespace()
        self.make_pdb("cart", maxUnavailable=1)
        second = objects.pdb("cart", maxUnavailable=1)
        second["metadata"]["name"] = "cart-too"
        self.client.create("poddisruptionbudgets", second, namespace)
        self.policy()
        self.wait_blocked("2 PodDisruptionBudgets select this pod")
        self.client.delete("poddisruptionbudgets", "cart-too", namespace)
        self.check_done([name])

    def test_empty_dir_blocks_until_the_policy_says_otherwise(self):
        name, = self.pool(1)
        self.make_deployment("cache", 1, empty_dir=True)
        self.policy()
        _, active = self.wait_blocked("emptyDir volume: set drain.deleteEmptyDirData, or delete the pod")
        blocker = active["blockedBy"]
        self.assertEqual((blocker["kind"], blocker["namespace"]), ("Pod", self.namespace()))
        self.change(drain={"deleteEmptyDirData": True})
        rollout = self.ended("Succeeded", count=2)
        self.check_done([name], rollout)

    def test_unmanaged_pod_blocks_until_it_is_deleted(self):
        name, = self.pool(1)
        precious = self.bare_pod(name, "precious")
        self.policy()
        _, active = self.wait_blocked()
        blocker = active["blockedBy"]
        self.assertEqual((blocker["kind"], blocker["pod"]), ("Pod", precious))
        self.assertIn("no controller would start it again: set drain.unmanagedPods to Delete", blocker["message"])
        self.client.delete("pods", "precious", self.namespace())
        self.check_done([name])

    def test_unmanaged_pods_and_empty_dirs_go_where_the_policy_says_so(self):
        name, = self.pool(1)
        self.bare_pod(name, "scratch", volumes=[{"name": "scratch", "emptyDir": {}}])
        self.policy(drain={"deleteEmptyDirData": True, "unmanagedPods": "Delete"})
        self.check_done([name])

    def test_without_a_drain_pods_stay(self):
        name, = self.pool(1)
        self.bare_pod(name, "stays")
        self.policy(drain={"enabled": False})
        self.ended("Succeeded")
        self.assertNotIn("deletionTimestamp", self.client.get("pods", "stays", self.namespace())["metadata"])
        self.assertEqual([step for step in {step_of(e.object) for e in self.nodes.events(name)} if step == "Draining"], [])
        self.assert_put_away([name])

    def test_drain_timeout(self):
        names = self.pool(2)
        precious = self.bare_pod(names[0], "precious")
        self.policy(drain={"timeout": "2s"}, strategy=strategy([{"name": "canary", "size": 1}, {"name": "rest"}]))
        rollout = self.ended("Failed")
        failure, = rollout["status"]["failed"]
        self.assertEqual((failure["node"], failure["step"], failure["reason"]), (names[0], "Draining", "DrainTimeout"))
        self.assertIn(f"1 pods had not left after 2s; in the way is Pod {precious}", failure["message"])
        self.assertTrue([e for e in self.nodes.events(names[0]) if cordoned(e.object)], "it was cordoned")
        self.assert_put_away(names)
        self.assertEqual(job_pods(self.pod_events(names)), {})
        self.assertEqual([e for e in self.nodes.events(names[1]) if STATE in e.object["metadata"].get("annotations", {})], [])
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.6.20"] * 2)
        self.assertNotIn("deletionTimestamp", self.client.get("pods", "precious", self.namespace())["metadata"])
        self.assertEqual([d["reason"] for d in decisions(self.client, rollout) if d["type"] == "Fail"], ["DrainTimeout"])
        self.wait_policy("Stalled", "RolloutFailed", "1 pods had not left")

    def test_pods_that_take_long_to_stop(self):
        name, = self.pool(1)
        self.make_deployment("slow", 1, annotations={"fleet.patchwright.io/stop-after": "2s"})
        self.policy()
        self.check_done([name])

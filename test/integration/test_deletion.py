"""Deleting a node, a rollout or the policy while a node is being worked on, and ending the controller meanwhile.

For every step a pool is held in it. Afterwards nothing is cordoned, no job pod is left and no object is stuck; a job that runs may end.
"""

from lib.flow import BEHAVE, FlowTest, SANITIZERS, WAIT, patch, strategy, wait_for
from lib.rollout import cordoned, job_pods, pages, runtime_version, step_of

# What holds a node in a step.
HOLD = {
    "Draining": {},  # a pod that nobody owns
    "Patching": {"behave": "hold"},
    "Verifying": {"behave": "lie"},
    "Settling": {"ready_for": "1h", "settle": {"readyFor": "1h", "timeout": "2h"}},
}


class DeletionTest(FlowTest):
    def hold(self, step, **spec):
        """Two nodes, the first one held in the step. Returns their names and the rollout."""
        how = dict(HOLD[step])
        names = self.pool(2, behave=how.pop("behave", None))
        if step == "Draining":
            self.bare_pod(names[0], "precious")
        self.policy(strategy=strategy(**how), patches=[patch(rollback=True)], **spec)
        rollout = self.by_hand(f"{self.tag}-run") if spec.get("trigger") == "Manual" else self.running()
        self.wait_step(names[0], step)
        if step == "Patching":
            self.wait_job(names[0])
        return names, rollout["metadata"]["name"]

    def check_gone(self, names, rollout):
        self.release(*names)
        wait_for(lambda: not self.client.find("patchrollouts", rollout), 60, f"{rollout} is gone")
        self.assert_put_away(names)
        self.assertEqual(self.jobs_on(names), [])
        touched = [event for event in self.nodes.events(names[1]) if step_of(event.object) or cordoned(event.object)]
        self.assertEqual(touched, [], "no other node was begun")
        ran = job_pods(self.pod_events(names))
        self.assertTrue(all(count == 1 for count in ran.values()), ran)
        return ran

    def check_report(self, rollout, names, contains):
        """The record outlives the rollout and says who ended it."""
        spec, = [item["spec"] for item in self.client.list("patchreports") if item["spec"]["rolloutRef"]["name"] == rollout]
        self.assertEqual(spec["outcome"], "Aborted")
        finish = spec["decisions"][-1]
        self.assertEqual(finish["type"], "Finish")
        self.assertIn(contains, finish["evidence"])
        return next(target for target in spec["targets"] if target["node"] == names[0])

    def delete_rollout(self, step):
        names, rollout = self.hold(step, trigger="Manual")
        self.client.delete("patchrollouts", rollout)
        ran = self.check_gone(names, rollout)
        target = self.check_report(rollout, names, "the PatchRollout was deleted")
        return names, target, ran

    def delete_policy(self, step):
        names, rollout = self.hold(step)
        self.client.delete("patchpolicies", self.tag)
        ran = self.check_gone(names, rollout)
        self.assertIsNone(self.client.find("patchpolicies", self.tag))
        spec, = [item["spec"] for item in self.client.list("patchreports") if item["spec"]["rolloutRef"]["name"] == rollout]
        self.assertEqual(spec["outcome"], "Aborted")
        return names, ran

    def delete_node(self, step):
        names, rollout = self.hold(step)
        self.client.delete("nodes", names[0])
        self.release(names[1])
        wait_for(lambda: self.client.get("patchrollouts", rollout)["status"].get("outcome"), WAIT, "it goes on with the other node")
        self.collect_pods(names[0])
        done = self.ended("Succeeded")
        self.assertEqual(runtime_version(self.node(names[1])), "containerd://1.7.27")
        self.assert_put_away(names)
        targets = {target["node"]: (target["step"], target.get("reason")) for target in pages(self.client, done)[0]["targets"]}
        self.assertEqual(targets[names[0]], ("Skipped", "NodeGone"))
        self.assertEqual(targets[names[1]][0], "Patched")


class TestDeletedRollout(DeletionTest):
    def test_rollout_deleted_in_draining(self):
        _, target, ran = self.delete_rollout("Draining")
        self.assertEqual((target["step"], target["reason"], ran), ("Skipped", "Aborted", {}))

    def test_rollout_deleted_in_patching(self):
        names, target, ran = self.delete_rollout("Patching")
        self.assertEqual(len(ran), 1, "the job that ran was allowed to end, and no other was begun")
        self.assertEqual(runtime_version(self.node(names[0])), "containerd://1.7.27")
        self.assertEqual(target["step"], "Skipped")

    def test_rollout_deleted_in_verifying(self):
        self.delete_rollout("Verifying")

    def test_rollout_deleted_in_settling(self):
        self.delete_rollout("Settling")

    def test_rollout_deleted_before_it_is_planned(self):
        self.pool(1)
        self.policy(trigger="Manual", suspend=True)
        rollout = self.by_hand(f"{self.tag}-run")["metadata"]["name"]
        self.wait_condition("patchrollouts", rollout, "Ready", "Suspended")
        self.client.delete("patchrollouts", rollout)
        wait_for(lambda: not self.client.find("patchrollouts", rollout), WAIT, "it is gone")

    def test_rollout_deleted_while_a_node_is_in_quarantine(self):
        names = self.pool(1, behave="fail")
        self.policy()
        rollout = self.ended("Failed")
        self.client.patch("patchpolicies", self.tag, {"spec": {"suspend": True}})
        self.wait_observed()
        self.client.delete("patchrollouts", rollout["metadata"]["name"])
        wait_for(lambda: not self.rollouts_of(), WAIT, "it is gone")
        node = self.node(names[0])
        self.assertTrue(cordoned(node), "a quarantine outlives its rollout")
        self.assertEqual(step_of(node), "Quarantined", "and so does its reason")


class TestDeletedPolicy(DeletionTest):
    def test_policy_deleted_in_draining(self):
        self.assertEqual(self.delete_policy("Draining")[1], {})

    def test_policy_deleted_in_patching(self):
        names, ran = self.delete_policy("Patching")
        self.assertEqual(len(ran), 1)
        self.assertEqual(runtime_version(self.node(names[0])), "containerd://1.7.27")

    def test_policy_deleted_in_verifying(self):
        self.delete_policy("Verifying")

    def test_policy_deleted_in_settling(self):
        self.delete_policy("Settling")


class TestDeletedNode(DeletionTest):
    def test_node_deleted_in_draining(self):
        self.delete_node("Draining")

    def test_node_deleted_in_patching(self):
        self.delete_node("Patching")

    def test_node_deleted_in_verifying(self):
        names, rollout = self.hold("Verifying")
        self.release(names[1])
        self.client.delete("nodes", names[0])
        self.assertEqual(self.ended("Succeeded")["metadata"]["name"], rollout)
        self.assert_put_away(names)

    def test_node_deleted_in_settling(self):
        names, rollout = self.hold("Settling")
        self.client.delete("nodes", names[0])
        self.wait_step(names[1], "Settling")
        self.client.delete("nodes", names[1])
        done = self.ended("Succeeded")
        self.assertEqual(done["metadata"]["name"], rollout)
        self.assertEqual(done["status"]["counts"]["skipped"], 2)
        self.assert_put_away(names)

    def test_node_that_comes_back_is_another_one(self):
        names = self.pool(1, behave="hold")
        self.policy()
        self.wait_job(names[0])
        self.client.delete("nodes", names[0])
        self.make_nodes(1)
        self.collect_pods(names[0])
        self.ended("Succeeded", count=2)
        self.assertEqual(runtime_version(self.node(names[0])), "containerd://1.7.27")
        self.assert_put_away(names)


class TestStop(DeletionTest):
    at_once = 1  # they end the controller

    def restart(self):
        code = self.program.terminate()
        said = self.program.log.read_text(errors="replace")
        self.assertEqual(code, 0, self.program.tail())
        self.assertFalse(any(word in said for word in SANITIZERS), self.program.tail())
        self.program.start().wait_ready()

    def test_sigterm_in_the_middle_and_a_new_start(self):
        """Each step in turn: the program ends with 0 and the next one goes on where it was."""
        names = self.pool(1, behave="hold,hide")
        self.bare_pod(names[0], "leaving")
        namespace, held = self.namespace(), {"metadata": {"finalizers": ["example.com/hold"]}}
        self.client.patch("pods", "leaving", held, namespace)
        self.policy(strategy=strategy(ready_for="1s"), patches=[patch(rollback=True)], drain={"unmanagedPods": "Delete"})
        wait_for(lambda: "deletionTimestamp" in self.client.get("pods", "leaving", namespace)["metadata"], WAIT, "the pod is leaving")
        self.wait_step(names[0], "Draining")
        self.restart()
        self.client.patch("pods", "leaving", {"metadata": {"finalizers": None}}, namespace)
        self.wait_job(names[0])
        self.restart()
        self.client.patch("nodes", names[0], {"metadata": {"annotations": {BEHAVE: "hide"}}})
        self.wait_step(names[0], "Verifying")
        self.restart()
        self.ready_since(names[0], "2100-01-01T00:00:00Z")
        self.release(names[0])
        self.wait_step(names[0], "Settling")
        self.restart()
        self.ready_since(names[0], "2020-01-01T00:00:00Z")
        rollout = self.ended("Succeeded")
        self.assertEqual(job_pods(self.pod_events(names)), {(rollout["metadata"]["name"], names[0], "job"): 1})
        self.assertEqual(runtime_version(self.node(names[0])), "containerd://1.7.27")
        self.assert_put_away(names)
        self.assertGreaterEqual(rollout["status"]["epoch"], 5)

    def test_a_rollout_that_was_deleted_while_nobody_looked(self):
        names, rollout = self.hold("Patching", trigger="Manual")
        self.assertEqual(self.program.terminate(), 0)
        self.client.delete("patchrollouts", rollout)
        self.client.delete("patchpolicies", self.tag)
        self.program.start().wait_ready()
        self.check_gone(names, rollout)

"""Patches that go wrong: all pools are started at once, each test looks at one."""

import json

from lib.case import node_ready
from lib.cluster import JOBS
from lib.flow import FlowTest, WAIT, conditions, patch, quarantined, strategy, wait_for
from lib.rollout import STATE, check_ledger, cordoned, decisions, job_pods, pages, runtime_version, state_of, step_of, steps

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"


class FailureTest(FlowTest):
    def outdated(self, count=2, behave=None, on_failure="Quarantine", drain=None, **patch_fields):
        """A pool whose nodes all behave like this, and its policy, one node at a time."""
        names = self.pool(count, behave=behave)
        spec = {"drain": drain} if drain else {}
        self.policy(patches=[patch(**patch_fields)], strategy=strategy([{"name": "canary", "size": 1}, {"name": "rest"}],
                                                                     onFailure=on_failure), **spec)
        return names

    def check_canary_only(self, names, rollout):
        touched = {name for _, name, step, _ in steps(self.node_events()) if step}
        self.assertEqual(touched, set(names[:1]))
        self.assertEqual(rollout["status"]["waves"][0]["state"], "Failed")
        self.assertEqual(rollout["status"]["waves"][1]["state"], "Pending")
        self.assertEqual([runtime_version(self.node(name)) for name in names[1:]], [OLD] * (len(names) - 1))

    def check_record(self, rollout, kinds, reason, contains=""):
        """The decisions about the canary, the reason of its failure, and a ledger that holds."""
        ledger = decisions(self.client, rollout)
        check_ledger(self, ledger, rollout)
        failure, = rollout["status"]["failed"]
        about = [d["type"] for d in ledger if d["subject"] == failure["node"]]
        self.assertEqual(about, kinds)
        self.assertEqual(failure["reason"], reason)
        self.assertIn(contains, failure["message"])
        told = next(d for d in ledger if d["type"] == "Fail")
        self.assertEqual((told["reason"], told["evidence"]), (reason, failure["message"]))
        self.assertEqual([d["subject"] for d in ledger if d["type"] == "Halt"], ["canary"])

    def check_taken_back(self, names, reason, contains="", jobs=1):
        rollout = self.ended("RolledBack")
        self.assertEqual(runtime_version(self.node(names[0])), OLD)
        self.assert_put_away(names)
        self.check_canary_only(names, rollout)
        self.check_record(rollout, ["Start", "Fail", "RollBack", "RollBackDone"], reason, contains)
        self.assertEqual(rollout["status"]["counts"]["rolledBack"], 1)
        self.assertEqual(conditions(rollout)["RolledBack"][0], "True")
        name = rollout["metadata"]["name"]
        self.assertEqual(job_pods(self.pod_events(names)), {(name, names[0], "job"): jobs, (name, names[0], "rollback"): 1})
        target = pages(self.client, rollout)[0]["targets"][0]
        self.assertEqual((target["node"], target["step"], target["reason"]), (names[0], "RolledBack", reason))
        return rollout

    def check_quarantined(self, name, rollout):
        """Cordoned, tainted, and the annotation says why."""
        node = self.node(name)
        self.assertTrue(cordoned(node) and quarantined(node))
        state = state_of(node)
        self.assertEqual((state["step"], state["rollout"]), ("Quarantined", rollout["metadata"]["name"]))
        self.assertTrue(state["reason"] and state["message"], state)
        self.assertLessEqual(len(json.dumps(state)), 1024)


class TestFailedJobs(FailureTest):
    def test_failed_job_is_rolled_back(self):
        names = self.outdated(behave="fail", rollback=True)
        rollout = self.check_taken_back(names, "JobFailed", "exit code 1: installing 1.7.27")
        self.assertIn("the runtime does not start", rollout["status"]["failed"][0]["message"])
        target = pages(self.client, rollout)[0]["targets"][0]
        self.assertEqual([(job["step"], job["exitCode"]) for job in target["jobs"]], [("job/0", 1), ("rollback/0", 0)])
        self.wait_policy("Stalled", "RolloutFailed", rollout["metadata"]["name"])
        wait_for(lambda: "JobFailed" in self.events_about("Node", names[0]), WAIT, "an Event on the node")
        wait_for(lambda: "RolloutRolledBack" in self.events_about("PatchPolicy", self.tag), WAIT, "an Event on the policy")

    def test_failed_job_without_rollback_is_quarantined_until_a_new_version(self):
        names = self.outdated(behave="fail")
        rollout = self.ended("Failed")
        self.check_quarantined(names[0], rollout)
        self.check_canary_only(names, rollout)
        self.check_record(rollout, ["Start", "Fail", "Quarantine"], "JobFailed", "exit code 1")
        self.wait_policy("Stalled", "RolloutFailed", rollout["metadata"]["name"])
        self.assertEqual(self.jobs_on(names), [])

        # A version that failed is not tried again by itself, whatever changes on the nodes.
        seen = len(self.policies.events(self.tag))
        self.client.patch("nodes", names[1], {"metadata": {"labels": {"touched": "yes"}},
                                              "status": {"nodeInfo": {"containerRuntimeVersion": "containerd://1.6.19"}}},
                          subresource="status")
        wait_for(lambda: len(self.policies.events(self.tag)) > seen and "containerd://1.6.19" in
                 json.dumps(self.client.get("patchpolicies", self.tag)["status"]["versions"]), WAIT, "the policy has seen the change")
        self.assertEqual(len(self.rollouts_of()), 1)

        # A new version patches the node, and frees it.
        self.release(*names)
        self.change(patches=[patch("1.7.28")])
        second = self.ended("Succeeded", count=2)
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.7.28"] * 2)
        self.assert_put_away(names)
        self.assertEqual(second["status"]["counts"]["patched"], 2)
        self.wait_policy("Ready", "UpToDate")

    def test_failed_job_can_be_tried_again_by_hand(self):
        names = self.outdated(behave="fail", rollback=True)
        self.ended("RolledBack")
        self.release(*names)
        self.by_hand(f"{self.tag}-again")
        self.assertEqual(self.ended("Succeeded", count=2)["metadata"]["name"], f"{self.tag}-again")
        self.assertEqual([runtime_version(self.node(name)) for name in names], [NEW] * 2)
        self.wait_policy("Ready", "UpToDate")

    def test_failed_job_with_on_failure_uncordon(self):
        names = self.outdated(behave="fail", on_failure="Uncordon")
        rollout = self.ended("Failed")
        self.assert_put_away(names)
        self.check_canary_only(names, rollout)
        self.check_record(rollout, ["Start", "Fail"], "JobFailed")
        self.assertEqual(rollout["status"]["counts"]["failed"], 1)

    def test_failed_job_on_a_node_that_was_cordoned(self):
        names = self.pool(1, behave="fail", unschedulable=True)
        self.policy(strategy=strategy(onFailure="Uncordon"))
        self.ended("Failed")
        self.assert_put_away(names, cordoned=names)

    def test_failed_rollback_ends_in_quarantine(self):
        names = self.outdated(behave="fail,rollback-fail", rollback=True)
        rollout = self.ended("Failed")
        self.check_quarantined(names[0], rollout)
        self.check_canary_only(names, rollout)
        self.check_record(rollout, ["Start", "Fail", "RollBack", "RollBackFailed", "Quarantine"], "JobFailed")
        self.assertEqual(self.jobs_on(names), [])

    def test_hanging_job_is_ended_by_its_deadline(self):
        names = self.outdated(behave="hang", rollback=True, timeout="1s")
        self.check_taken_back(names, "JobTimeout", "did not end within its timeout")

    def test_job_that_is_deleted_meanwhile(self):
        names = self.outdated(behave="hang", rollback=True)
        job = wait_for(lambda: self.running()["status"]["active"][0]["job"], WAIT, "the status names the job pod")
        self.assertTrue(job["uid"])
        self.client.delete("pods", job["name"], JOBS, grace=0)
        self._drop_finalizers("pods", job["name"], JOBS)
        self.check_taken_back(names, "JobLost")


class TestVersions(FailureTest):
    def test_success_without_the_version(self):
        names = self.outdated(behave="lie", rollback=True, observeTimeout="1s")
        self.check_taken_back(names, "VersionNotObserved", "ContainerRuntime is not at 1.7.27: the node shows containerd://1.6.20")

    def test_another_version(self):
        names = self.outdated(behave="version=1.7.20", rollback=True, observeTimeout="1s")
        self.check_taken_back(names, "VersionNotObserved", "the node shows containerd://1.7.20")
        shown = [runtime_version(event.object) for event in self.nodes.events(names[0])]
        self.assertIn("containerd://1.7.20", shown)

    def test_a_version_that_shows_late(self):
        names = self.outdated(count=1, behave="hide")
        self.wait_step(names[0], "Verifying")
        self.release(*names)
        rollout = self.ended("Succeeded")
        self.assertEqual(runtime_version(self.node(names[0])), NEW)
        cordoned_old = [event for event in self.nodes.events(names[0]) if step_of(event.object) == "Verifying"]
        self.assertTrue(cordoned_old and all(cordoned(event.object) for event in cordoned_old))
        taken = [entry["step"] for entry in pages(self.client, rollout)[0]["targets"][0]["steps"]]
        self.assertIn("Verifying", taken)

    def test_a_container_that_is_run_twice(self):
        names = self.outdated(count=1, behave="twice")
        rollout = self.ended("Succeeded")
        self.assertEqual(job_pods(self.pod_events(names)), {(rollout["metadata"]["name"], names[0], "job"): 1})
        restarts = [status["restartCount"] for event in self.pod_events(names)
                    for status in event.object["status"].get("containerStatuses", [])]
        self.assertEqual(max(restarts), 1, "the agent did run it twice")
        self.assert_put_away(names)


class TestHosts(FailureTest):
    def test_unexpected_reboot(self):
        names = self.outdated(behave="reboot", rollback=True)
        self.check_taken_back(names, "UnexpectedReboot", "boot ID")

    def test_a_node_that_goes_not_ready_holds_the_rollout(self):
        names = self.outdated(behave="notready")
        wait_for(lambda: not node_ready(self.node(names[0])), WAIT, "the node is NotReady")
        wait_for(lambda: self.running()["status"]["summary"] == "wave canary 0/1, 1 Patching", WAIT, "it is still being patched")
        active, = self.running()["status"]["active"]
        self.assertEqual((active["node"], active["step"]), (names[0], "Patching"))
        # It is replaced: the rollout goes on without it.
        self.release(names[1])
        self.client.delete("nodes", names[0])
        wait_for(lambda: self.rollouts_of()[0]["status"].get("outcome") == "Succeeded", WAIT, "the other node is patched")
        self.collect_pods(names[0])
        done = self.ended("Succeeded")
        self.assertEqual(runtime_version(self.node(names[1])), NEW)
        self.assert_put_away(names)
        gone = next(target for target in pages(self.client, done)[0]["targets"] if target["node"] == names[0])
        self.assertEqual((gone["step"], gone["reason"]), ("Skipped", "NodeGone"))

    def test_a_node_that_goes_not_ready_while_it_settles(self):
        names = self.pool(2)
        self.ready_since(names[0], "2100-01-01T00:00:00Z")
        self.policy(strategy=strategy(settle={"readyFor": "1s", "timeout": "5s"}, onFailure="Uncordon"))
        self.wait_step(names[0], "Settling")
        self.client.patch("nodes", names[0], {"metadata": {"annotations": {"fleet.patchwright.io/ready": "false"}}})
        down = {"type": "Ready", "status": "False", "reason": "KubeletStopped", "message": "simulated outage"}
        self.client.patch("nodes", names[0], {"status": {"conditions": [down]}}, kind="strategic", subresource="status")
        rollout = self.ended("Failed")
        self.assertEqual(rollout["status"]["failed"][0]["reason"], "NotSettled")
        self.assertFalse(cordoned(self.node(names[0])))
        self.assertNotIn(STATE, self.node(names[0])["metadata"]["annotations"])
        self.assertEqual(runtime_version(self.node(names[1])), OLD)

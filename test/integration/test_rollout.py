"""Rollouts that go well, from the drift to the report."""

import json

from lib.flow import BEHAVE, FlowTest, WAIT, conditions, patch, strategy, wait_for
from lib.rollout import (check_ledger, cordoned, decisions, job_pods, job_step, most_unavailable, pages, runtime_version,
                         state_of, step_of, steps, undrained)

READY_TO_GO = [{"name": "canary", "size": 1, "soak": "1s"}, {"name": "early", "size": 2}, {"name": "rest"}]


def kstatus(item):
    """How kstatus reads an object: Current, InProgress, Failed (the parts of its rules that concern conditions)."""
    if item["status"].get("observedGeneration") != item["metadata"]["generation"]:
        return "InProgress"
    for kind, (status, _, _) in conditions(item).items():  # in the order in which they stand
        if status == "True" and kind in ("Reconciling", "Stalled"):
            return {"Reconciling": "InProgress", "Stalled": "Failed"}[kind]
    return "Current" if conditions(item).get("Ready", ("",))[0] == "True" else "InProgress"


class TestSuccess(FlowTest):
    def wave_of(self, rollout):
        return {target["node"]: target["wave"] for page in pages(self.client, rollout) for target in page["targets"]}

    def check_waves(self, names, waves):
        """A wave begins when all nodes of the earlier ones are patched; no more than two nodes were ever away."""
        patched = set()
        order = ["canary", "early", "rest"]
        for _, node, step, _ in steps(self.node_events()):
            if step == "Patched":
                patched.add(node)
            elif step:
                earlier = {name for name in names if order.index(waves[name]) < order.index(waves[node])}
                self.assertLessEqual(earlier, patched, f"{node} of wave {waves[node]} is {step}")
        self.assertEqual(patched, set(names))
        self.assertLessEqual(most_unavailable(self.node_events()[self.began:]), 2)

    def check_conditions(self, name, events, generation=1):
        """Reconciling and Stalled are there only while True; the object is in progress until it is current."""
        seen = []
        for event in events:
            for kind, (status, reason, _) in conditions(event.object).items():
                self.assertTrue(reason, kind)
                if kind in ("Reconciling", "Stalled"):
                    self.assertEqual(status, "True", event.object["status"])
            if event.object.get("status", {}).get("conditions") and event.object["metadata"]["generation"] >= generation:
                seen.append(kstatus(event.object))
        self.assertEqual(seen[-1], "Current", name)
        self.assertEqual(set(seen[:-1]) - {"Current"}, {"InProgress"}, name)

    def check_report(self, rollout, names):
        report, = pages(self.client, rollout)
        self.assertEqual((report["page"], report["pages"], report["outcome"]), (1, 1, "Succeeded"))
        self.assertEqual(report["planHash"], rollout["status"]["plan"]["hash"])
        self.assertEqual(report["counts"]["patched"], len(names))
        self.assertEqual(sorted(target["node"] for target in report["targets"]), names)
        for target in report["targets"]:
            self.assertEqual((target["step"], target["attempts"]), ("Patched", 1))
            self.assertEqual(target["from"], [{"component": "ContainerRuntime", "version": "containerd://1.6.20"}])
            self.assertEqual(target["to"], [{"component": "ContainerRuntime", "version": "containerd://1.7.27"}])
            self.assertEqual([job["exitCode"] for job in target["jobs"]], [0])
            taken = [entry["step"] for entry in target["steps"]]
            # A step that has nothing to wait for is passed over.
            self.assertEqual([step for step in taken if step not in ("Verifying", "Settling")], ["Claimed", "Draining", "Patching", "Patched"])
            times = [entry["at"] for entry in target["steps"]]
            self.assertEqual(times, sorted(times))

    def check_decisions(self, rollout, names):
        ledger = decisions(self.client, rollout)
        check_ledger(self, ledger, rollout)
        self.assertEqual(sorted(d["subject"] for d in ledger if d["type"] == "Start"), names)
        self.assertEqual([d["subject"] for d in ledger if d["type"] == "Promote"], ["canary", "early", "rest"])
        self.assertEqual((ledger[-1]["type"], ledger[-1]["reason"]), ("Finish", "Succeeded"))
        for decision in ledger:
            self.assertTrue(decision["evidence"] and decision["rule"] and decision["actor"], decision)

    def test_canary_then_early_then_rest(self):
        names = self.pool(6)
        self.make_deployment("web", 9)
        self.make_pdb("web", maxUnavailable="50%")
        self.began = len(self.node_events())
        self.policy(strategy=strategy(READY_TO_GO, maxUnavailable=2))
        rollout = self.ended("Succeeded")
        self.wait_policy("Ready", "UpToDate")
        name = rollout["metadata"]["name"]

        for node in map(self.node, names):
            self.assertEqual(runtime_version(node), "containerd://1.7.27")
        self.assert_put_away(names)
        self.check_waves(names, self.wave_of(rollout))
        self.assertEqual(undrained(self.pod_events(names)), [])
        self.assertEqual(job_pods(self.pod_events(names)), {(name, node, "job"): 1 for node in names})
        self.assertEqual([wave["state"] for wave in rollout["status"]["waves"]], ["Passed"] * 3)
        self.assertEqual(rollout["status"]["counts"], {"total": 6, "pending": 0, "active": 0, "patched": 6, "excepted": 0, "failed": 0,
                                                       "rolledBack": 0, "skipped": 0})
        self.assertEqual(rollout["status"]["progress"], "6/6")
        self.check_conditions(name, self.rollouts.events(name))
        self.check_conditions(self.tag, self.policies.events(self.tag))
        self.check_report(rollout, names)
        self.check_decisions(rollout, names)
        policy = wait_for(lambda: (status := self.client.get("patchpolicies", self.tag)["status"]).get("lastSuccessfulRollout", {}).get("name")
                          == name and "currentRollout" not in status and status, WAIT, "the policy knows of the rollout's end")
        self.assertEqual(policy["targets"], {"total": 6, "upToDate": 6, "outdated": 0, "unsupported": 0, "excepted": 0})
        self.assertEqual(policy["versions"], [{"component": "ContainerRuntime", "version": "containerd://1.7.27", "count": 6}])
        wait_for(lambda: "Succeeded" in self.events_about("PatchRollout", name), WAIT, "an Event on the rollout")
        wait_for(lambda: "RolloutSucceeded" in self.events_about("PatchPolicy", self.tag), WAIT, "an Event on the policy")
        for node in names:
            wait_for(lambda n=node: "1.7.27" in self.events_about("Node", n).get("Patched", ""), WAIT, f"an Event on {node}")

    def test_two_patches_under_one_cordon(self):
        name, = self.pool(1)
        self.make_deployment("web", 2)
        self.policy(patches=[patch(), patch("1.34.9", "Kubelet")])
        rollout = self.ended("Succeeded")
        info = self.node(name)["status"]["nodeInfo"]
        self.assertEqual((info["containerRuntimeVersion"], info["kubeletVersion"]), ("containerd://1.7.27", "v1.34.9"))
        cordons = [cordoned(event.object) for event in self.nodes.events(name)]
        self.assertEqual([now for now, before in zip(cordons, [None] + cordons) if now != before], [False, True, False])
        events = self.pod_events([name])
        jobs = {}
        for event in events:
            if job_step(event.object):
                over = event.object["status"].get("phase") == "Succeeded"
                env = {entry["name"]: entry["value"] for entry in event.object["spec"]["containers"][0]["env"]}
                jobs.setdefault(env["PATCHWRIGHT_COMPONENT"], []).append((event.time, over))
        self.assertEqual(list(jobs), ["ContainerRuntime", "Kubelet"])
        first_over = min(time for time, over in jobs["ContainerRuntime"] if over)
        self.assertLess(first_over, jobs["Kubelet"][0][0])
        self.assertEqual(undrained(events), [])
        evicted = [event for event in events if event.type == "DELETED" and not job_step(event.object)]
        self.assertEqual(len(evicted), 2, "the node was drained once")
        target, = pages(self.client, rollout)[0]["targets"]
        self.assertEqual([(job["step"], job["exitCode"]) for job in target["jobs"]], [("job/0", 0), ("job/1", 0)])

    def test_a_patch_that_is_there_already_is_passed_over(self):
        name, = self.pool(1, kubelet="v1.34.9")
        self.policy(patches=[patch("1.34.9", "Kubelet"), patch()])
        rollout = self.ended("Succeeded")
        jobs = [event.object for event in self.pod_events([name]) if event.type == "ADDED" and job_step(event.object)]
        self.assertEqual(len(jobs), 1)
        self.assertEqual(pages(self.client, rollout)[0]["targets"][0]["jobs"], [{"step": "job/1", "exitCode": 0}])

    def test_a_node_that_was_cordoned_stays_cordoned(self):
        names = self.pool(2)
        self.client.patch("nodes", names[0], {"spec": {"unschedulable": True}})
        self.policy(strategy=strategy(maxUnavailable=2))
        rollout = self.ended("Succeeded")
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.7.27"] * 2)
        self.assert_put_away(names, cordoned=names[:1])
        history = [cordoned(event.object) for event in self.nodes.events(names[0])]
        self.assertNotIn(False, history[history.index(True):])
        self.assertEqual(rollout["status"]["counts"]["patched"], 2)

    def test_daemonset_pods_stay_and_finished_pods_do_not_block(self):
        name, = self.pool(1)
        namespace = self.namespace()
        labels = {"app": "agent"}
        self.client.create("daemonsets", {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": {
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                "nodeSelector": {"pool": self.tag}, "volumes": [{"name": "scratch", "emptyDir": {}}],
                "containers": [{"name": "main", "image": "example/agent:1"}]}}}}, namespace)
        self.addCleanup(self.client.delete, "daemonsets", "agent", namespace)
        self.bare_pod(name, "done", volumes=[{"name": "scratch", "emptyDir": {}}], restartPolicy="Never")
        self.client.patch("pods", "done", {"status": {"phase": "Succeeded"}}, namespace, subresource="status")
        agent = wait_for(lambda: next((pod for pod in self.client.list("pods", namespace, "app=agent")
                                       if pod["status"].get("phase") == "Running"), None), WAIT, "the DaemonSet's pod runs")
        self.policy()
        self.ended("Succeeded")
        left = [(pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in self.client.list("pods", namespace)]
        self.assertEqual(left, [(agent["metadata"]["name"], agent["metadata"]["uid"])])

    def test_nothing_is_downgraded(self):
        newer, = self.pool(1, version="containerd://2.0.1", prefix=f"{self.tag}-newer")
        older, = self.pool(1)
        self.policy()
        self.ended("Succeeded")
        self.wait_policy("Ready", "UpToDate")
        self.assertEqual(runtime_version(self.node(newer)), "containerd://2.0.1")
        self.assertEqual(runtime_version(self.node(older)), "containerd://1.7.27")
        self.assertEqual([event for event in self.nodes.events(newer) if step_of(event.object) or cordoned(event.object)], [])
        self.assertEqual(self.client.get("patchpolicies", self.tag)["status"]["targets"]["unsupported"], 1)


class TestSteering(FlowTest):
    """What people do to a policy meanwhile."""

    def versions(self, names):
        return sorted(runtime_version(self.node(name)).removeprefix("containerd://") for name in names)

    def test_history_limit(self):
        name, = self.pool(1, behave="delay=1s")  # which of two that end in the same second is the newer one, nobody can tell
        self.policy(historyLimit=1)
        ended = [self.ended("Succeeded")["metadata"]["name"]]
        for version in ("1.7.28", "1.7.29"):
            self.change(patches=[patch(version)])
            wait_for(lambda: next((item for item in self.rollouts_of() if item["metadata"]["name"] not in ended), None), WAIT, version)
            fresh, = {item["metadata"]["name"] for item in self.rollouts_of()} - set(ended)
            wait_for(lambda: [item["metadata"]["name"] for item in self.rollouts_of()] == [fresh], WAIT, "only the newest is left")
            ended.append(fresh)
            self.assertEqual(self.ended("Succeeded")["metadata"]["name"], fresh)
        self.assertEqual(self.versions([name]), ["1.7.29"])
        reports = [item["spec"]["rolloutRef"]["name"] for item in self.client.list("patchreports")
                   if item["spec"]["policyRef"]["name"] == self.tag]
        self.assertEqual(sorted(reports), sorted(ended), "reports stay")

    def test_suspend_and_resume(self):
        names = self.pool(3, behave="hold")
        self.policy(suspend=True)
        self.wait_policy("Ready", "Suspended")
        self.assertEqual(self.rollouts_of(), [])
        self.change(suspend=False)
        first = wait_for(lambda: next((event.object["metadata"]["name"] for event in self.node_events()
                                       if step_of(event.object) == "Patching"), None), WAIT, "a node is patched")
        self.wait_job(first)
        self.change(suspend=True)
        self.wait_observed()
        self.release(*names)
        wait_for(lambda: runtime_version(self.node(first)) == "containerd://1.7.27" and not cordoned(self.node(first)),
                 WAIT, "what is in work goes on to its end")
        rollout, = self.rollouts_of()
        self.wait_condition("patchrollouts", rollout["metadata"]["name"], "Progressing", "Suspended")
        wait_for(lambda: not self.rollouts_of()[0]["status"].get("active"), WAIT, "nothing is in work")
        self.assertEqual(self.versions(names), ["1.6.20", "1.6.20", "1.7.27"])
        self.assertEqual({name for _, name, step, _ in steps(self.node_events()) if step}, {first})
        self.change(suspend=False)
        self.assertEqual(self.ended("Succeeded")["metadata"]["name"], rollout["metadata"]["name"])
        self.assertEqual(self.versions(names), ["1.7.27"] * 3)

    def test_manual_trigger(self):
        name, = self.pool(1)
        self.policy(trigger="Manual")
        _, message = self.wait_policy("Ready", "TriggerManual")
        self.assertIn(f"create a PatchRollout with policyRef {self.tag}", message)
        self.assertEqual(conditions(self.client.get("patchpolicies", self.tag))["Drifted"][0], "True")
        self.assertEqual(self.rollouts_of(), [])
        self.by_hand("manual-trigger-by-hand")
        self.assertEqual(self.ended("Succeeded")["metadata"]["name"], "manual-trigger-by-hand")
        self.assertEqual(self.versions([name]), ["1.7.27"])
        self.wait_policy("Ready", "UpToDate")

    def drift(self, name):
        self.client.patch("nodes", name, {"status": {"nodeInfo": {"containerRuntimeVersion": "containerd://1.6.20"}}}, subresource="status")

    def test_drift_after_success(self):
        """Somebody brings the old version back: it is patched again by itself, or reported only, as trigger says."""
        names = self.pool(2)
        self.policy()
        self.ended("Succeeded")
        self.drift(names[0])
        again = self.ended("Succeeded", count=2)
        self.assertEqual((self.versions(names), again["status"]["counts"]["total"]), (["1.7.27"] * 2, 1))
        self.wait_policy("Ready", "UpToDate")
        self.change(trigger="Manual")
        self.drift(names[1])
        self.wait_policy("Ready", "TriggerManual")
        self.assertEqual(conditions(self.client.get("patchpolicies", self.tag))["Drifted"][:2], ("True", "Outdated"))
        self.assertEqual(len(self.rollouts_of()), 2)
        self.by_hand(f"{self.tag}-by-hand")
        self.ended("Succeeded", count=3)
        self.assertEqual(self.versions(names), ["1.7.27"] * 2)

    def test_a_changed_policy_supersedes(self):
        names = self.pool(3, behave="hold")
        self.policy()
        first = wait_for(lambda: next((event.object["metadata"]["name"] for event in self.node_events()
                                       if step_of(event.object) == "Patching"), None), WAIT, "a node is patched")
        self.wait_job(first)
        old = self.running()["metadata"]["name"]
        self.change(patches=[patch("1.7.28")], strategy=strategy(maxUnavailable=3))
        self.wait_observed()
        self.release(*names)
        rollout = self.ended("Succeeded", count=2)
        self.assertEqual(self.versions(names), ["1.7.28"] * 3)
        self.assertEqual(self.client.get("patchrollouts", old)["status"]["outcome"], "Superseded")
        touched = {event.object["metadata"]["name"] for event in self.node_events()
                   if (state_of(event.object) or {}).get("rollout") == old}
        self.assertEqual(touched, {first}, "the old version went to no further node")
        ledger = decisions(self.client, self.client.get("patchrollouts", old))
        self.assertIn(("Supersede", "PolicyChanged"), [(d["type"], d["reason"]) for d in ledger])
        self.assertEqual(rollout["status"]["versions"], [{"component": "ContainerRuntime", "version": "1.7.28"}])
        self.assert_put_away(names)

    def test_two_policies_on_the_same_nodes(self):
        names = self.pool(2, behave="hold")
        self.policy(f"{self.tag}-runtime", strategy=strategy(maxUnavailable=2))
        for name in names:
            self.wait_job(name)
        self.policy(f"{self.tag}-kubelet", patches=[patch("1.34.9", "Kubelet")], strategy=strategy(maxUnavailable=2))
        holder = self.running(f"{self.tag}-runtime")["metadata"]["name"]
        waiting = self.running(f"{self.tag}-kubelet")["metadata"]["name"]
        told = wait_for(lambda: next((event for event in self.rollouts.events(waiting)
                                      if holder in json.dumps(event.object.get("status", {}))), None),
                        WAIT, "the one that waits says for whom")
        self.assertIn("Reconciling", conditions(told.object))
        self.release(*names)
        self.ended("Succeeded", f"{self.tag}-runtime")
        self.ended("Succeeded", f"{self.tag}-kubelet")
        for name in names:
            info = self.node(name)["status"]["nodeInfo"]
            self.assertEqual((info["containerRuntimeVersion"], info["kubeletVersion"]), ("containerd://1.7.27", "v1.34.9"))
            owners = [(state_of(event.object) or {}).get("rollout") for event in self.nodes.events(name)]
            changes = [now for now, before in zip(owners, [None] + owners) if now != before and now]
            self.assertEqual(changes, [holder, waiting], "one after the other, each once")
        self.assert_put_away(names)

    def test_a_person_who_uncordons_takes_the_node_back(self):
        names = self.pool(2)
        self.bare_pod(names[0], "precious")
        self.policy()
        self.wait_step(names[0], "Draining")
        self.client.patch("nodes", names[0], {"spec": {"unschedulable": False}})
        rollout = self.ended("Succeeded")
        targets = {target["node"]: (target["step"], target.get("reason")) for target in pages(self.client, rollout)[0]["targets"]}
        self.assertEqual(targets[names[0]], ("Skipped", "ForeignUncordon"))
        self.assertEqual(targets[names[1]][0], "Patched")
        self.assertEqual(self.versions(names), ["1.6.20", "1.7.27"])
        self.wait_policy("Reconciling", "NotDrained", f"{names[0]}: somebody uncordoned the node")
        self.change(suspend=True)
        self.assertNotIn(BEHAVE, self.node(names[0])["metadata"].get("annotations", {}))

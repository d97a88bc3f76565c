"""What people decide about a rollout: its intent, that it is an emergency, its versions; and nodes that are excepted until a time."""

import datetime

from lib import objects
from lib.api import ApiError
from lib.flow import FlowTest, WAIT, conditions, strategy
from lib.rollout import check_ledger, cordoned, decisions, pages, runtime_version, state_of, step_of

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"
USER = "kubernetes-admin"  # the admission policies see to it that spec.intent.by is who writes it
TIME = "%Y-%m-%dT%H:%M:%SZ"


class TestIntent(FlowTest):
    def drained_in_vain(self, count):
        """The first node drains, and a pod stays until it is deleted: (names, rollout)."""
        names = self.pool(count)
        self.bare_pod(names[0], "stays")
        self.policy(strategy=strategy(order=["Name"]))
        rollout, active = self.wait_blocked()
        self.assertEqual(active["node"], names[0])
        return names, rollout["metadata"]["name"]

    def intend(self, rollout, action, reason):
        return self.client.patch("patchrollouts", rollout, {"spec": {"intent": {"action": action, "by": USER, "reason": reason}}})

    def by_people(self, rollout):
        found = decisions(self.client, rollout)
        check_ledger(self, found, rollout)
        return [(item["type"], item["actor"], item["evidence"]) for item in found if item["rule"] == "intent"]

    def test_paused_nothing_starts_and_what_is_in_work_ends(self):
        names, rollout = self.drained_in_vain(2)
        self.intend(rollout, "Pause", "disks are being replaced")
        self.wait_condition("patchrollouts", rollout, "Progressing", "Paused", f"paused by {USER}: disks are being replaced")
        self.client.delete("pods", "stays", self.namespace(), grace=0)
        self.wait_step(names[0], "Patched")
        status, _ = self.wait_condition("patchrollouts", rollout, "Progressing", "Paused", "wave all 1/2")
        self.assertEqual(status, "False")
        self.assertIsNone(step_of(self.node(names[1])))
        self.intend(rollout, "Run", "they are in")
        ended = self.ended("Succeeded")
        resumed = self.client.get("patchrollouts", rollout)["metadata"]["generation"]
        self.assertEqual(ended["status"]["observedGeneration"], resumed)
        self.assertEqual(self.by_people(ended), [("Pause", USER, f"paused by {USER}: disks are being replaced"),
                                                 ("Resume", USER, f"resumed by {USER}: they are in")])
        self.assert_put_away(names)

    def test_aborted_it_gives_back_and_is_not_tried_again(self):
        names, rollout = self.drained_in_vain(2)
        self.assertTrue(cordoned(self.node(names[0])))
        self.intend(rollout, "Abort", "wrong version")
        ended = self.ended("Aborted")
        self.assertEqual(self.by_people(ended), [("Abort", USER, f"aborted by {USER}: wrong version")])
        self.assertEqual([runtime_version(self.node(name)) for name in names], [OLD, OLD])
        self.assertFalse(any(step_of(event.object) for event in self.nodes.events(names[1])))
        self.assert_put_away(names)
        self.wait_policy("Stalled", "RolloutFailed", f"PatchRollout {rollout} ended as Aborted")
        self.assertEqual(len(self.rollouts_of()), 1)
        with self.assertRaises(ApiError) as refused:
            self.intend(rollout, "Run", "after all")
        self.assertEqual(refused.exception.code, 422)

    def test_paused_it_is_not_planned(self):
        name, = self.pool(1)
        self.policy(trigger="Manual")
        rollout = f"{self.tag}-by-hand"
        self.client.create("patchrollouts", {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchRollout", "metadata": {"name": rollout},
                                             "spec": {"policyRef": {"name": self.tag}, "intent": {"action": "Pause", "by": USER}}})
        self.wait_condition("patchrollouts", rollout, "Progressing", "Paused", f"paused by {USER}")
        self.assertNotIn("plan", self.client.get("patchrollouts", rollout)["status"])
        self.intend(rollout, "Run", "now")
        self.ended("Succeeded")
        self.assertEqual(runtime_version(self.node(name)), NEW)


class TestEmergency(FlowTest):
    def test_it_passes_by_what_the_policy_lets_it(self):
        names = self.pool(2)
        far = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")
        spec = {"trigger": "Manual", "approval": {"mode": "Rollout"},
                "windows": [{"name": "far", "type": "Weekly", "days": [far], "start": "12:00", "duration": "1h"}],
                "strategy": strategy([{"name": "canary", "size": 1, "soak": "1h"}, {"name": "rest"}])}
        self.policy(**spec)
        body = objects.emergency(f"{self.tag}-cve", self.tag, USER)
        self.await_guard()
        name = self.client.create("patchrollouts", body)["metadata"]["name"]
        self.wait_condition("patchrollouts", name, "Stalled", "EmergencyNotAllowed", f"PatchPolicy {self.tag} allows no emergencies")
        self.change(emergency={"allow": True})
        self.wait_condition("patchrollouts", name, "Approved", "AuthorUnknown")  # which the default does not pass by
        self.assertFalse(any(step_of(event.object) for event in self.node_events()))
        self.client.patch("patchrollouts", name, {"spec": {"intent": {"action": "Abort"}}})
        self.ended("Aborted")

        self.change(emergency={"allow": True, "bypass": ["Windows", "Soak", "Approval"]})
        body["metadata"]["name"] += "-2"
        self.client.create("patchrollouts", body)
        ended = self.ended("Succeeded", count=2)
        found = decisions(self.client, ended)
        check_ledger(self, found, ended)
        overrides = {item["rule"]: item for item in found if item["type"] == "Override"}
        self.assertEqual(set(overrides), {"windows", "approval", "soak"})
        self.assertEqual([item["type"] for item in found].count("Override"), 3)
        for rule, said in (("windows", "no window is open"), ("approval", "nobody knows who wrote"), ("soak", "wave canary would soak for 1h")):
            self.assertEqual(overrides[rule]["actor"], USER)
            self.assertIn(f"emergency by {USER}: CVE-2027-1234 is exploited; in its way: ", overrides[rule]["evidence"])
            self.assertIn(said, overrides[rule]["evidence"])
        self.assertEqual([runtime_version(self.node(node)) for node in names], [NEW, NEW])
        self.assert_put_away(names)


class TestVersions(FlowTest):
    def test_it_brings_the_versions_that_it_was_given(self):
        names = self.pool(2)
        self.policy(trigger="Manual")
        wrong, right = objects.rollout(f"{self.tag}-wrong", self.tag), objects.rollout(f"{self.tag}-right", self.tag)
        wrong["spec"]["versions"] = [{"component": "Kernel", "version": "6.1.90"}]
        self.client.create("patchrollouts", wrong)
        self.wait_condition("patchrollouts", wrong["metadata"]["name"], "Stalled", "VersionNotAllowed", "the policy has 0 patches of Kernel")
        self.client.delete("patchrollouts", wrong["metadata"]["name"])
        right["spec"]["versions"] = [{"component": "ContainerRuntime", "version": "1.7.25"}]
        self.client.create("patchrollouts", right)
        ended = self.ended("Succeeded")
        self.assertEqual(ended["status"]["versions"], right["spec"]["versions"])
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.7.25"] * 2)
        self.assert_put_away(names)


class TestExceptions(FlowTest):
    def test_excepted_until_it_expires(self):
        names = self.pool(2)
        self.client.patch("nodes", names[0], {"metadata": {"labels": {"gpu": "legacy"}}})
        expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=30)
        self.policy(exceptions=[{"name": "legacy-gpu", "selector": {"matchLabels": {"gpu": "legacy"}}, "reason": "driver pinned",
                                 "reference": "CHG-4711", "expires": expires.strftime(TIME)}])
        first = self.ended("Succeeded")
        self.assertEqual((first["status"]["counts"]["patched"], first["status"]["counts"]["excepted"]), (1, 1))
        target = next(item for item in pages(self.client, first)[0]["targets"] if item["node"] == names[0])
        self.assertEqual((target["step"], target["reason"]), ("Excepted", "Excepted"))
        self.assertIn("driver pinned (CHG-4711)", target["message"])
        self.assertIn(("Skip", "exception/legacy-gpu"), [(item["type"], item["subject"]) for item in decisions(self.client, first)])
        # By a timer: nothing else happens at that time.
        second = self.ended("Succeeded", count=2, timeout=2 * WAIT)
        created = datetime.datetime.strptime(second["metadata"]["creationTimestamp"], TIME).replace(tzinfo=datetime.timezone.utc)
        self.assertGreaterEqual(created, expires - datetime.timedelta(seconds=2))  # times of the API have whole seconds
        states = [state_of(event.object) for event in self.nodes.events(names[0]) if state_of(event.object)]
        self.assertEqual({state["rolloutUID"] for state in states}, {second["metadata"]["uid"]})
        self.assertEqual(runtime_version(self.node(names[0])), NEW)
        policy = self.client.get("patchpolicies", self.tag)
        self.assertEqual(policy["status"]["exceptions"][0]["name"], "legacy-gpu")
        self.assertEqual(conditions(policy)["Accepted"][0], "True")

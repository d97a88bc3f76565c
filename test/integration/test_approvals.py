"""Approvals on the real control plane: whose word lets a rollout begin, and whose does not."""

from lib import objects
from lib.api import ApiError
from lib.case import APPROVER
from lib.cluster import ROOT
from lib.flow import FlowTest, WAIT, conditions, strategy, wait_for
from lib.rollout import step_of

AUTHOR = "patchwright.io/author"
TWO = [{"name": "canary", "size": 1}, {"name": "rest"}]


class ApprovalTest(FlowTest):
    def asking(self, approval, waves=None, author="kubernetes-admin"):
        """A policy of two nodes, written by an author who is known; its rollout, which waits for approval."""
        self.pool(2)
        body = objects.policy(self.tag, patches=objects.policy("x")["spec"]["patches"], strategy=strategy(waves),
                              target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": self.tag}}}},
                              approval=approval)
        body["metadata"]["annotations"] = {AUTHOR: author}
        self.client.create("patchpolicies", body)
        self.addCleanup(self.put_away, self.tag)
        return self.waits("WaitingForApproval")[0]

    def waits(self, reason, contains=""):
        """The rollout and the sentence, once it waits for this reason."""
        def found():
            for item in self.rollouts_of():
                status, why, message = conditions(item).get("Approved", ("", "", ""))
                if status == "False" and why == reason and contains in message:
                    return item, message
            return None
        return wait_for(found, WAIT, lambda: f"approved is False/{reason} ({contains}): {[conditions(i) for i in self.rollouts_of()]}")

    def why(self, name):
        """What the status says of an approval, once it does."""
        def found():
            return next((entry for item in self.rollouts_of() for entry in item["status"].get("approvals", [])
                         if entry["approval"] == name), None)
        return wait_for(found, WAIT, f"approval {name} stands in the status")

    def approve(self, name, rollout, user=APPROVER, wave="", **spec):
        self.addCleanup(self.client.delete, "patchapprovals", f"{self.tag}-{name}")
        return self.make_approval(f"{self.tag}-{name}", rollout, user, wave, **spec)["metadata"]["name"]

    def touched(self):
        return {event.object["metadata"]["name"] for event in self.node_events() if step_of(event.object)}


class TestApprovals(ApprovalTest):
    def test_two_people_approve_a_rollout(self):
        rollout = self.asking({"mode": "Rollout", "required": 2})
        message = conditions(rollout)["Approved"][2]
        for needed in ("0 of 2", rollout["metadata"]["name"], rollout["metadata"]["uid"], rollout["status"]["plan"]["hash"]):
            self.assertIn(needed, message)
        self.assertIn("waiting: 0 of 2 approvals", rollout["status"]["summary"])
        other = {"metadata": {**rollout["metadata"], "uid": "another"}, "status": rollout["status"]}
        void = self.approve("void", other), self.approve("plan", rollout, planHash="0" * 64)
        first = self.approve("first", rollout)
        self.waits("WaitingForApproval", "1 of 2")
        self.assertIn("another PatchRollout", self.why(void[0])["why"])
        self.assertIn("another plan", self.why(void[1])["why"])
        again = self.approve("again", rollout)
        twice = [self.why(name).get("why", "") for name in (again, first)]  # of one second the first by name counts
        self.assertEqual(sorted(twice), ["", "its user has approved already"])
        self.client.as_user(APPROVER).delete("patchapprovals", f"{self.tag}-again")
        self.client.as_user(APPROVER).delete("patchapprovals", first)
        self.waits("WaitingForApproval", "0 of 2")
        self.assertEqual(self.touched(), set())
        self.approve("second", rollout, "grace")
        self.approve("third", rollout, "linus")
        ended = self.ended("Succeeded")
        self.assertEqual([(e["user"], e["counts"]) for e in ended["status"]["approvals"]][:2], [("grace", True), ("linus", True)])
        decision = next(d for d in ended["status"]["decisions"] if d["type"] == "Approve")
        self.assertIn("grace, linus", decision["evidence"])
        wait_for(lambda: "WaitingForApproval" in self.events_about("PatchRollout", rollout["metadata"]["name"]), WAIT, "an Event on it")

    def test_each_wave_needs_its_own(self):
        rollout = self.asking({"mode": "Wave"}, TWO)
        self.approve("canary", rollout, wave="canary")
        self.waits("WaitingForApproval", "0 of 1 approvals of wave rest")
        self.assertEqual(len(self.touched()), 1)
        self.approve("rest", rollout, wave="rest")
        ended = self.ended("Succeeded")
        self.assertEqual([wave["approvedAt"] <= wave["finishedAt"] for wave in ended["status"]["waves"]], [True, True])

    def test_an_approval_expires(self):
        rollout = self.asking({"mode": "Rollout", "required": 2, "expiresAfter": "2s"})
        name = self.approve("early", rollout)
        wait_for(lambda: "it expired at" in self.why(name).get("why", ""), WAIT, "it expires")
        self.waits("WaitingForApproval", "0 of 2")

    def test_authors_do_not_approve(self):
        rollout = self.asking({"mode": "Rollout"}, author="mallory")
        own = self.approve("own", rollout, "mallory")
        self.assertIn("author", self.why(own)["why"])
        # Another author comes, and the plan is another one: the first is still an author.
        self.client.patch("patchpolicies", self.tag, {"metadata": {"annotations": {AUTHOR: "linus"}},
                                                      "spec": {"drain": {"parallelism": 3}}})
        self.ended("Superseded")
        rollout = self.running()
        wait_for(lambda: self.running().get("status", {}).get("plan"), WAIT, "the next rollout is planned")
        rollout = self.running()
        for user in ("mallory", "linus"):
            name = self.approve(user, rollout, user)
            self.assertEqual(self.why(name)["why"], "its user is an author of what is approved")
        self.assertEqual(self.touched(), set())
        self.approve("other", rollout)
        self.ended("Succeeded", count=2)
        wait_for(lambda: not self.client.get("patchpolicies", self.tag)["status"]["authors"]["users"], WAIT,
                 "an approved plan has no authors any more")

    def test_an_author_who_is_not_known(self):
        rollout = self.asking({"mode": "Rollout"})
        self.client.patch("patchpolicies", self.tag, {"metadata": {"annotations": {AUTHOR: None}}})
        _, message = self.waits("AuthorUnknown")
        self.assertIn(AUTHOR, message)
        name = self.approve("early", rollout)
        self.assertEqual(self.why(name)["why"], "AuthorUnknown")
        self.wait_condition("patchrollouts", rollout["metadata"]["name"], "Stalled", "AuthorUnknown")
        self.client.patch("patchpolicies", self.tag, {"metadata": {"annotations": {AUTHOR: "linus"}}})
        self.ended("Succeeded")


class TestUnprotected(ApprovalTest):
    """Takes the admission policy away, so no other test of approvals runs beside it."""

    at_once = 1

    def install(self):
        self.cluster.kubectl("apply", "-f", str(ROOT / "crds/admission.yaml"))

    def test_without_the_admission_policy_no_approval_counts(self):
        self.addCleanup(self.install)
        rollout = self.asking({"mode": "Rollout"})
        for kind, change in (("validatingadmissionpolicybindings", {"spec": {"validationActions": ["Warn"]}}),
                             ("validatingadmissionpolicies", {"spec": {"failurePolicy": "Ignore"}})):
            self.client.patch(kind, "approvals.patchwright.io", change)
            self.waits("ApprovalsUnprotected", "kubectl apply -f crds/")
            self.install()
            self.waits("WaitingForApproval")
        self.client.delete("validatingadmissionpolicybindings", "approvals.patchwright.io")
        _, message = self.waits("ApprovalsUnprotected", "ValidatingAdmissionPolicyBinding approvals.patchwright.io is missing")
        forged = wait_for(lambda: self.forge(rollout), WAIT, "the API server lets a forged approval through")
        self.assertEqual(self.why(forged)["why"], "ApprovalsUnprotected")
        self.install()
        self.waits("WaitingForApproval")
        self.assertIn("older than the admission policy", self.why(forged)["why"])
        self.assertEqual(self.touched(), set())
        self.assertIn("apply -f crds/", message)

    def forge(self, rollout):
        """An approval in the name of another; None while the server refuses it."""
        body = objects.approval(f"{self.tag}-forged", rollout, "grace")
        try:
            self.client.create("patchapprovals", body)
        except ApiError:
            return None
        self.addCleanup(self.client.delete, "patchapprovals", body["metadata"]["name"])
        return body["metadata"]["name"]

    def emergency(self, name):
        return self.client.create("patchrollouts", objects.emergency(f"{self.tag}-{name}", self.tag))["metadata"]["name"]

    def test_without_the_admission_policy_no_emergency_counts(self):
        self.addCleanup(self.install)
        self.pool(1)
        self.policy(trigger="Manual", suspend=True, emergency={"allow": True})  # nothing begins before the controller knows
        for guard in ("rights.patchwright.io", "authors.patchwright.io"):
            self.client.delete("validatingadmissionpolicybindings", guard)
            name = self.emergency(f"without-{guard}")
            self.wait_condition("patchrollouts", name, "Stalled", "EmergencyUnprotected",
                                f"ValidatingAdmissionPolicyBinding {guard} is missing")
            self.install()
            self.wait_condition("patchrollouts", name, "Stalled", "EmergencyUnprotected", "older than the admission policy")
            self.client.delete("patchrollouts", name)
        self.change(suspend=False)
        self.await_guard()
        self.assertEqual(self.touched(), set())
        self.emergency("guarded")
        self.ended("Succeeded")

"""The admission policies, with impersonated users: what each of them lets through, and what it refuses."""

from lib import objects
from lib.api import ApiError
from lib.case import ClusterTest
from lib.cluster import SYSTEM
from lib.wait import wait_for

CONTROLLER = f"system:serviceaccount:{SYSTEM}:patchwright-controller"
AUTHOR = "patchwright.io/author"
STATE = "patchwright.io/state"
SYNCED = 90  # seconds: a role or policy that was just made is known to the server's authorizer


class AdmissionTest(ClusterTest):
    def role(self, user, **rules):
        """Rights of a user: rules as in objects.cluster_role(). Known to the server when this returns."""
        name = f"{self.tag}-{user}"
        self.client.create("clusterroles", objects.cluster_role(name, **rules))
        self.addCleanup(self.client.delete, "clusterroles", name)
        self.client.create("clusterrolebindings", objects.cluster_role_binding(name, name, user))
        self.addCleanup(self.client.delete, "clusterrolebindings", name)
        plural, verbs = next(reversed(rules.items()))
        resource = plural if plural == "nodes" else f"{plural}.patchwright.io"
        wait_for(lambda: self.cluster.kubectl("auth", "can-i", verbs[-1], resource, "--as", user, check=False).stdout.strip() == "yes",
                 SYNCED, f"{user} may {verbs[-1]} {plural}")
        return self.client.as_user(user)

    def allowed(self, call, *args, **kwargs):
        try:
            return call(*args, **kwargs)
        except ApiError as error:
            return self.fail(f"should be allowed: {error}")


class TestApprovals(AdmissionTest):
    def body(self, user):
        return objects.approval("a", objects.rollout("r", "p") | {"metadata": {"name": "r", "uid": "0"}}, user)

    def test_a_word_is_given_by_who_gives_it(self):
        ada = self.role("ada", patchapprovals=["create"], patchrollouts=["approve"])
        self.allowed(ada.create, "patchapprovals", self.body("ada"), dry_run=True)
        self.assert_refused("spec.user must be the user who creates the approval, which is ada",
                            ada.create, "patchapprovals", self.body("grace"), dry_run=True)
        self.assert_refused("spec.user must be the user", self.client.create, "patchapprovals", self.body("ada"), dry_run=True)

    def test_the_verb_approve_is_needed(self):
        ada = self.role("ada", patchapprovals=["create"])
        self.assert_refused("you need the verb approve on patchrollouts.patchwright.io r",
                            ada.create, "patchapprovals", self.body("ada"), dry_run=True)

    def test_no_program_approves(self):
        for user in ("system:serviceaccount:default:robot", "system:admin"):
            robot = self.client.as_user(user, "system:masters")
            self.assert_refused("approvals are given by people", robot.create, "patchapprovals", self.body(user), dry_run=True)


class TestRights(AdmissionTest):
    def test_who_writes_a_policy_runs_on_hosts(self):
        ada = self.role("ada", patchpolicies=["create", "update", "patch", "run-on-hosts"])
        bob = self.role("bob", patchpolicies=["create", "update", "patch"])
        need = "you need the verb run-on-hosts on patchpolicies.patchwright.io"
        self.assert_refused(need, bob.create, "patchpolicies", objects.policy("p"))
        self.allowed(ada.create, "patchpolicies", objects.policy("p"))
        self.assert_refused(need, bob.patch, "patchpolicies", "p", {"spec": {"suspend": True}})
        self.assert_refused(need, bob.patch, "patchpolicies", "p", {"metadata": {"annotations": {AUTHOR: "bob"}}})
        self.allowed(bob.patch, "patchpolicies", "p", {"metadata": {"labels": {"team": "shop"}}})
        self.allowed(ada.patch, "patchpolicies", "p", {"spec": {"suspend": True}})

    def test_for_some_policies_only(self):
        ada = self.role("ada", patchpolicies=["create"])
        role = objects.cluster_role(f"{self.tag}-some", patchpolicies=["run-on-hosts"])
        role["rules"][0]["resourceNames"] = ["shop"]
        self.client.create("clusterroles", role)
        self.addCleanup(self.client.delete, "clusterroles", f"{self.tag}-some")
        self.bind(f"{self.tag}-some", "ada")
        wait_for(lambda: self.cluster.kubectl("auth", "can-i", "run-on-hosts", "patchpolicies.patchwright.io/shop", "--as", "ada",
                                              check=False).stdout.strip() == "yes", SYNCED, "ada may run on hosts by policy shop")
        self.allowed(ada.create, "patchpolicies", objects.policy("shop"), dry_run=True)
        self.assert_refused("run-on-hosts", ada.create, "patchpolicies", objects.policy("bank"), dry_run=True)

    @staticmethod
    def rollout(name, author=None, **spec):
        body = objects.rollout(name, "p")
        body["spec"].update(spec)
        if author:
            body["metadata"]["annotations"] = {AUTHOR: author}
        return body

    def test_who_overrides_has_the_right_to(self):
        ada = self.role("ada", patchrollouts=["create", "patch", "override"])
        bob = self.role("bob", patchrollouts=["create", "patch", "operate"])
        need = "you need the verb override on patchrollouts.patchwright.io p-1"
        emergency = {"enabled": True, "reason": "CVE-2027-1234 is exploited"}
        self.assert_refused(need, bob.create, "patchrollouts", self.rollout("p-1", "bob", emergency=emergency))
        self.allowed(bob.create, "patchrollouts", self.rollout("p-2", "bob", emergency={"enabled": False}))
        self.allowed(ada.create, "patchrollouts", self.rollout("p-1", "ada", emergency=emergency))
        for author in ("bob", None):  # who answers for it
            self.assert_refused(need, bob.patch, "patchrollouts", "p-1", {"metadata": {"annotations": {AUTHOR: author}}})
        self.allowed(bob.patch, "patchrollouts", "p-1", {"metadata": {"labels": {"team": "shop"}}})
        self.allowed(bob.patch, "patchrollouts", "p-1", {"spec": {"intent": {"action": "Pause", "by": "bob"}}})

    def test_who_intervenes_has_the_right_to(self):
        ada = self.role("ada", patchrollouts=["create", "patch", "operate"])
        bob = self.role("bob", patchrollouts=["create", "patch", "override"])
        need = "to change spec.intent you need the verb operate on patchrollouts.patchwright.io p-1"
        pause = {"action": "Pause", "reason": "disks are being replaced"}
        self.assert_refused(need, bob.create, "patchrollouts", self.rollout("p-1", intent=pause))
        self.allowed(bob.create, "patchrollouts", self.rollout("p-1", intent={"action": "Run"}))
        self.assert_refused(need, bob.patch, "patchrollouts", "p-1", {"spec": {"intent": pause}})
        self.assert_refused("spec.intent.by must be the user who writes it, which is ada",
                            ada.patch, "patchrollouts", "p-1", {"spec": {"intent": {**pause, "by": "bob"}}})
        self.allowed(ada.patch, "patchrollouts", "p-1", {"spec": {"intent": {**pause, "by": "ada"}}})
        for change in ({"action": "Run"}, {"action": "Abort"}, {"reason": "another"}):
            self.assert_refused(need, bob.patch, "patchrollouts", "p-1", {"spec": {"intent": {**change, "by": "bob"}}})
        self.assert_refused(need, bob.patch, "patchrollouts", "p-1", {"spec": {"intent": None}})
        self.allowed(bob.patch, "patchrollouts", "p-1", {"metadata": {"labels": {"team": "shop"}}})


class TestAuthors(AdmissionTest):
    WRITE = ["create", "update", "patch", "run-on-hosts"]

    def people(self, *users):
        return [self.role(user, patchrollouts=["create", "patch"], patchpolicies=self.WRITE) for user in users]

    @staticmethod
    def by(body, author):
        body["metadata"]["annotations"] = {AUTHOR: author}
        return body

    def test_nobody_writes_in_the_name_of_another(self):
        ada, bob = self.people("ada", "bob")
        lie = "the annotation patchwright.io/author must be the user who writes the object, which is bob"
        self.assert_refused(lie, bob.create, "patchpolicies", self.by(objects.policy("p"), "ada"))
        self.assert_refused(lie, bob.create, "patchrollouts", self.by(objects.rollout("p-1", "p"), "ada"))
        self.allowed(bob.create, "patchrollouts", self.by(objects.rollout("p-1", "p"), "bob"))
        self.allowed(ada.create, "patchpolicies", self.by(objects.policy("p"), "ada"))
        self.assert_refused(lie, bob.patch, "patchpolicies", "p", {"spec": {"historyLimit": 3}})
        self.allowed(bob.patch, "patchpolicies", "p", {"metadata": {"labels": {"team": "shop"}}})
        self.allowed(bob.patch, "patchpolicies", "p", self.by({"metadata": {}, "spec": {"historyLimit": 3}}, "bob"))
        self.assert_refused(lie, bob.patch, "patchpolicies", "p", self.by({"metadata": {}}, "ada"))
        self.allowed(ada.patch, "patchpolicies", "p", self.by({"metadata": {}}, "ada"))
        self.allowed(bob.patch, "patchpolicies", "p", self.by({"metadata": {}, "spec": {"historyLimit": 4}}, None))

    def test_who_vouches_names_the_author(self):
        git = self.role("git", patchpolicies=[*self.WRITE, "vouch"])
        self.allowed(git.create, "patchpolicies", self.by(objects.policy("p"), "ada"))
        self.allowed(git.patch, "patchpolicies", "p", self.by({"metadata": {}, "spec": {"historyLimit": 3}}, "bob"))


class TestReports(AdmissionTest):
    def test_the_record_is_written_by_the_controller(self):
        ada = self.role("ada", patchreports=["create"])
        self.assert_refused("you need the verb record on patchreports.patchwright.io r-1", ada.create, "patchreports", objects.report("r-1"))
        self.allowed(self.client.as_user(CONTROLLER).create, "patchreports", objects.report("r-1"))

    def test_it_is_kept(self):
        ada = self.role("ada", patchreports=["delete", "deletecollection"])
        self.client.create("patchreports", objects.report("r-1"))
        self.assert_refused("you need the verb prune on patchreports.patchwright.io r-1", ada.delete, "patchreports", "r-1")
        self.assert_refused("verb prune", ada.delete_all, "patchreports", None)
        self.assertTrue(self.client.find("patchreports", "r-1"))
        self.allowed(self.role("grace", patchreports=["delete", "prune"]).delete, "patchreports", "r-1")


class TestNodes(AdmissionTest):
    def test_notes_on_nodes_are_the_controllers(self):
        name, other = self.make_nodes(2)
        kubelet = self.client.as_user(f"system:node:{name}", "system:nodes")
        ada = self.role("ada", nodes=["get", "update", "patch"])
        controller = self.client.as_user(CONTROLLER)
        need = f"you need the verb write on nodestates.patchwright.io {name}"
        note = {"metadata": {"annotations": {STATE: "{}"}}}
        applied = {"metadata": {"annotations": {"patchwright.io/applied.shop": "1.7.27"}}}
        for user in (kubelet, ada):
            for change in (note, applied):
                self.assert_refused(need, user.patch, "nodes", name, change)
        self.assert_refused(need, kubelet.patch, "nodes", name, note, subresource="status")
        for user in (kubelet, ada):
            self.allowed(user.patch, "nodes", name, {"metadata": {"annotations": {"example.com/x": "y"}}})
        self.allowed(controller.patch, "nodes", name, applied)
        self.allowed(ada.patch, "nodes", name, {"metadata": {"annotations": {"patchwright.io/criticality": "high"}}})
        for value in ("1.7.28", None):
            self.assert_refused(need, ada.patch, "nodes", name, {"metadata": {"annotations": {"patchwright.io/applied.shop": value}}})
        self.allowed(controller.patch, "nodes", other, {"metadata": {"annotations": {"example.com/x": None}}})

    def test_a_node_does_not_bring_notes_along(self):
        ada = self.role("ada", nodes=["create"])
        node = objects.node(f"{self.tag}-1", annotations={STATE: "{}"})
        self.assert_refused("you need the verb write", ada.create, "nodes", node, dry_run=True)
        self.allowed(ada.create, "nodes", objects.node(f"{self.tag}-1"), dry_run=True)

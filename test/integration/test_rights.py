"""What the controller's service account may do, and that it may do nothing else."""

import itertools
import json

from lib.case import ClusterTest
from lib.cluster import JOBS, SYSTEM

ACCOUNT = f"system:serviceaccount:{SYSTEM}:patchwright-controller"
# What every user may do: ask about itself.
EVERYBODYS = {("authorization.k8s.io", "selfsubjectaccessreviews"), ("authorization.k8s.io", "selfsubjectrulesreviews"),
              ("authentication.k8s.io", "selfsubjectreviews")}
READ = {"get", "list", "watch"}
RIGHTS = {
    # (API group, resource[, name]): (verbs in every namespace, in patchwright-system, in patchwright-jobs)
    ("", "nodes"): (READ | {"patch"}, set(), set()),
    ("", "namespaces", SYSTEM): ({"get"}, set(), set()),
    ("", "namespaces", JOBS): ({"get"}, set(), set()),
    ("", "pods"): ({"list", "watch", "delete"}, set(), {"get", "create", "patch", "delete", "deletecollection"}),
    ("", "pods/eviction"): ({"create"}, set(), set()),
    ("events.k8s.io", "events"): ({"create", "patch"}, set(), set()),
    ("policy", "poddisruptionbudgets"): ({"list", "watch"}, set(), set()),
    ("apps", "daemonsets"): ({"list", "watch"}, set(), set()),
    ("", "persistentvolumes"): ({"list", "watch"}, set(), set()),
    ("storage.k8s.io", "volumeattachments"): ({"list", "watch"}, set(), set()),
    ("apps", "controllerrevisions"): (set(), READ | {"create"}, set()),
    ("", "secrets"): (set(), {"get"}, set()),
    ("", "configmaps"): (set(), {"list", "watch"}, set()),
    ("coordination.k8s.io", "leases"): (set(), {"get", "create", "update"}, set()),
    ("patchwright.io", "patchpolicies"): (READ, set(), set()),
    ("patchwright.io", "patchpolicies/status"): ({"update"}, set(), set()),
    ("patchwright.io", "patchrollouts"): (READ | {"create", "patch", "delete"}, set(), set()),
    ("patchwright.io", "patchrollouts/status"): ({"update"}, set(), set()),
    ("patchwright.io", "patchreports"): (READ | {"create", "record"}, set(), set()),
    ("patchwright.io", "patchapprovals"): (READ, set(), set()),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): ({"list", "watch"}, set(), set()),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): ({"list", "watch"}, set(), set()),
    ("patchwright.io", "nodestates"): ({"write"}, set(), set()),
}
# What leads to a host, or to rights that do: (API group, resource, subresource, verbs). Only job pods do, in patchwright-jobs.
WAYS_TO_HOSTS = (
    ("", "nodes", "proxy", ("get", "create")), ("", "nodes", "status", ("patch", "update")), ("", "nodes", "", ("create", "update", "delete")),
    ("", "pods", "exec", ("get", "create")), ("", "pods", "attach", ("get", "create")), ("", "pods", "portforward", ("get", "create")),
    ("", "pods", "ephemeralcontainers", ("patch", "update")), ("", "secrets", "", ("list", "watch", "create", "patch", "update")),
    ("", "serviceaccounts", "token", ("create",)), ("", "serviceaccounts", "", ("impersonate", "patch")), ("", "users", "", ("impersonate",)),
    ("", "groups", "", ("impersonate",)), ("", "namespaces", "", ("patch", "update")),
    ("apps", "daemonsets", "", ("create", "patch", "update")), ("apps", "deployments", "", ("create", "patch", "update")),
    ("batch", "jobs", "", ("create",)), ("batch", "cronjobs", "", ("create",)),
    ("rbac.authorization.k8s.io", "roles", "", ("create", "patch", "update", "bind", "escalate")),
    ("rbac.authorization.k8s.io", "clusterroles", "", ("create", "patch", "update", "bind", "escalate")),
    ("rbac.authorization.k8s.io", "rolebindings", "", ("create", "patch", "update")),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "", ("create", "patch", "update")),
    ("certificates.k8s.io", "certificatesigningrequests", "", ("create",)),
    ("certificates.k8s.io", "certificatesigningrequests", "approval", ("patch", "update")),
)
UNPRIVILEGED = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"}}
# What reaches a host: (pod spec, security context of the container) beside what is not privileged.
PRIVILEGED = (
    ({"hostNetwork": True}, {}), ({"hostPID": True}, {}), ({"hostIPC": True}, {}), ({"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}, {}),
    ({}, {"privileged": True, "allowPrivilegeEscalation": True}), ({}, {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
    ({}, {"runAsNonRoot": False}), ({}, {"runAsUser": 0}), ({}, {"seccompProfile": {"type": "Unconfined"}}),
)


def pod(spec, context):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "controller"}, "spec": {
        "serviceAccountName": "patchwright-controller",
        "containers": [{"name": "main", "image": "registry.example/patchwright-controller:1", "securityContext": {**UNPRIVILEGED, **context}}],
        **spec}}


class TestRights(ClusterTest):
    maxDiff = None

    def roles(self):
        for name in ("patchwright-controller", "patchwright-controller-force"):
            yield self.client.get("clusterroles", name)
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

    def granted(self, namespace):
        """{(API group, resource[, name]): verbs}: everything that the account may do there, by the server's own count."""
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"]
        said = self.cluster.kubectl("create", "--validate=false", "-f", "-", "-o", "json", "--as", ACCOUNT,
                                    *(f"--as-group={group}" for group in groups),
                                    stdin=json.dumps(review))
        status = json.loads(said.stdout)["status"]
        self.assertFalse(status["incomplete"], status)
        rights = {}
        for rule in status["resourceRules"]:
            names = [(name,) for name in rule.get("resourceNames", [])] or [()]
            for group, resource, name in itertools.product(rule["apiGroups"], rule["resources"], names):
                key = (group, resource, *name)
                if key not in EVERYBODYS:
                    rights.setdefault(key, set()).update(rule["verbs"])
        return rights

    def test_it_may_do_this_and_nothing_else(self):
        for namespace, place in (("default", None), (SYSTEM, 1), (JOBS, 2)):
            wanted = {key: rights[0] | (rights[place] if place else set()) for key, rights in RIGHTS.items()}
            self.assertEqual(self.granted(namespace), {key: verbs for key, verbs in wanted.items() if verbs}, namespace)

    def test_kubectl_says_the_same(self):
        for words, answer in (("patch nodes", "yes"), ("create pods --subresource=eviction -n shop", "yes"), ("delete nodes", "no"),
                              (f"create pods -n {JOBS}", "yes"), ("create pods -n default", "no"),
                              ("get secrets -A", "no"), (f"get secrets -n {SYSTEM}", "yes"), (f"list secrets -n {SYSTEM}", "no"), ("patch patchpolicies.patchwright.io", "no")):
            said = self.cluster.kubectl("auth", "can-i", *words.split(), "--as", ACCOUNT, check=False)
            self.assertEqual(said.stdout.strip(), answer, f"{words}: {said.stderr}")

    def test_namespaces_have_their_pod_security(self):
        for name, level in ((SYSTEM, "restricted"), (JOBS, "privileged")):
            labels = self.client.get("namespaces", name)["metadata"]["labels"]
            self.assertEqual(labels["pod-security.kubernetes.io/enforce"], level)

    def allowed(self, namespace, group, resource, subresource, verb):
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": ACCOUNT, "groups": ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"],
            "resourceAttributes": {"namespace": namespace, "group": group, "resource": resource, "subresource": subresource, "verb": verb}}}
        return self.client.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]

    def test_nothing_that_leads_to_a_host(self):
        self.assertTrue(self.allowed(JOBS, "", "pods", "", "create"))
        for namespace in ("default", SYSTEM):
            self.assertFalse(self.allowed(namespace, "", "pods", "", "create"))
        for namespace in ("default", SYSTEM, JOBS):
            for group, resource, subresource, verbs in WAYS_TO_HOSTS:
                for verb in verbs:
                    self.assertFalse(self.allowed(namespace, group, resource, subresource, verb), (namespace, verb, resource, subresource))

    def test_its_namespace_takes_no_pod_that_reaches_a_host(self):
        self.client.create("pods", pod({}, {}), SYSTEM, dry_run=True)
        for spec, context in PRIVILEGED:
            with self.subTest(f"{spec} {context}"):
                self.assert_refused('violates PodSecurity "restricted:latest"', self.client.create, "pods", pod(spec, context), SYSTEM, dry_run=True)

    def test_its_token_works(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.cluster.controller_kubeconfig(self.logs)
        who = self.cluster.kubectl("--kubeconfig", path, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
        self.assertEqual(who.stdout, ACCOUNT)
        said = self.cluster.kubectl("--kubeconfig", path, "get", "secrets", "-A", check=False)
        self.assertIn("Forbidden", said.stderr)

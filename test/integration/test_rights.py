"""What the controller's service account may do, and that it may do nothing else."""

from lib.case import ClusterTest
from lib.cluster import JOBS, SYSTEM

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
    ("coordination.k8s.io", "leases"): (set(), {"get", "create", "update"}, set()),
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

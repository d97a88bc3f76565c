"""Bad input gets one clear sentence: no crash, no hot loop, no silence."""

import re
import socket

from lib.case import ClusterTest
from lib.cluster import JOBS, SYSTEM
from lib.flow import FlowTest, WAIT, assert_calm, conditions, patch, strategy, wait_for
from lib.process import Controller, Process
from lib.rollout import cordoned, runtime_version, state_of

TAGGED = "registry.example/patcher:1.7.27"
FOREIGN = "other.example/patcher@sha256:" + "0" * 64
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: main
clusters: [{{name: main, cluster: {{server: "{server}"{ca}}}}}]
users: [{{name: me, user: {{{user}}}}}]
contexts: [{{name: main, context: {{cluster: main, user: me}}}}]
"""


class TestStart(ClusterTest):
    """What is wrong before the first request: one line on stderr, and an exit code."""

    def write(self, name, text):
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / name
        path.write_text(text)
        return str(path)

    def kubeconfig(self, name, server="https://127.0.0.1:1", ca="", user='token: "x"'):
        return self.write(name, KUBECONFIG.format(server=server, ca=ca, user=user))

    def refused(self, *flags, code=1):
        program = Process("patchwright-controller", [self.build / "patchwright-controller", "--listen-address", "", *flags],
                          self.logs / "refused.log", {**self.cluster.environment, "KUBECONFIG": "", "HOME": str(self.logs)})
        self.addCleanup(program.finish)
        program.log.unlink(missing_ok=True)
        self.assertEqual(program.start().wait(WAIT), code, program.tail())
        said = program.tail()
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertTrue(said.startswith("patchwright-controller: "), said)
        return said

    def test_kubeconfig(self):
        good = self.kubeconfig("good")
        absent = str(self.logs / "absent")
        for what, flags, hint in (
                ("missing", ["--kubeconfig", absent], absent),
                ("malformed", ["--kubeconfig", self.write("malformed", "clusters: [}")], "malformed"),
                ("no YAML mapping", ["--kubeconfig", self.write("list", "- 1\n- 2\n")], "list"),
                ("empty", ["--kubeconfig", self.write("empty", "")], "empty"),
                ("absent context", ["--kubeconfig", good, "--context", "staging"], "staging"),
                ("absent CA", ["--kubeconfig", self.kubeconfig("ca", ca=", certificate-authority: no-ca.crt")], "no-ca.crt"),
                ("absent client certificate", ["--kubeconfig", self.kubeconfig(
                    "cert", user="client-certificate: no.crt, client-key: no.key")], "no.crt"),
                ("absent token file", ["--kubeconfig", self.kubeconfig("token", user="tokenFile: /no/token")], "/no/token"),
                ("no verification", ["--kubeconfig", self.kubeconfig("insecure", ca=", insecure-skip-tls-verify: true")], "insecure-skip-tls-verify"),
                ("none at all", [], "kubeconfig")):
            with self.subTest(what):
                self.assertIn(hint, self.refused(*flags))

    def test_options(self):
        for flags, hint in ((["--frobnicate"], "unknown option --frobnicate"), (["-x"], "unknown option -x"),
                            (["--kubeconfig"], "--kubeconfig needs a value"), (["--log-level", "loud"], "--log-level"),
                            (["--namespace", "No_Such"], "is no namespace name"), (["stray"], 'unexpected argument "stray"')):
            with self.subTest(flags):
                self.assertIn(hint, self.refused(*flags, code=2))

    def test_address_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assertIn(address, self.refused("--kubeconfig", self.kubeconfig("good"), "--listen-address", address))


class TestServer(ClusterTest):
    """A server that cannot be used: said once, tried on, alive and not ready meanwhile."""

    def start(self, name, server, ca, user='token: "x"'):
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / f"{name}.kubeconfig"
        path.write_text(KUBECONFIG.format(server=server, ca=ca, user=user))
        self.addCleanup(path.unlink)
        program = Controller(self.build, path, self.logs / f"{name}.log", environment=self.cluster.environment)
        self.addCleanup(program.finish)
        return program.start()

    def test_servers_that_cannot_be_used(self):
        config = self.cluster.client.kubeconfig
        ca = f', certificate-authority-data: "{config.certificate_authority}"'
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))  # bound and not listening: refused
            cases = {
                "unreachable": (self.start("unreachable", f"https://127.0.0.1:{silent.getsockname()[1]}", ca), "cannot be used"),
                "untrusted": (self.start("untrusted", config.server, ""), "cannot be used"),
                "unauthorized": (self.start("unauthorized", config.server, ca), "does not accept our credentials|cannot be used"),
            }
            for name, (program, hint) in cases.items():
                wait_for(lambda p=program, h=hint: p.check_alive() and re.search(h, p.tail()), WAIT, f"{name} is said")
                self.assertEqual(program.http("/healthz")[0], 200)
                status, body = program.http("/readyz")
                self.assertEqual(status, 500)
                self.assertIn("[-]cache-nodes failed: ", body)
            assert_calm(self, *(program for program, _ in cases.values()), at_most=60)
            for name, (program, hint) in cases.items():
                said = [line for line in program.log.read_text().splitlines() if "ERROR" in line or "WARN" in line]
                self.assertEqual(len(said), 1, f"{name}: {said}")
                self.assertEqual(program.terminate(), 0)


NIGHT = {"name": "night", "type": "Weekly", "days": ["Sat"], "start": "02:00", "duration": "4h"}
LEGACY = {"name": "old", "selector": {"matchLabels": {"gpu": "legacy"}}, "reason": "a slip of the pen"}
# What the API server cannot know, or CEL cannot say (test_validation has the rest): spec, reason, what is said, what puts it right.
CONTRADICTIONS = (
    ({"strategy": strategy([{"name": "canary", "selector": {"matchLabels": {"stage": "canery"}}}, {"name": "rest"}])},
     "WaveCoversNothing", "spec.strategy.waves[0] (canary)", {"strategy": strategy()}),
    ({"strategy": strategy([{"name": "half", "size": "50%"}, {"name": "other", "size": "50%"}, {"name": "rest"}])},
     "Invalid", "spec.strategy.waves[2] (rest) can never get a node, because the sizes before it add up to 100%", {"strategy": strategy()}),
    ({"windows": [NIGHT], "freezes": [{"name": "ice-age", "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}]},
     "WindowNeverOpens", "freeze ice-age is on until 2099-01-01T00:00:00Z): shorten spec.freezes", {"freezes": None}),
    ({"windows": [{"name": "c", "type": "Cron", "schedule": "0 2 30 2 *", "duration": "2h"}]},
     "ScheduleNeverFires", 'spec.windows[0].schedule of window c: "0 2 30 2 *" never fires', {"windows": [NIGHT]}),
    ({"windows": [{**NIGHT, "timeZone": "Europe/Atlantis"}]},
     "UnknownTimeZone", "spec.windows[0].timeZone of window night: there is no time zone Europe/Atlantis", {"windows": [NIGHT]}),
    ({"exceptions": [{**LEGACY, "expires": "2016-01-31T00:00:00Z"}]},
     "ExceptionExpired", "expires of exception old: 2016-01-31T00:00:00Z was over before it began", {"exceptions": None}),
    ({"patches": [patch("latest")]}, "Invalid", 'spec.patches[0].version: "latest" cannot be compared', {"patches": [patch()]}),
    ({"patches": [patch(supportedFrom=["1.x"])]}, "Invalid", 'spec.patches[0].supportedFrom[0]: "1.x": x and * have no meaning here', {"patches": [patch()]}),
)


class TestPolicies(FlowTest):
    at_once = 1  # requests are counted
    flags = ("--allowed-job-images", "registry.example/*")

    def stalled(self, name, reason, contains):
        """The condition says it, and kstatus reads the object as failed."""
        self.wait_policy("Stalled", reason, contains, name)
        found = conditions(self.client.get("patchpolicies", name))
        self.assertEqual(found["Ready"][:2], ("False", reason))
        self.assertNotIn("Reconciling", found)
        return found

    def test_policies_that_cannot_be_carried_out(self):
        names = self.pool(1)
        uncomparable = self.policy(f"{self.tag}-a", patches=[patch("latest")])["metadata"]["name"]
        nothing = self.policy(f"{self.tag}-b", target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": "no-such-pool"}}}})
        observed = {"type": "Label", "label": "example.com/driver"}
        unseen = self.policy(f"{self.tag}-c", patches=[patch("1.2.3", "Custom", observed=observed)])["metadata"]["name"]

        found = self.stalled(uncomparable, "Invalid", '"latest" cannot be compared')
        self.assertEqual(found["Accepted"][:2], ("False", "Invalid"))
        self.stalled(nothing["metadata"]["name"], "NoTargets", "no node matches the selector pool=no-such-pool")
        found = self.stalled(unseen, "NotObserved", f"node {names[0]} shows nothing as its version of Custom (example.com/driver)")
        self.assertEqual(found["Accepted"][0], "True")
        for policy in (uncomparable, nothing["metadata"]["name"], unseen):
            self.assertEqual(self.rollouts_of(policy), [])
        # By hand they get no further.
        for number, policy in enumerate((uncomparable, nothing["metadata"]["name"])):
            self.by_hand(f"{self.tag}-run-{number}", policy)
            self.wait_condition("patchrollouts", f"{self.tag}-run-{number}", "Stalled", ("PolicyNotAccepted", "NoTargets")[number])
        self.by_hand(f"{self.tag}-run-2", "no-such-policy")
        self.addCleanup(self.client.delete, "patchrollouts", f"{self.tag}-run-2")
        self.wait_condition("patchrollouts", f"{self.tag}-run-2", "Stalled", "PolicyNotFound", "there is no PatchPolicy no-such-policy")
        assert_calm(self, self.program)

        # Each goes on by itself when it is put right.
        self.client.patch("nodes", names[0], {"metadata": {"labels": {"example.com/driver": "1.2.3"}}})
        self.wait_policy("Ready", "UpToDate", policy=unseen)

    def test_policies_that_contradict_themselves(self):
        """What only the controller can find out: each is told with what to change, begins nothing, and is accepted when it is put right."""
        names = self.pool(1)
        for number, (wrong, reason, contains, right) in enumerate(CONTRADICTIONS):
            name = f"{self.tag}-{number}"
            self.policy(name, trigger="Manual", **wrong)
            self.by_hand(f"{name}-run", name)
            with self.subTest(str(wrong)):
                self.assertEqual(self.stalled(name, reason, contains)["Accepted"][:2], ("False", reason))
        assert_calm(self, self.program)
        self.assertFalse(any(state_of(event.object) for event in self.nodes.events(names[0])))
        for number, (wrong, reason, contains, right) in enumerate(CONTRADICTIONS):
            name = f"{self.tag}-{number}"
            self.client.delete("patchrollouts", f"{name}-run")
            self.change(name, **right)
            self.assertEqual(self.wait_policy("Accepted", "Valid", policy=name)[0], "True")

    def test_images_that_are_not_allowed(self):
        for image, hint in ((TAGGED, "carries no digest"), (FOREIGN, "matches none of --allowed-job-images")):
            with self.subTest(image):
                name = f"{self.tag}-{hint.split()[0]}"
                node, = self.make_nodes(1, {"pool": name}, prefix=name)
                spec = patch(timeout="2s")
                spec["job"]["image"] = image
                self.policy(name, patches=[spec], target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": name}}}})
                stalled = self.wait_rollout(lambda event: "Stalled" in conditions(event.object), "it is stalled", policy=name)
                self.assertEqual(conditions(stalled.object)["Stalled"][1], "ImageNotAllowed")
                self.assertIn(hint, conditions(stalled.object)["Stalled"][2])
                done = self.ended("Failed", name)
                self.assertEqual(done["status"]["failed"][0]["reason"], "JobNotCreated")
                self.assertIn(hint, done["status"]["failed"][0]["message"])
                self.assert_put_away([node])
                self.assertEqual(runtime_version(self.node(node)), "containerd://1.6.20")

    def test_state_that_cannot_be_read(self):
        name, = self.pool(1, annotations={"patchwright.io/state": "{not JSON"})
        self.policy()
        _, active = self.wait_blocked("cannot be read")
        self.assertEqual((active["blockedBy"]["kind"], active["blockedBy"]["name"]), ("Node", name))
        self.assertFalse(cordoned(self.node(name)))
        self.client.patch("nodes", name, {"metadata": {"annotations": {"patchwright.io/state": None}}})
        self.ended("Succeeded")


class TestNamespaces(FlowTest):
    ABSENT = "patchwright-absent"
    flags = agent_flags = ("--job-namespace", ABSENT)
    is_ready = False

    @classmethod
    def setUpClass(cls):
        client = cls.cluster.client
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": cls.ABSENT}}
        client.create("clusterroles", {**rbac, "kind": "ClusterRole", "rules": [
            {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [cls.ABSENT], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "patch", "delete", "deletecollection"]}]})
        cls.addClassCleanup(client.delete, "clusterroles", cls.ABSENT)
        client.create("clusterrolebindings", {
            **rbac, "kind": "ClusterRoleBinding",
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": cls.ABSENT},
            "subjects": [{"kind": "ServiceAccount", "name": "patchwright-controller", "namespace": SYSTEM}]})
        cls.addClassCleanup(client.delete, "clusterrolebindings", cls.ABSENT)
        super().setUpClass()

    def test_absent_job_namespace(self):
        said = f"namespace {self.ABSENT} does not exist: kubectl create namespace {self.ABSENT}"
        wait_for(lambda: said in self.program.tail(), WAIT, "the log says so")
        wait_for(lambda: f"[-]namespace-{self.ABSENT} failed: {said}" in self.program.http("/readyz")[1], WAIT, "/readyz says so")
        self.assertEqual(self.program.http("/healthz")[0], 200)
        names = self.pool(1)
        self.policy()
        rollout = self.running()["metadata"]["name"]
        self.wait_condition("patchrollouts", rollout, "Stalled", "NotFound", f'namespaces "{self.ABSENT}" not found')
        assert_calm(self, self.program)
        self.assertEqual(state_of(self.node(names[0]))["step"], "Patching")
        self.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ABSENT}})
        self.addCleanup(self.client.delete, "namespaces", self.ABSENT)
        self.ended("Succeeded")
        self.assert_put_away(names)
        self.program.wait_ready()


# What is refused in turn, as (group, resource, verb, namespace), and where the sentence is then found.
STAIRS = (
    ("patchwright.io", "patchrollouts", "create", None, "policy"),
    ("patchwright.io", "patchrollouts", "patch", None, "rollout"),
    ("apps", "controllerrevisions", "create", SYSTEM, "rollout"),
    ("", "nodes", "patch", None, "rollout"),
    ("", "pods/eviction", "create", None, "blocker"),
    ("", "pods", "create", JOBS, "rollout"),
    ("patchwright.io", "patchreports", "create", None, "log"),
    # After the report at the latest: before it only where the cache shows the job's pod in time.
    ("", "pods", "patch", JOBS, "log"),
)


class TestRights(FlowTest):
    """One rollout climbs over one refusal after another: each is named, and gone on from when the verb is granted."""

    def rules(self, denied):
        """The roles as they should be, without what is denied."""
        for role, namespace in ((self.cluster_role, None), (self.system_role, SYSTEM), (self.jobs_role, JOBS)):
            rules = []
            for rule in role["rules"]:
                for resource in rule["resources"]:
                    verbs = [verb for verb in rule["verbs"] if (rule["apiGroups"][0], resource, verb, namespace) not in denied]
                    if verbs:
                        rules.append({**rule, "resources": [resource], "verbs": verbs})
            self.client.patch("roles" if namespace else "clusterroles", "patchwright-controller", {"rules": rules}, namespace)

    def restore(self):
        self.rules(set())

    def sentence(self, where, resource, verb):
        """What is said about the refusal, wherever it is to be said; None: not yet."""
        plural = resource.split("/", maxsplit=1)[0]
        needle = re.compile(rf'cannot {verb} resource \\?"{plural}')
        if where == "log":
            return needle.search(self.program.log.read_text())
        if where == "policy":
            return needle.search(conditions(self.client.get("patchpolicies", self.tag)).get("Stalled", ("", "", ""))[2])
        rollout = self.rollouts_of()[0]
        if where == "rollout":
            return needle.search(conditions(rollout).get("Stalled", ("", "", ""))[2])
        return any(needle.search(active.get("blockedBy", {}).get("message", "")) for active in rollout["status"].get("active", []))

    def test_one_verb_after_another(self):
        self.cluster_role = self.client.get("clusterroles", "patchwright-controller")
        self.system_role = self.client.get("roles", "patchwright-controller", SYSTEM)
        self.jobs_role = self.client.get("roles", "patchwright-controller", JOBS)
        self.addCleanup(self.restore)
        denied = {stair[:4] for stair in STAIRS}
        self.rules(denied)
        names = self.pool(1)
        self.make_deployment("web", 1)
        self.policy()
        for stair in STAIRS:
            group, resource, verb, namespace, where = stair
            with self.subTest(verb=verb, resource=resource):
                wait_for(lambda w=where, r=resource, v=verb: self.sentence(w, r, v), WAIT, lambda w=where: (
                    f"{verb} {resource} is named in the {w}: {self._statuses(self.tag)}; {self.program.tail()[-600:]}"))
                if where in ("policy", "blocker"):
                    assert_calm(self, self.program, seconds=2)
            denied.discard((group, resource, verb, namespace))
            self.rules(denied)
        self.ended("Succeeded")
        self.assertEqual(runtime_version(self.node(names[0])), "containerd://1.7.27")
        self.assert_put_away(names)
        self.wait_policy("Ready", "UpToDate")

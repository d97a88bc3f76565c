"""Tests that run policies from end to end: one controller and one fleet agent for a class, a pool of nodes for each test."""

import datetime
import pathlib
import re
import shutil
import time

from . import objects
from .case import ClusterTest
from .cluster import JOBS, ROOT
from .process import Controller, FleetAgent
from .rollout import STATE, job_step, state_of, step_of
from .wait import WAIT, wait_for as wait_until
from .watch import Recorder

BEHAVE = "fleet.patchwright.io/behave"
TAINT = "patchwright.io/quarantined"
SANITIZERS = ("AddressSanitizer", "LeakSanitizer", "runtime error:")
ONE_WAVE = [{"name": "all"}]
PROMPT = 20  # seconds; told and gone on from within one reconcile, on a machine that may stand still for a while


_watched = []  # the programs of the class that runs: nothing is waited for that a program which ended should do


def wait_for(condition, timeout, what):
    return wait_until(lambda: all(program.check_alive() for program in _watched) and condition(), timeout, what)


def patch(version="1.7.27", component="ContainerRuntime", rollback=False, timeout="10m", **fields):
    job = {"image": objects.IMAGE, "timeout": timeout}
    made = {"component": component, "version": version, "job": job, **fields}
    return {**made, "rollback": {"image": objects.IMAGE, "timeout": "10m"}} if rollback else made


def strategy(waves=None, ready_for="0s", **fields):
    return {"maxUnavailable": 1, "waves": waves or ONE_WAVE, "settle": {"readyFor": ready_for}, **fields}


def conditions(item):
    """{type: (status, reason, message)}"""
    return {entry["type"]: (entry["status"], entry["reason"], entry.get("message", ""))
            for entry in item.get("status", {}).get("conditions", [])}


def quarantined(node):
    return any(taint["key"] == TAINT and taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints", []))


class FlowTest(ClusterTest):
    """Everything that these tests make is put away while the controller runs, so that the tests of a class share it."""

    at_once = 4  # tests, each with nodes of its own
    flags, agent_flags = (), ()
    is_ready = True  # a class whose controller cannot be ready says so
    nodes = pods = rollouts = policies = None  # watch recorders
    program = agent = class_logs = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.class_logs = pathlib.Path(ROOT, "build/integration", f"{cls.__module__}.{cls.__name__}")
        shutil.rmtree(cls.class_logs, ignore_errors=True)
        cls.class_logs.mkdir(parents=True)
        cls.start_programs()
        for plural in ("nodes", "pods", "rollouts", "policies"):
            recorder = Recorder(cls.cluster.client.kubeconfig, plural if plural in ("nodes", "pods") else f"patch{plural}")
            cls.addClassCleanup(recorder.stop)
            setattr(cls, plural, recorder)

    @classmethod
    def start_programs(cls):
        kubeconfig = cls.cluster.controller_kubeconfig(cls.class_logs)
        cls.addClassCleanup(pathlib.Path(kubeconfig).unlink, missing_ok=True)
        cls.program = Controller(cls.build, kubeconfig, cls.class_logs / "controller.log", *cls.flags,
                                 environment=cls.cluster.environment)
        cls.agent = FleetAgent(cls.build, cls.cluster.kubeconfig_path, cls.class_logs / "fleet-agent.log",
                               "--delay", "300ms", *cls.agent_flags, environment=cls.cluster.environment)
        for program in (cls.program, cls.agent):
            cls.addClassCleanup(program.finish)
            program.start()
        if cls.is_ready:
            cls.program.wait_ready()
        _watched[:] = [cls.program, cls.agent]
        cls.addClassCleanup(_watched.clear)

    @classmethod
    def tearDownClass(cls):
        """A SIGTERM ends both programs well: no leak, and nothing that a sanitizer had to say meanwhile."""
        _watched.clear()
        for program in (cls.program, cls.agent):
            code = program.terminate()
            assert code == 0, f"{program.name} ended with {code}; its log ends:\n{program.tail()}"
            said = program.log.read_text(errors="replace")
            assert not any(word in said for word in SANITIZERS), f"{program.name}:\n{program.tail()}"
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.client = self.cluster.client

    def _remove_ours(self):
        """Policies are put away one by one. Here the test's reports go; and whatever it left behind is an error."""
        for report in self.client.list("patchreports"):
            if report["spec"]["policyRef"]["name"].startswith(self.tag):
                self.client.delete("patchreports", report["metadata"]["name"])

    # --- making ---

    def pool(self, count, behave=None, annotations=None, **fields):
        marks = {**(annotations or {}), **({BEHAVE: behave} if behave else {})}
        return self.make_nodes(count, annotations=marks, **fields)

    def policy(self, name=None, **spec):
        spec.setdefault("patches", [patch()])
        spec.setdefault("strategy", strategy())
        made = super().policy(name, **spec)
        self.addCleanup(self.put_away, made["metadata"]["name"])
        return made

    def change(self, name=None, **spec):
        """Changes members of a policy's spec; returns the policy."""
        return self.client.patch("patchpolicies", name or self.tag, {"spec": spec})

    def by_hand(self, name, policy=None):
        """A PatchRollout that a person makes."""
        return self.client.create("patchrollouts", objects.rollout(name, policy or self.tag))

    def bare_pod(self, node, name, wait=True, **fields):
        """A pod that no controller owns, running on the node when this returns."""
        namespace = self.namespace()
        wait_for(lambda: self.client.find("serviceaccounts", "default", namespace), WAIT, f"{namespace} has its service account")
        self.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "nodeName": node, "containers": [{"name": "main", "image": "example/bare:1"}], **fields}}, namespace)
        if wait:
            wait_for(lambda: self.client.get("pods", name, namespace)["status"]["phase"] == "Running", WAIT, f"{name} runs")
        return f"{namespace}/{name}"

    def collect_pods(self, node):
        """What the pod garbage collector of kube-controller-manager does 40 s after a node is gone: no kubelet ends its pods."""
        for name in self.jobs_on([node]):
            self.client.delete("pods", name, JOBS, grace=0)

    def put_away(self, policy):
        """Deletes a policy and its rollouts as a person would; the controller gives everything back."""
        self.client.delete("patchpolicies", policy)
        for rollout in self.rollouts_of(policy):
            self.client.delete("patchrollouts", rollout["metadata"]["name"])
        wait_for(lambda: not self.rollouts_of(policy), WAIT, lambda: f"the rollouts of {policy} are gone: {self.rollouts_of(policy)}")

    def release(self, *nodes):
        """What the hosts of these nodes hold back (hold, hide) happens now."""
        for name in nodes:
            if self.client.find("nodes", name):
                self.client.patch("nodes", name, {"metadata": {"annotations": {BEHAVE: None}}})

    def ready_since(self, node, time):
        """Since when a node is Ready, by its own word: what settles waits for ever where that is to come."""
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": time}
        self.client.patch("nodes", node, {"status": {"conditions": [ready]}}, kind="strategic", subresource="status")

    def await_guard(self):
        """Emergencies count that are made so long after the admission policies that say who may make one, and in whose name."""
        made = max(self.client.get(f"validatingadmission{kind}", f"{name}.patchwright.io")["metadata"]["creationTimestamp"]
                   for kind in ("policies", "policybindings") for name in ("rights", "authors"))
        at = datetime.datetime.fromisoformat(made.replace("Z", "+00:00")) + datetime.timedelta(seconds=6)
        wait_for(lambda: datetime.datetime.now(datetime.timezone.utc) >= at, WAIT, f"it is {at}")

    # --- looking ---

    def rollouts_of(self, policy=None):
        found = [item for item in self.client.list("patchrollouts") if item["spec"]["policyRef"]["name"] == (policy or self.tag)]
        return sorted(found, key=lambda item: item["metadata"]["creationTimestamp"])

    def node(self, name):
        return self.client.get("nodes", name)

    def running(self, policy=None):
        """The rollout of a policy that is at work, once there is one."""
        return wait_for(lambda: next((item for item in self.rollouts_of(policy) if "outcome" not in item.get("status", {})), None),
                        WAIT, f"a rollout of {policy or self.tag} is at work")

    def ended(self, outcome, policy=None, count=1, timeout=WAIT):
        """Waits until `count` rollouts of a policy have ended and let go; the last of them ended as `outcome`."""
        def done():
            ended = [item for item in self.rollouts_of(policy)
                     if "outcome" in item.get("status", {}) and not item["metadata"].get("finalizers")]
            ended.sort(key=lambda item: (item["status"]["finishedAt"], int(item["metadata"]["resourceVersion"])))
            return ended if len(ended) >= count else None
        last = wait_for(done, timeout, lambda: f"{count} rollouts have ended: {self._statuses(policy)}")[-1]
        self.assertEqual(last["status"]["outcome"], outcome, last["status"])
        return last

    def _statuses(self, policy):
        return [(item["metadata"]["name"], item.get("status", {}).get("outcome"), item.get("status", {}).get("summary"))
                for item in self.rollouts_of(policy)]

    def wait_condition(self, plural, name, kind, reason, contains="", timeout=WAIT):
        """Waits until a condition is True or False for this reason; returns (status, message)."""
        def found():
            status, why, message = conditions(self.client.get(plural, name)).get(kind, ("", "", ""))
            return (status, message) if why == reason and contains in message else None
        return wait_for(found, timeout, lambda: f"{kind} of {plural} {name} is {reason} ({contains}): "
                                                f"{conditions(self.client.get(plural, name))}")

    def wait_policy(self, kind, reason, contains="", policy=None):
        return self.wait_condition("patchpolicies", policy or self.tag, kind, reason, contains)

    def wait_step(self, node, step):
        return wait_for(lambda: (found := self.node(node)) and step_of(found) == step and found, WAIT,
                        lambda: f"{node} is {step}: {state_of(self.node(node))}")

    def wait_job(self, node):
        """Waits until a job runs on the node."""
        wait_for(lambda: any(pod["spec"].get("nodeName") == node and job_step(pod) and pod["status"].get("phase") == "Running"
                             for pod in self.client.list("pods", JOBS)), WAIT, f"a job runs on {node}")

    def wait_blocked(self, contains="", policy=None):
        """The first grant that was blocked with such a message: (rollout, active entry)."""
        def blocked(event):
            return next((active for active in event.object.get("status", {}).get("active", [])
                         if contains in active.get("blockedBy", {}).get("message", "") and "blockedBy" in active), None)
        event = self.wait_rollout(blocked, f"a target is blocked ({contains})", policy)
        return event.object, blocked(event)

    def wait_rollout(self, predicate, what, policy=None):
        """The first event of a policy's rollouts, past or coming, for which predicate(event) holds."""
        return self.rollouts.wait_for(lambda event: event.object["spec"]["policyRef"]["name"] == (policy or self.tag)
                                      and predicate(event), WAIT, what)

    def wait_observed(self, policy=None):
        """Waits until the controller knows the policy as it is now: whatever it begins later follows it."""
        generation = self.client.get("patchpolicies", policy or self.tag)["metadata"]["generation"]
        wait_for(lambda: self.client.get("patchpolicies", policy or self.tag)["status"].get("observedGeneration", 0) >= generation,
                 WAIT, f"the controller knows generation {generation} of {policy or self.tag}")

    def node_events(self):
        """The watch log of this test's nodes."""
        return [event for event in self.nodes.events() if event.object["metadata"]["labels"].get("pool") == self.tag]

    def pod_events(self, names):
        """The watch log of all pods on these nodes."""
        return [event for event in self.pods.events() if event.object["spec"].get("nodeName") in names]

    def events_about(self, kind, name):
        """{reason: note} of the Events that regard an object."""
        return {event["reason"]: event.get("note", "") for event in self.client.list("events")
                if event.get("regarding", {}).get("kind") == kind and event["regarding"]["name"] == name}

    def jobs_on(self, nodes):
        return [pod["metadata"]["name"] for pod in self.client.list("pods", JOBS) if pod["spec"].get("nodeName") in nodes]

    def assert_put_away(self, nodes, cordoned=()):
        """Nothing of ours is left: no state, no cordon but those that were there before, no job pod."""
        for name in nodes:
            node = self.client.find("nodes", name)
            if node:
                self.assertNotIn(STATE, node["metadata"].get("annotations", {}))
                self.assertEqual(bool(node["spec"].get("unschedulable")), name in cordoned, f"cordon of {name}")
                self.assertFalse(quarantined(node), f"{name} is tainted")
        self.assertEqual(self.jobs_on(nodes), [])


def requests(controller):
    """How many requests a controller has sent, by its own count."""
    text = controller.http("/metrics")[1]
    return sum(float(value) for value in re.findall(r"^rest_client_requests_total\{.*\} (\S+)$", text, re.MULTILINE))


def assert_calm(case, *controllers, seconds=3, at_most=15):
    """No hot loop: hardly a request, and hardly a line of log, for a few seconds in which nothing happens."""
    began = time.monotonic()
    before = [(requests(c), c.log.stat().st_size) for c in controllers]
    time.sleep(seconds)  # the interval that is measured
    for controller, (sent, logged) in zip(controllers, before):
        new = requests(controller) - sent, controller.log.stat().st_size - logged
        took = time.monotonic() - began
        case.assertLessEqual(new[0], at_most * took / seconds, f"requests in {took} s:\n{controller.tail()}")
        case.assertLessEqual(new[1], 4000 * took / seconds, f"log in {took} s:\n{controller.tail()}")


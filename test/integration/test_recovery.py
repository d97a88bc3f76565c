"""The API server goes away, stands still or forgets its history in mid-rollout: the controller goes on by itself.

The API server's audit log says what was listed. An API server that starts has no history: it refuses (410) a watch from any
version but the newest, and one list is needed then. Where it still has the history, none is.
"""

import collections
import datetime
import json
import pathlib
import re
import tempfile
import time
import urllib.parse

from lib import rollout
from lib.case import ClusterTest
from lib.cluster import Cluster
from lib.flow import BEHAVE
from lib.process import Process
from lib.relay import Relay
from lib.wait import WAIT, wait_for

NODES, PODS, AT_MOST = 16, 32, 2
PROGRESS = 3  # steps of nodes between two upheavals
PEERS = ("kwok", "scheduler", "controller-manager")
AUDIT = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
    {"level": "Metadata", "users": ["system:serviceaccount:patchwright-system:patchwright-controller"], "verbs": ["list", "watch"]},
    {"level": "None"}]}

Read = collections.namedtuple("Read", "kind path list version open")


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class TestRecovery(ClusterTest):
    """With a cluster of its own: what else runs there needs its time, too, to find back to a server that restarted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        cls.addClassCleanup(folder.cleanup)
        policy = pathlib.Path(folder.name, "policy.json")
        policy.write_text(json.dumps(AUDIT), encoding="ascii")
        cls.log = pathlib.Path(folder.name, "audit.log")
        cls.cluster = Cluster(f"{cls.cluster.name}-recovery")
        cls.addClassCleanup(cls.cluster.down)
        cls.cluster.up(PATCHWRIGHT_APISERVER_FLAGS=f"--audit-policy-file={policy} --audit-log-path={cls.log}")
        cls.cluster.install()

    def setUp(self):
        for part in PEERS:
            self.cluster.restart_part(part)
        super().setUp()
        self.skipped = len(self.audit())

    # --- what the API server saw ---

    def audit(self):
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def reads(self):
        """What it has answered of the controller's lists and watches in this test, in the order in which they were answered."""
        events = [json.loads(line) for line in self.audit()[self.skipped:]]
        ended = {event["auditID"] for event in events if event["stage"] == "ResponseComplete"}
        found = []
        for event in events:
            url = urllib.parse.urlsplit(event["requestURI"])
            query = dict(urllib.parse.parse_qsl(url.query))
            stage = "ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"
            if event["stage"] == stage and event["responseStatus"]["code"] == 200 and "continue" not in query:
                found.append(Read(event["objectRef"]["resource"], url.path, event["verb"] == "list",
                                  query.get("resourceVersion"), event["auditID"] not in ended))
        return found

    def brief_watches(self, logged):
        """What a server that stops took a watch of, and closed it within a second: what closes so is listed, not watched in circles."""
        events = [json.loads(line) for line in self.audit()[logged:]]
        return {event["objectRef"]["resource"] for event in events
                if event["verb"] == "watch" and event["stage"] == "ResponseComplete" and event["responseStatus"]["code"] == 200
                and time_of(event["stageTimestamp"]) - time_of(event["requestReceivedTimestamp"]) < datetime.timedelta(seconds=1)}

    def lists(self):
        return collections.Counter(read.kind for read in self.reads() if read.list)

    def await_watches(self, seen=0):
        """All is watched, from versions that the server takes. seen: how many reads there were before."""
        def watched():
            return {read.kind for read in self.reads()[seen:] if read.open}
        wait_for(lambda: self.program.check_alive() and watched() == self.kinds and self.program.http("/readyz")[0] == 200, WAIT,
                 lambda: f"everything is watched: {self.kinds - watched()} is not; {self.program.tail()}")

    def is_refused(self, read):
        """Whether the server no longer has what came after the version."""
        query = {"watch": "true", "resourceVersion": read.version, "timeoutSeconds": "20"}
        connection = self.client.kubeconfig.connect()
        try:
            connection.request("GET", f"{read.path}?{urllib.parse.urlencode(query)}", headers=self.client.kubeconfig.headers())
            first = connection.getresponse().readline()
            return bool(first) and json.loads(first)["object"].get("code") == 410
        finally:
            connection.close()

    # --- the rollout ---

    def begin(self, server=None, settle="0s"):
        self.names = self.make_nodes(NODES, annotations={BEHAVE: "hold"})
        self.make_deployment("web", PODS)
        for part in ("scheduler", "controller-manager"):  # what is evicted stays away
            self.addCleanup(self.cluster.start_part, part)
            self.cluster.stop_part(part)
        self.nodes, self.pods, self.rollouts = self.record("nodes"), self.record("pods"), self.record("patchrollouts")
        self.fleet_agent("--delay", "500ms")
        self.program = self.controller(server=server)
        self.kinds = set(re.findall(r"\]cache-(\w+) ok", self.program.http("/readyz?verbose")[1]))
        self.assertLess({"nodes", "pods", "patchrollouts"}, self.kinds)
        self.await_watches()
        self.assertEqual(self.lists(), dict.fromkeys(self.kinds, 1))
        self.policy(strategy={"maxUnavailable": AT_MOST, "waves": rollout.THREE_WAVES, "settle": {"readyFor": settle}})
        self.progress()

    def in_step(self, step):
        return [node for node in self.nodes.objects() if rollout.step_of(node) == step]

    def let_go(self):
        """Jobs end here only, so that the rollout is never over before this test wants it."""
        for node in self.in_step("Patching"):
            if BEHAVE in node["metadata"]["annotations"]:
                self.client.patch("nodes", node["metadata"]["name"], {"metadata": {"annotations": {BEHAVE: None}}})
        return True

    def steps(self):
        return len(rollout.steps(self.nodes.seen()))

    def is_over(self):
        return any(rollout.is_over(item) for item in self.rollouts.objects())

    def progress(self):
        goal = self.steps() + PROGRESS
        wait_for(lambda: self.program.check_alive() and (self.steps() >= goal or self.let_go() and False), WAIT, f"{PROGRESS} steps of nodes")
        self.assertFalse(self.is_over(), "it is over: too little is tested")

    def end(self):
        wait_for(lambda: self.program.check_alive() and self.let_go() and self.is_over(), WAIT,
                 lambda: f"the rollout is over: {[item['status'] for item in self.rollouts.objects()]}")
        item = self.rollouts.objects()[0]
        self.assertEqual(item["status"]["outcome"], "Succeeded", item["status"])
        self.assertEqual(item["status"]["counts"]["patched"], NODES)
        jobs = rollout.job_pods(self.pods.events())
        self.assertEqual(jobs, {(item["metadata"]["name"], name, "job"): 1 for name in self.names})
        for node in self.client.list("nodes", selector=f"pool={self.tag}"):
            self.assertFalse(rollout.cordoned(node), node["metadata"]["name"])
            self.assertIsNone(rollout.state_of(node), node["metadata"]["name"])
        rollout.check_ledger(self, rollout.decisions(self.client, item), item)
        self.assertEqual(self.program.terminate(), 0)

    # --- upheavals ---

    def test_connections_lost(self):
        relay = Relay(self.client.kubeconfig.host, self.client.kubeconfig.port)
        self.addCleanup(relay.close)
        self.begin(server=f"https://127.0.0.1:{relay.port}")
        for _ in range(3):
            self.progress()
            seen = len(self.reads())
            self.assertGreater(relay.cut(), 0)
            self.await_watches(seen)
        self.end()
        self.assertEqual(self.lists(), dict.fromkeys(self.kinds, 1), "the server has the history: nothing is listed again")
        self.assertLessEqual(rollout.most_unavailable(self.nodes.events()), AT_MOST)
        self.assertEqual(rollout.undrained(self.pods.events()), [])

    def test_server_stands_still(self):
        """Until writes are given up that it carries out later all the same: nothing is done twice."""
        self.begin(settle="1s")
        node = wait_for(lambda: next(iter(self.in_step("Patching")), None), WAIT, "a node is patched")["metadata"]["name"]
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20))
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": soon}  # until then it is not settled, and then it is written
        self.client.patch("nodes", node, {"status": {"conditions": [ready]}}, kind="strategic", subresource="status")
        self.let_go()
        wait_for(lambda: self.in_step("Settling"), WAIT, "it settles")
        self.cluster.freeze_part("apiserver")
        try:
            wait_for(lambda: self.program.check_alive() and "did not finish its answer" in self.program.tail(), WAIT,
                     lambda: f"a write is given up: {self.program.tail()}")
        finally:
            self.cluster.thaw_part("apiserver")
        self.end()
        self.assertEqual(self.lists(), dict.fromkeys(self.kinds, 1), "the server has the history: nothing is listed again")

    def check_lists(self, upheaval):
        """At most one list of each kind in an upheaval, and that only where the server had forgotten what came after our version."""
        seen, logged = len(self.reads()), len(self.audit())
        upheaval()
        self.cluster.await_resources()
        self.await_watches(seen)
        lists = [read for read in self.reads()[seen:] if read.list]
        kinds = {read.kind for read in lists}
        self.assertEqual(len(kinds), len(lists), lists)
        brief = self.brief_watches(logged)
        for read in lists:
            self.assertTrue(read.kind in brief or self.is_refused(read), f"the server could have gone on from here: {read}")
        self.cluster.restart_part("kwok")  # it would take up to a minute
        return kinds

    def forget(self):
        self.cluster.stop_part("apiserver", kill=True)
        self.cluster.compact()
        self.cluster.start_part("apiserver")

    def test_server_restarted_and_history_compacted(self):
        self.begin()
        listed = self.check_lists(lambda: self.cluster.restart_part("apiserver"))
        self.progress()
        listed |= self.check_lists(lambda: self.cluster.restart_part("apiserver", kill=True))
        self.progress()
        listed |= self.check_lists(self.forget)
        self.assertTrue(listed, "no history was lost: nothing was tested")
        self.end()

    def test_what_vanished_while_nobody_looked(self):
        """A server that starts again knows no older version, and so no deletion: the list tells what is gone."""
        watcher = Process("watch_nodes", [self.build / "examples/watch_nodes"], self.logs / "watch_nodes.log", self.cluster.environment)
        self.addCleanup(watcher.finish)
        watcher.start()

        def await_line(end):
            wait_for(lambda: watcher.check_alive() and any(line.endswith(end) for line in watcher.tail().splitlines()), WAIT,
                     lambda: f"{end!r}; it said {watcher.tail()}")
        gone, stays = self.make_nodes(2)
        for name in (gone, stays):
            await_line(f" {name} Ready")
        watcher.freeze()
        self.client.delete("nodes", gone)
        self.client.patch("nodes", stays, {"spec": {"unschedulable": True}})
        self.forget()
        self.cluster.await_resources()
        watcher.thaw()
        await_line(f"deleted  {gone} Ready")
        await_line(f"changed  {stays} Ready,SchedulingDisabled")
        self.client.patch("nodes", stays, {"spec": {"unschedulable": False}})
        await_line(f"changed  {stays} Ready")
        self.assertEqual(watcher.terminate(), 0)

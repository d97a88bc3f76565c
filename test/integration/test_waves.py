"""Waves, their order, topology, soak, failure budget and holds; several patches in one drain. Each on nodes of its own."""

import datetime

from lib import objects
from lib.flow import FlowTest, WAIT, patch, strategy, wait_for
from lib.rollout import (check_ledger, cordoned, decisions, job_step, most_unavailable, pages, runtime_version,
                         step_of, steps, undrained)

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"
READY = "fleet.patchwright.io/ready"
HOLD = "patchwright.io/hold"
CRITICALITY = "patchwright.io/criticality"
ZONE = "topology.kubernetes.io/zone"


def seconds(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def canary(soak):
    return [{"name": "canary", "size": 1, "soak": soak}, {"name": "rest"}]


class WavesTest(FlowTest):
    def waves(self, rollout):
        """{wave: nodes}, as the report has them."""
        found = {}
        for page in pages(self.client, rollout):
            for target in page["targets"]:
                found.setdefault(target["wave"], []).append(target["node"])
        return found

    def begun(self):
        """The nodes that were begun, in that order."""
        return list(dict.fromkeys(node for _, node, step, _ in steps(self.node_events()) if step))

    def taken(self, rollout, step):
        """{node: the second in which it took the step}, as the report has it."""
        return {target["node"]: seconds(entry["at"]) for page in pages(self.client, rollout) for target in page["targets"]
                for entry in target["steps"] if entry["step"] == step}

    def annotate(self, name, key, value):
        self.client.patch("nodes", name, {"metadata": {"annotations": {key: value}}})

    def set_ready(self, name, ready, later=0):
        """The annotation stands there while the node is not as KWOK would have it: see hack/lib/kwok-stages.yaml. Returns since when."""
        since = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=later)
        condition = {"type": "Ready", "status": str(ready), "reason": "Simulated", "message": "simulated",
                     "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.annotate(name, READY, "false")
        self.client.patch("nodes", name, {"status": {"conditions": [condition]}}, kind="strategic", subresource="status")
        if ready:
            self.annotate(name, READY, None)
        return condition["lastTransitionTime"]

    def wave(self, index):
        rollouts = self.rollouts_of()
        waves = rollouts[0].get("status", {}).get("waves", []) if rollouts else []
        return waves[index] if len(waves) > index else {}

    def wait_wave(self, index, **fields):
        """Waits until a wave's status has these members; returns it."""
        return wait_for(lambda: (wave := self.wave(index)) and all(wave.get(key) == value for key, value in fields.items()) and wave,
                        WAIT, lambda: f"wave {index} has {fields}: {self.wave(index)}")

    def versions(self, names):
        return [runtime_version(self.node(name)) for name in names]


class TestWaves(WavesTest):
    def test_selector_count_and_percent(self):
        others = self.pool(4)
        staging = self.pool(2, labels={"stage": "canary"}, prefix=f"{self.tag}-x")
        before = len(self.node_events())
        self.policy(strategy=strategy([{"name": "canary", "selector": {"matchLabels": {"stage": "canary"}}, "soak": "3s"},
                                       {"name": "early", "size": "20%"}, {"name": "rest"}], maxUnavailable=2, order=["Name"]))
        rollout = self.ended("Succeeded")
        self.assertEqual(self.waves(rollout), {"canary": staging, "early": others[:2], "rest": others[2:]})
        begun = self.begun()
        patched, claimed = self.taken(rollout, "Patched"), self.taken(rollout, "Claimed")
        self.assertGreaterEqual(claimed[begun[2]], max(patched[name] for name in staging) + 2, "the soak; times have whole seconds")
        self.assertEqual(set(begun[:2]), set(staging))
        self.assertEqual(set(begun[2:4]), set(others[:2]))
        self.assertLessEqual(most_unavailable(self.node_events()[before:]), 2)
        self.assertEqual([wave["state"] for wave in rollout["status"]["waves"]], ["Passed"] * 3)
        self.assertEqual([wave["patched"] for wave in rollout["status"]["waves"]], [2, 2, 2])
        self.assertNotIn("currentWave", rollout["status"])

    def test_wave_that_covers_nothing(self):
        names = self.pool(2)
        self.policy(strategy=strategy([{"name": "canary", "selector": {"matchLabels": {"stage": "canery"}}}, {"name": "rest"}]))
        self.wait_policy("Accepted", "WaveCoversNothing", "waves[0] (canary)")
        self.by_hand(f"{self.tag}-run")
        self.wait_condition("patchrollouts", f"{self.tag}-run", "Stalled", "WaveCoversNothing", "matches none of the 2 nodes")
        self.assertEqual(self.begun(), [])
        self.client.patch("nodes", names[1], {"metadata": {"labels": {"stage": "canery"}}})
        rollout = self.ended("Succeeded")
        self.assertEqual(self.waves(rollout), {"canary": names[1:], "rest": names[:1]})

    def test_order(self):
        critical, = self.pool(1, prefix=f"{self.tag}-a", annotations={CRITICALITY: "critical"})
        busy, = self.pool(1, prefix=f"{self.tag}-b")
        idle, = self.pool(1, prefix=f"{self.tag}-c")
        low, = self.pool(1, prefix=f"{self.tag}-d", annotations={CRITICALITY: "low"})
        self.bare_pod(busy, "pod")
        self.policy(strategy=strategy(order=["Criticality", "PodCount"]), drain={"enabled": False})
        self.ended("Succeeded")
        self.assertEqual(self.begun(), [low, idle, busy, critical])

    def test_zones_one_at_a_time(self):
        names = self.pool(6, zones=3)
        zones = {name: self.node(name)["metadata"]["labels"][ZONE] for name in names}
        self.policy(strategy=strategy(order=["Name"], maxUnavailable=6, topology={"key": ZONE}))
        self.ended("Succeeded")
        away = set()
        for event in self.node_events():
            name = event.object["metadata"]["name"]
            (away.add if step_of(event.object) not in (None, "Patched") else away.discard)(name)
            self.assertLessEqual(len({zones[node] for node in away}), 1, away)
        order = [zones[node] for node in self.begun()]
        self.assertEqual(order, sorted(order))
        self.assertEqual(self.versions(names), [NEW] * 6)

    def test_failure_budget(self):
        names = self.pool(3)
        broken, = self.pool(1, prefix=f"{self.tag}-0", behave="fail")
        self.policy(strategy=strategy(order=["Name"], failureBudget="25%", onFailure="Uncordon"))
        rollout = self.ended("Failed")
        self.assertEqual(self.begun(), [broken, *names])
        self.assertEqual((rollout["status"]["counts"]["patched"], rollout["status"]["counts"]["failed"]), (3, 1))
        self.assertEqual(rollout["status"]["waves"][0]["state"], "Passed")
        self.assertEqual([d for d in decisions(self.client, rollout) if d["type"] == "Halt"], [])
        self.wait_policy("Stalled", "RolloutFailed")
        self.assertEqual(len(self.rollouts_of()), 1, "what was tolerated is not tried again")

    def test_unset_concurrency_is_one(self):
        names = self.pool(3)
        self.assert_refused("0 and 0% would mean that nothing is ever patched", self.client.create, "patchpolicies",
                            objects.policy(self.tag, strategy={"maxUnavailable": 0}))
        self.policy(strategy={"waves": [{"name": "all"}], "settle": {"readyFor": "0s"}})
        rollout = self.ended("Succeeded")
        self.assertEqual(self.versions(names), [NEW] * 3)
        self.assertEqual(rollout["status"]["counts"]["patched"], 3)
        self.assertEqual(most_unavailable([event for event in self.node_events() if step_of(event.object)]), 1)

    def test_not_ready_nodes_use_up_the_budget(self):
        names = self.pool(3)
        self.set_ready(names[2], False)
        self.policy(strategy=strategy(maxUnavailable=1))
        wait_for(lambda: f"1 of 3 nodes are unavailable ({names[2]} is not Ready)" in self.running()["status"]["summary"], WAIT,
                 lambda: f"the rollout waits: {self._statuses(None)}")
        self.assertEqual(self.begun(), [])
        self.set_ready(names[2], True)
        self.ended("Succeeded")
        self.assertEqual(self.versions(names), [NEW] * 3)


class TestSoak(WavesTest):
    def test_break_begins_the_soak_anew(self):
        names = self.pool(2)
        self.policy(strategy=strategy(canary("15s"), settle={"readyFor": "0s", "timeout": "10m"}))
        first = self.wait_wave(0, state="Soaking", reason="Soaking")["soakUntil"]
        self.set_ready(names[0], False)
        self.assertIn(f"{names[0]} is not Ready since", self.wait_wave(0, reason="NodeNotReady")["message"])
        self.assertEqual(self.begun(), names[:1])
        back = self.set_ready(names[0], True, later=2)  # times have whole seconds
        second = self.wait_wave(0, reason="Soaking")["soakUntil"]
        self.assertGreater(second, first)
        self.assertGreaterEqual(seconds(second), seconds(back) + 15, "all of the soak")
        self.assertGreaterEqual(self.taken(self.ended("Succeeded"), "Claimed")[names[1]], seconds(second))

    def test_node_that_stays_away_fails_its_wave(self):
        names = self.pool(2)
        self.policy(strategy=strategy(canary("10m"), settle={"readyFor": "0s", "timeout": "2s"}))
        self.wait_wave(0, state="Soaking")
        self.set_ready(names[0], False)
        rollout = self.ended("Failed")
        status = rollout["status"]
        self.assertEqual((status["failed"][0]["node"], status["failed"][0]["reason"]), (names[0], "NodeNotReady"))
        self.assertEqual((status["counts"]["patched"], status["counts"]["failed"], status["counts"]["pending"]), (0, 1, 1))
        self.assertEqual([(wave["state"], wave.get("reason")) for wave in status["waves"]], [("Failed", "TargetFailed"), ("Pending", None)])
        self.assertEqual(self.begun(), names[:1], "the next wave is untouched")
        ledger = decisions(self.client, rollout)
        check_ledger(self, ledger, rollout)
        self.assertEqual([(d["type"], d["rule"]) for d in ledger if d["subject"] in (names[0], "canary")],
                         [("Start", "maxUnavailable"), ("Fail", "soak"), ("Halt", "failureBudget")])


class TestHold(WavesTest):
    def test_held_nodes_stay_as_they_are(self):
        names = self.pool(3, behave="hold")
        self.annotate(names[2], HOLD, "disk is being replaced")
        self.policy(strategy=strategy(order=["Name"], maxUnavailable=2))
        self.wait_job(names[0])
        self.annotate(names[0], HOLD, "somebody looks at it")
        self.release(*names)
        wait_for(lambda: runtime_version(self.node(names[0])) == NEW, WAIT, "the job that runs goes on to its end")
        wait_for(lambda: runtime_version(self.node(names[1])) == NEW and not cordoned(self.node(names[1])), WAIT, "the others go on")
        held, = wait_for(lambda: (active := self.running()["status"]["active"])[0].get("blockedBy") and len(active) == 1 and active, WAIT,
                         lambda: f"only the held node is in work: {self.running()['status']['active']}")
        self.assertEqual((held["node"], held["step"]), (names[0], "Patching"))
        self.assertEqual((held["blockedBy"]["kind"], held["blockedBy"]["name"]), ("Hold", names[0]))
        self.assertIn("somebody looks at it", held["blockedBy"]["message"])
        self.assertTrue(held["blockedBy"]["since"])
        self.assertIn("(and 1 more)", self.wait_wave(0, state="Running", reason="NodeHeld")["message"])
        node = self.node(names[0])
        self.assertTrue(cordoned(node) and step_of(node) == "Patching")
        self.annotate(names[0], HOLD, None)
        self.wait_wave(0, message=f"{names[2]} is held: disk is being replaced")
        wait_for(lambda: f"node {names[2]} is held: disk is being replaced" in self.running()["status"]["summary"], WAIT, "the summary says so")
        self.assertEqual(set(self.begun()), set(names[:2]))
        self.annotate(names[2], HOLD, None)
        rollout = self.ended("Succeeded")
        self.assert_put_away(names)
        ledger = decisions(self.client, rollout)
        check_ledger(self, ledger, rollout)
        self.assertEqual([d["type"] for d in ledger if d["subject"] == names[0]], ["Start", "Pause", "Resume"])
        self.assertEqual([d["type"] for d in ledger if d["subject"] == "all"], ["Wait", "Promote"])


class TestOneDrain(WavesTest):
    def test_kubelet_runtime_and_kernel(self):
        name, = self.pool(1, kubelet="v1.34.2")
        self.make_deployment("web", 3)
        self.policy(patches=[patch("1.34.4", "Kubelet"), patch(), patch("6.1.0-25-amd64", "Kernel")])
        rollout = self.ended("Succeeded")
        info = self.node(name)["status"]["nodeInfo"]
        self.assertEqual((info["kubeletVersion"], info["containerRuntimeVersion"], info["kernelVersion"]), ("v1.34.4", NEW, "6.1.0-25-amd64"))
        cordons = [cordoned(event.object) for event in self.nodes.events(name)]
        self.assertEqual([now for now, before in zip(cordons, [None] + cordons) if now != before], [False, True, False])
        events = self.pod_events([name])
        components, over = [], []
        for event in events:
            if not job_step(event.object):
                continue
            env = {entry["name"]: entry.get("value") for entry in event.object["spec"]["containers"][0]["env"]}
            if event.type == "ADDED":
                self.assertEqual(over, components, "a job begins when the one before has ended")
                components.append(env["PATCHWRIGHT_COMPONENT"])
            elif event.object["status"].get("phase") == "Succeeded" and env["PATCHWRIGHT_COMPONENT"] not in over:
                over.append(env["PATCHWRIGHT_COMPONENT"])
        self.assertEqual(components, ["Kubelet", "ContainerRuntime", "Kernel"])
        self.assertEqual(undrained(events), [])
        evicted = [event for event in events if event.type == "DELETED" and not job_step(event.object)]
        self.assertEqual(len(evicted), 3, "the node was drained once")
        target, = pages(self.client, rollout)[0]["targets"]
        self.assertEqual([(job["step"], job["exitCode"]) for job in target["jobs"]], [("job/0", 0), ("job/1", 0), ("job/2", 0)])
        self.assertEqual([entry["step"] for entry in target["steps"]].count("Draining"), 1)

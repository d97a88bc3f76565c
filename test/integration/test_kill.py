"""The controller is killed at fifty moments of its work and started again: as if nothing had happened."""

import os
import random
import time

from lib import rollout
from lib.case import ClusterTest
from lib.wait import WAIT, wait_for

NODES, PODS, KILLS = 30, 90, 50
MOST_CHANGES = 14  # between a start and the next kill
SEED = "PATCHWRIGHT_SEED"
WAVES = [{"name": "canary", "size": 1}, {"name": "half", "size": "50%"}, {"name": "rest"}]


class TestKill(ClusterTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get(SEED, time.time_ns() % 1000000))
        self.random = random.Random(self.seed)
        self.versions = [f"1.7.{number}" for number in range(27, 60)]
        print(f"     {SEED}={self.seed}", flush=True)

    def populate(self):
        names = self.make_nodes(NODES)
        self.make_deployment("web", PODS)
        self.make_pdb("web", maxUnavailable="25%")
        self.client.patch("nodes", names[7], {"spec": {"unschedulable": True}})
        return names

    def record_all(self):
        self.nodes, self.pods, self.rollouts = self.record("nodes"), self.record("pods"), self.record("patchrollouts")
        self.others = [self.record("patchreports"), self.record("controllerrevisions")]

    def changes(self):
        """Grows with what the controller does: steps, job pods, evictions, statuses, pages, reports."""
        steps = len(rollout.steps(self.nodes.seen()))
        pods = sum(event.type == "ADDED" and rollout.job_step(event.object) is not None for event in self.pods.seen())
        return steps + pods + sum(len(recorder.seen()) for recorder in [self.rollouts, *self.others])

    def unfinished(self):
        return [item for item in self.rollouts.objects() if not rollout.is_over(item)]

    def go_on(self):
        """Starts the next rollout when the last is over."""
        if not self.unfinished():
            self.version = self.versions.pop(0)
            spec = {"patches": [{"component": "ContainerRuntime", "version": self.version, "job": {"image": rollout.IMAGE}}]}
            self.client.patch("patchpolicies", self.tag, {"spec": spec})

    def await_moment(self, controller):
        """Some changes later, and a little: or while the controller still starts."""
        if self.random.random() < 0.15:
            time.sleep(self.random.uniform(0, 0.3))
            return
        controller.wait_ready()
        self.go_on()
        goal = self.changes() + self.random.randint(1, MOST_CHANGES)
        wait_for(lambda: controller.check_alive() and (self.changes() >= goal or not self.unfinished()), WAIT,
                 f"{goal} changes (seed {self.seed})")
        time.sleep(self.random.uniform(0, 0.02))

    def epochs(self):
        """{rollout: the epochs that its status had, in order}"""
        found = {}
        for event in self.rollouts.events():
            epoch = event.object.get("status", {}).get("epoch", 0)
            found.setdefault(event.object["metadata"]["name"], []).append(epoch)
        return found

    def check_epochs(self):
        rises = 0
        for name, epochs in self.epochs().items():
            self.assertEqual(epochs, sorted(epochs), f"{name}: an epoch fell (seed {self.seed})")
            rises += len(set(epochs)) - 1
        self.assertGreater(rises, KILLS / 4, "hardly a restart met a rollout: nothing was tested")

    def check_nodes(self, cordoned_before):
        for node in self.client.list("nodes", selector=f"pool={self.tag}"):
            name = node["metadata"]["name"]
            self.assertEqual(rollout.runtime_version(node), f"containerd://{self.version}", name)
            self.assertEqual(rollout.cordoned(node), name == cordoned_before, name)
            self.assertIsNone(rollout.state_of(node), name)
        self.assertTrue(all(rollout.cordoned(event.object) for event in self.nodes.events(cordoned_before)[1:]),
                        "the node that was cordoned beforehand was uncordoned in between")

    def check_rollout(self, item, names):
        self.assertEqual(item["status"]["outcome"], "Succeeded", item["status"])
        self.assertEqual(item["status"]["counts"]["patched"], NODES)
        ledger = rollout.decisions(self.client, item)
        rollout.check_ledger(self, ledger, item)
        self.assertEqual(sorted(d["subject"] for d in ledger if d["type"] == "Start"), names)

    def test_fifty_kills(self):
        names = self.populate()
        self.record_all()
        self.fleet_agent("--delay", "300ms")
        self.version = self.versions.pop(0)
        self.policy(strategy={"maxUnavailable": 8, "waves": WAVES, "settle": rollout.NO_SETTLE})
        controller = self.controller(start=False)
        for _ in range(KILLS):
            controller.start()
            self.await_moment(controller)
            self.assertEqual(controller.kill(), -9)
        controller.start().wait_ready()
        wait_for(lambda: controller.check_alive() and self.rollouts.objects() and not self.unfinished(), WAIT,
                 f"the last rollout is over (seed {self.seed})")
        self.assertEqual(controller.terminate(), 0)

        jobs = rollout.job_pods(self.pods.events())
        items = self.rollouts.objects()
        self.assertEqual(jobs, {(item["metadata"]["name"], name, "job"): 1 for item in items for name in names}, f"seed {self.seed}")
        self.assertEqual(rollout.undrained(self.pods.events()), [])
        self.assertLessEqual(rollout.most_unavailable(self.nodes.events()), 8)
        self.check_nodes(names[7])
        self.check_epochs()
        for item in items:
            self.check_rollout(item, names)

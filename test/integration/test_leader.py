"""Two controllers, one lease: the one that leads is killed, frozen and stopped during a rollout, and nothing is done twice."""

import re
import signal

from lib import rollout
from lib.case import ClusterTest
from lib.cluster import SYSTEM
from lib.wait import WAIT, wait_for

LEASE = "patchwright-controller"
NODES, PODS, AT_MOST = 16, 32, 2
UPHEAVALS = 30  # leaders that are killed or frozen
PROGRESS = 2  # steps of nodes between two upheavals
WAVES = [{"name": "canary", "size": 1}, {"name": "rest"}]


def elect(lease, renew, retry):
    return ("--leader-elect", "--leader-elect-lease-duration", lease, "--leader-elect-renew-deadline", renew, "--leader-elect-retry-period", retry)


FLAGS = elect("3s", "2s", "500ms")
PATIENT = elect("60s", "40s", "500ms")  # a lease that nobody loses by standing still for a while


def metric(controller, name):
    """The value of a metric's first series; None: it has none."""
    found = re.search(rf"^{name}(?:\{{.*\}})? (\S+)$", controller.http("/metrics")[1], re.MULTILINE)
    return float(found.group(1)) if found else None


def leads(controller):
    return metric(controller, "leader_election_master_status") == 1


class TestLeader(ClusterTest):
    def setUp(self):
        super().setUp()
        self.client.delete("leases", LEASE, SYSTEM)
        self.addCleanup(self.client.delete, "leases", LEASE, SYSTEM)

    def lease(self):
        return self.client.get("leases", LEASE, SYSTEM)["spec"]

    def two(self):
        """(the one that leads, the one that waits), both ready."""
        leader = self.controller(*PATIENT, log="one.log")
        wait_for(lambda: leads(leader), WAIT, "the first leads")
        return leader, self.controller(*PATIENT, log="two.log")

    def test_the_one_that_waits_is_ready_and_does_nothing(self):
        leader, follower = self.two()
        self.make_nodes(1)
        self.policy()
        wait_for(lambda: metric(leader, "controller_runtime_reconcile_total"), WAIT, "the leader works")
        self.assertEqual(metric(follower, "leader_election_master_status"), 0)
        self.assertIsNone(metric(follower, "controller_runtime_reconcile_total"))
        self.assertEqual(metric(follower, "workqueue_adds_total"), 0)
        for controller in (leader, follower):
            self.assertEqual(controller.http("/healthz"), (200, "ok"))
            status, text = controller.http("/readyz?verbose")
            self.assertEqual(status, 200)
            self.assertIn("[+]leader-election ok", text)
            self.assertEqual(controller.http("/readyz/leader-election"), (200, "ok"))
            self.assertIn("[+]cache-pods excluded: ok", controller.http("/readyz?verbose&exclude=cache-pods")[1])
        self.assertEqual(follower.terminate(), 0)
        before = self.lease()
        self.assertNotEqual(before["holderIdentity"], "", "the one that waits gave back what it does not hold")
        self.assertEqual((before["leaseDurationSeconds"], before["leaseTransitions"]), (60, 0))
        self.assertEqual(leader.terminate(), 0)
        after = self.lease()
        self.assertEqual((after.get("holderIdentity", ""), after["leaseDurationSeconds"], after["leaseTransitions"]), ("", 1, 0))

    def test_a_second_signal_ends_it_at_once(self):
        """A lease that cannot be given back, because nothing answers, holds up the end; whoever is in a hurry says so again."""
        leader = self.controller(*PATIENT)
        wait_for(lambda: leads(leader), WAIT, "it leads")
        self.addCleanup(self.cluster.thaw_part, "apiserver")
        self.cluster.freeze_part("apiserver")
        leader.signal(signal.SIGTERM)
        wait_for(lambda: "stopping: no new work is begun" in leader.tail(), WAIT, "it has heard the first signal")
        self.assertTrue(leader.running())
        self.assertEqual(leader.terminate(), 1)
        self.assertIn("a second signal came", leader.tail())

    # --- upheavals: something happens to the one that leads, and the other one takes over ---

    def tend(self):
        """Does what a kubelet does: on a machine that is too busy, a leader may lose so short a lease by itself."""
        for controller in self.controllers:
            if controller is not self.frozen and not controller.running():
                self.assertIn("the lease is lost", controller.tail())
                controller.start()
        return True

    def leader(self):
        """The one that leads, once one does."""
        return wait_for(lambda: self.tend() and next((c for c in self.controllers if c is not self.frozen and leads(c)), None),
                        WAIT, lambda: f"somebody leads: {self.lease()}")

    def await_other_holder(self, holder):
        wait_for(lambda: self.tend() and self.lease()["holderIdentity"] not in (holder, ""), WAIT,
                 lambda: f"another one takes the lease of {holder}: {self.lease()}")

    def kill(self, leader, holder):
        self.assertTrue(leader.kill() == -9 or "the lease is lost" in leader.tail(), leader.tail())
        leader.start()
        self.await_other_holder(holder)
        self.progress()

    def freeze(self, leader, holder):
        self.frozen = leader
        leader.freeze()
        self.await_other_holder(holder)
        self.progress()
        leader.thaw()
        self.assertEqual(leader.wait(WAIT), 1, "a leader that lost its lease ends with an error")
        self.frozen = None
        self.tend()

    def stop(self, leader, _holder):
        code = leader.terminate()
        self.assertTrue(code == 0 or "the lease is lost" in leader.tail(), leader.tail())
        leader.start()

    def steps(self):
        return len(rollout.steps(self.nodes.seen()))

    def unfinished(self):
        return [item for item in self.rollouts.objects() if not rollout.is_over(item)]

    def go_on(self):
        """Starts the next rollout when the last is over: there is always one to upset."""
        if self.rollouts.objects() and not self.unfinished():
            self.version = f"1.7.{int(self.version.rpartition('.')[2]) + 1}"
            spec = {"patches": [{"component": "ContainerRuntime", "version": self.version, "job": {"image": rollout.IMAGE}}]}
            self.client.patch("patchpolicies", self.tag, {"spec": spec})
            wait_for(lambda: self.tend() and self.unfinished(), WAIT, f"a rollout to {self.version} begins")

    def progress(self):
        self.go_on()
        goal = self.steps() + PROGRESS
        wait_for(lambda: self.tend() and (self.steps() >= goal or not self.unfinished()), WAIT, f"{PROGRESS} steps of nodes")

    def test_upheavals_during_rollouts(self):
        names = self.make_nodes(NODES)
        self.make_deployment("web", PODS)
        self.make_pdb("web", maxUnavailable="25%")
        self.nodes, self.pods, self.rollouts = self.record("nodes"), self.record("pods"), self.record("patchrollouts")
        self.fleet_agent("--delay", "1s")
        self.controllers = [self.controller(*FLAGS, log=f"{name}.log", start=False).start() for name in ("one", "two")]
        self.frozen = None
        self.version = "1.7.27"
        self.policy(strategy={"maxUnavailable": AT_MOST, "waves": WAVES, "settle": rollout.NO_SETTLE})
        wait_for(self.rollouts.objects, WAIT, "the rollout begins")
        self.progress()
        for number in range(UPHEAVALS):
            upheaval = self.kill if number % 2 else self.freeze
            upheaval(self.leader(), self.lease()["holderIdentity"])
            if number % 10 == 9:
                self.stop(self.leader(), None)
        wait_for(lambda: self.tend() and not self.unfinished(), WAIT, "the last rollout is over")
        self.assertGreaterEqual(self.lease()["leaseTransitions"], UPHEAVALS)
        for controller in self.controllers:
            controller.terminate()
        self.assertLessEqual(rollout.most_unavailable(self.nodes.events()), AT_MOST)
        self.assertEqual(rollout.undrained(self.pods.events()), [])
        jobs = rollout.job_pods(self.pods.events())
        items = self.rollouts.objects()
        self.assertEqual(jobs, {(item["metadata"]["name"], name, "job"): 1 for item in items for name in names})
        epochs = [self.check(item, names) for item in items]
        self.assertGreaterEqual(sum(epochs), UPHEAVALS / 2, f"hardly a leader met a rollout: {epochs}")

    def check(self, item, names):
        """Returns its last epoch: how many leaders have met it."""
        self.assertEqual(item["status"]["outcome"], "Succeeded", item["status"])
        self.assertEqual(item["status"]["counts"]["patched"], NODES)
        ledger = rollout.decisions(self.client, item)
        rollout.check_ledger(self, ledger, item)
        self.assertEqual(sorted(d["subject"] for d in ledger if d["type"] == "Start"), names)
        epochs = [event.object.get("status", {}).get("epoch", 0) for event in self.rollouts.events(item["metadata"]["name"])]
        self.assertEqual(epochs, sorted(epochs))
        return epochs[-1]

"""Two hundred nodes with a thousand pods are patched in three waves; the watch log is the witness."""

from lib import rollout
from lib.case import ClusterTest

NODES, PODS, AT_ONCE = 200, 1000, 20
APPS = ("web", "cart", "search", "mail", "auth")


class TestScale(ClusterTest):
    def populate(self):
        names = self.make_nodes(NODES)
        for app in APPS:
            self.make_deployment(app, PODS // len(APPS), wait=False)
            self.make_pdb(app, maxUnavailable="25%")
        for app in APPS:
            self.await_deployment(app, PODS // len(APPS))
        return names

    def run_rollout(self):
        """The rollout as it was when it had ended; everything about it is cleaned up by then."""
        rollouts = self.record("patchrollouts")
        self.policy(strategy={"maxUnavailable": "10%", "waves": rollout.THREE_WAVES, "settle": rollout.NO_SETTLE})
        return rollouts.wait_for(lambda event: rollout.is_over(event.object), 600, "the rollout is over").object

    def check_end(self, names):
        for node in self.client.list("nodes", selector=f"pool={self.tag}"):
            self.assertEqual(rollout.runtime_version(node), "containerd://1.7.27", node["metadata"]["name"])
            self.assertFalse(rollout.cordoned(node), node["metadata"]["name"])
            self.assertIsNone(rollout.state_of(node), node["metadata"]["name"])

    def check_report(self, names, ended):
        pages = rollout.pages(self.client, ended)
        self.assertEqual([page["page"] for page in pages], list(range(1, pages[0]["pages"] + 1)))
        targets = [target for page in pages for target in page["targets"]]
        self.assertEqual(sorted(target["node"] for target in targets), names)
        self.assertEqual({target["step"] for target in targets}, {"Patched"})
        ledger = rollout.decisions(self.client, ended)
        rollout.check_ledger(self, ledger, ended)
        starts = [decision["subject"] for decision in ledger if decision["type"] == "Start"]
        self.assertEqual(sorted(starts), names)
        self.assertEqual([d["subject"] for d in ledger if d["type"] == "Promote"], ["canary", "early", "rest"])
        self.assertEqual(len([d for d in ledger if d["type"] == "Finish"]), 1)

    def test_two_hundred_nodes(self):
        names = self.populate()
        nodes, pods = self.record("nodes"), self.record("pods")
        self.fleet_agent("--delay", "1s")
        controller = self.controller()
        ended = self.run_rollout()
        self.assertEqual(ended["status"]["outcome"], "Succeeded", ended["status"])
        self.assertEqual(ended["status"]["counts"]["patched"], NODES)
        controller.check_alive()
        self.assertEqual(controller.terminate(), 0)

        most = rollout.most_unavailable(nodes.events())
        self.assertLessEqual(most, AT_ONCE)
        self.assertGreater(most, AT_ONCE // 2, "the budget was hardly used: nothing was tested")
        self.assertEqual(rollout.undrained(pods.events()), [])
        jobs = rollout.job_pods(pods.events())
        self.assertEqual(jobs, {(ended["metadata"]["name"], name, "job"): 1 for name in names})
        self.check_end(names)
        self.check_report(names, ended)

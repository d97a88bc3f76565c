"""A controller that is started before its custom resources are there."""

import pathlib

from lib.cluster import ROOT
from lib.case import ClusterTest
from lib.flow import WAIT, assert_calm
from lib.wait import wait_for

KINDS = ("patchpolicies", "patchrollouts", "patchreports", "patchapprovals")


class TestWithoutCrds(ClusterTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.cluster.install)  # whatever happens: other tests need them
        for plural in KINDS:
            self.client.delete("customresourcedefinitions", f"{plural}.patchwright.io")
        wait_for(lambda: not [crd for crd in self.client.list("customresourcedefinitions")
                              if crd["spec"]["group"] == "patchwright.io"], WAIT, "the CRDs are gone")

    def test_waits_says_so_and_goes_on(self):
        program = self.controller(start=False).start()
        for plural in KINDS:
            said = f"the CRD {plural}.patchwright.io is not installed: kubectl apply -f crds/"
            wait_for(lambda s=said: program.check_alive() and s in program.log.read_text(), WAIT, f"the log says: {said}")
            wait_for(lambda s=said: s in program.http("/readyz")[1], WAIT, "/readyz says so, too")
        self.assertEqual((program.http("/healthz")[0], program.http("/readyz")[0]), (200, 500))
        assert_calm(self, program)
        self.cluster.kubectl("apply", "-f", str(pathlib.Path(ROOT, "crds")))
        program.wait_ready()
        self.policy(target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": self.tag}}}})
        wait_for(lambda: self.client.get("patchpolicies", self.tag).get("status", {}).get("conditions"), WAIT, "it works")
        self.assertEqual(program.terminate(), 0)

"""Taking Patchwright out as docs/running.md says, in the middle of its work: nothing of it is left."""

import json
import pathlib
import re
import shlex

from lib.case import ClusterTest
from lib.cluster import ROOT
from lib.flow import BEHAVE, WAIT, patch, quarantined, strategy
from lib.rollout import cordoned, step_of
from lib.wait import wait_for

VOLATILE = {"events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses"}


def documented():
    """The commands of the section, block by block."""
    section = pathlib.Path(ROOT, "docs/running.md").read_text(encoding="utf-8").partition("\n## Taking it out\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [[line.partition("#")[0].strip() for line in block.splitlines() if line.partition("#")[0].strip()] for block in blocks]


class TestUninstall(ClusterTest):
    def run_documented(self, commands, **replaced):
        for command in commands:
            words = [replaced.get(word, word) for word in shlex.split(command)]
            self.assertEqual(words[0], "kubectl")
            self.cluster.kubectl(*(str(ROOT / word) if word.startswith(("deploy/", "crds/")) else word for word in words[1:]))

    def objects(self):
        """Every object of the cluster, of every kind that can be listed."""
        kinds = self.cluster.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
        found = self.cluster.kubectl("get", ",".join(kind for kind in kinds if kind not in VOLATILE), "-A", "-o", "json").stdout
        return sorted((item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in json.loads(found)["items"])

    def nodes_now(self):
        return {node["metadata"]["name"]: (node["metadata"].get("labels"), node["metadata"].get("annotations"), node["spec"])
                for node in self.client.list("nodes")}

    def test_nothing_is_left_behind(self):
        remove, release = documented()
        names = self.make_nodes(2)
        bad, = self.make_nodes(1, {"pool": "bad"}, prefix="bad", annotations={BEHAVE: "fail"})
        namespace = self.namespace()
        wait_for(lambda: self.client.find("serviceaccounts", "default", namespace), WAIT, "the namespace has its service account")
        self.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "precious"}, "spec": {
            "nodeName": names[0], "containers": [{"name": "main", "image": "example/bare:1"}]}}, namespace)
        wait_for(lambda: self.client.find("configmaps", "kube-root-ca.crt", namespace), WAIT, "the namespace has all that it is given")
        self.addCleanup(self.cluster.install)
        self.run_documented(remove)
        wait_for(lambda: not any("patchwright" in " ".join(key) for key in self.objects()), WAIT, "nothing is installed")
        before, nodes = self.objects(), self.nodes_now()

        self.cluster.install()
        self.fleet_agent("--delay", "300ms")
        program = self.controller("--leader-elect")
        self.policy()  # its drain waits for the pod that nobody owns
        self.policy("bad", target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": "bad"}}}},
                    patches=[patch()], strategy=strategy())
        wait_for(lambda: step_of(self.client.get("nodes", names[0])) == "Draining", WAIT, "a node is in work")
        wait_for(lambda: quarantined(self.client.get("nodes", bad)), WAIT, "another one is in quarantine")

        self.run_documented(remove[:2])
        self.assertFalse(cordoned(self.client.get("nodes", names[0])), "what was in work is given back")
        self.assertEqual(program.terminate(), 0)
        self.run_documented(remove[2:])
        self.run_documented(release, NODE=bad)
        wait_for(lambda: self.objects() == before, WAIT, lambda: f"left or missing: {set(self.objects()) ^ set(before)}")
        self.assertEqual(self.nodes_now(), nodes)

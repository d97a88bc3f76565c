"""The simulated API server answers as the real one: test/data/conformance is played to both, and each step compared."""

import concurrent.futures
import json
import re
import threading
import unittest
import uuid

from lib.case import ClusterTest
from lib.cluster import ROOT
from lib.conformance import METHODS, Comparison, Side, differences, look
from lib.player import Player
from lib.wait import WAIT

DATA = ROOT / "test/data/conformance"
LOGS = ROOT / "build/integration"
COMMON = json.loads((DATA / "common.json").read_text())
CONTROLLERS = ("controller-manager", "scheduler")
CRDS = ("patchpolicies", "patchrollouts", "patchreports")
STILL, WORK = "controllers stand still", "controllers work"


class Stillness:
    """The real cluster's controllers stand still until every script that needs that has let go of it."""

    def __init__(self, cluster, holders):
        self._cluster = cluster
        self._holders = set(holders)
        self._changed = threading.Condition()
        for part in CONTROLLERS:
            cluster.freeze_part(part)

    def release(self, holder):
        with self._changed:
            if holder not in self._holders:
                return
            self._holders.remove(holder)
            if not self._holders:
                self.end()
            self._changed.notify_all()

    def wait_for_end(self):
        with self._changed:
            assert self._changed.wait_for(lambda: not self._holders, WAIT), f"these scripts do not end: {self._holders}"

    def end(self):
        for part in CONTROLLERS:
            self._cluster.thaw_part(part)


class Real(Side):
    name = "real"

    def __init__(self, cluster, build, variables, stillness, title):
        super().__init__(Player(build, cluster.kubeconfig_path), variables)
        self._stillness, self._title = stillness, title
        self._made = []

    def controllers_stand_still(self, _value):
        """They do, since before the first script began."""

    def controllers_work(self, _value):
        self._stillness.release(self._title)
        self._stillness.wait_for_end()

    def play(self, step, let):
        super().play(step, let)
        answer = self.answers[-1]
        if "POST" in step and answer and answer[0] == 201:
            name, path = look(answer[2], "metadata.name"), self.target(step).partition("?")[0]
            if name and not path.endswith("/eviction"):
                self._made.append(f"{path}/{name}")

    def end(self):
        """Whatever the script has made goes, the newest first."""
        self._stillness.release(self._title)
        for path in reversed(self._made):
            self.player.request("PATCH", path, "application/merge-patch+json", '{"metadata":{"finalizers":null}}')
            self.player.request("DELETE", path, None, '{"gracePeriodSeconds":0}')
        return self.player.end()


class Simulated(Side):
    name = "sim"

    def __init__(self, crds, build, variables, log):
        super().__init__(Player(build, log=log), variables)
        for crd in crds:
            self.player.tell(crd=crd)
        self.player.request("POST", "/api/v1/namespaces", None, '{"metadata":{"name":"default"}}')

    def controllers_stand_still(self, _value):
        """They need time, and none passes during requests."""

    def controllers_work(self, _value):
        self.pass_by()

    def end(self):
        return self.player.end()


# --- playing ---

class Performance:
    """One script, played to both sides up to its end or the first step that is impossible."""

    def __init__(self, title, script, cluster, build, stillness, crds):
        run = uuid.uuid4().hex[:6]
        variables = {"ns": f"conf-{title}-{run}", "run": run}
        self.log = LOGS / f"{__name__}.{title}.log"
        self.problem = None
        self.sides = (Real(cluster, build, variables, stillness, title), Simulated(crds, build, variables, self.log))
        try:
            self._play(script)
        finally:
            self.codes = [side.end() for side in self.sides]

    def _play(self, script):
        let = {**COMMON["let"], **script.get("let", {})}
        for step in script["steps"]:
            try:
                for side in self.sides:
                    side.play(step, let)
            except Exception as error:  # pylint: disable=broad-except
                self.problem = f"{step['say']}: {error}"
                return


SCRIPTS = {path.stem: json.loads(path.read_text()) for path in sorted(DATA.glob("*.json")) if path.name != "common.json"}
performances = {}


def setUpModule():
    """Scripts are played side by side."""
    LOGS.mkdir(parents=True, exist_ok=True)
    cluster, build = ClusterTest.cluster, ClusterTest.build
    crds = [cluster.client.get("customresourcedefinitions", f"{plural}.patchwright.io") for plural in CRDS]
    still = [title for title, script in SCRIPTS.items() if any(step.get("do") == STILL for step in script["steps"])]
    stillness = Stillness(cluster, still)

    def play(title):
        performances[title] = Performance(title, SCRIPTS[title], cluster, build, stillness, crds)
    try:
        with concurrent.futures.ThreadPoolExecutor(len(SCRIPTS)) as pool:
            list(pool.map(play, SCRIPTS))
    finally:
        stillness.end()


# --- comparing ---

class Conformance(unittest.TestCase):
    """One script: each of its steps is a test."""

    title = None

    @classmethod
    def tearDownClass(cls):
        performance = performances[cls.title]
        assert performance.codes == [0, 0], \
            f"api-player ended with {performance.codes}:\n{performance.log.read_text(errors='replace')[-4000:]}"

    def check(self, number):
        performance, step = performances[self.title], SCRIPTS[self.title]["steps"][number]
        if any(len(side.answers) <= number for side in performance.sides):
            self.fail(f"never played, as of {performance.problem}")
        answers = [(side, side.answers[number]) for side in performance.sides if side.answers[number] is not None]
        for side, answer in answers:
            wanted = step.get("sim", step["code"]) if side.name == "sim" else step["code"]
            self.assertEqual(answer[0], wanted, f"{side.name}: {answer}")
        if len(answers) == 2 and "differs" not in step:
            self.compare(step, answers)

    def compare(self, step, answers):
        comparison = Comparison(COMMON["kinds"])
        found = differences(*(comparison.normal(side, step, answer) for side, answer in answers))
        if found:
            self.fail("\n".join([*found, *(f"{side.name}: {json.dumps(answer)}" for side, answer in answers)]))


def test_of(number):
    return lambda self: self.check(number)


def class_of(title, script):
    members = {"title": title, "__module__": __name__, "__doc__": script["about"]}
    for number, step in enumerate(script["steps"]):
        if "do" in step:
            continue
        assert any(word in step for word in (*METHODS, "events")), f"{title}: {step['say']}: what is to be done?"
        words = re.sub(r"[^a-z0-9]+", "_", step["say"].lower()).strip("_")
        members[f"test_{number + 1:02}_{words}"] = test_of(number)
    return type("Test" + title.title(), (Conformance,), members)


for name_, script_ in SCRIPTS.items():
    globals()["Test" + name_.title()] = class_of(name_, script_)
del Conformance  # it is no test itself

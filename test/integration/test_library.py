"""What the other tests stand on: nodes, workloads, recorders and processes do what they say."""

import threading
import unittest

from lib.api import ApiError
from lib.case import ClusterTest, node_ready
from lib.process import Process
from lib.runner import Result, Suite
from lib.wait import WAIT, Timeout, wait_for


class TestWaiting(unittest.TestCase):
    def test_returns_what_became_true(self):
        answers = iter([0, None, 7])
        self.assertEqual(wait_for(lambda: next(answers), WAIT, "seven"), 7)

    def test_says_what_never_became_true(self):
        with self.assertRaisesRegex(Timeout, "still not: the moon is green"):
            wait_for(lambda: False, 0.05, lambda: "the moon is green")

    def test_an_error_is_not_yet_but_a_failed_assertion_is_the_end(self):
        answers = iter([KeyError("a"), 7])

        def answer():
            value = next(answers)
            if isinstance(value, Exception):
                raise value
            return value
        self.assertEqual(wait_for(answer, WAIT, "seven"), 7)
        with self.assertRaisesRegex(AssertionError, "for good"):
            wait_for(lambda: self.fail("for good"), WAIT, "never")


class TestRunner(unittest.TestCase):
    def count(self, body):
        class Case(unittest.TestCase):
            def test_it(self):
                body(self)
        result = Result(quiet=True)
        Case("test_it").run(result)
        return result.passed, result.failed

    def two_bad_subtests(self, case):
        for number in range(2):
            with case.subTest(number):
                case.fail()

    def test_everything_but_success_is_a_failure(self):
        self.assertEqual(self.count(lambda case: None), (1, 0))
        self.assertEqual(self.count(lambda case: case.fail()), (0, 1))
        self.assertEqual(self.count(lambda case: 1 / 0), (0, 1))
        self.assertEqual(self.count(lambda case: case.skipTest("later")), (0, 1))
        self.assertEqual(self.count(self.two_bad_subtests), (0, 1))

    def test_tests_that_run_at_once_are_all_counted(self):
        meeting, ended = threading.Barrier(3), []

        class Case(unittest.TestCase):
            at_once = 3

            @classmethod
            def tearDownClass(cls):
                ended.append(cls)
                raise RuntimeError("no")

            def test_a(self):
                meeting.wait(WAIT)

            test_b = test_a

            def test_c(self):
                meeting.wait(WAIT)
                self.fail()
        result = Result(quiet=True)
        Suite([Suite([Case("test_a"), Case("test_b"), Case("test_c")])]).run(result)
        self.assertEqual((result.passed, result.failed, ended), (2, 2, [Case]))

    def test_a_class_that_cannot_be_set_up_is_a_failure(self):
        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise RuntimeError("no")

            def test_it(self):
                pass
        result = Result(quiet=True)
        unittest.TestSuite([Case("test_it")]).run(result)
        self.assertEqual((result.passed, result.failed), (0, 1))


class TestProcess(ClusterTest):
    def shell(self, script):
        process = Process("script", ["sh", "-c", script], self.logs / "script.log")
        self.addCleanup(process.finish)
        return process.start()

    def test_signals_and_log(self):
        polite = self.shell("trap 'echo bye; exit 3' TERM; echo hello; while :; do sleep 0.05; done")
        wait_for(lambda: "hello" in polite.tail(), WAIT, "it has started")
        self.assertEqual(polite.terminate(), 3)
        self.assertEqual(polite.tail(), "hello\nbye\n")
        self.assertEqual(self.shell("sleep 60").kill(), -9)

    def test_a_program_that_ended_is_not_waited_for(self):
        broken = self.shell("echo no such flag; exit 2")
        with self.assertRaisesRegex(AssertionError, "ended with 2; its log ends:\nno such flag"):
            wait_for(broken.check_alive() and (lambda: broken.check_alive() and False), WAIT, "never")


class TestFleet(ClusterTest):
    def test_nodes(self):
        nodes = self.record("nodes")
        names = self.make_nodes(4, {"tier": "gold"}, zones=2, version="containerd://1.7.0", unschedulable=True)
        found = {node["metadata"]["name"]: node for node in self.client.list("nodes", selector=f"pool={self.tag},tier=gold")}
        self.assertEqual(sorted(found), names)
        for node in found.values():
            self.assertTrue(node_ready(node))
            self.assertTrue(node["spec"]["unschedulable"])
            self.assertEqual(node["status"]["nodeInfo"]["containerRuntimeVersion"], "containerd://1.7.0")
        self.assertEqual({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in found.values()}, {"zone-a", "zone-b"})
        self.delete_nodes(names[0])
        nodes.wait_for(lambda event: event.type == "DELETED" and event.object["metadata"]["name"] == names[0], WAIT, "deleted")
        self.assertEqual(nodes.events(names[0])[0].type, "ADDED")

    def test_workloads_and_budgets(self):
        names = self.make_nodes(3)
        self.make_deployment("web", 6)
        self.make_pdb("web", maxUnavailable=1)
        namespace = self.namespace()
        pods = self.record("pods", namespace)
        first, second = [pod["metadata"]["name"] for pod in pods.objects()[:2]]

        def evict(name):
            self.client.create("pods", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}},
                               namespace, subresource="eviction", name=name)
        for name in names:  # no other pod runs instead meanwhile
            self.client.patch("nodes", name, {"spec": {"unschedulable": True}})
        evict(first)
        with self.assertRaises(ApiError) as refused:
            evict(second)
        self.assertEqual(refused.exception.code, 429)
        pods.wait_for(lambda event: event.type == "DELETED" and event.object["metadata"]["name"] == first, WAIT, "the pod stops")
        for name in names:
            self.client.patch("nodes", name, {"spec": {"unschedulable": False}})
        wait_for(lambda: self._available("web", namespace) == 6, WAIT, "another pod runs instead")

    def test_policy(self):
        made = self.policy(strategy={"maxUnavailable": 2})
        self.assertEqual(made["spec"]["target"]["nodes"]["selector"], {"matchLabels": {"pool": self.tag}})
        self.assertEqual(made["spec"]["strategy"]["maxUnavailable"], 2)


class TestRecorder(ClusterTest):
    def test_misses_nothing_and_repeats_nothing(self):
        name, = self.make_nodes(1)
        nodes = self.record("nodes")
        for number, relist in enumerate((False, True, False)):
            nodes.interrupt(relist)
            self.client.patch("nodes", name, {"metadata": {"labels": {"number": str(number)}}})
            nodes.wait_for(lambda event, n=number: event.object["metadata"]["labels"].get("number") == str(n), WAIT, f"label {number}")
        versions = [(event.type, event.object["metadata"]["resourceVersion"]) for event in nodes.events(name)]
        self.assertEqual(len(versions), len(set(versions)), versions)
        self.client.delete("nodes", name)
        nodes.wait_for(lambda event: event.type == "DELETED" and event.object["metadata"]["name"] == name, WAIT, "deleted")
        self.assertNotIn(name, [node["metadata"]["name"] for node in nodes.objects()])

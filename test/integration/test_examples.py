"""The example programs of libkube (lib/examples), as their readers run them."""

from lib.case import ClusterTest
from lib.process import Process
from lib.wait import WAIT, wait_for

LEASE = "hello-operator"


class ExampleTest(ClusterTest):
    def example(self, name, *words, log=None, kubeconfig=None):
        self.logs.mkdir(parents=True, exist_ok=True)
        environment = {**self.cluster.environment, "KUBECONFIG": str(kubeconfig or self.cluster.kubeconfig_path)}
        program = Process(name, [self.build / "examples" / name, *words], self.logs / (log or f"{name}.log"), environment)
        self.addCleanup(program.finish)
        return program.start()

    def kubeconfig(self, namespace):
        """The cluster's, with a context in that namespace."""
        path = self.logs / "kubeconfig"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.cluster.kubectl("config", "view", "--raw", "--flatten", "--minify").stdout.encode())
        path.chmod(0o600)
        self.addCleanup(path.unlink)
        self.cluster.kubectl("--kubeconfig", str(path), "config", "set-context", "--current", f"--namespace={namespace}")
        return path


class TestListPods(ExampleTest):
    def test_pods_of_a_namespace_and_of_all(self):
        self.make_nodes(1)
        self.make_deployment("web", 3)
        namespace = self.namespace()
        expected = sorted((namespace, pod["metadata"]["name"], "Running", pod["spec"]["nodeName"])
                          for pod in self.client.list("pods", namespace))
        for words in ((namespace,), ()):
            program = self.example("list_pods", *words, log=f"{len(words)}.log")
            self.assertEqual(program.wait(WAIT), 0)
            rows = [tuple(line.split()) for line in program.tail().splitlines()]
            self.assertEqual(sorted(row for row in rows if row[0] == namespace), expected)

    def test_more_than_a_page(self):
        """501 pods: what a server cuts off is asked for by its token."""
        namespace = self.namespace()
        pod = {"containers": [{"name": "c", "image": "registry.example/none"}], "schedulerName": "nobody"}
        for number in range(501):
            self.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"}, "spec": pod}, namespace)
        program = self.example("list_pods", namespace)
        self.assertEqual(program.wait(WAIT), 0)
        names = sorted(line.split()[1] for line in program.log.read_text().splitlines())
        self.assertEqual(names, sorted(f"p{number}" for number in range(501)))

    def test_what_goes_wrong_is_said(self):
        for words, kubeconfig, said in (
                ((), "/nonexistent", "list-pods: no cluster is configured: give a kubeconfig file, set KUBECONFIG, or run in a pod\n"),
                (("No_Such",), None, "list-pods: ")):
            program = self.example("list_pods", *words, kubeconfig=kubeconfig, log=f"{len(words)}.log")
            self.assertEqual(program.wait(WAIT), 1)
            self.assertTrue(program.tail().startswith(said), program.tail())
            self.assertEqual(program.tail().count("\n"), 1, program.tail())


class TestWatchNodes(ExampleTest):
    def watch_lists(self):
        """How many watches of nodes began with a list, says the API server."""
        samples = self.cluster.kubectl("get", "--raw", "/metrics").stdout.splitlines()
        return sum(float(sample.split()[-1]) for sample in samples
                   if sample.startswith("apiserver_watch_list_duration_seconds_count") and 'resource="nodes"' in sample)

    def test_a_watch_begins_with_the_list(self):
        names = self.make_nodes(2)
        before = self.watch_lists()
        program = self.example("watch_nodes")
        for name in names:
            wait_for(lambda: program.check_alive() and f"added    {name} Ready\n" in program.tail(), WAIT,
                     lambda: f"{name}; it said {program.tail()}")
        wait_for(lambda: self.watch_lists() > before, WAIT, "the API server has seen a WatchList")
        self.assertEqual(program.terminate(), 0)

    def test_news_of_nodes(self):
        program = self.example("watch_nodes")

        def await_line(end):
            wait_for(lambda: program.check_alive() and any(line.endswith(end) for line in program.tail().splitlines()), WAIT,
                     lambda: f"{end!r}; it said {program.tail()}")
        name, = self.make_nodes(1)
        await_line(f" {name} Ready")
        self.client.patch("nodes", name, {"spec": {"unschedulable": True}})
        await_line(f"changed  {name} Ready,SchedulingDisabled")
        self.client.delete("nodes", name)
        await_line(f"deleted  {name} Ready,SchedulingDisabled")
        self.assertEqual(program.terminate(), 0)


class TestHelloOperator(ExampleTest):
    def setUp(self):
        super().setUp()
        namespace = self.namespace()
        config = self.kubeconfig(namespace)
        self.operators = [self.example("hello_operator", kubeconfig=config, log=f"{number}.log") for number in range(2)]
        self.addCleanup(lambda: self.cluster.kubectl("-n", namespace, "delete", "lease", LEASE, "--ignore-not-found"))
        self.addCleanup(lambda: self.cluster.kubectl("-n", namespace, "delete", "configmaps", "-l", "hello"))

    def make(self, name, whom):
        self.client.request("POST", f"/api/v1/namespaces/{self.namespace()}/configmaps", {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"hello": ""}}, "data": {"name": whom}})

    def await_greeting(self, name, greeting):
        def data():
            return self.client.request("GET", f"/api/v1/namespaces/{self.namespace()}/configmaps/{name}")["data"]
        wait_for(lambda: data().get("greeting") == greeting, WAIT,
                 lambda: f"{name}: {greeting!r}, it has {data()}; {[program.tail() for program in self.operators]}")

    def leader(self, among):
        return wait_for(lambda: next((program for program in among if program.check_alive() and "we lead" in program.tail()), None),
                        WAIT, lambda: f"somebody leads: {[program.tail() for program in among]}")

    def test_one_greets_and_the_other_takes_over(self):
        self.make("first", "World")
        self.await_greeting("first", "Hello, World!")
        leader = self.leader(self.operators)
        other, = (program for program in self.operators if program is not leader)
        self.assertNotIn("we lead", other.tail())
        path = f"/api/v1/namespaces/{self.namespace()}/configmaps/first"
        self.client.request("PATCH", path, {"data": {"greeting": "Bye."}}, "application/merge-patch+json")
        self.await_greeting("first", "Hello, World!")
        self.assertNotIn("greeted", other.tail())
        self.assertEqual(leader.terminate(), 0)
        self.make("second", "Moon")
        self.await_greeting("second", "Hello, Moon!")
        self.leader([other])
        lease = self.client.get("leases", LEASE, self.namespace())["spec"]
        self.assertIn(lease["holderIdentity"], other.tail())
        self.assertEqual(lease["leaseTransitions"], 1)
        self.assertEqual(other.terminate(), 0)

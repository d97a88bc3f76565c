"""How pods leave a node: what the policy's drain says, what the server refuses, and what happens when the time is up."""

import datetime

from lib.flow import FlowTest, PROMPT, WAIT, conditions, quarantined, strategy, wait_for
from lib.rollout import cordoned, decisions, pages, runtime_version, undrained
from lib.webhook import ALLOW, BROKEN, EvictionWebhook

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"


def version_of(event):
    """Of the whole store: what has a greater one was written later."""
    return int(event.object["metadata"]["resourceVersion"])


def at(time):
    """The seconds of a time in a status."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


class DrainTest(FlowTest):
    at_once = 8

    def pool_in_order(self, count):
        """Nodes that are patched in the order of their names."""
        names = self.pool(count)
        for name, word in zip(names, ("low", "normal", "high")):
            self.client.patch("nodes", name, {"metadata": {"annotations": {"patchwright.io/criticality": word}}})
        return names

    def apps_on(self, node, *apps, **options):
        """A Deployment of one pod each, on this node only."""
        for app in apps:
            self.make_deployment(app, 1, {"kubernetes.io/hostname": node}, **options)

    def held(self, node):
        """Two pods on the node that a budget holds there. {key: UID}"""
        self.make_deployment("db", 2, {"kubernetes.io/hostname": node})
        self.make_pdb("db", maxUnavailable=0)
        return {f"{self.namespace()}/{pod['metadata']['name']}": pod["metadata"]["uid"]
                for pod in self.client.list("pods", self.namespace())}

    def deleted_at(self, uid):
        """The version at which the watch showed that a pod is being deleted; None: it did not."""
        return next((version_of(event) for event in self.pods.events() if event.object["metadata"]["uid"] == uid
                     and (event.type == "DELETED" or "deletionTimestamp" in event.object["metadata"])), None)

    def gone_at(self, uid):
        return next((version_of(event) for event in self.pods.events()
                     if event.object["metadata"]["uid"] == uid and event.type == "DELETED"), None)

    def hold_pod(self, name):
        """A pod that does not go until let_go(), whatever deletes it."""
        self.client.patch("pods", name, {"metadata": {"finalizers": ["example.com/hold"]}}, self.namespace())
        self.addCleanup(self.let_go, name)

    def let_go(self, name):
        self._drop_finalizers("pods", name, self.namespace())

    def uid_of(self, app):
        """Of the app's pod, which is the only one for now."""
        pod, = self.client.list("pods", self.namespace(), selector=f"app={app}")
        return pod["metadata"]["uid"]


class TestOnTimeout(DrainTest):
    """Behaviour 2. What Abort does is test_blockers.TestBlockers.test_drain_timeout."""

    def run_out(self, answer, max_unavailable=1):
        names = self.pool_in_order(2)
        pods = self.held(names[0])
        self.policy(drain={"timeout": "3s", "onTimeout": answer}, strategy=strategy(maxUnavailable=max_unavailable))
        return names, pods

    def check_left_behind(self, names, pods, kind):
        rollout = self.ended("Succeeded")
        failure, = rollout["status"]["failed"]
        self.assertEqual((failure["node"], failure["step"], failure["reason"]), (names[0], "Draining", "NotDrained"))
        self.assertIn("2 pods had not left after 3s; in the way is PodDisruptionBudget", failure["message"])
        self.assertEqual([runtime_version(self.node(name)) for name in names], [OLD, NEW])
        counts = rollout["status"]["counts"]
        self.assertEqual((counts["patched"], counts["skipped"], counts["failed"]), (1, 1, 0))
        self.assertEqual(conditions(rollout)["Healthy"][0], "True")
        about = [(d["type"], d["rule"]) for d in decisions(self.client, rollout) if d["subject"] == names[0] and d["type"] != "Start"]
        self.assertEqual(about, [(kind, "drain.onTimeout")])
        self.assertEqual([self.deleted_at(uid) for uid in pods.values()], [None, None])
        self.wait_policy("Reconciling", "NotDrained", f"left nodes behind ({names[0]}: 2 pods had not left")
        self.assertEqual(len(self.rollouts_of()), 1)

    def test_skip(self):
        names, pods = self.run_out("Skip")
        self.check_left_behind(names, pods, "Skip")
        self.assert_put_away(names)

    def test_quarantine(self):
        names, pods = self.run_out("Quarantine", max_unavailable=2)
        self.check_left_behind(names, pods, "Quarantine")
        node = self.node(names[0])
        self.assertTrue(cordoned(node) and quarantined(node))
        self.assert_put_away(names[1:])

    def test_force(self):
        names, pods = self.run_out("Force")
        rollout = self.ended("Succeeded")
        self.assertEqual([runtime_version(self.node(name)) for name in names], [NEW, NEW])
        self.assertEqual(undrained(self.pod_events(names)), [])
        override, = [d for d in decisions(self.client, rollout) if d["type"] == "Override"]
        self.assertEqual((override["subject"], override["rule"], override["reason"]), (names[0], "drain.onTimeout", "Force"))
        forced = self.wait_rollout(lambda event: any(d["type"] == "Override" for d in event.object.get("status", {}).get("decisions", [])),
                                   "the decision stands in the status")
        drained = [at(entry["at"]) for target in pages(self.client, rollout)[0]["targets"] if target["node"] == names[0]
                   for entry in target["steps"] if entry["step"] == "Draining"]
        self.assertGreaterEqual(at(override["at"]), drained[0] + 2, "drain.timeout is 3s; times have whole seconds")
        for key, uid in pods.items():
            self.assertIn(key, override["evidence"])
            self.assertGreater(self.deleted_at(uid), version_of(forced), "it was deleted before this was decided")
        wait_for(lambda: "DrainForced" in self.events_about("Node", names[0]), WAIT, "an Event on the node")
        self.assert_put_away(names)


class TestRefusals(DrainTest):
    def test_webhook_that_denies(self):
        """Behaviour 4: denials, a 429 without a budget and a broken webhook are tried again, with a pause that grows."""
        name, = self.pool(1)
        self.apps_on(name, "one", "two")
        namespace = self.namespace()
        answers = {"one": (403, BROKEN, ALLOW), "two": (429, ALLOW)}
        webhook = EvictionWebhook(self.client, self.tag, namespace, self.logs,
                                  lambda pod, before: answers[pod.partition("-")[0]][before]).start()
        self.addCleanup(webhook.stop)
        names = {app: self.client.list("pods", namespace, selector=f"app={app}")[0]["metadata"]["name"] for app in answers}
        self.policy()
        _, active = self.wait_blocked("is not to go")
        blocker = active["blockedBy"]
        self.assertEqual((blocker["kind"], blocker["name"]), ("Webhook", f"{self.tag}.example.com"))
        self.assertIn(blocker["pod"], [f"{namespace}/{pod}" for pod in names.values()])
        self.ended("Succeeded", timeout=2 * WAIT)
        self.assertEqual(undrained(self.pod_events([name])), [])
        for app, pod in names.items():
            times = webhook.times(pod)
            self.assertEqual(len(times), len(answers[app]), f"evictions of {app}")
            for number, (earlier, later) in enumerate(zip(times, times[1:])):
                pause = 5 * 2 ** number
                self.assertGreaterEqual(later - earlier, 0.8 * pause - 0.1)
                self.assertLess(later - earlier, pause + PROMPT)
        self.assert_put_away([name])

    def test_namespace_that_is_terminating(self):
        name, = self.pool(1)
        self.make_deployment("cart", 2, annotations={"fleet.patchwright.io/stop-after": "2s"})
        self.make_pdb("cart", maxUnavailable=0)
        self.policy()
        self.wait_blocked()
        self.client.delete("namespaces", self.namespace())
        self.ended("Succeeded")
        self.assertEqual(undrained(self.pod_events([name])), [])
        self.assert_put_away([name])


class TestTurns(DrainTest):
    def test_same_name_elsewhere(self):
        """Behaviour 3: pods that come back under the same name on another node, and one that comes while the node drains."""
        site = {"site": self.tag}
        name, = self.pool(1, labels=site, behave="hold")  # cordoned until the pods run elsewhere
        namespace = self.namespace()
        template = {"metadata": {"labels": {"app": "web"}, "annotations": {"fleet.patchwright.io/stop-after": "2s"}},
                    "spec": {"nodeSelector": site, "containers": [{"name": "main", "image": "example/web:1"}]}}
        self.client.create("statefulsets", {
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
            "spec": {"replicas": 2, "serviceName": "web", "podManagementPolicy": "Parallel",
                     "selector": {"matchLabels": {"app": "web"}}, "template": template}}, namespace)
        self.addCleanup(self.client.delete, "statefulsets", "web", namespace)
        before = wait_for(lambda: self.ready_pods(namespace, name, 2), WAIT, "two pods run")
        elsewhere, = self.make_nodes(1, {**site, "pool": "elsewhere"}, prefix=f"{self.tag}-b")
        self.bare_pod(name, "held")
        self.hold_pod("held")
        self.policy(drain={"unmanagedPods": "Delete"})
        self.wait_step(name, "Draining")
        late = self.bare_pod(name, "late", wait=False)
        self.let_go("held")
        after = wait_for(lambda: self.ready_pods(namespace, elsewhere, 2), WAIT, "two pods run elsewhere")
        self.release(name)
        self.ended("Succeeded")
        self.assertEqual(undrained(self.pod_events([name])), [])
        self.assertIsNone(self.client.find("pods", late.partition("/")[2], namespace), "a pod that came late was left")
        self.assertEqual(sorted(after), sorted(before))
        for pod in after.values():
            self.assertIsNone(self.deleted_at(pod["metadata"]["uid"]), "a pod on another node was evicted")
        self.assert_put_away([name])

    def ready_pods(self, namespace, node, count):
        """{name: pod} of the running pods on a node, once they are so many."""
        found = {pod["metadata"]["name"]: pod for pod in self.client.list("pods", namespace, selector="app=web")
                 if pod["spec"].get("nodeName") == node and pod["status"]["phase"] == "Running"}
        return found if len(found) == count else None

    def test_groups(self):
        name, = self.pool(1)
        self.apps_on(name, "db", "other", "web", annotations={"fleet.patchwright.io/stop-after": "1s"})
        uids = {app: self.uid_of(app) for app in ("db", "other", "web")}
        self.policy(drain={"order": [{"name": app, "selector": {"matchLabels": {"app": app}}} for app in ("web", "db")]})
        self.ended("Succeeded")
        for earlier, later in (("other", "web"), ("web", "db")):
            self.assertGreaterEqual(self.deleted_at(uids[later]), self.gone_at(uids[earlier]), f"{later} left before {earlier} was gone")
        self.assertEqual(undrained(self.pod_events([name])), [])

    def test_pod_selector(self):
        name, = self.pool(1)
        self.apps_on(name, "stays", "goes")
        uids = {app: self.uid_of(app) for app in ("stays", "goes")}
        self.policy(drain={"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["stays"]}]}})
        self.ended("Succeeded")
        self.assertIsNotNone(self.gone_at(uids["goes"]))
        self.assertIsNone(self.deleted_at(uids["stays"]))
        self.assert_put_away([name])

    def test_jobs_run_to_their_end(self):
        name, = self.pool(1)
        namespace = self.namespace()
        self.client.create("jobs", {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "batch"},
            "spec": {"template": {"metadata": {"annotations": {"fleet.patchwright.io/complete-after": "1h"}},
                                  "spec": {"nodeName": name, "restartPolicy": "Never",
                                           "containers": [{"name": "main", "image": "example/batch:1"}]}}}}, namespace)
        self.addCleanup(self.client.delete, "jobs", "batch", namespace)
        pod = wait_for(lambda: [pod["metadata"]["name"] for pod in self.client.list("pods", namespace) if pod["status"]["phase"] == "Running"],
                       WAIT, "the Job runs")[0]
        self.policy(drain={"waitForJobs": "10m"})
        _, active = self.wait_blocked()
        self.assertEqual((active["blockedBy"]["kind"], active["blockedBy"]["name"]), ("Job", "batch"))
        self.client.patch("pods", pod, {"status": {"phase": "Succeeded"}}, namespace, subresource="status")
        self.ended("Succeeded")
        ends = [event.object for event in self.pod_events([name]) if event.object["metadata"].get("labels", {}).get("job-name") == "batch"
                and (event.type == "DELETED" or "deletionTimestamp" in event.object["metadata"])]
        self.assertEqual({pod["status"]["phase"] for pod in ends}, {"Succeeded"}, "it was evicted while it ran")
        wait_for(lambda: self.client.get("jobs", "batch", namespace)["status"].get("succeeded") == 1, WAIT, "the Job has succeeded")
        self.assert_put_away([name])

    def test_pod_that_does_not_end(self):
        name, = self.pool(1)
        self.bare_pod(name, "stuck", terminationGracePeriodSeconds=1)
        namespace = self.namespace()
        self.hold_pod("stuck")
        self.policy(drain={"unmanagedPods": "Delete", "skipWaitForDeleteTimeout": "3s"})
        rollout = self.ended("Succeeded")
        self.assertEqual(rollout["status"]["counts"]["patched"], 1)
        self.assertIn("deletionTimestamp", self.client.get("pods", "stuck", namespace)["metadata"])
        self.assert_put_away([name])


class TestCapacity(FlowTest):
    def test_a_node_waits_until_its_pods_fit_elsewhere(self):
        names = self.pool(2)
        self.make_deployment("large", 2, cpu="5")  # one on each node of 8 CPUs
        self.policy(drain={"requireCapacity": True})
        rollout = self.running()["metadata"]["name"]
        _, message = self.wait_condition("patchrollouts", rollout, "Progressing", "WaitingForCapacity")
        self.assertIn("requests 5000m CPU", message)
        self.assertIn(f"pod {self.namespace()}/large-", message)
        before = [event for event in self.node_events() if cordoned(event.object)]
        self.pool(1, prefix=f"{self.tag}-room", version="containerd://1.7.27")
        self.ended("Succeeded", timeout=2 * WAIT)
        self.assertEqual(before, [], "nothing was touched before there was room")
        self.assertEqual([runtime_version(self.node(name)) for name in names], ["containerd://1.7.27"] * 2)
        self.await_deployment("large", 2)

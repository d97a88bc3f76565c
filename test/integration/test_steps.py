"""What a patch asks for beside its job: preparation, verification, further attempts, reboots, and a version that may be."""

from lib import objects
from lib.case import node_ready
from lib.cluster import JOBS
from lib.flow import BEHAVE, WAIT, FlowTest, conditions, patch, strategy, wait_for
from lib.rollout import cordoned, job_pods, pages, runtime_version, step_of

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"
JOB = {"image": objects.IMAGE, "timeout": "10m"}


def boot_id(node):
    return node["status"]["nodeInfo"]["bootID"]


class TestJobs(FlowTest):
    def test_prepared_tried_again_and_verified(self):
        name, = self.pool(1, behave="fail-once")
        self.policy(patches=[{**patch(), "job": {**JOB, "retries": 1}, "prepare": JOB, "verify": JOB}], strategy=strategy())
        rollout = self.ended("Succeeded")
        key = rollout["metadata"]["name"], name
        self.assertEqual(job_pods(self.pod_events([name])), {(*key, "prepare"): 1, (*key, "job"): 2, (*key, "verify"): 1})
        self.assertFalse(any(cordoned(event.object) for event in self.nodes.events(name) if step_of(event.object) == "Preparing"))
        target = pages(self.client, rollout)[0]["targets"][0]
        self.assertEqual([(job["step"], job["exitCode"]) for job in target["jobs"]],
                         [("prepare/0", 0), ("job/0", 1), ("job/0", 0), ("verify/0", 0)])
        self.assert_put_away([name])

    def test_a_node_that_cannot_be_prepared_stays_as_it_was(self):
        name, = self.pool(1, behave="prepare-fail")
        self.policy(patches=[patch(prepare=JOB, rollback=True)], strategy=strategy())
        rollout = self.ended("Failed")
        self.assertEqual((rollout["status"]["failed"][0]["step"], rollout["status"]["failed"][0]["reason"]), ("Preparing", "JobFailed"))
        self.assertFalse(any(cordoned(event.object) for event in self.nodes.events(name)))
        self.assertEqual(runtime_version(self.node(name)), OLD)

    def test_a_node_that_is_not_verified_is_taken_back(self):
        name, = self.pool(1, behave="verify-fail")
        self.policy(patches=[patch(verify=JOB, rollback=True)], strategy=strategy())
        rollout = self.ended("RolledBack")
        self.assertEqual((rollout["status"]["failed"][0]["step"], rollout["status"]["failed"][0]["reason"]), ("Verifying", "JobFailed"))
        self.assertEqual(runtime_version(self.node(name)), OLD)
        self.assert_put_away([name])


class TestWhatNoNodeShows(FlowTest):
    def custom(self, version):
        return [{"component": "Custom", "version": version, "job": JOB, "verify": JOB, "rollback": JOB}]

    def note(self, name):
        return self.node(name)["metadata"]["annotations"].get(f"patchwright.io/applied.{self.tag}")

    def told(self, name, rollout):
        """The versions before that the jobs of a rollout were told."""
        jobs = [event.object for event in self.pod_events([name])
                if event.object["metadata"].get("annotations", {}).get("patchwright.io/rollout") == rollout["metadata"]["name"]]
        return {item.get("value", "") for job in jobs for item in job["spec"]["containers"][0]["env"] if item["name"] == "PATCHWRIGHT_FROM_VERSION"}

    def test_it_is_noted_when_it_was_verified(self):
        name, = self.pool(1)
        self.policy(patches=self.custom("1.0"), strategy=strategy())
        first = self.ended("Succeeded")
        self.assertEqual(self.note(name), "1.0")
        self.assertEqual(self.told(name, first), {""})
        self.client.patch("nodes", name, {"metadata": {"annotations": {BEHAVE: "verify-fail"}}})
        self.change(patches=self.custom("1.1"))
        second = self.ended("RolledBack", count=2)
        self.assertEqual(self.note(name), "1.0")
        self.assertEqual(self.told(name, second), {"1.0"})
        self.assert_put_away([name])


class TestJobsThatDoNotStart(FlowTest):
    def test_an_image_that_is_missing_is_told_at_once(self):
        name, = self.pool(1)
        self.policy(suspend=True)
        self.agent.freeze()  # no kubelet starts the job
        self.addCleanup(self.agent.thaw)
        self.change(suspend=False)
        job = wait_for(lambda: next(iter(self.jobs_on([name])), None), WAIT, "there is a job pod")
        waiting = {"reason": "ErrImagePull", "message": "not found"}
        self.client.patch("pods", job, {"status": {"phase": "Pending", "containerStatuses": [{
            "name": "job", "image": objects.IMAGE, "imageID": "", "ready": False, "restartCount": 0, "state": {"waiting": waiting}}]}},
            JOBS, subresource="status")
        _, active = self.wait_blocked("its container has not started (ErrImagePull)")
        self.assertEqual([active["blockedBy"][key] for key in ("kind", "namespace", "name")], ["Pod", JOBS, job])
        self.agent.thaw()
        self.ended("Succeeded")
        self.assert_put_away([name])


class TestReboots(FlowTest):
    def reboots(self, behave, **fields):
        names = self.pool(2, behave=behave)
        self.policy(patches=[patch(reboot={"expected": True, "timeout": "10m"}, **fields)], strategy=strategy())
        return names

    def test_the_next_node_waits_until_the_last_is_back(self):
        names = self.reboots("reboot")
        before = {name: boot_id(self.node(name)) for name in names}
        self.ended("Succeeded")
        for name in names:
            open_again = False
            for event in self.nodes.events(name):
                if step_of(event.object) in ("Settling", "Patched") and not open_again:
                    open_again = True
                    self.assertNotEqual(boot_id(event.object), before[name])
                    self.assertTrue(node_ready(event.object))
                    self.assertEqual(runtime_version(event.object), NEW)
                self.assertTrue(open_again or not step_of(event.object) or cordoned(event.object), step_of(event.object))
            self.assertTrue(open_again)
        started = {name: next(event.time for event in self.nodes.events(name) if step_of(event.object)) for name in names}
        first, second = sorted(names, key=started.get)
        back = next(event.time for event in self.nodes.events(first) if step_of(event.object) == "Patched")
        self.assertGreaterEqual(started[second], back)
        self.assert_put_away(names)

    def test_it_comes_back_with_the_old_version(self):
        names = self.reboots("reboot,version=1.6.20", rollback=True, observeTimeout="1s")
        rollout = self.ended("RolledBack")
        self.assertEqual(rollout["status"]["failed"][0]["reason"], "VersionNotObserved")
        self.assertEqual(len({event.object["metadata"]["name"] for name in names for event in self.nodes.events(name)
                              if step_of(event.object)}), 1)


class TestVersionRules(FlowTest):
    def test_no_downgrade_no_skipped_minor_no_kubelet_newer_than_its_server(self):
        server = self.client.request("GET", "/version")
        minor = int(server["minor"].rstrip("+"))
        cases = {
            "newer": ([patch(f"1.{minor + 1}.0", "Kubelet")], f"v1.{minor}.0", "may not be newer than its API server"),
            "skips": ([patch(f"1.{minor}.0", "Kubelet")], f"v1.{minor - 2}.0", "no minor version may be skipped"),
            "from": ([patch(supportedFrom=[">=1.7.0 <2"])], None, "supportedFrom"),
        }
        for case, (patches, kubelet, text) in cases.items():
            with self.subTest(case):
                shown = {"kubelet": kubelet} if kubelet else {}
                name, = self.make_nodes(1, prefix=f"{self.tag}-{case}", labels={"case": f"{self.tag}-{case}"}, **shown)
                policy = objects.policy(f"{self.tag}-{case}", patches=patches)
                policy["spec"]["target"]["nodes"]["selector"] = {"matchLabels": {"case": f"{self.tag}-{case}"}}
                self.client.create("patchpolicies", policy)
                self.addCleanup(self.client.delete, "patchpolicies", f"{self.tag}-{case}")
                stalled = self.policies.wait_for(
                    lambda event, n=f"{self.tag}-{case}": event.object["metadata"]["name"] == n
                    and conditions(event.object).get("Stalled", ("",))[0] == "True", 60, f"{case} is stalled")
                self.assertEqual(conditions(stalled.object)["Stalled"][1], "VersionNotAllowed")
                self.assertIn(text, conditions(stalled.object)["Stalled"][2])
                self.assertIsNone(step_of(self.node(name)))

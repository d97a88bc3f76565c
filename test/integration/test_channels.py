"""Versions that a channel says: a ConfigMap in the controller's namespace, or a text on a server."""

import datetime
import http.server
import threading

from lib import objects
from lib.cluster import SYSTEM
from lib.flow import WAIT, FlowTest, conditions, strategy, wait_for
from lib.rollout import runtime_version, step_of

JOB = {"image": objects.IMAGE, "timeout": "30s"}
KEY = "containerd"


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ReleaseServer:
    """Says a version by plain http on this machine. answer is a text, a status, or a list of pieces without an end."""

    def __init__(self):
        self.answer, self.asked = "", []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="releases", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/stable"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        releases = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                releases.asked.append((self.path, self.headers.get("Authorization")))
                answer = releases.answer
                self.send_response(answer if isinstance(answer, int) else 200)
                if answer == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                try:
                    self.write(answer)
                except OSError:  # the controller has heard enough
                    pass

            def write(self, answer):
                if isinstance(answer, str):
                    self.wfile.write(answer.encode())
                while isinstance(answer, list):
                    self.wfile.write(answer[0].encode() * 10000)

            def log_message(self, *_):
                pass

        return Handler


class ChannelTest(FlowTest):
    def follow_channel(self, channel, **fields):
        """A policy for the test's nodes that follows a channel."""
        patch = {"component": "ContainerRuntime", "job": JOB, "channel": channel, **fields}
        return self.policy(patches=[patch], strategy=strategy(maxUnavailable=2))

    def status(self):
        return self.client.get("patchpolicies", self.tag).get("status", {})

    def resolved(self):
        return self.status().get("resolved", [{}])[0]

    def version(self, name):
        return runtime_version(self.node(name)).removeprefix("containerd://")


class TestConfigMap(ChannelTest):
    at_once = 6

    def say(self, data):
        """What the test's ConfigMap holds from now on; None: it is deleted."""
        if data is None:
            self.client.delete("configmaps", self.tag, SYSTEM)
        elif self.client.find("configmaps", self.tag, SYSTEM):
            self.client.patch("configmaps", self.tag, {"data": {KEY: None, **data}}, SYSTEM)
        else:
            self.client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.tag},
                                              "data": data}, SYSTEM)
            self.addCleanup(self.client.delete, "configmaps", self.tag, SYSTEM)

    def follow(self, **fields):
        """The test's policy, which follows the ConfigMap."""
        return self.follow_channel({"type": "ConfigMap", "configMap": {"name": self.tag, "key": KEY}}, **fields)

    def test_a_new_version_is_a_new_rollout(self):
        names = self.pool(2)
        self.say({KEY: "1.7.27\n"})
        self.follow()
        first = self.ended("Succeeded")
        self.assertEqual(first["status"]["versions"], [{"component": "ContainerRuntime", "version": "1.7.27"}])
        self.wait_policy("Ready", "UpToDate")
        self.say({KEY: "1.7.28"})
        second = self.ended("Succeeded", count=2)
        self.assertEqual(second["status"]["versions"], [{"component": "ContainerRuntime", "version": "1.7.28"}])
        self.assertEqual([self.version(name) for name in names], ["1.7.28"] * 2)
        self.wait_policy("Resolved", "Resolved", "1.7.28")
        self.assertEqual(self.cluster.kubectl("get", "pp", self.tag, "--no-headers").stdout.split()[2], "1.7.28")
        resolved = self.resolved()
        self.assertEqual((resolved["channel"], resolved["version"], resolved["previous"]["version"]),
                         (f"ConfigMap {self.tag}/{KEY}", "1.7.28", "1.7.27"))
        page = self.client.get("controllerrevisions", second["status"]["plan"]["revisions"][0], SYSTEM)
        frozen = page["data"]["rules"]["patches"][0]
        self.assertEqual((frozen["version"], "channel" in frozen), ("1.7.28", False))

    def test_minimum_age(self):
        name, = self.pool(1)
        self.say({KEY: "1.7.27"})
        made = self.follow(minimumAge="6s")
        young = self.policies.wait_for(lambda event: event.object["metadata"]["name"] == self.tag
                                       and "1.7.27 is used from" in conditions(event.object).get("Resolved", ("", "", ""))[2],
                                       WAIT, "1.7.27 is too young").object
        self.assertEqual((conditions(young)["Resolved"][1], conditions(young)["UpToDate"][0]), ("MinimumAge", "Unknown"))
        seen = young["status"]["resolved"][0]["candidate"]["firstSeen"]
        rollout = self.ended("Succeeded")
        # Both times are whole seconds of clocks that agree within one.
        self.assertGreaterEqual(seconds(rollout["metadata"]["creationTimestamp"]), seconds(seen) + 5)
        self.assertEqual(self.resolved()["firstSeen"], seen)
        self.change(patches=[{**made["spec"]["patches"][0], "minimumAge": "1h"}])
        self.say({KEY: "1.7.28"})
        self.wait_policy("Resolved", "MinimumAge", "1.7.28 is used from")
        self.assertEqual((self.resolved()["version"], self.resolved()["candidate"]["version"]), ("1.7.27", "1.7.28"))
        self.say({KEY: "1.7.27"})
        self.wait_policy("Resolved", "Resolved", "1.7.27")
        self.assertNotIn("candidate", self.resolved(), "what is withdrawn in time is never used")
        self.assertEqual((self.version(name), len(self.rollouts_of())), ("1.7.27", 1))

    def test_a_channel_that_says_nothing_changes_nothing(self):
        name, = self.pool(1)
        self.follow()
        self.wait_policy("Resolved", "ChannelNotFound", f"there is no ConfigMap {SYSTEM}/{self.tag}")
        self.assertEqual(self.rollouts_of(), [])
        self.say({KEY: "1.7.27"})
        self.ended("Succeeded")
        self.wait_policy("Ready", "UpToDate")
        before = self.resolved()
        for data, reason in (({KEY: ""}, "ChannelEmpty"), ({KEY: "latest"}, "ChannelInvalid"),
                             ({KEY: "1.7.28; reboot"}, "ChannelInvalid"), ({KEY: "1.7.28\n" + "#" * 500}, "ChannelTooLarge"),
                             ({KEY: "9" * 900_000}, "ChannelTooLarge"), ({"other": "1.7.28"}, "ChannelNotFound"),
                             (None, "ChannelNotFound")):
            with self.subTest(str(data)[:40]):
                self.say(data)
                self.assertEqual(self.wait_policy("Resolved", reason)[0], "False")
                self.wait_policy("Ready", reason)
                self.assertEqual(self.resolved(), before)
        self.assertEqual((self.version(name), len(self.rollouts_of())), ("1.7.27", 1))

    def test_going_back_takes_no_node_back(self):
        name, = self.pool(1)
        self.say({KEY: "1.7.28"})
        self.follow()
        self.ended("Succeeded")
        self.say({KEY: "1.7.27"})
        self.wait_policy("Resolved", "ChannelWentBack", "from 1.7.28 to 1.7.27")
        other, = self.pool(1, prefix=f"{self.tag}-other")
        self.ended("Succeeded", count=2)
        self.assertEqual((self.version(name), self.version(other)), ("1.7.28", "1.7.27"))
        times = [event.time for event in self.nodes.events(name) if step_of(event.object) == "Patched"]
        self.assertTrue(times)
        self.assertEqual(wait_for(lambda: self.status()["targets"].get("unsupported"), WAIT, "the newer one is counted"), 1)

    def test_a_version_that_the_nodes_may_not_get(self):
        """The same checks as for a version that is written."""
        self.pool(1)
        self.say({KEY: "1.7.27"})
        self.follow(supportedFrom=[">=1.7.0"])
        self.wait_policy("Stalled", "VersionNotAllowed", "supportedFrom")
        self.assertEqual(self.rollouts_of(), [])

    def test_a_url_at_loopback_is_refused(self):
        """Who may write a policy does not reach with it what only the controller's machine can reach."""
        releases = ReleaseServer()
        self.addCleanup(releases.stop)
        releases.answer = "1.7.27"
        self.pool(1)
        made = self.follow_channel({"type": "URL", "url": releases.url})
        self.wait_policy("Resolved", "ChannelUnreachable", "by plain http")
        safe = releases.url.replace("http:", "https:")
        self.change(patches=[{**made["spec"]["patches"][0], "channel": {"type": "URL", "url": safe}}])
        self.wait_policy("Resolved", "ChannelUnreachable", "no request is sent")
        self.assertEqual((releases.asked, self.rollouts_of()), ([], []))


class TestUrl(ChannelTest):
    flags = ("--allow-endpoints=127.0.0.1",)

    def test_a_url_says_the_version(self):
        name, = self.pool(1)
        releases = ReleaseServer()
        self.addCleanup(releases.stop)
        releases.answer = "1.7.27\n"
        self.follow_channel({"type": "URL", "url": releases.url, "interval": "5s", "secretRef": {"name": self.tag}})
        self.wait_policy("Resolved", "ChannelUnreachable", f"there is no Secret {self.tag} in the namespace {SYSTEM}")
        self.client.create("secrets", {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": self.tag, "labels": {"patchwright.io/use": "channel"}},
            "stringData": {"token": "hush"}}, SYSTEM)
        self.addCleanup(self.client.delete, "secrets", self.tag, SYSTEM)
        self.ended("Succeeded")
        self.wait_policy("Resolved", "Resolved", releases.url)
        releases.answer = "1.7.28"
        self.ended("Succeeded", count=2)
        self.assertEqual(self.version(name), "1.7.28")
        self.wait_policy("Ready", "UpToDate")
        before = self.resolved()
        for answer, reason, words in ((302, "ChannelUnreachable", "status 302"), (["9"], "ChannelTooLarge", "larger than"),
                                      ("<html>", "ChannelInvalid", "no version")):
            releases.answer = answer
            with self.subTest(reason):
                self.wait_policy("Resolved", reason, words)
        releases.stop()
        self.wait_policy("Resolved", "ChannelUnreachable", "cannot connect")
        self.assertEqual((self.resolved(), self.version(name), len(self.rollouts_of())), (before, "1.7.28", 2))
        self.assertEqual(set(releases.asked), {("/stable", "Bearer hush")}, "no redirect is followed")

"""A connection whose packets vanish: nothing is acknowledged, nothing is closed. Both ends of a watch would wait for ever."""

import pathlib
import time
import urllib.parse

from lib.case import ClusterTest
from lib.probe import Probe
from lib.relay import Relay

NOTICED = 45  # seconds until a dead connection must have been noticed …
BOUND = 5 * NOTICED  # … and what a busy machine may take


class TestBlackHole(ClusterTest):
    def setUp(self):
        super().setUp()
        self.logs.mkdir(parents=True, exist_ok=True)
        address = urllib.parse.urlsplit(self.client.kubeconfig.server)
        self.relay = Relay(address.hostname, address.port)
        self.addCleanup(self.relay.close)

    def through_relay(self, path):
        """The kubeconfig, with the relay as its server."""
        text = pathlib.Path(path).read_text(encoding="utf-8")
        self.assertIn(self.client.kubeconfig.server, text)
        new = self.logs / "relayed.kubeconfig"
        new.write_text(text.replace(self.client.kubeconfig.server, f"https://127.0.0.1:{self.relay.port}"))
        self.addCleanup(new.unlink)
        return new

    def test_the_kernel_ends_a_silent_watch(self):
        """No deadline of ours is set: only keep-alives can tell that a quiet connection is dead."""
        probe = Probe(self.build, self.through_relay(self.cluster.kubeconfig_path), self.logs / "probe.log",
                      environment=self.cluster.environment)
        self.addCleanup(probe.finish)
        watch = probe.start("watch", "/api/v1/namespaces?watch=true")
        probe.await_answer("the watch is open", id=watch, event="line")
        self.assertEqual(probe.call("GET", "/version")["json"]["major"], "1")
        self.assertEqual(self.relay.go_dark(), 1, "one connection for all")
        began = time.monotonic()
        end = probe.end(watch, timeout=BOUND)
        seconds = time.monotonic() - began
        self.assertIn("timed out", end["error"]["message"], end)
        self.assertLess(seconds, BOUND)
        self.assertGreater(seconds, 10, "a short silence is no death")
        self.assertEqual(probe.call("GET", "/version")["json"]["major"], "1")
        self.assertEqual(self.relay.taken, 2, "a new connection")

"""When nodes may be started: windows in their time zones, and freezes. All of them are hours wide, so that no clock decides a test."""

import datetime
import zoneinfo

from lib.flow import FlowTest, strategy
from lib.rollout import check_ledger, decisions, pages, runtime_version, state_of, step_of

OLD, NEW = "containerd://1.6.20", "containerd://1.7.27"
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
SHIFTED, HALF = "Asia/Kathmandu", "Australia/Lord_Howe"  # 5:45 from UTC; clocks that change by half an hour


def said(time, hours=0):
    """A time as the API says it; hours: so much later, in elapsed time."""
    return (time.astimezone(datetime.timezone.utc) + hours * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(time, zone):
    """A time by the clocks of a place. One that they show twice is the first of the two."""
    return time.astimezone(zoneinfo.ZoneInfo(zone)).replace(fold=0)


def weekly(name, opens, hours):
    """A window that opens at this time of the week, by the clocks of opens."""
    return {"name": name, "type": "Weekly", "days": [opens.strftime("%a")], "start": opens.strftime("%H:%M"),
            "duration": f"{hours}h", "timeZone": opens.tzinfo.key}


def cron(name, opens, hours):
    return {"name": name, "type": "Cron", "schedule": f"{opens.minute} {opens.hour} * * {opens.strftime('%a')}",
            "duration": f"{hours}h", "timeZone": opens.tzinfo.key}


class TestWindows(FlowTest):
    at_once = 5

    def setUp(self):
        super().setUp()
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)

    def now_open(self):
        return weekly("now", clock(self.now - 2 * HOUR, SHIFTED), 12)

    def wait_closed(self, reason, why, name=None):
        """Policy and rollout say why nodes may not be started now. Returns the rollout."""
        rollout = self.running(name)
        for plural, item in (("patchpolicies", name or self.tag), ("patchrollouts", rollout["metadata"]["name"])):
            self.assertEqual(self.wait_condition(plural, item, "WindowOpen", reason, why)[0], "False")
        return rollout

    def wait_held(self, rollout, reason, waits, why):
        """The rollout waits, by its condition, its summary and its ledger."""
        name = rollout["metadata"]["name"]
        self.assertEqual(self.wait_condition("patchrollouts", name, "Progressing", "WaitingForWindow", waits)[0], "False")
        status = self.client.get("patchrollouts", name)["status"]
        self.assertIn(waits, status["summary"])
        wait, = [item for item in status["decisions"] if item["type"] == "Wait"]
        self.assertEqual((wait["rule"], wait["reason"]), ("windows", reason))
        self.assertIn(why, wait["evidence"])
        self.assertIn(waits, wait["evidence"])

    def next_window(self, name=None):
        return self.client.get("patchpolicies", name or self.tag)["status"]["nextWindow"]

    def goes_on(self, names, held, **change):
        """The policy is changed, and all of its nodes are patched: by a new rollout, and none by the one that was held."""
        self.change(**change)
        ended = self.ended("Succeeded", count=2)
        self.assertEqual(self.client.get("patchrollouts", held["metadata"]["name"])["status"]["outcome"], "Superseded")
        states = [state_of(event.object) for event in self.node_events() if state_of(event.object)]
        self.assertEqual({state["rolloutUID"] for state in states}, {ended["metadata"]["uid"]})
        self.assertEqual([runtime_version(self.node(name)) for name in names], [NEW] * len(names))
        check_ledger(self, decisions(self.client, ended), ended)
        self.assert_put_away(names)

    def test_nothing_starts_while_they_are_closed(self):
        names = self.pool(2)
        opens = clock(self.now + 3 * DAY, SHIFTED)
        self.policy(windows=[cron("later", clock(self.now + 5 * DAY, HALF), 6), weekly("first", opens, 4)])
        rollout = self.wait_closed("WindowClosed", f"window first opens at {said(opens)}")
        self.wait_held(rollout, "WindowClosed", f"waiting for window first, opens {said(opens)}", "no window is open")
        self.assertEqual(self.next_window(), {"name": "first", "opens": said(opens), "closes": said(opens, 4)})
        self.goes_on(names, rollout, windows=[self.now_open()])

    def test_nothing_starts_that_cannot_finish(self):
        """Before a node is done it is given what the policy's timeouts add up to, but at most half of the window."""
        names = self.pool(2)
        opened = clock(self.now - 4 * HOUR, HALF)
        closes = said(opened, 6)
        self.policy(windows=[cron("late", opened, 6)], drain={"timeout": "12h"})
        rollout = self.running()
        for plural, item in (("patchpolicies", self.tag), ("patchrollouts", rollout["metadata"]["name"])):
            self.assertEqual(self.wait_condition(plural, item, "WindowOpen", "WindowOpen", f"window late is open until {closes}")[0], "True")
        self.wait_held(rollout, "TooLateToStart", "waiting for window late, opens ",
                       f"it closes at {closes}, and the first node is given 3h")
        self.goes_on(names, rollout, drain={"timeout": "15m"})

    def test_what_is_in_work_is_brought_to_its_end(self):
        first, second = self.pool(2, behave="hold")
        self.policy(windows=[self.now_open()], strategy=strategy(order=["Name"]))
        self.wait_job(first)
        rollout = self.running()
        opens = clock(self.now + 2 * DAY, HALF)
        self.change(windows=[weekly("far", opens, 4)])
        self.wait_policy("WindowOpen", "WindowClosed", f"window far opens at {said(opens)}")
        self.assertEqual(step_of(self.node(first)), "Patching")
        self.release(first, second)
        ended = self.ended("Superseded")
        self.assertEqual(ended["metadata"]["uid"], rollout["metadata"]["uid"])
        self.assertEqual({target["node"]: target["step"] for page in pages(self.client, ended) for target in page["targets"]},
                         {first: "Patched", second: "Pending"})
        self.wait_held(self.wait_closed("WindowClosed", "window far opens"), "WindowClosed",
                       f"waiting for window far, opens {said(opens)}", "no window is open")
        self.assertFalse(any(step_of(event.object) for event in self.nodes.events(second)))
        self.assertEqual([runtime_version(self.node(name)) for name in (first, second)], [NEW, OLD])
        self.assert_put_away([first, second])

    def test_a_freeze_stops_starts_and_says_why(self):
        names = self.pool(2)
        ends = self.now + 6 * HOUR
        self.policy(windows=[self.now_open()], freezes=[
            {"name": "year-end", "from": said(self.now - HOUR), "to": said(ends), "reason": "year-end closing"}])
        rollout = self.wait_closed("Frozen", f"freeze year-end (year-end closing) is on until {said(ends)}")
        self.wait_held(rollout, "Frozen", f"waiting for window now, opens {said(ends)}", f"freeze year-end is on until {said(ends)}")
        self.assertEqual(self.next_window(), {"name": "now", "opens": said(ends), "closes": said(self.now, 10)})
        self.goes_on(names, rollout, freezes=None)

    def test_over_midnight(self):
        """It is past midnight somewhere. A window of yesterday's evening is open there, and one of today's is not."""
        zone = next(name for name in sorted(zoneinfo.available_timezones()) if "/" in name and clock(self.now, name).hour == 0)
        evening = clock(self.now, zone).replace(hour=22, minute=0)
        names, today = self.pool(2), f"{self.tag}-today"
        others = self.make_nodes(1, {"pool": today}, prefix=today)
        self.policy(today, windows=[weekly("night", evening, 8)],
                    target={"nodes": {"selector": {"matchLabels": {"pool": today}}}})
        self.policy(windows=[weekly("night", evening - DAY, 8)])
        self.ended("Succeeded")
        self.assertEqual([runtime_version(self.node(name)) for name in names], [NEW, NEW])
        self.assertEqual(self.wait_policy("WindowOpen", "WindowOpen", f"window night is open until {said(evening - DAY, 8)}")[0], "True")
        self.wait_closed("WindowClosed", f"window night opens at {said(evening)}", today)
        self.assertEqual(runtime_version(self.node(others[0])), OLD)

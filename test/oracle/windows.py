#!/usr/bin/env python3
"""Windows, freezes, cron and time zones of the controller against an independent oracle (truth.py).

windows.py PROGRAM [--seed N] [--cases N]: PROGRAM is build/answer. Closes with "N passed, N failed".
"""

import argparse
import datetime
import functools
import json
import os
import random
import subprocess
import sys
import zoneinfo

import truth
from truth import DAY, DAYS, HOUR, MINUTE, MONTHS

ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu",
    "America/Sao_Paulo", "Etc/UTC", "Europe/Dublin", "America/St_Johns", "Pacific/Chatham", "Asia/Tehran",
    "Africa/Cairo", "America/Havana", "Antarctica/Troll", "Atlantic/Azores", "Asia/Gaza", "Pacific/Kwajalein",
)
PAD = {"target": {"nodes": {"selector": {"matchLabels": {"a": "b"}}}},
       "patches": [{"component": "Kubelet", "version": "1.34.4", "job": {"image": "i"}}]}
# Years in which clocks did something worth looking at, the future behind the end of the tables among them.
YEARS = (2004, 2011, 2018, 2024, 2025, 2026, 2027, 2038, 2060, 2099)


def epoch(year, month=1, day=1):
    return int(datetime.datetime(year, month, day, tzinfo=truth.UTC).timestamp())


def changes(name, year):
    """When the clocks of a zone change in a year, to the minute."""
    found, before = [], truth.offset(name, epoch(year))
    for begin in range(epoch(year), epoch(year + 1), DAY):
        after = truth.offset(name, begin + DAY)
        if before != after:
            found.append(next(t for t in range(begin, begin + DAY + 1, MINUTE) if truth.offset(name, t) != before))
        before = after
    return found


# ---- drawing


def draw_field(rng, low, high, words, star):
    def value():
        number = rng.randint(low, high)
        named = words and rng.random() < 0.5 and number - (low if words is MONTHS else 0) < len(words)
        return words[number - (low if words is MONTHS else 0)] if named else str(number)

    def item():
        kind = rng.random()
        if kind < 0.6:
            return value()
        if kind < 0.8:
            a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
            return f"{a}-{b}" + (f"/{rng.randint(1, 9)}" if rng.random() < 0.4 else "")
        return f"{rng.choice(['*', value()])}/{rng.randint(1, high)}"

    if rng.random() < star:
        return "*"
    return ",".join(item() for _ in range(rng.choice((1, 1, 1, 2, 3))))


def draw_cron(rng, dense):
    hours = draw_field(rng, 0, 23, (), 0.3 if dense else 0.0)
    if rng.random() < 0.5:  # where clocks change
        hours = rng.choice(("0", "1", "2", "3", "0-3", "1,2", "23", "2-3"))
    minutes = draw_field(rng, 0, 59, (), 0.2) if dense else str(rng.choice((0, 1, 15, 30, 45, 59)))
    return " ".join((minutes, hours, draw_field(rng, 1, 31, (), 0.6 if dense else 0.3),
                     draw_field(rng, 1, 12, MONTHS, 0.8 if dense else 0.3), draw_field(rng, 0, 7, DAYS, 0.5)))


def draw_window(rng, index, name, dense):
    long = rng.choice((1, 5, 10, 30, 59, 60, 61, 90, 120, 240, 480, 1440, 4000, 10080))
    window = {"name": f"w{index}", "duration": f"{long}m", "timeZone": name}
    if rng.random() < 0.4:
        start = rng.choice((rng.randint(0, 1439), rng.choice((0, 30, 60, 90, 119, 120, 150, 179, 180, 1380, 1439))))
        window |= {"type": "Weekly", "days": rng.sample(DAYS, rng.choice((1, 1, 2, 3, 7))),
                   "start": f"{start // 60:02}:{start % 60:02}"}
    else:
        window |= {"type": "Cron", "schedule": draw_cron(rng, dense)}
    return window


def stamp(at):
    return datetime.datetime.fromtimestamp(at, truth.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def draw_freeze(rng, index, middle):
    begin = (middle + rng.randint(-5 * DAY, 8 * DAY)) // MINUTE * MINUTE
    length = rng.choice((MINUTE, HOUR, 5 * HOUR, DAY, 9 * DAY, 40 * DAY))
    if rng.random() < 0.02:
        length = 7 * 366 * DAY
    return {"name": f"f{index}", "from": stamp(begin), "to": stamp(begin + length)}


def draw_spec(rng, name, middle, dense):
    count = rng.choice((0, 1, 1, 1, 2, 2, 3)) if dense else rng.choice((1, 1, 2))
    spec = dict(PAD)
    spec["windows"] = [draw_window(rng, i, name if dense else rng.choice(ZONES), dense) for i in range(count)]
    spec["freezes"] = [draw_freeze(rng, i, middle) for i in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    return spec


def draw_times(rng, middle, count):
    """Around the moment itself, on the minute and beside it."""
    times = []
    for _ in range(count):
        spread = rng.choice((HOUR, 2 * HOUR, 8 * HOUR, 3 * DAY))
        at = middle + rng.randint(-spread, spread)
        times.append(at if rng.random() < 0.3 else at // MINUTE * MINUTE + rng.choice((0, 0, -1, 1)))
    return times


# ---- cases: (document, the answers that are expected)


def expect(spec, times, answer_at):
    try:
        policy = truth.Policy(spec)
    except truth.Refused as refused:
        return [f"refused {refused.reason}"]
    return [answer_at(policy, at) for at in times]


def near_cases(rng, count):
    """Minute by minute, where clocks change and where they do not."""
    each, eras = 20, []
    for index in range(24):
        name, year = ZONES[index % len(ZONES)], rng.choice(YEARS)
        middle = rng.choice(changes(name, year) or [epoch(year) + rng.randint(20, 340) * DAY])
        eras.append((truth.Era(name, middle), middle))
    for _ in range(count // each):
        era, middle = rng.choice(eras)
        spec, times = draw_spec(rng, era.name, middle, True), draw_times(rng, middle, each)
        near = functools.lru_cache(None)(truth.Near)
        yield {"spec": spec, "at": times}, expect(
            spec, times, lambda policy, at: near(policy, era).answer(at) or truth.far(policy, at))


def far_cases(rng, count):
    """Day by day: schedules that fire a few times a year, windows in several zones."""
    for _ in range(count // 4):
        at = epoch(rng.choice(YEARS)) + rng.randint(0, 365 * DAY)
        spec = draw_spec(rng, None, at, False)
        times = [at + rng.randint(-3 * DAY, 3 * DAY) for _ in range(4)]
        yield {"spec": spec, "at": times}, expect(spec, times, truth.far)


def cron_cases(rng, count):
    """What is a schedule, and what is not."""
    alphabet = "0123456789*/-,LW#? \tJANMONsun"
    for _ in range(count):
        text = list(draw_cron(rng, True))
        for _ in range(rng.choice((0, 1, 1, 2))):
            text.insert(rng.randrange(len(text) + 1), rng.choice(alphabet))
            if rng.random() < 0.5:
                del text[rng.randrange(len(text))]
        window = {"name": "w", "type": "Cron", "schedule": "".join(text), "duration": "1m", "timeZone": "Etc/UTC"}
        spec, times = PAD | {"windows": [window]}, [epoch(2026) + rng.randint(0, 365 * DAY)]
        yield {"spec": spec, "at": times}, expect(spec, times, truth.far)


def zone_cases(rng, each):
    """Every zone of the database, at drawn times and beside its changes."""
    for name in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
        near = [at + delta for at in changes(name, rng.choice(YEARS)) for delta in (-1, 0, 1)]
        times = near + [rng.randint(epoch(1972), epoch(2150)) for _ in range(each)]
        yield {"zone": name, "at": times}, [str(truth.offset(name, at)) for at in times]


# ---- comparing


def ask(program, cases):
    text = "".join(json.dumps(document) + "\n" for document, _ in cases)
    folder = next(path for path in zoneinfo.TZPATH if os.path.isdir(path))
    done = subprocess.run([program, folder], input=text, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    return done.stdout.splitlines()


def compare(name, program, cases):
    cases = list(cases)
    lines, passed, failed = iter(ask(program, cases)), 0, 0
    for document, expected in cases:
        for index, wanted in enumerate(expected):
            got = next(lines, "nothing")
            passed += got == wanted
            failed += got != wanted
            if got != wanted and failed <= 5:
                what = {key: value for key, value in document.items() if key != "at"}
                what["spec"] = {key: value for key, value in what.get("spec", {}).items() if key not in PAD}
                print(f"{name}: {json.dumps(what)} at {document['at'][index]}\n  expected {wanted}\n  got      {got}")
    failed += sum(1 for _ in lines)
    print(f"{'ok  ' if not failed else 'FAIL'} {name} ({passed + failed} cases)")
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10000)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    results = [
        compare("windows, minute by minute", args.program, near_cases(rng, args.cases)),
        compare("windows, day by day", args.program, far_cases(rng, args.cases // 5)),
        compare("cron schedules, good and bad", args.program, cron_cases(rng, args.cases // 5)),
        compare("offsets of every time zone", args.program, zone_cases(rng, 20)),
    ]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())

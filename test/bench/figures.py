"""Figures of a process and of a rollout: from /proc, /metrics and watch logs."""

import os
import re
import statistics

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, field):
    """VmHWM: the most that was ever resident; VmRSS: now."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    raise KeyError(field)


def samples(exposition, family):
    """[(labels, value)] of a metric family."""
    found = []
    for line in exposition.splitlines():
        match = SAMPLE.match(line)
        if match and match[1] == family:
            found.append((dict(LABEL.findall(match[2] or "")), float(match[3])))
    return found


def requests(exposition):
    """Requests by what they do: "PATCH nodes", …, with evictions apart from other requests for pods."""
    count = {}
    for labels, value in samples(exposition, "patchwright_api_requests_total"):
        count[f"{labels['method']} {labels['resource']}"] = int(value)
    evictions = int(sum(value for _, value in samples(exposition, "patchwright_evictions_total")))
    count["POST pods/eviction"] = evictions
    count["POST pods"] = count.get("POST pods", 0) - evictions
    return count


def reconciles(exposition):
    """{controller: (number, seconds in all)}"""
    seconds = {labels["controller"]: value for labels, value in
               samples(exposition, "controller_runtime_reconcile_time_seconds_sum")}
    count = {labels["controller"]: value for labels, value in
             samples(exposition, "controller_runtime_reconcile_time_seconds_count")}
    return {name: (int(count[name]), seconds[name]) for name in count}


def difference(after, before):
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def median(values):
    return statistics.median(values)


def p95(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def gaps(steps, waves, slots):
    """Seconds from each node's end (Patched) to the cordon that follows on it: the place that became free is taken again.

    steps: [(time, node, step, cordoned)]; waves: {node: wave}; slots: {wave: how many nodes of it go at a time}.
    """
    ends, starts, begun = {}, {}, set()
    for time, node, step, cordoned in steps:
        wave = waves.get(node)
        if step == "Patched":
            ends.setdefault(wave, []).append(time)
        elif cordoned and node not in begun:
            begun.add(node)
            starts.setdefault(wave, []).append(time)
    return [start - end for wave in ends for end, start in zip(ends[wave], starts[wave][slots[wave]:])]

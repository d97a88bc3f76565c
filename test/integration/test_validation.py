"""Policies that are refused, with the hint that they must be refused with, and such that are not."""

import copy
import re
import textwrap

from lib import objects
from lib.case import ClusterTest
from lib.cluster import ROOT

GONE = object()  # in a table: the field is taken away

CUSTOM = {"component": "Custom", "version": "1", "job": {"image": "a"}}
KUBELET = {"component": "Kubelet", "version": "1.34.4", "job": {"image": "a"}}


def label(name):
    return {**CUSTOM, "observed": {"type": "Label", "label": name}}


def waves(*entries):
    return [dict(entry) for entry in entries]


def group(name, selector=None):
    return {"name": name, "selector": {"matchLabels": {"tier": name.lower()}} if selector is None else selector}


def weekly(name="w", **other):
    return {"name": name, "type": "Weekly", "days": ["Sat"], "start": "02:00", "duration": "4h", **other}


def cron(schedule="0 2 * * 1-5", **other):
    return {"name": "c", "type": "Cron", "schedule": schedule, "duration": "2h", **other}


def freeze(name="f", begin="2026-12-18T00:00:00Z", end="2027-01-04T00:00:00Z"):
    return {"name": name, "from": begin, "to": end}


def gate(name="g", **other):
    return {"name": name, "type": "Prometheus", **other,
            "prometheus": {"address": "https://prometheus.monitoring.svc:9090", "query": "up", "max": "0", **other.get("prometheus", {})}}


def gate_of(union, **member):
    return {"name": "g", "type": union, union.lower(): member}


APP = {"matchLabels": {"app": "cart"}}
CONDITION = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "namespace": "argocd", "name": "shop", "condition": "Healthy"}


def exception(name="legacy-gpu", **other):
    return {"name": name, "selector": {"matchLabels": {"gpu": "legacy"}}, "reason": "driver pinned", "expires": "2037-01-31T00:00:00Z", **other}


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def set_path(document, path, value):
    """Sets the member at a path like patches.0.job.image; GONE removes it."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        document = document[part] if isinstance(part, int) else document.setdefault(part, {})
    if value is GONE:
        del document[last]
    else:
        document[last] = value


SELECTOR = "target.nodes.selector"
STAGE = {"matchLabels": {"stage": "canary"}}
CHANNEL = {"type": "ConfigMap", "configMap": {"name": "channels", "key": "containerd"}}
FOLLOWS = {"component": "ContainerRuntime", "channel": CHANNEL, "job": {"image": "a"}}
WRONG_POLICIES = (
    # path in spec, value, what the message must contain
    ("target", GONE, "Required value"),
    ("target.type", "Workloads", 'supported values: "Nodes"'),
    ("target", {"type": "Nodes"}, "type Nodes needs nodes.selector"),
    ("target.nodes", {}, "spec.target.nodes.selector: Required value"),
    (SELECTOR, {}, "an empty selector would select every node"),
    (SELECTOR, {"matchLabels": {}}, "an empty selector would select every node"),
    (SELECTOR, {"matchExpressions": []}, "an empty selector would select every node"),
    (SELECTOR, {"matchLabels": {"pool": "no spaces"}}, "matchLabels.pool"),
    (SELECTOR, {"matchLabels": {"x" * 318: "a"}}, "a label key has 1 to 63 characters"),
    (SELECTOR, {"matchLabels": {f"l{n}": "" for n in range(21)}}, "must have at most 20"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "Has"}]}, 'supported values: "In"'),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "In"}]}, "the operators In and NotIn need values"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": []}]}, "the operators In and NotIn need values"),
    (SELECTOR, {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "take no values; leave values out"),
    ("patches", GONE, "spec.patches: Required value"),
    ("patches", [], "at least 1 items"),
    ("patches", [label(f"l{n}") for n in range(9)], "must have at most 8 items"),
    ("patches", [KUBELET, KUBELET], "a component other than Custom may be listed only once"),
    ("patches", [label("a"), label("a")], "two patches read their version from the same place"),
    ("patches.0.component", "Docker", 'supported values: "Kubelet"'),
    ("patches.0.version", GONE, "spec.patches[0].version: Required value"),
    ("patches.0.version", "1.7; rm -rf /", "because it reaches a root shell"),
    ("patches.0.version", "$(reboot)", "because it reaches a root shell"),
    ("patches.0.version", "-1", "starts with a letter or digit"),
    ("patches.0.version", "1\n2", "because it reaches a root shell"),
    ("patches.0.version", "1" * 65, "may not be more than 64"),
    ("patches.0.channel", CHANNEL, "exactly one of version and channel"),
    ("patches.0.minimumAge", "72h", "minimumAge is about versions that a channel says"),
    ("patches.0", {**FOLLOWS, "minimumAge": "-1s"}, "choose a duration from 0s to 8760h"),
    ("patches.0", {**FOLLOWS, "minimumAge": "3 days"}, "must be a duration from 0s to 8760h"),
    ("patches.0", {**FOLLOWS, "allowDowngrade": True}, "a channel never takes nodes back"),
    ("patches.0", {**FOLLOWS, "channel": {**CHANNEL, "type": "Git"}}, 'supported values: "ConfigMap"'),
    ("patches.0", {**FOLLOWS, "channel": {**CHANNEL, "url": "https://a"}}, "url is needed with type URL and must be absent"),
    ("patches.0", {**FOLLOWS, "channel": {**CHANNEL, "interval": "1m"}}, "interval and secretRef are for type URL"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL"}}, "url is needed with type URL"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL", "url": "file:///etc/shadow"}}, "url is no https or http URL"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL", "url": "https://me:secret@a/"}}, "url is no https or http URL"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL", "url": "https://a/b c"}}, "url is no https or http URL"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL", "url": "https://a", "interval": "1s"}}, "choose a duration from 5s to 24h"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "ConfigMap"}}, "configMap is needed with type ConfigMap"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "ConfigMap", "configMap": {"name": "a"}}}, "configMap.key: Required value"),
    ("patches.0", {**FOLLOWS, "channel": {"type": "ConfigMap", "configMap": {"name": "../a", "key": "b"}}}, "should match"),
    ("patches.0.job", GONE, "spec.patches[0].job: Required value"),
    ("patches.0.job.image", GONE, "image: Required value"),
    ("patches.0.job.image", "", "image is no image reference"),
    ("patches.0.job.image", "a b", "image is no image reference"),
    ("patches.0.job.hostPath", "host", "hostPath must be an absolute path"),
    ("patches.0.job.hostPath", "/", "hostPath must be an absolute path below /"),
    ("patches.0.job.hostPath", "/host/../etc", "without .."),
    ("patches.0.job.timeout", "0s", "choose a duration from 1s to 24h"),
    ("patches.0.job.timeout", "15 minutes", "must be a duration from 1s to 24h, for example 15m"),
    ("patches.0.job.timeout", "-15m", "choose a duration from 1s to 24h"),
    ("patches.0.job.timeout", 900, "must be of type string"),
    ("patches.0.job.timeout", "9999999h9999999h", "must be a duration from 1s to 24h"),
    ("patches.0.job.env", [{"name": "PATCHWRIGHT_NODE", "value": "a"}], "names that start with PATCHWRIGHT_ are set by the controller"),
    ("patches.0.job.env", [{"name": "A", "value": "a"}, {"name": "A", "value": "b"}], "Duplicate value"),
    ("patches.0.job.env", [{"name": "1A", "value": "a"}], "should match"),
    ("patches.0.job.resources", {"limits": {"memory": "lots"}}, "limits.memory"),
    ("patches.0.job.resources", {"requests": {"cpu": -1}}, "greater than or equal to 0"),
    ("patches.0.rollback", {}, "rollback.image: Required value"),
    ("approval.mode", "Always", 'supported values: "None", "Rollout", "Wave"'),
    ("approval.required", 0, "greater than or equal to 1"),
    ("approval.required", 6, "less than or equal to 5"),
    ("approval.expiresAfter", "0s", "choose a duration from 1s to 720h"),
    ("approval.expiresAfter", "31d", "must be a duration from 1s to 720h"),
    ("patches.0.observed", {"type": "File"}, 'supported values: "NodeInfo"'),
    ("patches.0.observed", {"label": "a"}, "observed.type: Required value"),
    ("patches.0.observed", {"type": "NodeInfo"}, "nodeInfo is needed with type NodeInfo"),
    ("patches.0.observed", {"type": "Label"}, "label is needed with type Label"),
    ("patches.0.observed", {"type": "Annotation", "label": "a"}, "label is needed with type Label and must be absent"),
    ("patches.0.observed", {"type": "Annotation"}, "annotation is needed with type Annotation"),
    ("patches.0.observed", {"type": "NodeInfo", "nodeInfo": "bootID"}, "supported values"),
    ("patches.0", CUSTOM, "component Custom needs observed"),
    ("patches", [{**CUSTOM, "verify": {"image": "a"}}] * 2, "at most one patch may be without a place that shows its version"),
    ("patches.0.observed", {"type": "Annotation", "annotation": "patchwright.io/applied.p"}, "the controller's own notes"),
    ("patches.0.observeTimeout", "25h", "choose a duration from 1s to 24h"),
    ("strategy.maxUnavailable", 0, "0 and 0% would mean that nothing is ever patched"),
    ("strategy.maxUnavailable", "0%", "0 and 0% would mean that nothing is ever patched"),
    ("strategy.maxUnavailable", -1, "use at least 1 or 1%"),
    ("strategy.maxUnavailable", "3", "write a count as a number without quotes"),
    ("strategy.maxUnavailable", "101%", "a percentage goes from 1% to 100%"),
    ("strategy.maxUnavailable", "1.5%", "should match"),
    ("strategy.maxUnavailable", 100001, "less than or equal to 100000"),
    ("strategy.waves", [], "at least 1 items"),
    ("strategy.waves", waves({"name": "a", "size": 1}, {"name": "a"}), "two waves have the same name"),
    ("strategy.waves", waves({"name": "a"}, {"name": "b"}), "every wave but the last needs a size"),
    ("strategy.waves", waves({"name": "a", "size": 1}, {"name": "b", "size": 2}), "the last wave (b) must not have a size"),
    ("strategy.waves", waves({"name": "a", "size": 0}, {"name": "b"}), "0 and 0% would make an empty wave"),
    ("strategy.waves", waves({"name": "a", "size": "0%"}, {"name": "b"}), "0 and 0% would make an empty wave"),
    ("strategy.waves", waves({"name": "a", "size": "many"}, {"name": "b"}), "a string must be a percentage such as 10%"),
    ("strategy.waves", waves({"name": "Canary"}), "should match"),
    ("strategy.waves", waves({"size": 1}, {"name": "b"}), "name: Required value"),
    ("strategy.waves", waves({"name": "a", "maxUnavailable": 0}), "0 and 0% would mean that nothing is ever patched"),
    ("strategy.waves", waves({"name": "a", "soak": "1d"}), "must be a duration from 0s to 336h"),
    ("strategy.waves", waves(*({"name": f"w{n}", "size": 1} for n in range(16)), {"name": "rest"}), "must have at most 16 items"),
    ("strategy.settle", {"readyFor": "10m"}, "settle.timeout must be longer than settle.readyFor"),
    ("strategy.failureBudget", -1, "greater than or equal to 0"),
    ("strategy.failureBudget", "3", "write a count as a number without quotes"),
    ("strategy.failureBudget", "101%", "a percentage goes from 0% to 100%"),
    ("strategy.failureBudget", "-1%", "should match"),
    ("strategy.onFailure", "Ignore", 'supported values: "Quarantine", "Uncordon"'),
    ("strategy.waves", waves({"name": "a", "size": "101%"}, {"name": "b"}), "a percentage goes from 1% to 100%"),
    ("strategy.waves", waves({"name": "a", "selector": {}}, {"name": "b"}), "an empty selector would match every node"),
    ("strategy.waves", waves({"name": "a", "size": 1}, {"name": "b", "selector": STAGE}),
     "the last wave (b) must not have a selector"),
    ("strategy.waves", waves({"name": "a"}, {"name": "b", "selector": STAGE}, {"name": "c"}), "needs a size (for example 1 or 10%) or a selector"),
    ("strategy.waves", waves({"name": "a", "selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}, {"name": "b"}),
     "the operators In and NotIn need values"),
    ("strategy.topology", {}, "topology.key: Required value"),
    ("strategy.topology", {"key": "no spaces"}, "should match"),
    ("strategy.topology", {"key": "zone", "maxDomainsInProgress": 0}, "greater than or equal to 1"),
    ("strategy.topology", {"key": "zone", "maxDomainsInProgress": "50%"}, "must be of type integer"),
    ("strategy.waves", waves({"name": "a", "topology": {"maxDomainsInProgress": 2}}), "topology.key: Required value"),
    ("strategy.order", [], "at least 1 items"),
    ("strategy.order", ["Age"], 'supported values: "Criticality"'),
    ("strategy.order", ["Name", "Zone", "Name"], "a key stands there twice"),
    ("strategy.order", "Name", "must be of type array"),
    ("drain.timeout", "soon", "must be a duration from 1s to 24h, for example 15m"),
    ("drain.gracePeriodSeconds", -2, "greater than or equal to -1"),
    ("drain.parallelism", 0, "greater than or equal to 1"),
    ("drain.parallelism", 101, "less than or equal to 100"),
    ("drain.unmanagedPods", "Evict", 'supported values: "Block", "Delete"'),
    ("drain.onTimeout", "Retry", 'supported values: "Abort", "Force", "Skip", "Quarantine"'),
    ("drain.localVolumes", "Move", 'supported values: "Block", "Delete"'),
    ("drain.podSelector", {}, "leave it out to drain every pod"),
    ("drain.podSelector", {"matchExpressions": [{"key": "a", "operator": "In"}]}, "the operators In and NotIn need values"),
    ("drain.waitForJobs", "15m", "timeout must be longer than waitForJobs"),
    ("drain.waitForJobs", "-1m", "choose a duration from 0s to 24h"),
    ("drain", {"timeout": "1m", "gracePeriodSeconds": 60}, "timeout must be longer than gracePeriodSeconds"),
    ("drain.requireCapacity", "yes", "must be of type boolean"),
    ("drain.skipWaitForDeleteTimeout", "25h", "choose a duration from 0s to 24h"),
    ("drain.order", [{"name": "a"}], "selector: Required value"),
    ("drain.order", [group("a"), group("a")], "two groups have the same name"),
    ("drain.order", [group("a", {}), group("b", {"matchLabels": {}})], "only one group may have an empty selector"),
    ("drain.order", [group(f"g{n}") for n in range(17)], "must have at most 16 items"),
    ("drain.order", [group("Apps")], "should match"),
    ("rollback.timeout", "0s", "choose a duration from 1s to 24h"),
    ("windows", [without(weekly(), "name")], "name: Required value"),
    ("windows", [without(weekly(), "type")], "type: Required value"),
    ("windows", [without(weekly(), "duration")], "duration: Required value"),
    ("windows", [weekly(type="Monthly")], 'supported values: "Weekly", "Cron"'),
    ("windows", [without(weekly(), "days")], "days is needed with type Weekly"),
    ("windows", [without(weekly(), "start")], "start is needed with type Weekly"),
    ("windows", [weekly(schedule="0 2 * * *")], "schedule is needed with type Cron and must be absent with any other"),
    ("windows", [cron(days=["Sat"])], "days is needed with type Weekly and must be absent with any other"),
    ("windows", [without(cron(), "schedule")], "schedule is needed with type Cron"),
    ("windows", [weekly(days=[])], "at least 1 items"),
    ("windows", [weekly(days=["Saturday"])], 'supported values: "Mon"'),
    ("windows", [weekly(days=["Sat", "Sat"])], "Duplicate value"),
    ("windows", [weekly(start="24:00")], "should match"),
    ("windows", [weekly(start="2:00")], "should match"),
    ("windows", [weekly(duration="0s")], "choose a duration from 1m to 168h"),
    ("windows", [weekly(duration="169h")], "choose a duration from 1m to 168h"),
    ("windows", [weekly(duration="1d")], "must be a duration from 1m to 168h"),
    ("windows", [weekly(timeZone="Europe/../../etc")], "timeZone is the name of a place"),
    ("windows", [weekly(timeZone="/etc/localtime")], "timeZone is the name of a place"),
    ("windows", [weekly(timeZone="localtime")], "timeZone is the name of a place"),
    ("windows", [weekly(timeZone="right/Europe/Berlin")], "timeZone is the name of a place"),
    ("windows", [cron("0 2 * * * *")], "a schedule has five fields"),
    ("windows", [cron("@reboot now then")], "a schedule has five fields"),
    ("windows", [cron("60 2 * * *")], "the field minute takes *, 0 to 59"),
    ("windows", [cron("0 24 * * *")], "the field hour takes *, 0 to 23"),
    ("windows", [cron("0 2 L * *")], "the field day of month takes *, 1 to 31"),
    ("windows", [cron("0 2 15W * *")], "L, W, # and ? have no meaning here"),
    ("windows", [cron("0 2 ? * 1")], "the field day of month takes"),
    ("windows", [cron("0 2 * 13 *")], "the field month takes *, 1 to 12 or JAN to DEC"),
    ("windows", [cron("0 2 * * FRIDAY")], "the field day of week takes *, 0 to 7 or SUN to SAT"),
    ("windows", [cron("0 2 * * MON#2")], "the field day of week takes"),
    ("windows", [cron("*/0 2 * * *")], "the field minute takes"),
    ("windows", [weekly(), weekly()], "Duplicate value"),
    ("windows", [weekly(name=f"w{n}") for n in range(17)], "must have at most 16 items"),
    ("freezes", [without(freeze(), "to")], "to: Required value"),
    ("freezes", [freeze(begin="2027-01-04T00:00:00Z")], "a freeze ends after it begins"),
    ("freezes", [freeze(begin="2027-02-01T00:00:00Z")], "a freeze ends after it begins"),
    ("freezes", [freeze(begin="2026-12-18")], "from"),
    ("freezes", [freeze(begin="2026-12-18T00:00:00")], "should match"),
    ("freezes", [freeze(begin="2026-02-30T00:00:00Z")], "from"),
    ("freezes", [freeze(), freeze()], "Duplicate value"),
    ("freezes", [freeze(name=f"f{n}") for n in range(33)], "must have at most 32 items"),
    ("gates", [without(gate(), "name")], "name: Required value"),
    ("gates", [without(gate(), "type")], "type: Required value"),
    ("gates", [without(gate(), "prometheus")], "prometheus is needed with type Prometheus"),
    ("gates", [{**gate(), "type": "Alertmanager"}], 'supported values: "Prometheus", "HTTP", "Pods", "Resource"'),
    ("gates", [gate(http={"url": "https://a"})], "http is needed with type HTTP and must be absent with any other"),
    ("gates", [gate(at=[])], "at least 1 items"),
    ("gates", [gate(at=["Pod"])], 'supported values: "Rollout", "Wave", "Node"'),
    ("gates", [gate(at=["Node", "Node"])], "Duplicate value"),
    ("gates", [{**gate(), "prometheus": {"address": "https://p", "query": "up"}}], "give max, min or both"),
    ("gates", [gate(prometheus={"max": "1e3"})], "should match"),
    ("gates", [gate(prometheus={"max": 0})], "must be of type string"),
    ("gates", [gate(prometheus={"address": "ftp://prometheus"})], "should match"),
    ("gates", [gate(prometheus={"address": "https://me:word@p"})], "should match"),
    ("gates", [gate(prometheus={"address": "https://p/?x=y"})], "should match"),
    ("gates", [gate(prometheus={"query": ""})], "at least 1 chars long"),
    ("gates", [gate(prometheus={"secretRef": {}})], "name: Required value"),
    ("gates", [gate(onError="Pass")], 'supported values: "Wait", "Fail"'),
    ("gates", [gate(timeout="30s", interval="30s")], "timeout must be below interval"),
    ("gates", [gate(timeout="2m", interval="3m")], "choose a duration from 1s to 1m"),
    ("gates", [gate(interval="2h")], "choose a duration from 2s to 1h"),
    ("gates", [gate_of("HTTP", url="https://a b")], "should match"),
    ("gates", [gate_of("HTTP", url="https://a/{{active}}")], "should match"),
    ("gates", [gate_of("HTTP", url="https://a", field="ready")], "field and value go together"),
    ("gates", [gate_of("HTTP", url="https://a", status=99)], "greater than or equal to 200"),
    ("gates", [gate_of("Pods", namespace="shop")], "selector: Required value"),
    ("gates", [gate_of("Pods", namespace="shop", selector={})], "an empty selector would select every pod"),
    ("gates", [gate_of("Pods", namespace="shop", selector=APP, minReady=0)], "greater than or equal to 1"),
    ("gates", [gate_of("Pods", namespace="shop", selector=APP, minReady="3")], "should match"),
    ("gates", [gate_of("Pods", namespace="shop", selector=APP, minReady="101%")], "should match"),
    ("gates", [gate_of("Resource", **without(CONDITION, "condition"))], "condition: Required value"),
    ("gates", [gate_of("Resource", **{**CONDITION, "apiVersion": "../../v1"})], "should match"),
    ("gates", [gate_of("Resource", **{**CONDITION, "status": "Maybe"})], 'supported values: "True", "False", "Unknown"'),
    ("gates", [gate(), gate()], "Duplicate value"),
    ("gates", [gate(name=f"g{n}") for n in range(9)], "must have at most 8 items"),
    ("exceptions", [without(exception(), "reason")], "reason: Required value"),
    ("exceptions", [exception(reason="")], "reason"),
    ("exceptions", [without(exception(), "expires")], "expires: Required value"),
    ("exceptions", [exception(expires="2037-01-31")], "expires"),
    ("exceptions", [without(exception(), "selector")], "selector: Required value"),
    ("exceptions", [exception(selector={})], "an empty selector would except every node"),
    ("exceptions", [exception(), exception()], "Duplicate value"),
    ("exceptions", [exception("GPU")], "name"),
    ("exceptions", [exception(f"e{n}") for n in range(33)], "must have at most 32 items"),
    ("emergency.bypass", [], "at least 1 items"),
    ("emergency.bypass", ["Health"], 'supported values: "Windows", "Freezes", "Soak", "Approval"'),
    ("emergency.bypass", ["Soak", "Soak"], "Duplicate value"),
    ("emergency.allow", "yes", "must be of type boolean"),
    ("historyLimit", 101, "less than or equal to 100"),
    ("historyLimit", -1, "greater than or equal to 0"),
    ("trigger", "Never", 'supported values: "Automatic", "Manual"'),
    ("suspend", "yes", "must be of type boolean"),
    ("paused", True, 'unknown field "spec.paused"'),
)
RIGHT_POLICIES = (
    ("patches.0.version", "1.34.4+k3s1"),
    ("patches.0.version", "1:2.3~rc1-4"),
    ("patches.0", FOLLOWS),
    ("patches.0", {**FOLLOWS, "channel": {"type": "URL", "url": "https://[fd00::1]:8443/a?b=c", "secretRef": {"name": "a"}}}),
    ("patches.0", {**FOLLOWS, "minimumAge": "8760h", "supportedFrom": [">=1.6.0"]}),
    ("patches.0.job.hostPath", ""),
    ("patches.0.job.resources", {"limits": {"memory": "64Mi", "cpu": 1}, "requests": {"cpu": "0.5"}}),
    ("patches.0.job.timeout", "1h30m"),
    ("patches.0.job.timeout", "1.5h"),
    ("patches.0.job.image", "registry.example:5000/a/b@sha256:" + "0" * 64),
    ("patches", [KUBELET, label("a"), label("b")]),
    ("patches.0", {**CUSTOM, "observed": {"type": "Annotation", "annotation": "example.com/v"}}),
    ("strategy.maxUnavailable", "1%"),
    ("strategy.maxUnavailable", "100%"),
    ("strategy.maxUnavailable", 5000),
    ("strategy.waves", waves({"name": "only", "soak": "336h"})),
    ("strategy.waves", waves({"name": "a", "size": "10%", "maxUnavailable": "50%"}, {"name": "b", "size": 3}, {"name": "c"})),
    ("strategy.waves", waves({"name": "a", "selector": STAGE}, {"name": "b", "selector": STAGE, "size": "100%"},
                             {"name": "c", "size": "99%"}, {"name": "d"})),
    ("strategy.order", ["PodCount"]),
    ("strategy.topology", {"key": "topology.kubernetes.io/zone"}),
    ("strategy.waves", waves({"name": "a", "topology": {"key": "rack", "maxDomainsInProgress": 2}})),
    ("strategy.failureBudget", 5),
    ("strategy.failureBudget", "0%"),
    ("strategy.failureBudget", "100%"),
    ("strategy.settle", {"readyFor": "0s", "timeout": "1s"}),
    (SELECTOR, {"matchExpressions": [{"key": "example.com/pool", "operator": "NotIn", "values": ["gpu", ""]}]}),
    (SELECTOR, {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}),
    ("historyLimit", 0),
    ("drain.gracePeriodSeconds", 0),
    ("drain", {"timeout": "16m", "waitForJobs": "15m", "gracePeriodSeconds": 959, "onTimeout": "Force"}),
    ("drain.podSelector", {"matchLabels": {"tier": "web"}}),
    ("drain.order", [group("apps"), group("rest", {}), group("databases")]),
    ("windows", [weekly(timeZone="America/Argentina/Buenos_Aires"), cron("*/15 0-6/2 1,15-20 JAN-mar,12 FRI-SUN,2")]),
    ("windows", [weekly(name=f"w{n}", days=["Mon", "Sun"], duration="168h", timeZone="Etc/GMT+1") for n in range(16)]),
    ("windows", [cron("05  9 * * 7", duration="1m"), weekly(start="23:59")]),
    ("freezes", [freeze(name=f"f{n}", begin="2026-12-18T00:00:00.5+01:00") for n in range(32)]),
    ("gates", [gate(name=f"g{n}", at=["Rollout", "Wave", "Node"], onError="Fail", timeout="1s", interval="2s",
                    prometheus={"min": "-0.5", "max": "1.25", "query": "q" * 4096, "secretRef": {"name": "prom"}}) for n in range(8)]),
    ("gates", [gate_of("HTTP", url="https://a.example:8443/x?y=z&w", status=204, secretRef={"name": "s"})]),
    ("gates", [gate_of("HTTP", url="http://calendar.ops.svc", field="change.open", value="true")]),
    ("gates", [gate_of("Pods", namespace="shop", selector=APP, minReady="90%")]),
    ("gates", [gate_of("Pods", namespace="shop", selector=APP, minReady=3)]),
    ("gates", [gate_of("Resource", **CONDITION, status="False")]),
    ("gates", [gate_of("Resource", **without(CONDITION, "namespace"))]),
    ("exceptions", [exception(f"e{n}", reference="CHG-4711") for n in range(32)]),
)


class TestValidation(ClusterTest):
    def changed(self, path, value):
        body = copy.deepcopy(objects.policy("table"))
        set_path(body["spec"], path, copy.deepcopy(value) if value is not GONE else value)
        return body

    def test_wrong_policies_are_refused_with_a_hint(self):
        self.assertGreaterEqual(len(WRONG_POLICIES), 40)
        for path, value, hint in WRONG_POLICIES:
            with self.subTest(f"{path}: {'absent' if value is GONE else value}"[:100]):
                self.assert_refused(hint, self.client.create, "patchpolicies", self.changed(path, value), dry_run=True)

    def test_right_policies_are_accepted_as_they_are(self):
        for path, value in RIGHT_POLICIES:
            with self.subTest(f"{path}: {value}"):
                body = self.changed(path, value)
                self.client.create("patchpolicies", body, dry_run=True)

    def test_names_leave_room_for_what_is_made_from_them(self):
        for plural, limit, make in (("patchpolicies", 55, objects.policy),
                                    ("patchrollouts", 61, lambda name: objects.rollout(name, "a"))):
            self.client.create(plural, make("n" * limit), dry_run=True)
            self.assert_refused(f"metadata.name must have at most {limit} characters",
                                self.client.create, plural, make("n" * (limit + 1)), dry_run=True)

    def test_rollout_needs_a_policy(self):
        body = objects.rollout("r", "p")
        for spec, hint in (({}, "policyRef: Required value"), ({"policyRef": {}}, "name: Required value"),
                           ({"policyRef": {"name": ""}}, "at least 1 chars"),
                           ({"policyRef": {"name": "n" * 56}}, "may not be more than 55"),
                           ({"policyRef": {"name": "No"}}, "should match")):
            self.assert_refused(hint, self.client.create, "patchrollouts", {**body, "spec": spec}, dry_run=True)
        self.assert_refused("spec: Required value", self.client.create, "patchrollouts",
                            {key: body[key] for key in ("apiVersion", "kind", "metadata")}, dry_run=True)


class TestGuide(ClusterTest):
    """docs/policy.md"""

    HEAD = ("apiVersion: patchwright.io/v1alpha1\nkind: PatchPolicy\nmetadata: {name: example}\nspec:\n"
            "  target: {nodes: {selector: {matchLabels: {pool: workers}}}}\n")
    PATCH = "  patches:\n    - component: ContainerRuntime\n      version: 1.7.27\n"

    def whole(self, example):
        """A fragment of the guide as a whole object."""
        if example.startswith("apiVersion:"):
            return example
        if example.startswith("patches:"):
            return self.HEAD + textwrap.indent(example, "  ")
        if example.startswith("job:"):
            return self.HEAD + self.PATCH + textwrap.indent(example, "      ")
        return self.HEAD + self.PATCH + "      job: {image: a}\n" + textwrap.indent(example, "  ")

    def test_every_example_is_accepted(self):
        examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/policy.md").read_text(encoding="utf-8"), re.S)
        self.assertGreater(len(examples), 5)
        for example in examples:
            with self.subTest(example.splitlines()[0]):
                self.cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=self.whole(example))

    def test_every_quoted_message_exists(self):
        table = (ROOT / "docs/policy.md").read_text(encoding="utf-8").partition("When the API server refuses")[2]
        rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crds").iterdir())
        messages = [message for line in re.findall(r"(?m)^\| (`.*?) \|", table) for message in re.findall(r"`(.*?)`", line)]
        self.assertGreater(len(messages), 7)
        for message in messages:
            for part in message.split(" … "):
                self.assertIn(part, rules)

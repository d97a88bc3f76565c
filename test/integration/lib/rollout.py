"""What the watch logs and the records of a rollout say: facts that hold whatever the controller claims."""

import hashlib
import json

from .case import node_ready
from .objects import IMAGE  # noqa: F401

STATE = "patchwright.io/state"
STEP_LABEL = "patchwright.io/step"
NODE_ANNOTATION = "patchwright.io/node"
THREE_WAVES = [{"name": "canary", "size": 1}, {"name": "early", "size": "10%"}, {"name": "rest"}]
NO_SETTLE = {"readyFor": "0s"}


def state_of(node):
    """The decoded state annotation of a node; None: it has none."""
    text = node["metadata"].get("annotations", {}).get(STATE)
    return json.loads(text) if text else None


def step_of(node):
    state = state_of(node)
    return state["step"] if state else None


def cordoned(node):
    return bool(node["spec"].get("unschedulable"))


def runtime_version(node):
    return node["status"]["nodeInfo"]["containerRuntimeVersion"]


def is_over(item):
    """It has an outcome, and everything that it left behind is cleaned up."""
    return bool(item.get("status", {}).get("outcome")) and not item["metadata"].get("finalizers")


def most_unavailable(events):
    """The largest number of nodes that were NotReady or cordoned at one time, by the order of the watch log."""
    away, most = set(), 0
    for event in events:
        name = event.object["metadata"]["name"]
        if event.type == "DELETED" or (node_ready(event.object) and not cordoned(event.object)):
            away.discard(name)
        else:
            away.add(name)
        most = max(most, len(away))
    return most


def job_step(pod):
    return pod["metadata"].get("labels", {}).get(STEP_LABEL)


def _must_leave(pod):
    owners = pod["metadata"].get("ownerReferences", [])
    over = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not over and job_step(pod) is None and not any(owner["kind"] == "DaemonSet" for owner in owners)


def undrained(events):
    """What was still on a node when its job pod appeared: [(node, [pods])], empty when every drain came first."""
    on_node, found = {}, []
    for event in events:
        pod = event.object
        node, key = pod["spec"].get("nodeName"), pod["metadata"]["uid"]
        if not node:
            continue
        pods = on_node.setdefault(node, {})
        if event.type == "DELETED" or not _must_leave(pod):
            pods.pop(key, None)
        else:
            pods[key] = pod["metadata"]["name"]
        if event.type == "ADDED" and job_step(pod) and pods:
            found.append((node, sorted(pods.values())))
    return found


def job_pods(events):
    """How many job pods there ever were, by rollout, node and step."""
    uids = {}
    for event in events:
        metadata = event.object["metadata"]
        if job_step(event.object):
            key = (metadata["annotations"]["patchwright.io/rollout"], event.object["spec"]["nodeName"], job_step(event.object))
            uids.setdefault(key, set()).add(metadata["uid"])
    return {key: len(found) for key, found in uids.items()}


def steps(events):
    """[(time, node, step, cordoned)] for every change of a node's step."""
    last, found = {}, []
    for event in events:
        name, step = event.object["metadata"]["name"], step_of(event.object)
        if event.type != "DELETED" and step != last.get(name):
            last[name] = step
            found.append((event.time, name, step, cordoned(event.object)))
    return found


# --- the record ---

def pages(client, rollout):
    """The report pages of a rollout, in order."""
    found = [report["spec"] for report in client.list("patchreports")
             if report["spec"]["rolloutRef"]["uid"] == rollout["metadata"]["uid"]]
    return sorted(found, key=lambda spec: spec["page"])


def decisions(client, rollout):
    """The whole ledger of an ended rollout."""
    return [decision for page in pages(client, rollout) for decision in page.get("decisions", [])]


def hash_of(decision):
    """sha256 over the canonical JSON of all other fields."""
    rest = {key: value for key, value in decision.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_ledger(case, ledger, rollout):
    """Every decision is in it once, those of the status too, and the chain holds."""
    case.assertTrue(ledger, "the report holds no decision")
    ids = [decision["id"] for decision in ledger]
    case.assertEqual(len(ids), len(set(ids)), "a decision is in the ledger twice")
    case.assertEqual([decision["seq"] for decision in ledger], list(range(1, len(ledger) + 1)))
    previous = ""
    for decision in ledger:
        case.assertEqual(decision.get("previous", ""), previous, decision)
        case.assertEqual(decision["hash"], hash_of(decision), decision)
        previous = decision["hash"]
    by_id = {decision["id"]: decision for decision in ledger}
    for decision in rollout["status"]["decisions"]:
        case.assertEqual(decision, by_id.get(decision["id"]))

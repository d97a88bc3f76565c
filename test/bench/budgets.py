"""How fast a drain notices a PodDisruptionBudget: when it allows nothing any more, and when it does again.

On each of some nodes stand two pods of one Deployment, which can run nowhere else. The budget allows the first eviction and
is at 0 afterwards, with the drain waiting for the second pod; then the budget is relieved. Times are those at which a watch
showed the cause and the effect.
"""

from lib import objects, rollout
from lib.wait import wait_for
from lib.watch import Recorder

COUNT = 8
NAMESPACE = "budgets"


def measure(client, tag):
    """Two lists of seconds, one entry a node."""
    names = [f"{tag}-budget-{number}" for number in range(COUNT)]
    for name in names:
        client.create("nodes", objects.node(name, {"pool": f"{tag}-budgets", "budget": name}))
    wait_for(lambda: all(_usable(client.get("nodes", name)) for name in names), 30, "the nodes are Ready")
    client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    try:
        for name in names:
            client.create("deployments", objects.deployment(name, 2, {"budget": name}), NAMESPACE)
            client.create("poddisruptionbudgets", objects.pdb(name, minAvailable=1), NAMESPACE)
        wait_for(lambda: all(_allowed(pdb) == 1 for pdb in client.list("poddisruptionbudgets", NAMESPACE)), 60,
                 "each budget allows one eviction")
        return _run(client, tag, names)
    finally:
        for name in names:
            client.delete("deployments", name, NAMESPACE)
            client.delete("nodes", name)
        client.delete("namespaces", NAMESPACE)
        client.delete("patchpolicies", f"{tag}-budgets")


def _run(client, tag, names):
    with Recorder(client.kubeconfig, "poddisruptionbudgets", NAMESPACE) as pdbs, \
         Recorder(client.kubeconfig, "pods", NAMESPACE) as pods, \
         Recorder(client.kubeconfig, "patchrollouts") as rollouts:
        client.create("patchpolicies", objects.policy(
            f"{tag}-budgets", target={"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": f"{tag}-budgets"}}}},
            strategy={"maxUnavailable": 1, "waves": [{"name": "all"}], "settle": rollout.NO_SETTLE}))
        order = {}
        for _ in names:
            node = _next_blocked(rollouts, order)
            client.patch("poddisruptionbudgets", node, {"spec": {"minAvailable": 0}}, NAMESPACE)
            rollouts.wait_for(lambda event, n=node: n not in _active(event.object) and event.time > order[n], 60, f"{node} is done")
        seen = [order[name] - _used_up(pdbs, pods, name) for name in names]
        return seen, [_evicted(pods, name)[1] - _relieved(pdbs, name) for name in names]


def _usable(node):
    return not node["spec"].get("taints") and any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])


def _allowed(pdb):
    return pdb.get("status", {}).get("disruptionsAllowed")


def _active(item):
    return {entry["node"]: entry for entry in item.get("status", {}).get("active", [])}


def _blocked(item):
    return [node for node, entry in _active(item).items() if entry.get("blockedBy", {}).get("name") == node]


def _next_blocked(rollouts, order):
    """Waits for the next node that is blocked by its budget; notes when that was seen."""
    event = rollouts.wait_for(lambda event: any(node not in order for node in _blocked(event.object)), 60, "a drain is blocked")
    node = next(node for node in _blocked(event.object) if node not in order)
    order[node] = event.time
    return node


def _evicted(pods, app):
    """When the evictions of an app's pods were seen, in order."""
    found = {}
    for event in pods.events():
        metadata = event.object["metadata"]
        if metadata.get("labels", {}).get("app") == app and metadata.get("deletionTimestamp"):
            found.setdefault(metadata["uid"], event.time)
    return sorted(found.values())


def _used_up(pdbs, pods, name):
    """When the budget was seen at 0 by the first eviction: not when its pods were not Ready yet."""
    zero = [event.time for event in pdbs.events(name) if _allowed(event.object) == 0 and event.object["status"].get("disruptedPods")]
    return zero[0] if zero else _evicted(pods, name)[0]


def _relieved(pdbs, name):
    relaxed = [event.time for event in pdbs.events(name)
               if event.object["spec"].get("minAvailable") == 0 and _allowed(event.object)]
    return relaxed[0]

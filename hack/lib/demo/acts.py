"""The two acts, and everything around them."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

from . import stage
from .kubectl import HACK, ROOT, DemoError, Kubectl, Program, cluster, cluster_env
from .view import View

NODES = 30
GOOD, BAD = "1.7.27", "1.7.28"
ACT_SECONDS = 150


def headline(text):
    print(f"\n=== {text}\n", flush=True)


def wait_for(what, condition, seconds, programs=()):
    deadline = time.monotonic() + seconds
    while not condition():
        for program in programs:
            program.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not within {seconds} s")
        time.sleep(0.3)


# ---- the cluster ----


def local_cluster(cleanup):
    cleanup.callback(cluster, "down", "--name", "demo")
    cluster("up", "--name", "demo", "--nodes", "0", "--pods-per-node", "0")
    return Kubectl(*cluster_env("demo"))


def users_cluster(kubeconfig, cleanup, logs):
    """A cluster of the user's: only the simulation of the demo's own nodes is started for it."""
    if not shutil.which("kubectl"):
        raise DemoError("kubectl is not on the PATH: it is needed to use a cluster of yours")
    kubectl = Kubectl(os.path.abspath(kubeconfig))
    remove_stage(kubectl)
    context = kubectl.run("config", "current-context").strip()
    print(f"using the cluster of context {context}; the demo creates nodes {stage.POOL} and removes them at the end")
    kwok = Program("the node simulation", [os.path.join(HACK, "cluster"), "simulate"], os.path.join(logs, "kwok.log"), kubectl.environ)
    cleanup.callback(kwok.stop)
    cleanup.callback(remove_stage, kubectl)
    return kubectl


def remove_stage(kubectl):
    kubectl.run("delete", "patchpolicy", stage.POLICY, "--ignore-not-found", "--timeout=60s", check=False)
    kubectl.run("delete", "namespace", stage.NAMESPACE, "--ignore-not-found", "--timeout=60s", check=False)
    kubectl.run("delete", "nodes", "-l", f"pool={stage.POOL}", check=False)


def set_stage(kubectl):
    kubectl.run("apply", "--server-side", "-f", os.path.join(ROOT, "crds"))
    kubectl.run("apply", "--server-side", "-k", os.path.join(ROOT, "deploy/kustomize"))
    kubectl.run("wait", "--for=condition=Established", "--timeout=30s",
                *(f"crd/{plural}.patchwright.io" for plural in ("patchpolicies", "patchrollouts", "patchreports", "patchapprovals")))
    kubectl.create(*[stage.node(i) for i in range(1, NODES + 1)])
    replicas = NODES * 4 // len(stage.APPS)
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stage.NAMESPACE}}, *[o for app in stage.APPS for o in stage.workload(app, replicas)])
    for app in stage.APPS:
        kubectl.run("-n", stage.NAMESPACE, "rollout", "status", f"deployment/{app}", "--timeout=90s")


# ---- an act ----


def newest_rollout(kubectl, known):
    return next((r for r in kubectl.items("patchrollouts") if r["metadata"]["name"] not in known), None)


def play(kubectl, title, version, programs):
    """Applies the policy and shows its rollout until the end; returns the rollout."""
    known = {r["metadata"]["name"] for r in kubectl.items("patchrollouts")}
    kubectl.apply(stage.policy(version))
    view, deadline = View(title), time.monotonic() + ACT_SECONDS
    while True:
        rollout = newest_rollout(kubectl, known)
        if rollout:
            view.update(rollout)
            if rollout.get("status", {}).get("outcome") and not rollout["metadata"].get("finalizers"):
                return rollout
        for program in programs:
            program.check()
        if time.monotonic() > deadline:
            raise DemoError(f"the rollout did not end within {ACT_SECONDS} s; see {programs[0].log}")
        time.sleep(0.4)


def runtimes(kubectl):
    shown = {}
    for node in kubectl.items("nodes", "-l", f"pool={stage.POOL}"):
        version = node["status"]["nodeInfo"]["containerRuntimeVersion"]
        cordoned = " (cordoned)" if node["spec"].get("unschedulable") else ""
        shown[version + cordoned] = shown.get(version + cordoned, 0) + 1
    return ", ".join(f"{count} nodes at {version}" for version, count in sorted(shown.items()))


def decisions(rollout):
    for d in rollout["status"].get("decisions", [])[-14:]:
        print(f"  {d['seq']:>3}  {d['type']:<13} {d['subject']:<10} {d['reason']:<16} {d.get('evidence', '').splitlines()[0][:100] if d.get('evidence') else ''}")
    print(f"  newest hash of the ledger: {rollout['status']['decisions'][-1]['hash']}")


def expect(rollout, outcome):
    if rollout["status"]["outcome"] != outcome:
        raise DemoError(f"the rollout ended as {rollout['status']['outcome']}, not {outcome}: {rollout['status'].get('summary')}")


def both_acts(kubectl, programs):
    headline(f"Act one: containerd {stage.OLD} becomes {GOOD} on {NODES} nodes: canary, then early, then the rest")
    rollout = play(kubectl, f"containerd {stage.OLD} → {GOOD}", GOOD, programs)
    expect(rollout, "Succeeded")
    print(f"\n{runtimes(kubectl)}")
    headline(f"Act two: {BAD} does not work. It is stopped at the canary and taken back; nothing else is touched")
    rollout = play(kubectl, f"containerd {GOOD} → {BAD} (broken)", BAD, programs)
    expect(rollout, "RolledBack")
    print(f"\n{runtimes(kubectl)}")
    headline("What is left to read, with plain kubectl")
    kubectl.show("get", "pp,prl")
    kubectl.show("get", "patchreports")
    print(f"The decisions of {rollout['metadata']['name']}:")
    decisions(rollout)


def start_programs(kubectl, cleanup, logs):
    agent = Program("fleet-agent", [os.path.join(ROOT, "build/fleet-agent"), "--kubeconfig", kubectl.kubeconfig, "--delay", "1500ms", "--fail-version", BAD], os.path.join(logs, "fleet-agent.log"))
    cleanup.callback(agent.stop)
    command = [os.path.join(ROOT, "build/patchwright-controller"), "--kubeconfig", kubectl.kubeconfig, "--listen-address", ""]
    controller = Program("patchwright-controller", command, os.path.join(logs, "controller.log"))
    cleanup.callback(controller.stop)
    return [controller, agent]


def main():
    started, logs = time.monotonic(), tempfile.mkdtemp(prefix="patchwright-demo-")
    try:
        with contextlib.ExitStack() as cleanup:
            headline("A real control plane with simulated nodes")
            users = os.environ.get("DEMO_KUBECONFIG")
            kubectl = users_cluster(users, cleanup, logs) if users else local_cluster(cleanup)
            set_stage(kubectl)
            programs = start_programs(kubectl, cleanup, logs)
            both_acts(kubectl, programs)
            print(f"\nDone in {time.monotonic() - started:.0f} s. Logs are in {logs}.")
    except (DemoError, subprocess.SubprocessError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped", file=sys.stderr)
        return 130
    return 0

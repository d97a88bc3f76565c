"""The objects that tests make."""

import uuid

KUBELET = "v1.34.4"
IMAGE = "registry.example/patcher@sha256:" + "0" * 64  # by digest, as the controller wants it


def node(name, labels=None, zone="zone-a", version="containerd://1.6.20", kubelet=KUBELET, **fields):
    """A node that KWOK plays. version is its containerRuntimeVersion."""
    machine = str(uuid.uuid4())
    resources = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake", **fields.pop("annotations", {})},
            "labels": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
                       "topology.kubernetes.io/zone": zone, **(labels or {})},
        },
        "spec": fields,
        "status": {
            "capacity": resources, "allocatable": resources,
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": "Debian GNU/Linux 12 (bookworm)",
                "kernelVersion": "6.1.0-18-amd64", "containerRuntimeVersion": version, "kubeletVersion": kubelet,
                "kubeProxyVersion": kubelet, "bootID": str(uuid.uuid4()), "machineID": machine.replace("-", ""),
                "systemUUID": machine,
            },
        },
    }


def deployment(name, replicas, node_selector=None, annotations=None, empty_dir=False, cpu="100m"):
    spec = {
        "terminationGracePeriodSeconds": 30,
        "containers": [{"name": "main", "image": f"example/{name}:1.0",
                        "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}],
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": name}}}],
    }
    if node_selector:
        spec["nodeSelector"] = node_selector
    if empty_dir:
        spec["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}, "annotations": annotations or {}}, "spec": spec},
        },
    }


def pdb(name, **spec):
    """spec: minAvailable or maxUnavailable, and what else a PodDisruptionBudget takes. Selects app=name."""
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, **spec},
    }


def policy(name, **spec):
    """A PatchPolicy; what spec does not say is a small valid policy for containerd on pool=workers."""
    full = {
        "target": {"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": "workers"}}}},
        "patches": [{"component": "ContainerRuntime", "version": "1.7.27",
                     "job": {"image": IMAGE}}],
    }
    full.update(spec)
    return {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchPolicy", "metadata": {"name": name}, "spec": full}


def rollout(name, policy_name):
    return {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchRollout", "metadata": {"name": name},
            "spec": {"policyRef": {"name": policy_name}}}


def emergency(name, policy_name, author="kubernetes-admin"):
    """A PatchRollout that is one, made by who answers for it."""
    body = rollout(name, policy_name)
    body["metadata"]["annotations"] = {"patchwright.io/author": author}
    body["spec"]["emergency"] = {"enabled": True, "reason": "CVE-2027-1234 is exploited"}
    return body


def report(name, **spec):
    """A page of a PatchReport: the smallest, and spec."""
    return {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchReport", "metadata": {"name": name}, "spec": {
        "rolloutRef": {"name": "r", "uid": "0"}, "policyRef": {"name": "p"}, "page": 1, "pages": 1,
        "outcome": "Succeeded", **spec}}


def approval(name, rollout_body, user, wave="", **spec):
    """A PatchApproval of a PatchRollout as it is now."""
    metadata = rollout_body["metadata"]
    return {"apiVersion": "patchwright.io/v1alpha1", "kind": "PatchApproval", "metadata": {"name": name}, "spec": {
        "rolloutRef": {"name": metadata["name"], "uid": metadata["uid"]},
        "planHash": rollout_body.get("status", {}).get("plan", {}).get("hash", "0" * 64), "wave": wave, "user": user, **spec}}


def cluster_role(name, **rules):
    """A ClusterRole; rules: what of patchwright.io (or nodes), and which verbs."""
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [
        {"apiGroups": ["" if plural == "nodes" else "patchwright.io"], "resources": [plural], "verbs": verbs}
        for plural, verbs in rules.items()]}


def cluster_role_binding(name, role, *users):
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"} for user in users]}

"""What the demo plays with: simulated nodes in three zones, a shop with PodDisruptionBudgets, and the policy."""
import uuid

POOL = "patchwright-demo"
NAMESPACE = "patchwright-demo"
POLICY = "demo-containerd"
ZONES = ("zone-a", "zone-b", "zone-c")
APPS = ("web", "cart", "search")
OLD = "1.6.20"
TAINT = {"key": "patchwright.io/demo", "value": "true", "effect": "NoSchedule"}


def node(index):
    name = f"demo-{index:02d}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"pool": POOL, "topology.kubernetes.io/zone": ZONES[index % len(ZONES)], "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "spec": {"taints": [TAINT]},
        "status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": "6.1.0-18-amd64",
                "containerRuntimeVersion": f"containerd://{OLD}", "kubeletVersion": "v1.34.4", "kubeProxyVersion": "v1.34.4",
                "bootID": str(uuid.uuid4()), "machineID": str(uuid.uuid4()), "systemUUID": str(uuid.uuid4()),
            },
        },
    }


def workload(app, replicas):
    labels = {"app": app}
    return [
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"namespace": NAMESPACE, "name": app},
         "spec": {"maxUnavailable": "20%", "selector": {"matchLabels": labels}}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": NAMESPACE, "name": app},
         "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                  "template": {"metadata": {"labels": labels},
                               "spec": {"nodeSelector": {"pool": POOL}, "tolerations": [{"key": TAINT["key"], "operator": "Exists"}], "terminationGracePeriodSeconds": 5,
                                        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                                                                       "labelSelector": {"matchLabels": labels}}],
                                        "containers": [{"name": app, "image": "demo.invalid/shop:1"}]}}}},
    ]


def job(text):
    return {"image": "demo.invalid/patcher@sha256:" + "0" * 64, "command": ["/patch"], "args": [text], "timeout": "1m"}


def policy(version):
    return {
        "apiVersion": "patchwright.io/v1alpha1",
        "kind": "PatchPolicy",
        "metadata": {"name": POLICY},
        "spec": {
            "target": {"type": "Nodes", "nodes": {"selector": {"matchLabels": {"pool": POOL}}}},
            "patches": [{"component": "ContainerRuntime", "version": version, "observeTimeout": "30s", "job": job("install"), "rollback": job("back")}],
            "strategy": {
                "maxUnavailable": "20%",
                "waves": [{"name": "canary", "size": 1, "soak": "5s"}, {"name": "early", "size": "20%", "maxUnavailable": 3, "soak": "5s"}, {"name": "rest"}],
                "settle": {"readyFor": "1s", "timeout": "1m"},
            },
            "drain": {"timeout": "2m"},
        },
    }

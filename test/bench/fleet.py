"""A large cluster's nodes and pods, in seconds: nobody runs them, and nobody but us changes them.

The API server makes one object of each kind; what it stored is then copied in etcd under other names. A name, UID or number
that differs from copy to copy has the same length in all of them, so that the stored protobuf stays valid. The objects are as
long as those of a simulated cluster: a pod takes 2 KB as protobuf and 7 KB as JSON with its managed fields.
"""

import base64
import http.client
import json
import pathlib
import ssl
import threading
import time

NAMESPACES = 50
PODS_PER_DEPLOYMENT = 40
PUTS_A_REQUEST = 100
WRITERS = 8
NODES_A_PUT = 5  # one by one, etcd takes 250 a second on a busy machine
TIME = "2026-11-21T11:22:38Z"
# Stand for what differs: as long as the digits that replace them, and no digits themselves.
NUMBER, NODE, OWNER, NAMESPACE, RACK = "qnumb", "qnode", "qown", "qns", "qrac"


def conditions(*kinds):
    return [{"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": TIME, "lastTransitionTime": TIME}
            for kind, status, reason, message in kinds]


def node():
    name = f"node-{NUMBER}"
    capacity = {"cpu": "16", "memory": "65536000Ki", "pods": "110", "ephemeral-storage": "203070420Ki", "hugepages-2Mi": "0"}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name, "node.kubernetes.io/instance-type": "standard-16", "pool": "workers",
                "topology.kubernetes.io/region": "region-1", "topology.kubernetes.io/zone": "region-1a",
                "node.kubernetes.io/lifecycle": "on-demand", "example.com/rack": f"r{RACK}", "example.com/team": "team-7"},
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "300", "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                "csi.volume.kubernetes.io/nodeid": json.dumps({"disk.csi.example.com": f"i-0123456789ab{NUMBER}"}),
                "flannel.alpha.coreos.com/public-ip": "10.0.0.1"}},
        "spec": {"podCIDR": "10.64.0.0/24", "providerID": f"example:///region-1a/i-0123456789ab{NUMBER}"},
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "conditions": conditions(
                ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                ("Ready", "True", "KubeletReady", "kubelet is posting ready status")),
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": [{"names": [f"registry.example/team/service-{i}@sha256:{i:064x}", f"registry.example/team/service-{i}:1.{i}.0"],
                        "sizeBytes": 100000000 + i} for i in range(10)],
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": "6.1.0-18-amd64",
                "containerRuntimeVersion": "containerd://1.7.27", "kubeletVersion": "v1.34.4", "kubeProxyVersion": "v1.34.4",
                "bootID": f"000{NUMBER}-1111-4111-8111-111111111111", "machineID": f"{'0' * 27}{NUMBER}",
                "systemUUID": f"000{NUMBER}-2222-4222-8222-222222222222"}}}


LABELS = {
    "ReplicaSet": {"app.kubernetes.io/name": f"service-{OWNER}", "app.kubernetes.io/instance": f"service-{OWNER}-production",
                   "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/managed-by": "Helm", "pod-template-hash": "6b7f9c8d54"},
    "DaemonSet": {"app": f"agent-{OWNER}", "controller-revision-hash": "7d6f8c9b5", "pod-template-generation": "1"},
    "StatefulSet": {"app": f"store-{OWNER}", "controller-revision-hash": f"store-{OWNER}-5f6c", "apps.kubernetes.io/pod-index": NUMBER,
                    "statefulset.kubernetes.io/pod-name": f"store-{OWNER}-{NUMBER}"},
}
OWNER_NAMES = {"ReplicaSet": f"service-{OWNER}-6b7f9c8d54", "DaemonSet": f"agent-{OWNER}", "StatefulSet": f"store-{OWNER}"}


def pod(kind):
    owner = OWNER_NAMES[kind]
    container = {"name": "main", "image": f"registry.example/team/service:{OWNER}", "ports": [{"name": "http", "containerPort": 8080}],
                 "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                 "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": f"{owner}-{NUMBER}", "labels": LABELS[kind], "annotations": {"checksum/config": f"{OWNER * 16}"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": owner, "controller": True, "blockOwnerDeletion": True,
                                 "uid": f"33333333-3333-4333-8333-33333333{OWNER}"}]},
        "spec": {"nodeName": f"node-{NODE}", "containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]},
        "status": {
            "phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.64.0.1", "podIPs": [{"ip": "10.64.0.1"}], "startTime": TIME, "qosClass": "Burstable",
            "conditions": [{"type": kind, "status": "True", "lastTransitionTime": TIME} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
            "containerStatuses": [{"name": "main", "image": container["image"], "imageID": "", "ready": True, "started": True, "restartCount": 0,
                                   "containerID": f"containerd://{'0' * 59}{NUMBER}", "state": {"running": {"startedAt": TIME}}}]}}


def kind_of(number):
    """Of twenty pods, two are of a DaemonSet and one of a StatefulSet."""
    if number % 10 == 0:
        return "DaemonSet"
    return "StatefulSet" if number % 20 == 1 else "ReplicaSet"


class Etcd:
    """What the API server stored: read, and written behind its back. A connection a thread."""

    def __init__(self, state):
        settings = dict(line.split("=") for line in (state / "ports").read_text(encoding="ascii").split())
        self.port = int(settings["PORT_ETCD"])
        self.tls = ssl.create_default_context(cafile=str(state / "pki/etcd-ca.crt"))
        self.tls.load_cert_chain(state / "pki/etcd-client.crt", state / "pki/etcd-client.key")
        self._local = threading.local()

    def _post(self, path, body):
        return json.loads(self._send(path, json.dumps(body).encode()))

    def _send(self, path, body):
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls)
        self._local.connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._local.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (path, answer.status, text[:300])
        return text

    def get(self, key):
        found = self._post("/v3/kv/range", {"key": _text(key.encode())})
        return base64.b64decode(found["kvs"][0]["value"])

    def again(self, keys):
        """What writes once more what is there, each time that it is called, at little cost."""
        puts = [{"requestPut": {"key": _text(key.encode()), "value": _text(self.get(key))}} for key in keys]
        body = json.dumps({"success": puts}).encode()
        return lambda: self._send("/v3/kv/txn", body)

    def put_all(self, pairs):
        """One transaction for many: they all get the same resourceVersion, which no client may mind."""
        batch = []
        for key, value in pairs:
            batch.append({"requestPut": {"key": _text(key.encode()), "value": _text(value)}})
            if len(batch) == PUTS_A_REQUEST:
                self._post("/v3/kv/txn", {"success": batch})
                batch = []
        if batch:
            self._post("/v3/kv/txn", {"success": batch})


def _text(value):
    return base64.b64encode(value).decode()


def state_of(cluster):
    """The folder of a cluster of hack/cluster."""
    return pathlib.Path(cluster.kubeconfig_path).parent


def _stored(cluster, etcd, plural, key, item, namespace=None):
    """What the API server stores of it; the object itself is gone afterwards. The UID's last digits stand for a number."""
    name = item["metadata"]["name"]
    made = cluster.client.create(plural, item, namespace)
    if "ownerReferences" in item["metadata"]:
        cluster.client.patch(plural, name, {"status": item["status"]}, namespace, subresource="status")
    stored = etcd.get(key)
    cluster.client.delete(plural, name, namespace, grace=0)
    uid = made["metadata"]["uid"]
    return stored.replace(uid.encode(), f"{uid[:-len(NUMBER)]}{NUMBER}".encode())


def _copy(stored, **values):
    for token, value in values.items():
        token = globals()[token.upper()]
        assert len(value) == len(token), (token, value)
        stored = stored.replace(token.encode(), value.encode())
    return stored


class Fleet:
    def __init__(self, cluster):
        self.cluster, self.etcd = cluster, Etcd(state_of(cluster))

    def create(self, nodes, pods):
        self.node = _stored(self.cluster, self.etcd, "nodes", f"/registry/minions/node-{NUMBER}", node())
        self.etcd.put_all((f"/registry/minions/node-{number:05}", self._node(number)) for number in range(nodes))
        for number in range(NAMESPACES):
            self._make_namespace(f"team-{number:03}")
        self._make_namespace(f"team-{NAMESPACE}")
        stored = {kind: self._stored_pod(kind) for kind in OWNER_NAMES}
        self.etcd.put_all(self._pod(stored, number, nodes) for number in range(pods))

    def _make_namespace(self, name):
        self.cluster.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def _stored_pod(self, kind):
        namespace = f"team-{NAMESPACE}"
        key = f"/registry/pods/{namespace}/{OWNER_NAMES[kind]}-{NUMBER}"
        return _stored(self.cluster, self.etcd, "pods", key, pod(kind), namespace)

    def _node(self, number):
        return _copy(self.node, number=f"{number:05}", rack=f"{number // 40:04}")

    @staticmethod
    def _pod(stored, number, nodes):
        kind, owner = kind_of(number), number // PODS_PER_DEPLOYMENT
        values = {"number": f"{number:05}", "node": f"{number % nodes:05}", "owner": f"{owner:04}", "namespace": f"{owner % NAMESPACES:03}"}
        key = _copy(f"/registry/pods/team-{NAMESPACE}/{OWNER_NAMES[kind]}-{NUMBER}".encode(), **values)
        return key.decode(), _copy(stored[kind], **values)


class Heartbeats:
    """Updates of nodes that change nothing but the resourceVersion, so many a second, until they are stopped."""

    def __init__(self, cluster, nodes, rate):
        self.etcd, self.rate = Etcd(state_of(cluster)), rate
        keys = [f"/registry/minions/node-{number:05}" for number in range(min(nodes, rate))]
        self.updates = [self.etcd.again(keys[at:at + NODES_A_PUT]) for at in range(0, len(keys), NODES_A_PUT)]
        self.counts, self.stopping = [0] * WRITERS, False
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(WRITERS)]
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()

    def _run(self, writer):
        while not self.stopping:
            self.updates[(self.counts[writer] * WRITERS + writer) % len(self.updates)]()
            self.counts[writer] += 1
            due = self.began + self.counts[writer] * WRITERS * NODES_A_PUT / self.rate
            time.sleep(max(0.0, due - time.monotonic()))

    def finish(self):
        """How many updates a second there were."""
        self.stopping = True
        seconds = time.monotonic() - self.began
        for thread in self.threads:
            thread.join()
        return sum(self.counts) * NODES_A_PUT / seconds

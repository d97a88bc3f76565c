# shellcheck shell=bash
# What lives in the cluster: simulated nodes, and workloads that run on them.

NODE_OS_IMAGE="Debian GNU/Linux 12 (bookworm)"
NODE_KERNEL=6.1.0-18-amd64
NODE_RUNTIME=containerd://1.6.20
WORKLOADS=(web cart search)

kubectl_admin() { "$K8S_BIN/kubectl" --kubeconfig="$KUBECONFIG_ADMIN" "$@"; }

# --- Nodes --------------------------------------------------------------------------------------

# node_json NUMBER ZONES: one simulated node, as its kubelet would register it.
node_json() {
	local name zone boot_id machine_id letters=abcdefghijklmnopqrstuvwxyz
	printf -v name 'node-%03d' "$1"
	zone=zone-${letters:($1 - 1) % $2:1}
	read -r boot_id </proc/sys/kernel/random/uuid
	read -r machine_id </proc/sys/kernel/random/uuid
	cat <<-END
		{"apiVersion":"v1","kind":"Node","metadata":{"name":"$name",
		"annotations":{"kwok.x-k8s.io/node":"fake"},
		"labels":{"pool":"workers","kubernetes.io/arch":"amd64","kubernetes.io/os":"linux","kubernetes.io/hostname":"$name","topology.kubernetes.io/zone":"$zone"}},
		"status":{"addresses":[{"type":"InternalIP","address":"10.32.$(($1 / 250)).$(($1 % 250 + 1))"},{"type":"Hostname","address":"$name"}],
		"capacity":{"cpu":"8","memory":"32Gi","pods":"110"},"allocatable":{"cpu":"8","memory":"32Gi","pods":"110"},
		"nodeInfo":{"architecture":"amd64","operatingSystem":"linux","osImage":"$NODE_OS_IMAGE","kernelVersion":"$NODE_KERNEL",
		"containerRuntimeVersion":"$NODE_RUNTIME","kubeletVersion":"$K8S_VERSION","kubeProxyVersion":"$K8S_VERSION",
		"bootID":"$boot_id","machineID":"${machine_id//-/}","systemUUID":"$machine_id"}}}
	END
}

create_nodes() {
	local count=$1 zones=$2 i
	for ((i = 1; i <= count; i++)); do
		node_json "$i" "$zones"
	done >"$STATE/nodes.json"
	kubectl_admin create --validate=false -f "$STATE/nodes.json" >/dev/null
}

# ready_nodes: how many nodes are Ready and open for pods.
ready_nodes() {
	local ready
	ready=$(kubectl_admin get nodes -o go-template='{{range .items}}{{if not .spec.taints}}{{range .status.conditions}}{{if and (eq .type "Ready") (eq .status "True")}}x{{end}}{{end}}{{end}}{{end}}' 2>/dev/null) || return 1
	echo ${#ready}
}

nodes_are_ready() { [ "$(ready_nodes)" = "$1" ]; }

# --- Workloads ----------------------------------------------------------------------------------

workload_json() {
	local app=$1 replicas=$2
	cat <<-END
		{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"namespace":"shop","name":"$app"},
		"spec":{"maxUnavailable":"25%","selector":{"matchLabels":{"app":"$app"}}}}
		{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"$app","labels":{"app":"$app"}},
		"spec":{"replicas":$replicas,"revisionHistoryLimit":2,"selector":{"matchLabels":{"app":"$app"}},
		"template":{"metadata":{"labels":{"app":"$app"}},"spec":{
		"terminationGracePeriodSeconds":30,
		"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"ScheduleAnyway",
		"labelSelector":{"matchLabels":{"app":"$app"}}}],
		"containers":[{"name":"$app","image":"shop/$app:1.0","resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}}}
	END
}

# create_workloads PODS: replicas in equal shares; the first ones take what is left over.
create_workloads() {
	local pods=$1 n=${#WORKLOADS[@]} i replicas
	{
		echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}'
		for ((i = 0; i < n; i++)); do
			replicas=$((pods / n + (i < pods % n)))
			workload_json "${WORKLOADS[i]}" "$replicas"
		done
	} >"$STATE/workloads.json"
	kubectl_admin create --validate=false -f "$STATE/workloads.json" >/dev/null
}

# workloads_are_ready PODS: all pods available, and known to the budgets that protect them.
workloads_are_ready() {
	local available healthy
	available=$(kubectl_admin -n shop get deployments -o go-template='{{range .items}}{{or .status.availableReplicas 0}} {{end}}' 2>/dev/null) || return 1
	[ "$(sum "$available")" = "$1" ] || return 1
	healthy=$(kubectl_admin -n shop get poddisruptionbudgets -o go-template='{{range .items}}{{or .status.currentHealthy 0}} {{end}}' 2>/dev/null) || return 1
	[ "$(sum "$healthy")" = "$1" ]
}

sum() {
	local total=0 n
	for n in $1; do total=$((total + n)); done
	echo "$total"
}

# shellcheck shell=bash
# What lives in the cluster: simulated nodes, and workloads that run on them.

NODE_OS_IMAGE="Debian GNU/Linux 12 (bookworm)"
NODE_KERNEL=6.1.0-18-amd64
NODE_RUNTIME=containerd://1.6.20
WORKLOADS=(web cart search)

kubectl_admin() { "$K8S_BIN/kubectl" --kubeconfig="$KUBECONFIG_ADMIN" "$@"; }

# --- Nodes --------------------------------------------------------------------------------------

# node_template COUNT: a node as its kubelet would report it, with @NAME@ and the like to fill in.
# Labels and annotations that the controllers would add are there from the start, and so is Ready:
# each write that a node does not cause is saved hundreds of times.
node_template() {
	local now
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	cat <<-END
		{"apiVersion":"v1","kind":"Node","metadata":{"name":"@NAME@",
		"annotations":{"kwok.x-k8s.io/node":"fake","node.alpha.kubernetes.io/ttl":"$(node_ttl "$1")"},
		"labels":{"pool":"workers","topology.kubernetes.io/zone":"@ZONE@","kubernetes.io/hostname":"@NAME@",
		"kubernetes.io/arch":"amd64","kubernetes.io/os":"linux","beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/os":"linux"}},
		"status":{"phase":"Running","conditions":[
		$(condition_json Ready True KubeletReady "kubelet is posting ready status" "$now"),
		$(condition_json MemoryPressure False KubeletHasSufficientMemory "kubelet has sufficient memory available" "$now"),
		$(condition_json DiskPressure False KubeletHasNoDiskPressure "kubelet has no disk pressure" "$now"),
		$(condition_json PIDPressure False KubeletHasSufficientPID "kubelet has sufficient PID available" "$now")],
		"addresses":[{"type":"InternalIP","address":"@ADDRESS@"},{"type":"Hostname","address":"@NAME@"}],
		"capacity":{"cpu":"8","memory":"32Gi","pods":"110"},"allocatable":{"cpu":"8","memory":"32Gi","pods":"110"},
		"nodeInfo":{"architecture":"amd64","operatingSystem":"linux","osImage":"$NODE_OS_IMAGE","kernelVersion":"$NODE_KERNEL",
		"containerRuntimeVersion":"$NODE_RUNTIME","kubeletVersion":"$K8S_VERSION","kubeProxyVersion":"$K8S_VERSION",
		"bootID":"@BOOT_ID@","machineID":"@MACHINE_ID@","systemUUID":"@MACHINE_ID@"}}}
	END
}

# condition_json TYPE STATUS REASON MESSAGE TIME
condition_json() {
	printf '{"type":"%s","status":"%s","reason":"%s","message":"%s","lastHeartbeatTime":"%s","lastTransitionTime":"%s"}' \
		"$1" "$2" "$3" "$4" "$5" "$5"
}

# node_ttl COUNT: what the controller-manager's TTL controller gives to nodes of a cluster of that size.
node_ttl() {
	if (($1 <= 100)); then
		echo 0
	elif (($1 <= 500)); then
		echo 15
	elif (($1 <= 1000)); then
		echo 30
	elif (($1 <= 2000)); then
		echo 60
	else
		echo 300
	fi
}

# node_list COUNT ZONES: all simulated nodes; no process is started for a single node.
node_list() {
	local template node name boot_id machine_id i letters=abcdefghijklmnopqrstuvwxyz
	template=$(node_template "$1")
	for ((i = 1; i <= $1; i++)); do
		printf -v name 'node-%03d' "$i"
		read -r boot_id </proc/sys/kernel/random/uuid
		read -r machine_id </proc/sys/kernel/random/uuid
		node=${template//@NAME@/$name}
		node=${node//@ZONE@/zone-${letters:(i - 1) % $2:1}}
		node=${node//@ADDRESS@/10.32.$((i / 250)).$((i % 250 + 1))}
		node=${node//@BOOT_ID@/$boot_id}
		node=${node//@MACHINE_ID@/$machine_id}
		printf '%s\n' "$node"
	done
}

create_nodes() {
	node_list "$1" "$2" >"$STATE/nodes.json"
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

# replicas_of INDEX PODS: equal shares; the first Deployments take what is left over.
replicas_of() { echo $(($2 / ${#WORKLOADS[@]} + ($1 < $2 % ${#WORKLOADS[@]}))); }

create_workloads() {
	local pods=$1 i
	{
		echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}'
		for i in "${!WORKLOADS[@]}"; do
			workload_json "${WORKLOADS[i]}" "$(replicas_of "$i" "$pods")"
		done
	} >"$STATE/workloads.json"
	kubectl_admin create --validate=false -f "$STATE/workloads.json" >/dev/null
}

# workloads_are_ready PODS: all pods available, and known to the budgets that protect them. It
# watches for a few seconds: polling would take the processor from what it waits for.
workloads_are_ready() {
	local i app replicas
	for i in "${!WORKLOADS[@]}"; do
		app=${WORKLOADS[i]}
		replicas=$(replicas_of "$i" "$1")
		((replicas > 0)) || continue
		await_field "deployment/$app" .status.availableReplicas "$replicas" || return 1
		await_field "poddisruptionbudget/$app" .status.currentHealthy "$replicas" || return 1
	done
}

# await_field OBJECT FIELD VALUE
await_field() {
	kubectl_admin -n shop wait "$1" --for="jsonpath={$2}=$3" --timeout=3s >/dev/null 2>&1
}

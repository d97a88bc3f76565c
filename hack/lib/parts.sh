# shellcheck shell=bash
# The processes of one cluster: how each is started, how it is known to be ready, how it is stopped.

# In the order in which they start; they stop in the opposite order.
PARTS=(etcd apiserver controller-manager scheduler kwok)

is_part() {
	local part
	for part in "${PARTS[@]}"; do
		[ "$part" != "$1" ] || return 0
	done
	return 1
}

log_of() { echo "$STATE/logs/$1.log"; }

program_of() {
	case $1 in
	etcd | kwok) binary "$1" ;;
	*) binary "kube-$1" ;;
	esac
}

# --- Which process is it ------------------------------------------------------------------------

# start_time PID: when the process started, in clock ticks since boot. With the pid it names one
# process for good. Fails for a process that is gone or a zombie.
start_time() {
	local stat fields
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The name in parentheses may hold spaces: only what follows it is split.
	read -ra fields <<<"${stat##*) }"
	[ "${fields[0]}" != Z ] || return 1
	echo "${fields[19]}"
}

# pid_of PART: the pid of the running process that we started as this part; fails when there is none.
pid_of() {
	local pid started program argv
	read -r pid started program 2>/dev/null <"$STATE/run/$1" || return 1
	[ "$(start_time "$pid")" = "$started" ] || return 1
	IFS= read -r -d '' argv <"/proc/$pid/cmdline" 2>/dev/null || return 1
	[ "$argv" = "$program" ] || return 1
	echo "$pid"
}

# has_ended PID STARTED: all threads of that process have ended, and so its ports are free. A process that was killed shows no command
# line and a dead first thread before that; a zombie that nobody waits for stays for ever.
has_ended() {
	local stat fields
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	read -ra fields <<<"${stat##*) }"
	[ "${fields[19]}" = "$2" ] || return 0
	[ "${fields[0]}" = Z ] && [ "${fields[17]}" -le 1 ]
}

is_alive() { pid_of "$1" >/dev/null; }
is_gone() { ! is_alive "$1"; }

dead_parts() {
	local part
	for part in "${PARTS[@]}"; do
		is_alive "$part" || echo "$part"
	done
}

# --- Ports --------------------------------------------------------------------------------------

# Ports below the range from which the system picks those of outgoing connections.
choose_ports() {
	local taken name port
	exec 7>"$STATE_ROOT/.ports.lock"
	flock 7
	# A stopped part keeps its port, so the files of all clusters count as well as open ports.
	taken=$(cat "$STATE_ROOT"/*/ports 2>/dev/null || true)
	: >"$STATE/ports"
	for name in ETCD ETCD_PEER APISERVER CONTROLLER_MANAGER SCHEDULER; do
		while :; do
			port=$((20000 + SRANDOM % 12000))
			[[ $taken != *"=$port"* ]] && ! port_is_open "$port" && break
		done
		taken+=" =$port"
		echo "PORT_$name=$port" >>"$STATE/ports"
	done
	exec 7>&-
}

# --- Start --------------------------------------------------------------------------------------

# launch PART ARGUMENTS...: a process of its own session that holds nothing of the caller.
launch() {
	local part=$1 program pid
	shift
	program=$(program_of "$part")
	(
		drop_inherited_files
		ulimit -n "$(ulimit -H -n)" 2>/dev/null || true
		cd "$STATE" || exit 1
		# These processes make much garbage on a small heap; collecting it less often is worth the memory.
		GOGC=300 exec setsid "$program" "$@"
	) </dev/null >>"$(log_of "$part")" 2>&1 &
	pid=$!
	# The name is the program's only once setsid has become it.
	wait_for 5 has_become "$pid" "$program" || die_with_log "$(log_of "$part")" "$part ended as soon as it was started."
	printf '%s %s %s\n' "$pid" "$(start_time "$pid")" "$program" >"$STATE/run/$part"
	disown "$pid" 2>/dev/null || true
}

has_become() {
	local argv
	IFS= read -r -d '' argv 2>/dev/null <"/proc/$1/cmdline" && [ "$argv" = "$2" ]
}

# A caller's pipe or lock must not stay open for as long as the cluster runs.
drop_inherited_files() {
	local file fd
	for file in "/proc/$BASHPID/fd"/*; do
		fd=${file##*/}
		if ((fd > 2)); then eval "exec $fd>&-"; fi
	done
}

# setting NAME DEFAULT: the environment's value, else the one that this cluster was started with.
setting() {
	local file=$STATE/settings/$1
	if [ -n "${!1+set}" ]; then printf '%s\n' "${!1}" >"$file"; fi
	if [ -f "$file" ]; then cat "$file"; else echo "$2"; fi
}

launch_etcd() {
	local client=https://127.0.0.1:$PORT_ETCD peer=https://127.0.0.1:$PORT_ETCD_PEER
	launch etcd \
		--name=default --data-dir="$STATE/etcd" --unsafe-no-fsync --log-level=warn \
		--listen-client-urls="$client" --advertise-client-urls="$client" \
		--listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" --initial-cluster="default=$peer" \
		--cert-file="$PKI/etcd.crt" --key-file="$PKI/etcd.key" \
		--client-cert-auth --trusted-ca-file="$PKI/etcd-ca.crt" \
		--peer-cert-file="$PKI/etcd.crt" --peer-key-file="$PKI/etcd.key" \
		--peer-client-cert-auth --peer-trusted-ca-file="$PKI/etcd-ca.crt" \
		--quota-backend-bytes=4294967296
}

# Without a grace period for watches, each open watch holds up the server's end for a minute.
launch_apiserver() {
	local extra
	read -ra extra <<<"$(setting PATCHWRIGHT_APISERVER_FLAGS "")"
	launch apiserver \
		--bind-address=127.0.0.1 --secure-port="$PORT_APISERVER" --advertise-address=127.0.0.1 \
		--tls-cert-file="$PKI/serving.crt" --tls-private-key-file="$PKI/serving.key" \
		--client-ca-file="$PKI/ca.crt" \
		--allow-privileged=true --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
		--etcd-servers="https://127.0.0.1:$PORT_ETCD" --etcd-cafile="$PKI/etcd-ca.crt" \
		--etcd-certfile="$PKI/etcd-client.crt" --etcd-keyfile="$PKI/etcd-client.key" \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$PKI/service-accounts.key" \
		--service-account-signing-key-file="$PKI/service-accounts.key" \
		--service-cluster-ip-range=10.96.0.0/16 \
		--endpoint-reconciler-type=none \
		--shutdown-watch-termination-grace-period=2s \
		"${extra[@]}"
}

# The rate limits of the controller-manager's and the scheduler's clients are far above their
# defaults: otherwise these, and not what is tested, decide how fast evicted pods come back. One
# process renews the leases of all nodes: where they are many it may be late, and none is lost for that.
launch_controller_manager() {
	local lost_after_s=$((NODES > 200 ? 600 : 50))
	launch controller-manager \
		--kubeconfig="$STATE/controller-manager.kubeconfig" --leader-elect=false \
		--bind-address=127.0.0.1 --secure-port="$PORT_CONTROLLER_MANAGER" \
		--tls-cert-file="$PKI/serving.crt" --tls-private-key-file="$PKI/serving.key" \
		--use-service-account-credentials=true \
		--service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt" \
		--node-monitor-grace-period="${lost_after_s}s" \
		--kube-api-qps=500 --kube-api-burst=1000
}

launch_scheduler() {
	cat >"$STATE/scheduler.yaml" <<-END
		apiVersion: kubescheduler.config.k8s.io/v1
		kind: KubeSchedulerConfiguration
		leaderElection:
		  leaderElect: false
		clientConnection:
		  kubeconfig: $STATE/scheduler.kubeconfig
		  qps: 500
		  burst: 1000
	END
	launch scheduler \
		--config="$STATE/scheduler.yaml" \
		--bind-address=127.0.0.1 --secure-port="$PORT_SCHEDULER" \
		--tls-cert-file="$PKI/serving.crt" --tls-private-key-file="$PKI/serving.key"
}

# write_kwok_config FILE: the stages with this cluster's delays filled in. The leases of 5,000 nodes, written four times a
# minute each, would be a third of what two processors can do.
write_kwok_config() {
	local start_ms stop_ms
	start_ms=$(setting PATCHWRIGHT_POD_START_MS 300)
	stop_ms=$(setting PATCHWRIGHT_POD_STOP_MS 500)
	need_number PATCHWRIGHT_POD_START_MS "$start_ms" 0 600000
	need_number PATCHWRIGHT_POD_STOP_MS "$stop_ms" 0 600000
	sed -e "s/\${LEASE_S}/$((NODES > 200 ? 240 : 60))/" -e "s/\${POD_START_MS}/$start_ms/" -e "s/\${POD_STOP_MS}/$stop_ms/" \
		-e "s/\${KUBELET_VERSION}/$K8S_VERSION/" "$HACK/lib/kwok-stages.yaml" >"$1"
}

# At its usual level KWOK logs every lease and every patch.
KWOK_FLAGS=(-v=WARN --manage-all-nodes=false --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake)

launch_kwok() {
	write_kwok_config "$STATE/kwok.yaml"
	# A new KWOK process would wait for the leases of the one before it to run out.
	kubectl_admin delete --raw "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases" >/dev/null 2>&1 || true
	launch kwok "${KWOK_FLAGS[@]}" --kubeconfig="$STATE/kwok.kubeconfig" --config="$STATE/kwok.yaml"
}

start_part() {
	is_gone "$1" || return 0
	rotate_log "$1"
	"launch_${1//-/_}"
}

# The log of the start that failed is the interesting one, so one old log is kept.
rotate_log() {
	local log
	log=$(log_of "$1")
	[ ! -s "$log" ] || mv "$log" "$log.old"
}

# --- Ready --------------------------------------------------------------------------------------

is_ready() {
	case $1 in
	etcd) port_is_open "$PORT_ETCD" ;;
	apiserver) answers "$PORT_APISERVER" /readyz ;;
	controller-manager) answers "$PORT_CONTROLLER_MANAGER" /healthz ;;
	scheduler) answers "$PORT_SCHEDULER" /healthz ;;
	kwok) every_node_has_a_lease ;;
	esac
}

# The port is tried first as starting kubectl costs a hundred times as much.
answers() {
	port_is_open "$1" && [ "$(kubectl_admin --server="https://127.0.0.1:$1" get --raw "$2" 2>/dev/null)" = ok ]
}

every_node_has_a_lease() {
	local nodes leases
	nodes=$(kubectl_admin get nodes -o jsonpath='{range .items[?(@.metadata.annotations.kwok\.x-k8s\.io/node=="fake")]}x{end}' 2>/dev/null) || return 1
	leases=$(kubectl_admin get leases -n kube-node-lease -o go-template='{{range .items}}x{{end}}' 2>/dev/null) || return 1
	((${#leases} >= ${#nodes}))
}

ready_or_dead() { is_gone "$1" || is_ready "$1"; }

# wait_ready PART SECONDS
wait_ready() {
	local log
	log=$(log_of "$1")
	wait_for "$2" ready_or_dead "$1" || die_with_log "$log" "$1 is running but not ready after $2 s."
	is_alive "$1" || die_with_log "$log" "$1 ended while it was starting."
}

# --- etcd's history -----------------------------------------------------------------------------

# etcd_call PATH JSON: a call of etcd's API.
etcd_call() {
	KUBECONFIG=/dev/null "$(binary kubectl)" --server="https://127.0.0.1:$PORT_ETCD" --certificate-authority="$PKI/etcd-ca.crt" \
		--client-certificate="$PKI/etcd-client.crt" --client-key="$PKI/etcd-client.key" create --raw "$1" -f - <<<"$2"
}

# What the API server still has in its watch cache it goes on serving.
compact_etcd() {
	local answer
	answer=$(etcd_call /v3/kv/range '{"key":"AA=="}') || die "etcd of cluster '$CLUSTER' does not answer."
	[[ $answer =~ \"revision\":\"([0-9]+)\" ]] || die "etcd of cluster '$CLUSTER' does not say its revision: $answer"
	etcd_call /v3/kv/compaction "{\"revision\":\"${BASH_REMATCH[1]}\",\"physical\":true}" >/dev/null ||
		die "etcd of cluster '$CLUSTER' does not compact its history."
}

# --- Stop ---------------------------------------------------------------------------------------

# stop_part PART [SIGNAL]: asks, waits, and kills what does not listen.
stop_part() {
	local pid started
	if pid=$(pid_of "$1") && started=$(start_time "$pid"); then
		kill "-${2:-TERM}" "$pid" 2>/dev/null || true
		kill -CONT "$pid" 2>/dev/null || true # one that was frozen hears nothing
		if ! wait_for 15 has_ended "$pid" "$started"; then
			kill -KILL "$pid" 2>/dev/null || true
			wait_for 15 has_ended "$pid" "$started" || die "$1 (process $pid) does not end."
		fi
	fi
	rm -f "$STATE/run/$1"
}

# Nothing of the cluster is kept, so there is nothing that it would have to save.
kill_all_parts() {
	local i
	for ((i = ${#PARTS[@]} - 1; i >= 0; i--)); do
		stop_part "${PARTS[i]}" KILL
	done
}

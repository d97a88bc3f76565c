# shellcheck shell=bash
# What all parts of hack/cluster share: messages, waiting, numbers.

# Results go to stdout; everything that is said on the way goes to stderr, so that
# `eval "$(hack/cluster env)"` never sees it.
say() { printf '%s\n' "$*" >&2; }

die() {
	printf 'hack/cluster: %s\n' "$*" >&2
	exit 1
}

# die_with_log LOG SENTENCE: one sentence and the end of the log that explains it.
die_with_log() {
	local log=$1
	shift
	printf 'hack/cluster: %s\n' "$*" >&2
	if [ -s "$log" ]; then
		printf 'The last lines of %s:\n' "$log" >&2
		tail -n 15 "$log" | cut -c 1-400 | sed 's/^/  | /' >&2
	fi
	exit 1
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# since START_MS: the time since then, for people: "4.2 s" or "3 min 12 s".
since() {
	local ms=$(($(now_ms) - $1))
	if ((ms < 60000)); then
		printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
	else
		printf '%d min %d s' $((ms / 60000)) $((ms % 60000 / 1000))
	fi
}

# wait_for SECONDS COMMAND...: polls until the command succeeds; fails when the time is up. A check
# that takes long is made less often, so that it does not hold up what it waits for.
wait_for() {
	local end=$(($(now_ms) + $1 * 1000)) begun pause
	shift
	while begun=$(now_ms) && ! "$@"; do
		(($(now_ms) < end)) || return 1
		pause=$((2 * ($(now_ms) - begun)))
		pause=$((pause < 100 ? 100 : pause > 1000 ? 1000 : pause))
		sleep "$((pause / 1000)).$(printf %03d $((pause % 1000)))"
	done
}

need_command() {
	command -v "$1" >/dev/null 2>&1 || die "needs '$1' ($2)."
}

# need_number OPTION VALUE MIN MAX
need_number() {
	[[ $2 =~ ^[0-9]{1,6}$ ]] || die "$1 takes a number, not '$2'."
	((10#$2 >= $3 && 10#$2 <= $4)) || die "$1 must be between $3 and $4, not $2."
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

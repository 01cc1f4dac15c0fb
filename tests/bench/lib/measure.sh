# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Measuring: CPU time of a server's processes per request, and its memory.

need() {
	for c in "$@"; do
		command -v "$c" >/dev/null ||
		    { echo "bench: $c is missing; install it" >&2; exit 1; }
	done
}

# Nanoseconds on a CPU, all threads of all given processes.
cpu_ns() {
	local pid
	for pid in "$@"; do
		cat /proc/"$pid"/task/*/schedstat 2>/dev/null || true
	done | awk '{ t += $1 } END { printf "%.0f\n", t }'
}

# load PIDS URL WRK-ARGUMENTS... -> "requests/s cpu-us/request"
load() {
	local pids=$1 url=$2 before after out
	shift 2
	# shellcheck disable=SC2086 # a list of pids
	before=$(cpu_ns $pids)
	out=$(on_client wrk -t1 -d"${seconds}s" "$@" "$url")
	# shellcheck disable=SC2086
	after=$(cpu_ns $pids)
	if grep -Eq 'Non-2xx|Socket errors' <<<"$out"; then
		echo "bench: errors under load from $url:" >&2
		grep -E 'Non-2xx|Socket errors' <<<"$out" >&2
	fi
	if [ "$before" = "$after" ]; then
		echo "bench: the processes $pids used no CPU" >&2
		exit 1
	fi
	awk -v a="$before" -v b="$after" '
		/requests in/ { n = $1 }
		/^Requests\/sec/ { rps = $2 }
		END { printf "%.0f %.4f\n", rps, (b - a) / 1000 / n }' <<<"$out"
}

# Median, least and greatest of a column of numbers.
spread() {
	sort -g | awk '{ v[NR] = $1 } END {
		m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
		printf "%.3f %.3f %.3f\n", m, v[1], v[NR] }'
}

print_head() {
	echo "| what | hostd req/s | nginx req/s | hostd µs CPU/request |" \
	    "nginx µs CPU/request | CPU ratio (least-most) | req/s ratio |" \
	    "goal |"
	echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
}

column() {
	cut -d' ' -f"$2" "$1" | spread | cut -d' ' -f1
}

# compare NAME GOAL HOSTD-URL NGINX-URL WRK-ARGUMENTS...
compare() {
	local name=$1 goal=$2 a=$3 b=$4 i
	shift 4
	: >"$dir/a"
	: >"$dir/b"
	load "$HOSTD_PIDS" "$a" "$@" >/dev/null
	load "$NGINX_PIDS" "$b" "$@" >/dev/null
	for ((i = 0; i < pairs; i++)); do
		load "$HOSTD_PIDS" "$a" "$@" >>"$dir/a"
		load "$NGINX_PIDS" "$b" "$@" >>"$dir/b"
	done
	paste -d' ' "$dir/a" "$dir/b" | awk '{ print $2 / $4 }' | spread \
	    >"$dir/cpu"
	paste -d' ' "$dir/a" "$dir/b" | awk '{ print $1 / $3 }' | spread \
	    >"$dir/rps"
	[ "$goal" != - ] && goal="CPU ≤ $goal" || goal="req/s ≥ 6"
	awk -v name="$name" -v goal="$goal" \
	    -v ar="$(column "$dir/a" 1)" -v br="$(column "$dir/b" 1)" \
	    -v ac="$(column "$dir/a" 2)" -v bc="$(column "$dir/b" 2)" \
	    -v cpu="$(cat "$dir/cpu")" -v rps="$(cat "$dir/rps")" 'BEGIN {
		split(cpu, c, " "); split(rps, r, " ")
		printf "| %s | %d | %d | %.2f | %.2f | %.2f (%.2f-%.2f) | " \
		    "%.2f | %s |\n", name, ar, br, ac, bc, c[1], c[2], c[3],
		    r[1], goal }'
}

pss_kb() {
	local pid
	for pid in "$@"; do
		awk '/^Pss:/ { print $2 }' /proc/"$pid"/smaps_rollup
	done | awk '{ t += $1 } END { print t }'
}

# User memory of one idle keep-alive connection, over thousands of them.
idle_memory() {
	local n=4000 before after
	# shellcheck disable=SC2086 # a list of pids
	before=$(pss_kb $HOSTD_PIDS)
	exec 9< <(on_client node "$here/lib/idle.mjs" "$HOSTD/small" $n)
	read -r -u 9 _
	# shellcheck disable=SC2086
	after=$(pss_kb $HOSTD_PIDS)
	kill "$!" 2>/dev/null || true
	exec 9<&-
	awk -v a="$before" -v b="$after" -v n="$n" 'BEGIN {
		printf "\nidle keep-alive connection: %.2f KiB of user memory " \
		    "(goal: under 2), over %d of them\n", (b - a) / n, n }'
}

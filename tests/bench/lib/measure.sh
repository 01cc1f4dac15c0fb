# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Measuring two sides in turn: CPU time of a server's processes, its memory,
# and what to say of many runs.

# How it is measured; the environment may say otherwise.
pairs=${BENCH_PAIRS:-7}		# of runs, for each row
# shellcheck disable=SC2034 # by measure of the caller
seconds=${BENCH_SECONDS:-2}	# of a run
tries=${BENCH_TRIES:-5}		# of a run that others disturb
patience=${BENCH_PATIENCE:-25}	# fifths of a second to wait for quiet

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

# Ticks that all CPUs have spent on anything.
busy_ticks() {
	awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9; exit }' /proc/stat
}

pss_kb() {
	local pid
	for pid in "$@"; do
		awk '/^Pss:/ { print $2 }' /proc/"$pid"/smaps_rollup
	done | awk '{ t += $1 } END { print t }'
}

# load ARGUMENT... -> "count/s cpu-us/count" of one run.
#
# measure ARGUMENT... is the caller's; it makes the run and sets server_ns (of
# CPU), ticks (of all CPUs meanwhile), own (seconds of CPU of the load itself),
# count and took (seconds).  Two busy cores are all that a machine may have: a
# run waits a while for a quiet moment, and one that somebody else took more
# than a tenth of a core from is made again, a few times.
runs=0 disturbed=0
load() {
	local i
	for ((i = 0; i < tries; i++)); do
		await_quiet
		measure "$@"
		[ "$server_ns" -gt 0 ] ||
		    { echo "bench: the server used no CPU" >&2; exit 1; }
		is_undisturbed && break
	done
	runs=$((runs + 1))
	[ "$i" -lt "$tries" ] || disturbed=$((disturbed + 1))
	awk -v ns="$server_ns" -v n="$count" -v s="$took" 'BEGIN {
		printf "%.0f %.4f\n", n / s, ns / 1000 / n }'
}

# Until 0.2 s pass with at most a twentieth of a core in use; $patience times.
await_quiet() {
	local i before
	for ((i = 0; i < patience; i++)); do
		before=$(busy_ticks)
		read -r -t 0.2 <> <(:) || true
		[ $(($(busy_ticks) - before)) -gt 1 ] || return 0
	done
}

is_undisturbed() {
	awk -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" -v ns="$server_ns" \
	    -v own="$own" -v s="$took" \
	    'BEGIN { exit (ticks / hz - ns / 1e9 - own) / s > 0.1 }'
}

print_disturbed() {
	[ "$runs" -eq 0 ] || printf '\n%d of %d runs were disturbed by %s\n' \
	    "$disturbed" "$runs" "others on this machine"
}

# Median, least and greatest of a column of numbers.
spread() {
	sort -g | awk '{ v[NR] = $1 } END {
		m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
		printf "%.3f %.3f %.3f\n", m, v[1], v[NR] }'
}

column() {
	cut -d' ' -f"$2" "$1" | spread | cut -d' ' -f1
}

# One run of each side that does not count, then $pairs that do.  side_a and
# side_b are the caller's, and print what load prints.
run_pairs() {
	local i
	: >"$dir/a"
	: >"$dir/b"
	side_a >/dev/null
	side_b >/dev/null
	for ((i = 0; i < pairs; i++)); do
		side_a >>"$dir/a"
		side_b >>"$dir/b"
	done
	paste -d' ' "$dir/a" "$dir/b" | awk '{ print $1 / $3 }' | spread \
	    >"$dir/rate"
	paste -d' ' "$dir/a" "$dir/b" | awk '{ print $2 / $4 }' | spread \
	    >"$dir/cpu"
}

# print_pairs NAME GOAL: a row of the table, of what run_pairs has measured.
print_pairs() {
	awk -v name="$1" -v goal="$2" \
	    -v ar="$(column "$dir/a" 1)" -v br="$(column "$dir/b" 1)" \
	    -v ac="$(column "$dir/a" 2)" -v bc="$(column "$dir/b" 2)" \
	    -v cpu="$(cat "$dir/cpu")" -v rate="$(cat "$dir/rate")" 'BEGIN {
		split(cpu, c, " "); split(rate, r, " ")
		printf "| %s | %d | %d | %.2f | %.2f | %.2f (%.2f-%.2f) | " \
		    "%.2f (%.2f-%.2f) | %s |\n", name, ar, br, ac, bc,
		    c[1], c[2], c[3], r[1], r[2], r[3], goal }'
}

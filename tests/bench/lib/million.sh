# shellcheck shell=bash
# shellcheck disable=SC2154 # dir, prefix and the tables are the caller's
# SPDX-License-Identifier: BSD-2-Clause
# What is left of a million sessions whose time is over.

million=${BENCH_MILLION:-1000000}
lives=60	# seconds

# rollup NAME KEY -> MiB of the worker
rollup() {
	# shellcheck disable=SC2086 # the master, and its worker
	set -- "$2" ${pids[$1]}
	awk -v key="$1:" '$1 == key { printf "%.1f\n", $2 / 1024 }' \
	    /proc/"$3"/smaps_rollup
}

# sessions NAME -> how many its store has
sessions() {
	"$prefix/bin/hostctl" -s "$dir/$1/run/control.sock" \
	    plugin call store count |
	    sed -n 's/.*"sessions": *\([0-9]*\).*/\1/p'
}

# file_size NAME -> MiB
file_size() {
	stat -c %s "$dir/$1.mdb" | awk '{ printf "%.1f\n", $1 / 1048576 }'
}

# One more column for each row of the table.
note() {
	sessions "$1" >>"$dir/$1.count"
	rollup "$1" Anonymous >>"$dir/$1.own"
	rollup "$1" Rss >>"$dir/$1.rss"
	[ ! -f "$dir/$1.mdb" ] || file_size "$1" >>"$dir/$1.file"
}

await_expiry() {
	local i
	for ((i = 0; i < 4 * lives; i++)); do
		[ "$(sessions "$1")" -gt 0 ] || return 0
		read -r -t 1 <> <(:) || true
	done
	echo "bench: $(sessions "$1") sessions have not expired" >&2
	exit 1
}

# print_row STORE WHAT FILE
print_row() {
	echo "| $1 | $2 | $(paste -sd'|' "$3" | sed 's/|/ | /g') |"
}

# print_million NAME STORE
print_million() {
	local i
	note "$1"
	for i in 1 2; do
		(on_client node "$here/lib/starts.mjs" "${url[$1]}/start" \
		    "$million")
		note "$1"
		await_expiry "$1"
		note "$1"
	done
	print_row "$2" "sessions in it" "$dir/$1.count"
	print_row "$2" "memory of the worker's own, MiB" "$dir/$1.own"
	print_row "$2" "with what it shares and maps (RSS), MiB" "$dir/$1.rss"
	[ ! -f "$dir/$1.file" ] ||
	    print_row "$2" "file, MiB" "$dir/$1.file"
}

print_millions() {
	printf '\nA million sessions, each of which lives for %s s:\n\n' \
	    "$lives"
	echo "| store | | before | a million made | expired |" \
	    "another million | expired |"
	echo "| --- | --- | --- | --- | --- | --- | --- |"
	store_lmdb lmdb-million "sync = off  sweep_interval = 1s" \
	    "ttl = ${lives}s"
	print_million lmdb-million session_lmdb
	store_hostd memory-million session_memory "max_sessions = 2000000" \
	    "ttl = ${lives}s"
	print_million memory-million session_memory
}

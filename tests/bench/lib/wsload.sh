# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what load of measure.sh reads, and has set
# SPDX-License-Identifier: BSD-2-Clause
# One run of tests/bench/load.  Servers have names: url, pids and options of
# them are the caller's, and so is $dir with the fifo go in it.

# The next line that the load says, in $said.
hear() {
	read -r -u 9 said && return
	echo "bench: the load has failed" >&2
	exit 1
}

# begin SERVER KIND OPTIONS: start a load; it waits until it is told to go.
begin() {
	# shellcheck disable=SC2086 # options, or none
	exec 9< <(on_client "$prefix/bench/wsload" "${@:2}" ${options[$1]} \
	    "${url[$1]}" <"$dir/go")
	client=$!
	# For reading, too: that does not wait for a load that failed to start.
	exec 8<>"$dir/go"
	hear
}

end() {
	exec 8>&-
	wait "$client"
	exec 9<&-
}

# measure_wsload SERVER KIND OPTIONS: what beside_pids use counts as the load's.
measure_wsload() {
	local ns before aside
	begin "$@" -d "$seconds"
	# shellcheck disable=SC2086 # a list of pids
	ns=$(cpu_ns ${pids[$1]})
	# shellcheck disable=SC2086
	aside=$(cpu_ns ${beside_pids:-})
	before=$(busy_ticks)
	echo >&8
	hear
	ticks=$(($(busy_ticks) - before))
	# shellcheck disable=SC2086
	server_ns=$(($(cpu_ns ${pids[$1]}) - ns))
	# shellcheck disable=SC2086
	aside=$(($(cpu_ns ${beside_pids:-}) - aside))
	end
	read -r count took own < <(awk -v aside="$aside" \
	    '{ print $1, $2, $3 + aside / 1e9 }' <<<"$said")
}

# idle SERVER OPTIONS -> KiB of user memory of one idle connection, over $many
many=10000
idle() {
	local before after
	# shellcheck disable=SC2086 # a list of pids
	before=$(pss_kb ${pids[$1]})
	begin "$1" idle -c "$many" "${@:2}"
	# shellcheck disable=SC2086
	after=$(pss_kb ${pids[$1]})
	end
	awk -v a="$before" -v b="$after" -v n="$many" \
	    'BEGIN { printf "%.2f\n", (b - a) / n }'
}

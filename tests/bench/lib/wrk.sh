# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what load of measure.sh reads, and has set
# SPDX-License-Identifier: BSD-2-Clause
# One run of wrk, for measure of the caller.

# measure_wrk PIDS URL WRK-ARGUMENTS...: what beside_pids use counts as the
# load's.
measure_wrk() {
	local pids=$1 url=$2 ns before out aside TIMEFORMAT='own %U %S'
	shift 2
	# shellcheck disable=SC2086 # a list of pids
	ns=$(cpu_ns $pids)
	# shellcheck disable=SC2086
	aside=$(cpu_ns ${beside_pids:-})
	before=$(busy_ticks)
	out=$({ time on_client wrk -t1 -d"${seconds}s" "$@" "$url" |
	    cat; } 2>&1)
	ticks=$(($(busy_ticks) - before))
	# shellcheck disable=SC2086
	server_ns=$(($(cpu_ns $pids) - ns))
	# shellcheck disable=SC2086
	aside=$(($(cpu_ns ${beside_pids:-}) - aside))
	if grep -Eq 'Non-2xx|Socket errors' <<<"$out"; then
		echo "bench: errors under load from $url:" >&2
		grep -E 'Non-2xx|Socket errors' <<<"$out" >&2
	fi
	read -r count took own < <(awk -v aside="$aside" '
	    /requests in/ { n = $1 }
	    /^Requests\/sec/ { s = n / $2 }
	    /^own/ { print n, s, $2 + $3 + aside / 1e9 }' <<<"$out")
}

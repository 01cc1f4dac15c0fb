# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Counting what passed, showing what did not.
# shellcheck disable=SC2030,SC2031 # a step counts for itself

passed=0
failed=0
failures=()

# note NAME LOG STATUS: one thing that passed or failed as a whole.
note() {
	if [ "$3" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
		return
	fi
	failed=$((failed + 1))
	failures+=("$1")
	echo "FAILED  $1 (exit status $3)"
	sed 's/^/	| /' "$2" | tail -n 80
}

# note_counts NAME LOG PASSED FAILED: many at once.
note_counts() {
	passed=$((passed + $3))
	failed=$((failed + $4))
	if [ "$4" -eq 0 ] && [ "$3" -gt 0 ]; then
		echo "ok      $1: $3"
		return
	fi
	# A runner that ran nothing has failed.
	[ "$4" -gt 0 ] || failed=$((failed + 1))
	failures+=("$1")
	echo "FAILED  $1: $3 passed, $4 failed"
}

finish() {
	local f
	for f in "${failures[@]}"; do
		echo "failed: $f"
	done
	[ $((passed + failed)) -gt 0 ] || failed=1
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

# Steps that run beside one another, each in a process group of its own: what it
# says and counts is kept in $build/steps and put where it is collected.
declare -A running=()

# begin NAME COMMAND...
begin() {
	local name=$1 dir=$build/steps/$1
	shift
	rm -rf "$dir" && mkdir -p "$dir"
	set -m
	(
		trap - INT TERM
		set +m
		running=() passed=0 failed=0 failures=()
		"$@"
		status=$?
		declare -p passed failed failures >"$dir/counts"
		exit "$status"
	) >"$dir/out" 2>&1 </dev/null &
	running[$name]=$!
	set +m
}

# collect NAME: wait for its end; its status.
collect() {
	local name=$1 dir=$build/steps/$1 status=0
	wait "${running[$name]}" || status=$?
	# A test that was ended for its time may have left something.
	kill -TERM -- "-${running[$name]}" 2>/dev/null
	unset "running[$name]"
	cat "$dir/out"
	if [ -s "$dir/counts" ]; then
		add_counts "$dir/counts"
	else
		# It has not come to its end.
		failed=$((failed + 1))
		failures+=("$name (exit status $status)")
	fi
	return "$status"
}

add_counts() {
	local p=$passed f=$failed all=("${failures[@]}")
	# shellcheck disable=SC1090 # written by begin
	. <(sed 's/^declare -[^ ]* //' "$1")
	passed=$((passed + p))
	failed=$((failed + f))
	failures=("${all[@]}" "${failures[@]}")
}

# What we started ends with us: asked to, and if that takes long, at once.
results_interrupted() {
	local signal groups=()
	trap - INT TERM
	groups=("${running[@]/#/-}")
	for signal in TERM KILL; do
		[ ${#groups[@]} -gt 0 ] &&
		    kill -s $signal -- "${groups[@]}" 2>/dev/null
		groups_ended "${groups[@]}" && break
	done
	failures+=("interrupted")
	failed=$((failed + 1))
	finish
}

# Whether nothing is left of process groups, after 10 seconds at the latest.
groups_ended() {
	local i
	for ((i = 0; i < 100; i++)); do
		[ $# -gt 0 ] && kill -0 -- "$@" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

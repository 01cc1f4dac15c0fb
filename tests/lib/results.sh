# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Counting what passed, showing what did not.

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

# What we started ends with us.
results_interrupted() {
	trap - INT TERM
	pkill -TERM -P $$ 2>/dev/null
	failures+=("interrupted")
	failed=$((failed + 1))
	finish
}

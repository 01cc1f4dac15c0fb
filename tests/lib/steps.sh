# shellcheck shell=bash
# shellcheck disable=SC2154 # top, build, jobs, ... are tests/run's
# SPDX-License-Identifier: BSD-2-Clause
# The steps of tests/run; each notes what passed.

packages="ccache chromium clang curl debhelper docker-compose dpkg-dev
libclang-rt-14-dev libcmocka-dev logrotate mandoc nodejs npm procps prometheus
redis-server rsyslog shellcheck slowhttptest systemd wrk xz-utils zsh"

# again COMMAND...: what fetches something, and fails, may find it a moment
# later.
again() {
	local tries
	for tries in 1 2 3; do
		"$@" && return 0
		echo "failed (try $tries of 3): $*"
		[ "$tries" = 3 ] || sleep $((tries * 10))
	done
	return 1
}

install_packages() {
	local p want= sudo=
	again ./bootstrap --deps-only >"$build/deps.log" 2>&1 ||
	    { note "install packages" "$build/deps.log" 1; finish; }
	for p in $packages; do
		# A command that is there already, wherever from, will do.
		case $p in
		nodejs)	command -v node >/dev/null && continue ;;
		npm)	command -v npm >/dev/null && continue ;;
		esac
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null |
		    grep -q '^install ok installed$' || want="$want $p"
	done
	[ -n "$want" ] || return 0
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	# shellcheck disable=SC2086 # a list
	if ! { again $sudo apt-get update -q &&
	    again $sudo env DEBIAN_FRONTEND=noninteractive apt-get install \
	    -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends \
	    $want; } >>"$build/deps.log" 2>&1; then
		note "install packages:$want" "$build/deps.log" 1
		finish
	fi
	# Debian starts them; tests have their own.
	for p in redis-server prometheus; do
		case $want in
		*$p*)
			$sudo service "$p" stop
			$sudo update-rc.d "$p" disable
			;;
		esac
	done >>"$build/deps.log" 2>&1
}

# Clients that tests talk to hostd with, in build/npm; once, while nothing about
# them changes.
npm_packages() {
	local dir=$build/npm log=$build/npm.log from=$top/tests/e2e
	cmp -s "$from/package-lock.json" "$dir/installed.json" || (
		mkdir -p "$dir" && rm -f "$dir/installed.json" &&
		cp "$from/package.json" "$from/package-lock.json" "$dir/" &&
		cd "$dir" &&
		again npm ci --ignore-scripts --no-audit --no-fund &&
		cp "$from/package-lock.json" installed.json
	) >"$log" 2>&1
	note "npm packages" "$log" $?
}

# What distcheck and the next run compile in the same way as the first is taken
# from there.
use_ccache() {
	[ -d /usr/lib/ccache ] || return 0
	PATH=/usr/lib/ccache:$PATH
	export PATH CCACHE_DIR="${CCACHE_DIR:-$build/ccache}" \
	    CCACHE_BASEDIR="$top" CCACHE_NOHASHDIR=1
}

bootstrap_tree() {
	./bootstrap >"$build/bootstrap.log" 2>&1
	note "bootstrap" "$build/bootstrap.log" $?
	return "$failed"
}

# Sanitizers find the same with less optimization, and it compiles in half the
# time; line numbers are all of debugging that their reports need.
sanitizer_flags="CFLAGS=-O1 -g1"

# build_tree NAME CONFIGURE-OPTIONS...: build/NAME, installed in
# build/NAME/inst.
build_tree() {
	local name=$1 dir=$build/$1
	shift
	mkdir -p "$dir"
	(
		cd "$dir" &&
		"$top/configure" --quiet --prefix="$dir/inst" \
		    --with-systemdsystemunitdir="$dir/inst/systemd" "$@" &&
		make -j"$jobs" && rm -rf inst && make install
	) >"$dir.log" 2>&1
	local status=$?
	note "build $name" "$dir.log" $status
	return $status
}

run_make_check() {
	local dir=$build/$1 log=$build/$1-check.log status ok bad
	(cd "$dir" && make -j"$jobs" -k check) >"$log" 2>&1
	status=$?
	ok=$(awk '/^# PASS:/ { n += $3 } END { print n + 0 }' "$log")
	bad=$(awk '/^# (FAIL|ERROR|XPASS):/ { n += $3 } END { print n + 0 }' \
	    "$log")
	[ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	if [ "$ok" -eq 0 ] || [ "$bad" -gt 0 ]; then
		grep -E '^(FAIL|ERROR|XPASS):|error:' "$log" | sort -u
		find "$dir/tests" "$dir/test-suite.log" -name test-suite.log \
		    -exec tail -n 120 {} + 2>/dev/null
	fi
	note_counts "make check ($1)" "$log" "$ok" "$bad"
}

# What the tests that failed have said, of a log in TAP; and the end of it,
# where it has none of them.
show_failing() {
	awk '
		{ text = text $0 "\n" }
		/^(not )?ok / { bad = /^not/ }
		/^  \.\.\.$/ {
			if (bad)
				printf "%s", text
			n += bad
			text = ""
			bad = 0
		}
		END { exit n == 0 }
	' "$1" || tail -n 80 "$1"
	echo "All of it is in $1"
}

run_e2e() {
	local log=$build/$1-e2e.log files ok bad
	files=$(find tests/e2e -name "*$filter*.test.mjs" | sort)
	[ -n "$files" ] || return 0
	# shellcheck disable=SC2086 # a list of files
	HOSTD_PREFIX=$build/$1/inst HOSTD_BUILD=$1 HOSTD_TOP=$top \
	    HOSTD_NPM=$build/npm \
	    node tests/e2e/lib/runner.mjs $files >"$log" 2>&1
	ok=$(awk '/^# pass / { print $3 }' "$log" | tail -n 1)
	bad=$(awk '/^# fail / { print $3 }' "$log" | tail -n 1)
	[ "${bad:-1}" -eq 0 ] || show_failing "$log"
	note_counts "end to end ($1)" "$log" "${ok:-0}" "${bad:-1}"
}

# fuzz_one TARGET: for a short while; its exit status is kept in a file.
fuzz_one() {
	local dir=$build/fuzz name
	name=$(basename "$1")
	mkdir -p "$dir/found/$name"
	timeout --foreground -k 5 $((fuzz_seconds + 60)) "$1" \
	    -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=10 \
	    -artifact_prefix="$dir/found/$name/" "$dir/found/$name" \
	    "$top/tests/fuzz/corpus/${name#fuzz_}" >"$dir/$name.log" 2>&1
	echo $? >"$dir/$name.status"
}

# Only the targets and what they need.
build_fuzzers() {
	local dir=$build/fuzz log=$build/fuzz.log sources status=0
	sources=$(cd "$top" && echo tests/fuzz/fuzz_*.c)
	mkdir -p "$dir"
	# shellcheck disable=SC2086 # a list
	(
		cd "$dir" && CC=clang "$top/configure" --quiet \
		    --enable-fuzzing "$sanitizer_flags" && make config.h &&
		make -j"$jobs" ${sources//.c/}
	) >"$log" 2>&1 || status=$?
	note "build fuzz" "$log" $status
	return $status
}

run_fuzzers() {
	local target name targets=()
	build_fuzzers || return 0
	for target in "$build"/fuzz/tests/fuzz/fuzz_*; do
		case $target in *.o|*.dSYM) continue ;; esac
		[ -x "$target" ] && targets+=("$target")
	done
	rm -f "$build"/fuzz/*.status
	for target in "${targets[@]}"; do
		[ "$(jobs -rp | wc -l)" -lt "$jobs" ] || wait -n
		fuzz_one "$target" &
	done
	wait
	for target in "${targets[@]}"; do
		name=$(basename "$target")
		note "$name for ${fuzz_seconds}s" "$build/fuzz/$name.log" \
		    "$(cat "$build/fuzz/$name.status")"
	done
}

run_lint() {
	local f log=$build/lint.log
	grep -rlE '^#!/bin/(ba)?sh$|^# shellcheck shell' --exclude-dir=.git \
	    --exclude-dir=build --exclude-dir=build-aux \
	    --exclude-dir=autom4te.cache --exclude-dir=node_modules . |
	    while read -r f; do
		head -n 1 "$f" | grep -Eaq '^#' && echo "$f"
	done | xargs shellcheck -x >"$log" 2>&1
	note "shellcheck" "$log" $?
	for f in man/*.[1-8] "$build"/normal/man/*.[1-8]; do
		[ -e "$f" ] || continue
		mandoc -T lint -W warning "$f" >"$log" 2>&1
		note "mandoc $(basename "$f")" "$log" $?
	done
}

# run_target BUILD TARGET [VARIABLE=VALUE...]: a make target that passes or
# fails.
run_target() {
	local dir=$build/$1 log=$build/$2.log
	shift
	(cd "$dir" && make -j"$jobs" "$@") >"$log" 2>&1
	note "make $1" "$log" $?
}

# Of the tarball: compiled as the first build was, so that ccache has it, and
# with one of each list of mistakes, since all were made twice already.  What is
# released is built by those who have no autotools.
run_distcheck() {
	local dir=$build/no-autotools tool
	mkdir -p "$dir"
	for tool in autoconf automake aclocal autoheader autoreconf; do
		printf '#!/bin/sh\necho "%s was called" >&2\nexit 1\n' \
		    "$tool" >"$dir/$tool"
	done
	chmod +x "$dir"/*
	MISTAKES_EACH=1 PATH=$dir:$PATH run_target normal distcheck \
	    "DISTCHECK_CONFIGURE_FLAGS=--enable-werror"
}

# Of the tarball, too; what is in the packages is looked at.
run_deb() {
	local dir=$build/deb log=$build/deb.log
	rm -rf "$dir" && mkdir -p "$dir/hostd" "$dir/dev"
	(
		cd "$dir" && tar xf "$build"/normal/hostd-*.tar.xz &&
		cd hostd-[0-9]* && DEB_BUILD_OPTIONS="nocheck noopt parallel=$jobs" \
		    dpkg-buildpackage -b -us -uc &&
		dpkg-deb -x ../hostd_*.deb "$dir/hostd" &&
		dpkg-deb -x ../hostd-dev_*.deb "$dir/dev" && cd "$dir" &&
		hostd/usr/sbin/hostd -V && hostd/usr/bin/hostctl -V &&
		test -f hostd/lib/systemd/system/hostd.service &&
		grep -q '^user = "hostd"$' hostd/etc/hostd/hostd.conf &&
		test "$(find hostd/usr/lib/hostd/plugins -name '*.so' | wc -l)" \
		    -eq "$(find "$build"/normal/inst/lib/hostd/plugins \
		    -name '*.so' | wc -l)" &&
		test -f dev/usr/include/hostd/abi.h &&
		pkg-config --variable=plugindir \
		    dev/usr/lib/pkgconfig/hostd-sdk.pc |
		    grep -qx /usr/lib/hostd/plugins
	) >"$log" 2>&1
	note "Debian packages" "$log" $?
}

run_others() {
	run_lint
	run_target normal installcheck
	run_distcheck
	run_deb
	run_fuzzers
}

# shellcheck shell=bash
# shellcheck disable=SC2034 # peer_port is the caller's
# SPDX-License-Identifier: BSD-2-Clause
# Servers to measure: hostd, and those beside it, all on the first core.

# On a machine that others use as well, BENCH_SCHED="chrt -r 5" makes both sides
# go before them; only where latencies are measured, and never for long.
#
# Only in subshells: $! has to be the program itself.
# shellcheck disable=SC2086 # BENCH_SCHED is words, or none
if [ "$(nproc)" -gt 1 ]; then
	on_server() { exec ${BENCH_SCHED:-} taskset -c 0 "$@"; }
	on_client() { exec ${BENCH_SCHED:-} taskset -c 1 "$@"; }
else
	on_server() { exec ${BENCH_SCHED:-} "$@"; }
	on_client() { exec ${BENCH_SCHED:-} "$@"; }
fi

server_pids=()

free_port() {
	node -e 'const s = require("net").createServer();
	s.listen(0, "127.0.0.1", () => { console.log(s.address().port);
	s.close(); });'
}

# wait_for URL [OPTION OF CURL ...]
wait_for() {
	local i
	for ((i = 0; i < 200; i++)); do
		curl -sf -o /dev/null "$@" && return 0
		read -r -t 0.05 <> <(:) || true
	done
	echo "bench: no answer from $1" >&2
	exit 1
}

# start_hostd DIR PORT PREFIX [WORKERS [MORE CONFIGURATION [KEYS OF HTTP]]]
start_hostd() {
	local d=$1 port=$2 prefix=$3 workers=${4:-1} more=${5:-} http=${6:-}
	mkdir -p "$d/conf.d"
	cat >"$d/hostd.conf" <<-EOF
	user = "$(id -un)"
	plugin_dir = "$prefix/lib/hostd/plugins"
	run_dir = "$d/run"
	error_log = "$d/error.log"
	pool "web" { workers = $workers }
	listen "main" { address = "127.0.0.1:$port" }
	http { keepalive_requests = 1000000000  $http }
	plugin "small" {
		module = "http_respond.so"
		type = "text/plain"
		body = "hello, world\n"
	}
	route "/small" { plugin = "small" }
	$more
	EOF
	on_server "$prefix/sbin/hostd" -c "$d/hostd.conf" \
	    >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "http://127.0.0.1:$port/small"
}

# nginx_conf DIR CONNECTIONS: nginx.conf there, with what is said on standard
# input in its http.
nginx_conf() {
	{
		cat <<-EOF
		worker_processes 1; daemon off; master_process off;
		pid $1/pid; error_log $1/error.log;
		events { worker_connections $2; }
		http {
		keepalive_requests 1000000000;
		client_body_temp_path $1/body; proxy_temp_path $1/proxy;
		fastcgi_temp_path $1/fastcgi; uwsgi_temp_path $1/uwsgi;
		scgi_temp_path $1/scgi;
		EOF
		cat
		echo "}"
	} >"$1/nginx.conf"
}

# start_nginx DIR PORT FILES [ACCESS LOG]
start_nginx() {
	local d=$1 port=$2 files=$3 log=${4:-off}
	mkdir -p "$d"
	nginx_conf "$d" 8192 <<-EOF
	access_log $log;
	sendfile on;
	server {
		listen 127.0.0.1:$port;
		root $files;
		location /small {
			default_type text/plain;
			return 200 "hello, world\n";
		}
	}
	EOF
	on_server nginx -c "$d/nginx.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "http://127.0.0.1:$port/small"
}

# Where tests/run has installed the packages of tests/e2e/package.json.
export HOSTD_NPM=${HOSTD_NPM:-$here/../../build/npm}

need_packages() {
	local p
	for p in "$@"; do
		[ -d "$HOSTD_NPM/node_modules/$p" ] && continue
		echo "bench: $HOSTD_NPM has no $p: HOSTD_NPM is to name the" \
		    "directory of node_modules" >&2
		exit 1
	done
}

# start_peer SCRIPT [ARGUMENT]: a program of tests/bench/peers; sets peer_port.
start_peer() {
	exec 7< <(on_server node "$here/peers/$1" "${@:2}" 9<&-)
	server_pids+=($!)
	read -r -u 7 peer_port ||
	    { echo "bench: $1 does not start" >&2; exit 1; }
	exec 7<&-
}

with_children() {
	local p
	for p in "$@"; do
		echo "$p"
		pgrep -P "$p" || true
	done | tr '\n' ' '
}

stop_servers() {
	local p
	for p in "${server_pids[@]}"; do
		kill -QUIT "$p" 2>/dev/null || true
		# haproxy takes that for a question.
		kill -TERM "$p" 2>/dev/null || true
	done
	wait
	server_pids=()
}

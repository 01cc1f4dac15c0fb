# shellcheck shell=bash
# shellcheck disable=SC2034 # the URLs and pids are used by the caller
# SPDX-License-Identifier: BSD-2-Clause
# The two servers, configured alike: one worker, the same answer, the same
# files.

# Only in subshells: $! has to be the program itself.
if [ "$(nproc)" -gt 1 ]; then
	on_server() { exec taskset -c 0 "$@"; }
	on_client() { exec taskset -c 1 "$@"; }
else
	on_server() { exec "$@"; }
	on_client() { exec "$@"; }
fi

server_pids=()

free_port() {
	node -e 'const s = require("net").createServer();
	s.listen(0, "127.0.0.1", () => { console.log(s.address().port);
	s.close(); });'
}

make_files() {
	mkdir -p "$1/www/files"
	chmod 755 "$1" "$1/www" "$1/www/files"
	head -c 4096 /dev/urandom >"$1/www/files/4k.bin"
	head -c 1048576 /dev/urandom >"$1/www/files/1m.bin"
}

wait_for() {
	local i
	for ((i = 0; i < 200; i++)); do
		curl -sf -o /dev/null "$1" && return 0
		read -r -t 0.05 <> <(:) || true
	done
	echo "bench: no answer from $1" >&2
	exit 1
}

# start_hostd DIR PORT PREFIX [MORE CONFIGURATION]
start_hostd() {
	local d=$1 port=$2 prefix=$3 more=${4:-}
	mkdir -p "$d/conf.d"
	cat >"$d/hostd.conf" <<-EOF
	user = "$(id -un)"
	plugin_dir = "$prefix/lib/hostd/plugins"
	run_dir = "$d/run"
	error_log = "$d/error.log"
	pool "web" { workers = 1 }
	listen "main" { address = "127.0.0.1:$port" }
	http { keepalive_requests = 1000000000 }
	plugin "small" {
		module = "http_respond.so"
		type = "text/plain"
		body = "hello, world\n"
	}
	route "/small" { plugin = "small" }
	plugin "files" { module = "http_static.so"  root = "$dir/www" }
	route "/" { plugin = "files" }
	$more
	EOF
	on_server "$prefix/sbin/hostd" -c "$d/hostd.conf" \
	    >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "http://127.0.0.1:$port/small"
}

# start_nginx DIR PORT [ACCESS LOG]
start_nginx() {
	local d=$1 port=$2 log=${3:-off}
	mkdir -p "$d"
	cat >"$d/nginx.conf" <<-EOF
	worker_processes 1; daemon off; master_process off;
	pid $d/pid; error_log $d/error.log;
	events { worker_connections 8192; }
	http {
		access_log $log;
		keepalive_requests 1000000000;
		client_body_temp_path $d/body; proxy_temp_path $d/proxy;
		fastcgi_temp_path $d/fastcgi; uwsgi_temp_path $d/uwsgi;
		scgi_temp_path $d/scgi;
		sendfile on;
		server {
			listen 127.0.0.1:$port;
			root $dir/www;
			location /small {
				default_type text/plain;
				return 200 "hello, world\n";
			}
		}
	}
	EOF
	on_server nginx -c "$d/nginx.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "http://127.0.0.1:$port/small"
}

with_children() {
	local p
	for p in "$@"; do
		echo "$p"
		pgrep -P "$p" || true
	done | tr '\n' ' '
}

start_servers() {
	local prefix=$1 d=$2 p
	p=$(free_port)
	start_hostd "$d/hostd" "$p" "$prefix"
	HOSTD=http://127.0.0.1:$p
	p=$(free_port)
	start_nginx "$d/nginx" "$p"
	NGINX=http://127.0.0.1:$p
	p=$(free_port)
	start_hostd "$d/hostd-log" "$p" "$prefix" \
	    "access_log \"main\" { path = \"$d/hostd.access\" }"
	HOSTD_LOG=http://127.0.0.1:$p
	p=$(free_port)
	start_nginx "$d/nginx-log" "$p" "$d/nginx.access combined"
	NGINX_LOG=http://127.0.0.1:$p
	HOSTD_PIDS=$(with_children "${server_pids[0]}" "${server_pids[2]}")
	NGINX_PIDS="${server_pids[1]} ${server_pids[3]}"
}

stop_servers() {
	local p
	for p in "${server_pids[@]}"; do
		kill -QUIT "$p" 2>/dev/null || true
	done
	wait
}

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, prefix and the tables are the caller's
# SPDX-License-Identifier: BSD-2-Clause
# Proxies to measure, all on the first core, in front of the same servers, which
# are on the second one, beside the load.  Each has HTTP on one port, with
# WebSocket at /echo, and TCP on another.

# Servers behind them: nginx for HTTP, on $http_port; hostd's ws_echo on
# $ws_port.  Their processes are in $beside_pids.
start_behind() {
	local d=$dir/behind
	mkdir -p "$d/conf.d" "$d/www"
	printf 'hello, world\n' >"$d/www/small"
	head -c 1048576 /dev/urandom >"$d/www/1m"
	http_port=$(free_port)
	nginx_conf "$d" 16384 <<-EOF
	access_log off; sendfile on; open_file_cache max=10;
	server { listen 127.0.0.1:$http_port backlog=4096; root $d/www; }
	EOF
	on_client nginx -c "$d/nginx.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	beside_pids=$!
	wait_for "http://127.0.0.1:$http_port/small"
	ws_port=$(free_port)
	cat >"$d/hostd.conf" <<-EOF
	user = "$(id -un)"
	plugin_dir = "$prefix/lib/hostd/plugins"
	run_dir = "$d/run"
	error_log = "$d/error.log"
	pool "web" { workers = 1 }
	listen "main" { address = "127.0.0.1:$ws_port" }
	plugin "echo" { module = "ws_echo.so" }
	route "/echo" { plugin = "echo" }
	plugin "up" { module = "http_respond.so"  body = "up" }
	route "/up" { plugin = "up" }
	EOF
	on_client "$prefix/sbin/hostd" -c "$d/hostd.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "http://127.0.0.1:$ws_port/up"
	beside_pids="$beside_pids $(with_children "${server_pids[-1]}")"
}

# add_proxy NAME HTTP-PORT [TCP-PORT]
add_proxy() {
	wait_for "http://127.0.0.1:$2/small"
	[ $# -lt 3 ] || wait_for "http://127.0.0.1:$3/small"
	web[$1]=http://127.0.0.1:$2
	tcp[$1]=http://127.0.0.1:${3:-0}
	url[$1]=ws://127.0.0.1:$2/echo
	pids[$1]=$(with_children "${server_pids[-1]}")
	options[$1]=
}

# proxy_hostd NAME
proxy_hostd() {
	local d=$dir/$1 p q
	p=$(free_port)
	q=$(free_port)
	mkdir -p "$d/conf.d"
	cat >"$d/hostd.conf" <<-EOF
	user = "$(id -un)"
	plugin_dir = "$prefix/lib/hostd/plugins"
	run_dir = "$d/run"
	error_log = "$d/error.log"
	pool "web" { workers = 1 }
	http { keepalive_requests = 1000000000 }
	upstream "app" {
		server "127.0.0.1:$http_port" { }
		keepalive = 256  keepalive_requests = 1000000000
	}
	upstream "echo" { server "127.0.0.1:$ws_port" { } }
	listen "main" { address = "127.0.0.1:$p" }
	listen "tcp" { address = "127.0.0.1:$q"  mode = "stream"
		upstream = "app" }
	plugin "proxy" { module = "http_proxy.so" }
	route "/" { plugin = "proxy"  upstream = "app" }
	route "/echo" { plugin = "proxy"  upstream = "echo" }
	EOF
	on_server "$prefix/sbin/hostd" -c "$d/hostd.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	add_proxy "$1" "$p" "$q"
}

# proxy_nginx NAME: without TCP, which it is not measured for.
proxy_nginx() {
	local d=$dir/$1 p
	p=$(free_port)
	mkdir -p "$d"
	nginx_conf "$d" 16384 <<-EOF
	access_log off;
	upstream app {
		server 127.0.0.1:$http_port;
		keepalive 256; keepalive_requests 1000000000;
	}
	server {
		listen 127.0.0.1:$p backlog=4096;
		proxy_http_version 1.1;
		proxy_set_header Host \$http_host;
		proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
		proxy_set_header X-Forwarded-Proto \$scheme;
		proxy_set_header X-Forwarded-Host \$http_host;
		proxy_set_header X-Real-IP \$remote_addr;
		proxy_set_header X-Request-ID \$request_id;
		proxy_set_header Connection "";
		location / { proxy_pass http://app; }
		location /echo {
			proxy_set_header Upgrade \$http_upgrade;
			proxy_set_header Connection upgrade;
			proxy_read_timeout 1h;
			proxy_pass http://127.0.0.1:$ws_port;
		}
	}
	EOF
	on_server nginx -c "$d/nginx.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	add_proxy "$1" "$p"
}

# proxy_haproxy NAME
proxy_haproxy() {
	local d=$dir/$1 p q
	p=$(free_port)
	q=$(free_port)
	mkdir -p "$d"
	cat >"$d/haproxy.cfg" <<-EOF
	global
		nbthread 1
		maxconn 9000
		maxpipes 64
	defaults
		mode http
		timeout connect 5s
		timeout client 1h
		timeout server 1h
		timeout tunnel 1h
	frontend web
		bind 127.0.0.1:$p backlog 4096
		option forwardfor
		http-request set-header X-Forwarded-Proto http
		http-request set-header X-Forwarded-Host %[req.hdr(host)]
		http-request set-header X-Real-IP %[src]
		http-request set-header X-Request-ID %[uuid]
		use_backend echo if { path_beg /echo }
		default_backend app
	backend app
		http-reuse always
		server a 127.0.0.1:$http_port
	backend echo
		server a 127.0.0.1:$ws_port
	listen tcp
		mode tcp
		option splice-auto
		bind 127.0.0.1:$q backlog 4096
		server a 127.0.0.1:$http_port
	EOF
	on_server haproxy -db -f "$d/haproxy.cfg" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	add_proxy "$1" "$p" "$q"
}

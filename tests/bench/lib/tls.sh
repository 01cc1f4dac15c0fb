# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what load of measure.sh reads, and has set
# SPDX-License-Identifier: BSD-2-Clause
# hostd and nginx with the same certificate, and loads that speak TLS.

# make_certificate DIR: cert.pem and key.pem, of the kind that is issued most.
make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -days 2 -subj /CN=localhost -addext \
	    subjectAltName=DNS:localhost,IP:127.0.0.1 \
	    -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
	chmod 600 "$1/key.pem"
}

# tls_listen PORT: hostd's configuration of it.
tls_listen() {
	cat <<-EOF
	certificate "bench" {
		file = "$dir/cert.pem"
		key = "$dir/key.pem"
	}
	tls "bench" { }
	listen "tls" { address = "127.0.0.1:$1"  tls = "bench" }
	EOF
}

# start_nginx_tls DIR PORT PLAIN-PORT FILES
start_nginx_tls() {
	local d=$1 port=$2 plain=$3 files=$4
	mkdir -p "$d"
	nginx_conf "$d" 8192 <<-EOF
	access_log off;
	sendfile on;
	ssl_certificate $dir/cert.pem;
	ssl_certificate_key $dir/key.pem;
	ssl_protocols TLSv1.2 TLSv1.3;
	server {
		listen 127.0.0.1:$plain http2;
		listen 127.0.0.1:$port ssl http2;
		root $files;
		location /small {
			default_type text/plain;
			return 200 "hello, world\n";
		}
	}
	EOF
	on_server nginx -c "$d/nginx.conf" >"$d/out" 2>&1 9<&- &
	server_pids+=($!)
	wait_for "https://127.0.0.1:$port/small" -k
}

# measure_handshake PIDS PORT OPTIONS...
measure_handshake() {
	local pids=$1 port=$2 ns before
	shift 2
	# shellcheck disable=SC2086 # a list of pids
	ns=$(cpu_ns $pids)
	before=$(busy_ticks)
	read -r count took own < <(on_client "$prefix/bench/handshake" "$@" \
	    -d "$seconds" 127.0.0.1 "$port")
	ticks=$(($(busy_ticks) - before))
	# shellcheck disable=SC2086
	server_ns=$(($(cpu_ns $pids) - ns))
}

# measure_h2load PIDS URL OPTIONS...
measure_h2load() {
	local pids=$1 url=$2 ns before out TIMEFORMAT='own %U %S'
	shift 2
	# shellcheck disable=SC2086 # a list of pids
	ns=$(cpu_ns $pids)
	before=$(busy_ticks)
	out=$({ time on_client h2load -t1 -D "$seconds" "$@" "$url" |
	    cat; } 2>&1)
	ticks=$(($(busy_ticks) - before))
	# shellcheck disable=SC2086
	server_ns=$(($(cpu_ns $pids) - ns))
	grep -q ' 0 failed, 0 errored' <<<"$out" ||
	    { echo "bench: errors under load from $url:" >&2
	    grep '^requests:' <<<"$out" >&2; }
	read -r count took own < <(awk -v s="$seconds" \
	    '/^requests:/ { n = $8 } /^own/ { print n, s, $2 + $3 }' <<<"$out")
}

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, prefix and the tables are the caller's
# SPDX-License-Identifier: BSD-2-Clause
# Servers with sessions: hostd with one store or another, and Express.

secret="a secret that is long enough for any of them"

# add_hostd NAME MORE-CONFIGURATION
add_hostd() {
	local p
	p=$(free_port)
	start_hostd "$dir/$1" "$p" "$prefix" 1 "
	plugin \"visits\" { module = \"$prefix/bench/session.so\" }
	$2
	route \"/\" { plugin = \"visits\" }"
	url[$1]=http://127.0.0.1:$p
	pids[$1]=$(with_children "${server_pids[-1]}")
}

# store_hostd NAME STORE [KEYS-OF-STORE [KEYS-OF-SESSION]]
store_hostd() {
	add_hostd "$1" "
	plugin \"store\" { module = \"$2.so\"  ${3:-} }
	session \"main\" { store = \"store\"  secret = \"$secret\"  ${4:-} }"
}

# store_lmdb NAME [KEYS-OF-STORE [KEYS-OF-SESSION]]
store_lmdb() {
	store_hostd "$1" session_lmdb "path = \"$dir/$1.mdb\"  ${2:-}" "${3:-}"
}

# store_token NAME
store_token() {
	(umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' \
	    >"$dir/$1.key")
	store_hostd "$1" session_token "key_file = \"$dir/$1.key\""
}

# store_redis NAME
store_redis() {
	store_hostd "$1" session_redis "url = \"redis://127.0.0.1:$redis_port\""
}

# Beside the load, so that it takes the same from all who ask it.
start_redis() {
	[ -z "${redis_port:-}" ] || return 0
	redis_port=$(free_port)
	# What stop_servers says first would be the end of it, with a core.
	(trap '' QUIT
	on_client redis-server --bind 127.0.0.1 --port "$redis_port" \
	    --save "" --appendonly no --dir "$dir") \
	    >"$dir/redis.out" 2>&1 9<&- &
	server_pids+=($!)
	beside_pids=$!
	await_redis
}

await_redis() {
	local i
	for ((i = 0; i < 200; i++)); do
		redis-cli -p "$redis_port" ping >"$dir/redis.ping" 2>&1 &&
		    return 0
		read -r -t 0.05 <> <(:) || true
	done
	echo "bench: no answer from Redis:" >&2
	cat "$dir/redis.out" >&2
	exit 1
}

# Its cookies are those of hostd's sessions in the same Redis.
start_express() {
	NODE_ENV=production start_peer session.mjs "$redis_port" "$secret"
	url[express]=http://127.0.0.1:$peer_port
	pids[express]=${server_pids[-1]}
}

// SPDX-License-Identifier: BSD-2-Clause
// Access logs of TCP connections: a line when one has ended, as nginx has it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { command, freePort, prepareHostd, sbin, until, within } from
    './lib/hostd.mjs';
import { connect, echo, recorder, servers, startGroup, startStream } from
    './lib/tcp.mjs';

const log = (format, name = 'tcp.log') => `access_log "${name}" {
	kind = stream  path = "@DIR@/${name}"  format = "${format}" }`;

// The file's lines, once there are n of them.
function lines(h, n, name = 'tcp.log') {
	const file = path.join(h.dir, name);
	const read = () => fs.existsSync(file) ?
	    fs.readFileSync(file, 'latin1').split('\n').slice(0, -1) : [];

	return until(() => {
		const all = read();

		return all.length >= n && all;
	}, `${n} lines in ${name}`);
}

const ALL = '$remote_addr|$remote_port|$protocol|$status|$bytes_sent|' +
	'$bytes_received|$upstream_addr|$upstream_bytes_sent|' +
	'$upstream_bytes_received|$ssl_preread_server_name';

async function talk(t, h, text, answer) {
	const c = await connect(t, h.port);
	const { localPort } = c.socket;

	await c.send(text);
	await c.bytes(answer);
	c.finish();
	await c.end();
	return localPort;
}

test('what went both ways, and when', async (t) => {
	const a = await echo(t, 'hello ');
	const h = await startGroup(t, [a.port], { conf: log(`${ALL}|` +
	    '$session_time|$upstream_connect_time|$pid') });
	const [{ pid }] = await h.workers();

	const port = await talk(t, h, 'world', 11);
	const [line] = await lines(h, 1);
	const v = line.split('|');

	assert.deepEqual(v.slice(0, 10), ['127.0.0.1', String(port), 'TCP',
		'200', '11', '5', `127.0.0.1:${a.port}`, '5', '11', '-']);
	assert.match(v[10], /^\d+\.\d{3}$/);
	assert.match(v[11], /^\d+\.\d{3}$/);
	assert.equal(v[12], String(pid));
});

test('combined and json', async (t) => {
	const a = await echo(t, 'x');
	const h = await startGroup(t, [a.port], { conf: `
		access_log "c" { kind = stream  path = "@DIR@/c.log" }
		${log('json', 'j.log')}` });

	await talk(t, h, 'abc', 4);
	const [c] = await lines(h, 1, 'c.log');
	const [j] = await lines(h, 1, 'j.log');

	assert.match(c, new RegExp(
	    '^127\\.0\\.0\\.1 \\[[^\\]]+\\] TCP 200 4 3 ' +
	    `\\d+\\.\\d{3} "127\\.0\\.0\\.1:${a.port}" "3" "4" "\\d\\.\\d{3}"$`));
	const o = JSON.parse(j);

	assert.deepEqual([o.remote_addr, o.protocol, o.status, o.bytes_sent,
		o.bytes_received, o.upstream_addr, o.server_name],
	['127.0.0.1', 'TCP', 200, 4, 3, `127.0.0.1:${a.port}`, '-']);
});

// One line each, of what came first to none, or not to the first server.
test('servers that were tried, and statuses', async (t) => {
	const a = await echo(t, 'a');
	const dead = await freePort();
	const h = await startGroup(t, [`server "127.0.0.1:${dead}" { }`,
		`server "127.0.0.1:${a.port}" { backup = on  max_conns = 1 }`],
	{ conf: log('$status $upstream_addr $upstream_bytes_received ' +
	    '$upstream_connect_time'), group: 'fail_timeout = 1h' });
	const c = await connect(t, h.port);

	await c.bytes(1);
	// The first is left alone now, and the other has all it may.
	await (await connect(t, h.port)).end();
	c.finish();
	await c.end();
	const all = await lines(h, 2);

	assert.equal(all[0], '503 - - -');
	assert.match(all[1], new RegExp(`^200 127\\.0\\.0\\.1:${dead}, ` +
	    `127\\.0\\.0\\.1:${a.port} 0, 1 -, \\d\\.\\d{3}$`));
});

test('no server', async (t) => {
	const dead = await freePort();
	const h = await startGroup(t, [dead], { conf: log(ALL) });

	await (await connect(t, h.port)).end();
	const [line] = await lines(h, 1);

	assert.match(line, new RegExp(
	    '^127\\.0\\.0\\.1\\|\\d+\\|TCP\\|502\\|0\\|0' +
	    `\\|127\\.0\\.0\\.1:${dead}\\|0\\|0\\|-$`));
});

test('headers of the PROXY protocol, in and out', async (t) => {
	const a = await echo(t, '');
	const h = await startGroup(t, [a.port], { conf: log(ALL),
		keys: 'proxy_protocol = on  hello_timeout = 1h',
		group: 'proxy_protocol = v1' });
	const out = 'PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n';

	await talk(t, h, `${out}hi`, out.length + 2);
	const n = out.length + 2;

	assert.deepEqual(await lines(h, 1), [`192.0.2.7|4711|TCP|200|${n}|2|` +
		`127.0.0.1:${a.port}|${n}|${n}|-`]);
	const c = await connect(t, h.port);

	await c.send('GET / HTTP/1.1\r\n\r\n');
	await c.end();
	assert.match((await lines(h, 2))[1], /\|TCP\|400\|0\|\d+\|-\|-\|-\|-$/);
});

test('names in a hello', async (t) => {
	const a = await recorder(t);
	const h = await startStream(t,
	    'hello_timeout = 1h  sni "*.example.com" { upstream = "app" }',
	    `upstream "app" { server "127.0.0.1:${a.port}" { } }
	    ${log('$status $ssl_preread_server_name')}`);
	const hello = async (servername, port) => {
		const s = tls.connect({ port, host: '127.0.0.1', servername,
			rejectUnauthorized: false });

		s.on('error', () => {});
		return s;
	};
	const gone = (s) => within(new Promise((resolve) =>
		s.once('close', resolve)), 'close');
	const other = await hello('example.org', h.port);

	await gone(other);
	assert.deepEqual(await lines(h, 1), ['403 example.org']);
	const s = await hello('a.example.com', h.port);
	const one = await a.heard((x) => x.text !== '');

	one.socket.destroy();
	await gone(s);
	assert.deepEqual((await lines(h, 2))[1], '200 a.example.com');
	const c = await connect(t, h.port);

	await c.send('this is no TLS at all');
	await c.end();
	assert.deepEqual((await lines(h, 3))[2], '400 -');
});

test('connections and requests have logs of their own', async (t) => {
	const a = await echo(t, '');
	const port = await freePort();
	const h = await startGroup(t, [a.port], { conf: `
		listen "web" { address = "127.0.0.1:${port}" }
		access_log "r" { path = "@DIR@/r.log"  format = "$request_uri" }
		${log('$bytes_sent')}` });

	await talk(t, h, 'abc', 3);
	await (await fetch(`http://127.0.0.1:${port}/nowhere`)).text();
	assert.deepEqual(await lines(h, 1), ['3']);
	assert.deepEqual(await lines(h, 1, 'r.log'), ['/nowhere']);
	await talk(t, h, 'abcd', 4);
	assert.deepEqual(await lines(h, 2), ['3', '4']);
	assert.deepEqual(await lines(h, 1, 'r.log'), ['/nowhere']);
});

// Bug: those that a worker cut at its end had been nowhere.
test('what is cut has a line, and is counted', async (t) => {
	const a = await echo(t, 'hello ');
	const h = await startGroup(t, [a.port], { conf: `drain_timeout = 300ms
		${log('$status $bytes_sent $bytes_received')}` });
	const c = await connect(t, h.port);

	await c.send('world');
	await c.bytes(11);
	const [{ pid }] = await h.workers();
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await c.end();
	assert.deepEqual(await lines(h, 1), ['200 11 5']);
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	await until(async () => {
		const [{ servers: [one] }] = await servers(h);

		return one.inflight === 0 && one.bytes_in === 11 &&
		    one.bytes_out === 5;
	}, 'its bytes in the list');
});

test('a variable of requests is none of connections', async (t) => {
	const h = await prepareHostd(t, { conf: log('$status $request') });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr, /\$request.* is not a variable of kind = stream/);
});

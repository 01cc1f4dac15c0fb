// SPDX-License-Identifier: BSD-2-Clause
// Streams of HTTP/2 whose route is another pool's: a worker of that pool
// answers them, and to clients, plugins, logs and counters nothing is
// different.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, until, within } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { answerOf, connect } from './lib/http2.mjs';
import { poolOf, serveFar, sums } from './lib/pools.mjs';
import { curl, startTls } from './lib/tls.mjs';
import { closing, text } from './lib/ws_frame.mjs';

test('by TLS: what is known of a client goes with its request', async (t) => {
	const so = await plugin('show_route');
	const h = await startTls(t, { listen: 'pool = "web"', conf: `
		pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		http { real_ip_from = "127.0.0.1" }
		plugin "near" { module = "${so}"  label = "same" }
		route "/our" { plugin = "near" }
		route "/far" { plugin = "near"  pool = "socket" }
		access_log "all" { path = "@DIR@/access.log"
			format = "$pid $uri $remote_addr $scheme $ssl_protocol $ssl_cipher $ssl_server_name $status $body_bytes_sent $server_protocol" }` });
	const ask = async (uri) => {
		const r = await curl(h, '-w', '\n%{http_version} %{http_code}',
		    '-H', 'X-Forwarded-For: 192.0.2.7', '-b', 'a=1; b=2',
		    `${h.url}${uri}?q=%20`);

		assert.equal(r.code, 0, r.stderr);
		return r.stdout.replaceAll(uri, '/x');
	};
	const near = await ask('/our'), far = await ask('/far');

	assert.match(far, /\n2 200$/);
	assert.equal(far, near);
	const pools = await poolOf(h);

	await h.stop();
	const [a, b, ...more] = fs.readFileSync(path.join(h.dir, 'access.log'),
	    'utf8').trim().split('\n');
	const what = (line) => line.split(' ').slice(2).join(' ');
	const pool = (line) => pools.get(Number(line.split(' ')[0]));

	assert.deepEqual(more, []);
	assert.deepEqual([pool(a), pool(b)], ['web', 'socket']);
	assert.equal(what(b), what(a));
	assert.match(b, / \/far 192\.0\.2\.7 https TLSv1\.3 \S+ localhost 200 /);
});

test('methods, lengths, statuses, interim answers and trailers', async (t) => {
	const h = await serveFar(t);
	const c = await connect(t, h);
	const head = await c.ask('/far/show', { ':method': 'HEAD' });

	assert.equal(head.status, 200);
	assert.ok(Number(head.headers['content-length']) > 0);
	assert.equal(head.body, '');
	for (const status of [204, 304, 404, 500]) {
		const r = await c.ask(`/far/show?status=${status}`);

		assert.equal(r.status, status);
	}
	const s = await c.ask('/far/show?stream=50&of=3000');

	assert.equal(s.headers['content-length'], undefined);
	assert.equal(s.bytes.length, 150000);
	const r = await c.ask('/far/trailers/inform');

	assert.deepEqual(r.infos.map((i) => i[':status']), [102, 103]);
	assert.equal(r.trailers['x-sum'], '2');
	const e = c.open('/far/trailers/echo', { ':method': 'POST' },
	    { waitForTrailers: true });

	e.on('wantTrailers', () => e.sendTrailers({ digest: 'abc' }));
	e.end('body');
	const back = await answerOf(e);

	assert.equal(back.trailers.digest, 'abc');
	const wait = c.open('/far/flow/count', { ':method': 'POST',
		expect: '100-continue' });

	await within(once(wait, 'continue'), '100');
	wait.end('now');
	assert.equal((await answerOf(wait)).status, 200);
});

test('bodies, both ways and many at once', async (t) => {
	const h = await serveFar(t);
	const c = await connect(t, h);
	const bodies = [0, 1, 1000, 65535, 65536, 1000000, 3000000]
	    .map((n) => crypto.randomBytes(n));
	const all = await Promise.all([...bodies, ...bodies].map((b) =>
	    c.ask('/far/flow/echo', { ':method': 'POST' }, b)));

	all.forEach((r, i) => {
		assert.equal(r.status, 200);
		assert.ok(r.bytes.equals(bodies[i % bodies.length]));
	});
	const big = crypto.randomBytes(5 << 20);

	fs.writeFileSync(path.join(h.dir, 'www/big'), big);
	const r = await command('curl', ['-s', '--http2-prior-knowledge',
		`${h.url}/far/files/big`], { encoding: 'buffer' });

	assert.ok(r.stdout.equals(big));
	// What nobody wants is read and dropped.
	assert.equal((await c.ask('/far/hello', { ':method': 'POST' },
	    big.subarray(0, 200000))).body, 'hello');
});

test('who reads nothing is sent nothing, and holds up nobody', async (t) => {
	const h = await serveFar(t);
	const c = await connect(t, h);
	const slow = c.open('/far/flow/source?50000000');

	slow.pause();
	await within(once(slow, 'response'), 'answer');
	const stuck = c.open('/far/flow/gate', { ':method': 'POST' });

	stuck.on('error', () => {});
	stuck.write(Buffer.alloc(1 << 20));
	await h.logged(/pausing gate/);
	for (let i = 0; i < 5; i++)
		assert.equal((await c.ask('/far/flow/count',
		    { ':method': 'POST' }, Buffer.alloc(1 << 20))).status, 200);
	// It waits in the plugin: less than a tenth has been taken from it.
	const stats = JSON.parse((await c.ask('/far/flow/stats')).body);

	assert.ok(stats.again > 0 && stats.again < 100, stats.again);
	assert.doesNotMatch(h.log, /ended source/);
	const answer = answerOf(slow);

	slow.resume();
	assert.equal((await answer).bytes.length, 50000000);
	assert.equal((await c.ask('/far/flow/resume')).status, 200);
	stuck.end();
	assert.equal((await within(once(stuck, 'response'), 'answer'))[0]
	    [':status'], 200);
	await h.logged(/ended gate why 0 seen 1048576/);
});

test('WebSockets (RFC 8441)', async (t) => {
	const h = await serveFar(t);
	const c = await connect(t, h);
	const open = async () => {
		const s = c.open('/far/echo', { ':method': 'CONNECT',
			':protocol': 'websocket',
			    'sec-websocket-version': '13' },
		    { endStream: false });
		const [head] = await within(once(s, 'response'), 'answer');

		assert.equal(head[':status'], 200);
		return s;
	};
	const a = await open(), b = await open();

	await until(async () => {
		const { socket, web } = await sums(h);

		return socket.websockets === 2 && web.websockets === 0;
	}, 'two WebSockets, in their pool');
	a.write(text('hello'));
	const [got] = await within(once(a, 'data'), 'message');

	assert.equal(got.subarray(2).toString(), 'hello');
	a.write(closing(1000));
	const [bye] = await within(once(a, 'data'), 'close');

	assert.deepEqual([...bye], [0x88, 2, 3, 232]);
	a.end();
	await within(once(a, 'close'), 'end');
	assert.equal(a.rstCode, 0);
	b.on('error', () => {});
	b.close(8);
	await h.workersSatisfy((ws) => ws.every((w) => !w.websockets),
	    'end of both');
	assert.equal((await c.ask('/')).body, 'near');
});

test('each is counted and logged once, where it was answered', async (t) => {
	const h = await serveFar(t,
	    `access_log "all" { path = "@DIR@/access.log"
		format = "$pid $uri $status" }`);
	const pools = await poolOf(h);
	const r = await command('h2load', ['-n', '2000', '-c', '4', '-m', '20',
		`${h.url}/far/hello`, `${h.url}/`]);

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /2000 succeeded, 0 failed/);
	const all = await until(async () => {
		const s = await sums(h);

		return s.socket.active === 0 && s.web.requests >= 1000 &&
		    s.socket.requests >= 1000 && s;
	}, 'end of all');

	assert.deepEqual([all.web.requests, all.socket.requests], [1000, 1000]);
	assert.equal(all.socket.accepted, 0);
	await h.stop();
	const lines = fs.readFileSync(path.join(h.dir, 'access.log'), 'utf8')
	    .trim().split('\n').map((l) => l.split(' '));

	assert.equal(lines.length, 2000);
	for (const [pid, uri, status] of lines) {
		assert.equal(pools.get(Number(pid)), uri === '/' ? 'web' :
		    'socket');
		assert.equal(status, '200');
	}
});

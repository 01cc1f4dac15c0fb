// SPDX-License-Identifier: BSD-2-Clause
// http_status: what the page has, and counters that count.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, prefix, raw, startHostd, within } from './lib/hostd.mjs';
import { ask, askUntil } from './lib/static.mjs';

const conf = `pool "web" { workers = 2 }
	plugin "st" { module = "http_status.so" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	plugin "away" { module = "http_respond.so"  location = "/" }
	plugin "busy" { module = "http_respond.so"  status = 503 }
	route "/status" { plugin = "st" }
	route "/hello" { plugin = "hello" }
	route "/away" { plugin = "away" }
	route "/busy" { plugin = "busy" }`;

const page = async (h) => JSON.parse((await ask(h, '/status')).text);
// Until the counters of what was asked for have arrived.
const pageWhen = async (h, pred) => JSON.parse((await askUntil(h, '/status', {},
    (r) => pred(JSON.parse(r.text)))).text);

const COUNT = (v) => Number.isSafeInteger(v) && v >= 0;
const TEXT = (v) => typeof v === 'string' && v !== '';
const shape = {
	node: TEXT, version: TEXT, pid: COUNT, generation: COUNT,
	started_ms: COUNT, uptime_ms: COUNT,
	connections: { active: COUNT, idle: COUNT, accepted: COUNT,
		refused: COUNT, closed: COUNT },
	requests: { total: COUNT, bad: COUNT, bytes_in: COUNT, bytes_out: COUNT,
		status: { none: COUNT, '1xx': COUNT, '2xx': COUNT, '3xx': COUNT,
			'4xx': COUNT, '5xx': COUNT } },
	websockets: { active: COUNT, opened: COUNT, messages_in: COUNT,
		messages_out: COUNT, messages_dropped: COUNT },
	bus: { out: COUNT, in: COUNT, dropped: COUNT },
	backend: { out: COUNT, in: COUNT, dropped: COUNT, bad: COUNT },
	plugin_errors: COUNT, stale_handles: COUNT, log_dropped: COUNT,
	callbacks: COUNT, callback_ms: COUNT, slow_callbacks: COUNT,
	plugins: Array.isArray, pools: Array.isArray,
};
const workerShape = { slot: COUNT, pid: COUNT, generation: COUNT, state: TEXT,
	started_ms: COUNT, uptime_ms: COUNT, restarts: COUNT, active: COUNT,
	idle: COUNT, websockets: COUNT, accepted: COUNT, requests: COUNT };

function checkShape(value, want, where) {
	for (const [key, test] of Object.entries(want)) {
		assert.ok(key in value, `${where}.${key} is there`);
		if (typeof test === 'function')
			assert.ok(test(value[key]),
			    `${where}.${key}: ${JSON.stringify(value[key])}`);
		else
			checkShape(value[key], test, `${where}.${key}`);
	}
}

test('the page', async (t) => {
	const h = await startHostd(t, { conf });
	const r = await ask(h, '/status');
	const st = JSON.parse(r.text);

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-type'], 'application/json');
	assert.equal(r.headers['cache-control'], 'no-store');
	checkShape(st, shape, 'status');
	assert.deepEqual(st.pools.map((p) => p.name), ['web']);
	for (const w of st.pools[0].workers)
		checkShape(w, workerShape, 'worker');
	assert.deepEqual(st.pools[0].workers.map((w) => [w.slot, w.state]),
	    [[0, 'ready'], [1, 'ready']]);
	assert.deepEqual([st.pid, ...st.pools[0].workers.map((w) => w.pid)]
	    .sort(), h.pids().sort());
	assert.deepEqual(st.plugins.sort(), ['away', 'busy', 'hello', 'st']);
	assert.equal(st.generation, 1);
	assert.ok(Math.abs(st.started_ms - Date.now()) < 3600_000);
});

test('it is what hostctl says', async (t) => {
	const h = await startHostd(t, { conf });
	const from = await h.status();
	const st = await page(h);

	for (const key of ['node', 'version', 'pid', 'generation',
	    'started_ms'])
		assert.equal(st[key], (from.status ?? from)[key], key);
	assert.deepEqual((await h.workers()).map((w) => w.pid).sort(),
	    st.pools[0].workers.map((w) => w.pid).sort());
});

test('methods', async (t) => {
	const h = await startHostd(t, { conf });
	const head = await ask(h, '/status', {}, { method: 'HEAD' });

	assert.equal(head.status, 200);
	assert.equal(head.text, '');
	assert.ok(Number(head.headers['content-length']) > 100);
	for (const method of ['POST', 'PUT', 'DELETE']) {
		const r = await ask(h, '/status', {}, { method });

		assert.equal(r.status, 405);
		assert.equal(r.headers.allow, 'GET, HEAD, OPTIONS');
	}
	const o = await ask(h, '/status', {}, { method: 'OPTIONS' });

	assert.equal(o.status, 204);
	assert.equal(o.headers.allow, 'GET, HEAD, OPTIONS');
});

test('dropped as a bare module it has its route', async (t) => {
	const h = await startHostd(t, { confd: { 'http_status.so':
		fs.readFileSync(path.join(prefix,
		    'lib/hostd/plugins/http_status.so')) } });

	checkShape(await page(h), shape, 'status');
	assert.deepEqual((await page(h)).plugins, ['http_status']);
});

test('requests are counted by status, whoever served them', async (t) => {
	const h = await startHostd(t, { conf });
	const before = await page(h);

	for (let i = 0; i < 20; i++)
		await ask(h, '/hello');
	for (const p of ['/away', '/none', '/none', '/busy', '/busy', '/busy'])
		await ask(h, p);
	const grown = (st, key) => st.requests.status[key] -
	    before.requests.status[key];
	const sum = (list) => list.reduce((a, b) => a + b, 0);
	const after = await pageWhen(h, (st) => grown(st, '5xx') === 3 &&
	    grown(st, '4xx') === 2 && grown(st, '3xx') === 1 &&
	    grown(st, '2xx') >= 21 &&
	    // The statuses add up, and so do the workers.
	    sum(Object.values(st.requests.status)) === st.requests.total &&
	    sum(st.pools[0].workers.map((w) => w.requests)) ===
	    st.requests.total);
	const q = after.requests;

	assert.ok(q.bytes_in > before.requests.bytes_in + 26 * 20);
	assert.ok(q.bytes_out > before.requests.bytes_out + 26 * 50);
	assert.equal(q.bad, before.requests.bad);
	assert.equal(after.plugin_errors, 0);
});

test('bytes are counted as they are sent', async (t) => {
	const h = await startHostd(t, { conf: conf.replace('workers = 2',
	    'workers = 1') });
	const bytes = 'GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
	const own = async () => {
		// The page before this one, and what it took.
		const a = await page(h);
		const b = await pageWhen(h, (st) =>
		    st.requests.total > a.requests.total);

		return [b.requests.bytes_in - a.requests.bytes_in,
			b.requests.bytes_out - a.requests.bytes_out];
	};
	const first = (await page(h)).requests;
	const r = await raw(h.port, bytes);
	const then = await pageWhen(h, (st) => st.requests.total >=
	    first.total + 2);

	assert.ok(then.requests.bytes_in - first.bytes_in >= bytes.length);
	assert.ok(then.requests.bytes_out - first.bytes_out >= r.text.length);
	assert.ok((await own())[1] > 500, 'the page itself counts, too');
});

test('what is refused is counted as bad', async (t) => {
	const h = await startHostd(t, { conf });
	const before = await page(h);

	for (const bytes of ['GET\r\n\r\n', 'nonsense\r\n\r\n',
		'GET / HTTP/1.1\r\n\r\n'])
		await raw(h.port, bytes);
	await pageWhen(h, (st) => st.requests.bad === before.requests.bad + 3);
});

test('connections now, idle, accepted and closed', async (t) => {
	const h = await startHostd(t, { conf });
	const before = await page(h);
	const open = await Promise.all(Array.from({ length: 5 }, () =>
	    within(new Promise((resolve, reject) => {
		const s = net.connect(h.port, '127.0.0.1');

		s.on('error', reject);
		s.on('data', () => resolve(s));
		s.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
	}), 'answer')));
	const now = await pageWhen(h, (st) =>
	    // Five, and the one that asks.
	    st.connections.idle === 5 && st.connections.active === 6);

	assert.ok(now.connections.accepted >= before.connections.accepted + 5);
	assert.equal(now.pools[0].workers.reduce((n, w) => n + w.idle, 0), 5);
	// Who has not said anything yet is idle, too.
	const fresh = net.connect(h.port, '127.0.0.1');

	open.push(fresh);
	await pageWhen(h, ({ connections: { idle, active } }) =>
	    idle === 6 && active === 7);
	fresh.write('GET');
	await pageWhen(h, ({ connections: { idle, active } }) =>
	    idle === 5 && active === 7);
	for (const s of open)
		s.destroy();
	const then = await pageWhen(h, (st) => st.connections.active === 1);

	assert.equal(then.connections.idle, 0);
	assert.equal(then.connections.accepted - then.connections.closed, 1);
});

test('connections over the limit are counted as refused', async (t) => {
	const h = await startHostd(t, { conf: `${conf.replace('workers = 2',
	    'workers = 1')}
		http { max_connections = 3  over_limit = "503" }` });
	const hold = () => within(new Promise((resolve, reject) => {
		const s = net.connect(h.port, '127.0.0.1');

		atEnd(t, () => s.destroy());
		s.on('error', reject);
		s.on('data', () => resolve(s));
		s.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
	}), 'answer');
	const held = [await hold(), await hold()];
	const before = await pageWhen(h, (st) => st.connections.idle === 2);

	// The page's own connection may not have ended yet.
	await h.workersSatisfy(([w]) => w.active === 2, 'two connections');
	held.push(await hold());
	let refused = 0;
	const is503 = (r) => {
		refused += r.status === 503;
		return r.status === 503;
	};

	assert.ok(is503(await ask(h, '/hello')));
	for (const s of held)
		s.destroy();
	const r = await askUntil(h, '/status', {}, (a) => !is503(a));

	assert.equal(JSON.parse(r.text).connections.refused,
	    before.connections.refused + refused);
});

// SPDX-License-Identifier: BSD-2-Clause
// balance = on: a worker that has far more connections than the others passes
// new and idle ones on.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { atEnd, startHostd, until } from './lib/hostd.mjs';
import { Client, get, plugin } from './lib/http1.mjs';

const WORKERS = 4;

async function serve(t, balance, conf = '') {
	const so = await plugin('show_route');

	return startHostd(t, { conf: `
		pool "web" { workers = ${WORKERS}  balance = ${balance} }
		listen "main" { address = "127.0.0.1:@PORT@" }
		listen "local" { address = "unix:@DIR@/web.sock" }
		http { idle_timeout = 1h  head_timeout = 1h }
		plugin "show" { module = "${so}" }
		route "/" { plugin = "show" }
		${conf}` });
}

// From the fullest to the emptiest.
const active = async (h) => (await h.workers()).map((w) => w.active)
	.sort((a, b) => b - a);

async function connect(t, where, n) {
	const all = [];

	for (let i = 0; i < n; i++)
		all.push(await Client.connect(where));
	atEnd(t, () => all.forEach((c) => c.destroy()));
	return all;
}

async function ask(c) {
	await c.send(get('/'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.connection, undefined);
}

// Nobody has far more than the others; a look at them holds for a moment, so
// they are asked until it is so.
const isEven = (spread, n) => spread[0] <= 1.25 * n / WORKERS + 8;

async function even(h, all) {
	return until(async () => {
		await Promise.all(all.map(ask));
		const s = await active(h);

		return isEven(s, all.length) && s;
	}, 'balance');
}

// The kernel gives those that wait at a socket of all workers to whoever is
// awake.
test('a socket that workers share', async (t) => {
	for (const balance of ['off', 'on'])
		await t.test(balance, async (t) => {
			const h = await serve(t, balance);
			const local = { path: path.join(h.dir, 'web.sock') };
			const all = await connect(t, local, 400);

			await Promise.all(all.map(ask));
			t.diagnostic(`at first: ${await active(h)}`);
			if (balance === 'on')
				t.diagnostic(`then: ${await even(h, all)}`);
		});
});

test('a worker that is new gets its share', async (t) => {
	const h = await serve(t, 'on');
	const all = await connect(t, h.port, 400);

	await Promise.all(all.map(ask));
	const [{ pid }] = await h.workers();

	process.kill(pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === WORKERS && ws.every((w) =>
	    w.state === 'ready' && w.pid !== pid), 'the next worker');
	for (const c of all.filter((o) => !o.closed))
		await c.send(get('/')).catch(() => undefined);
	const left = [];

	for (const c of all)
		try {
			assert.equal((await c.next()).status, 200);
			left.push(c);
		} catch (e) {
			assert.match(e.message, /before an answer/);
		}
	assert.ok(left.length > 200 && left.length < 400, `${left.length}`);
	t.diagnostic(`${await even(h, left)}`);

	// And nobody goes to and fro.
	const where = async () => (await h.workers()).map((w) => w.active);
	const before = await where();

	for (let i = 0; i < 5; i++)
		await Promise.all(left.map(ask));
	const after = await where();

	assert.ok(isEven(after.toSorted((x, y) => y - x), left.length));
	assert.ok(before.every((n, i) => Math.abs(n - after[i]) <= 8),
	    `${before}; ${after}`);
});

test('few are not worth the trouble', async (t) => {
	const h = await serve(t, 'on');
	const all = await connect(t, h.port, 9);

	await Promise.all(all.map(ask));
	const { connections } = await h.status();

	assert.equal(connections.active, 9);
	for (const w of await h.workers())
		assert.ok(w.accepted >= w.active);
});

test('it goes on over reloads', async (t) => {
	const h = await serve(t, 'on');
	const local = { path: path.join(h.dir, 'web.sock') };
	const all = await connect(t, local, 100);

	for (let i = 0; i < 3; i++) {
		await Promise.all(all.map(ask));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		await h.workersSatisfy((ws) => ws.length === WORKERS,
		    'end of the old ones');
	}
	await even(h, all);
	// One on its way is with two for a moment.
	await until(async () => (await h.status()).connections.active === 100,
	    'each counted once');
});

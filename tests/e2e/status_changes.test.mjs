// SPDX-License-Identifier: BSD-2-Clause
// http_status over reloads, scaling and workers that are killed: the state is
// the present one, and no counter goes down.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { startHostd, until } from './lib/hostd.mjs';
import { ask } from './lib/static.mjs';

const conf = `pool "web" { workers = 2 }
	plugin "status" { module = "http_status.so" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/status" { plugin = "status" }
	route "/hello" { plugin = "hello" }`;

const workersOf = (st) => st.pools.flatMap((p) => p.workers);
const pidsOf = (st) => workersOf(st).map((w) => w.pid).sort();

// A connection that the worker had taken dies with it.
const orReset = (e) => {
	if (e.code !== 'ECONNRESET')
		throw e;
	return { status: 0 };
};

// The page, when pred holds of it.
function page(h, pred = () => true) {
	return until(async () => {
		const r = await ask(h, '/status').catch(orReset);
		const st = r.status === 200 && JSON.parse(r.text);

		return st && pred(st) && st;
	}, 'the awaited state');
}

async function start(t) {
	const h = await startHostd(t, { conf });

	for (let i = 0; i < 30; i++)
		assert.equal((await ask(h, '/hello')).status, 200);
	return { h, first: await page(h, (st) => st.requests.total >= 30) };
}

function neverLess(before, after) {
	for (const key of ['total', 'bad', 'bytes_in', 'bytes_out'])
		assert.ok(after.requests[key] >= before.requests[key], key);
	for (const key of Object.keys(before.requests.status))
		assert.ok(after.requests.status[key] >=
		    before.requests.status[key], key);
	for (const key of ['accepted', 'refused', 'closed'])
		assert.ok(after.connections[key] >= before.connections[key],
		    key);
	assert.equal(after.pid, before.pid);
	assert.equal(after.started_ms, before.started_ms);
}

test('a reload', async (t) => {
	const { h, first } = await start(t);
	let last = first;

	for (const generation of [2, 3, 4]) {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		const st = await page(h,
		    (now) => now.generation === generation &&
		    workersOf(now).every((w) => w.generation === generation));

		neverLess(last, st);
		assert.deepEqual(workersOf(st).map((w) => w.state),
		    ['ready', 'ready']);
		for (const pid of pidsOf(last))
			assert.ok(!pidsOf(st).includes(pid), 'new workers');
		last = st;
	}
});

test('a reload that fails', async (t) => {
	const { h, first } = await start(t);
	fs.writeFileSync(h.confFile,
	    `${fs.readFileSync(h.confFile)}\nnonsense`);
	assert.notEqual((await h.hostctl('reload')).code, 0);
	const st = await page(h);

	neverLess(first, st);
	assert.equal(st.generation, 1);
	assert.deepEqual(pidsOf(st), pidsOf(first));
});

test('more workers and fewer', async (t) => {
	const { h, first } = await start(t);
	let last = first;

	for (const n of [4, 1, 3]) {
		const r = await h.hostctl('scale', 'web', String(n));

		assert.equal(r.code, 0, r.stderr);
		const st = await page(h, (now) => workersOf(now).length === n &&
		    workersOf(now).every((w) => w.state === 'ready'));

		assert.deepEqual(workersOf(st).map((w) => w.slot),
		    [...Array(n).keys()]);
		neverLess(last, st);
		last = st;
	}
});

test('a worker that is killed', async (t) => {
	const { h, first } = await start(t);
	const [victim] = workersOf(first);

	process.kill(victim.pid, 'SIGKILL');
	// Asked of the other one, or of the successor.
	const st = await page(h, (now) =>
	    !pidsOf(now).includes(victim.pid) && workersOf(now).length === 2 &&
	    workersOf(now).every((w) => w.state === 'ready'));
	const [now, other] = workersOf(st);

	neverLess(first, st);
	assert.equal(now.slot, victim.slot);
	assert.equal(now.restarts, victim.restarts + 1);
	assert.equal(other.pid, workersOf(first)[1].pid);
	assert.equal(other.restarts, 0);
	assert.equal(st.generation, 1);
});

test('all workers killed', async (t) => {
	const { h, first } = await start(t);

	for (const w of workersOf(first))
		process.kill(w.pid, 'SIGKILL');
	const st = await page(h, (now) => workersOf(now).length === 2 &&
	    workersOf(now).every((w) => w.state === 'ready' &&
	    w.restarts === 1));

	neverLess(first, st);
	for (const pid of pidsOf(first))
		assert.ok(!pidsOf(st).includes(pid));
});

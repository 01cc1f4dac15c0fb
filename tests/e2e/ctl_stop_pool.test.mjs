// SPDX-License-Identifier: BSD-2-Clause
// hostctl stop POOL, start, delete: a pool without workers, and back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { freePort } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

async function startTwo(t, more = {}) {
	const other = await freePort();
	const h = await startLife(t, { conf: `
		pool "web" { workers = 2 }
		pool "back" { workers = 2 }
		listen "main" { address = "127.0.0.1:@PORT@" }
		listen "other" { address = "127.0.0.1:${other}"  pool = "back" }
	`, ...more });

	h.other = other;
	return h;
}

const fine = async (h, ...args) => {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
	return r.stdout;
};
const refused = async (h, why, ...args) => {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 1, `${args}`);
	assert.match(r.stderr, why);
};
const back = async (h) =>
	(await h.status()).pools.find((p) => p.name === 'back');
const isRefused = async (port) =>
	assert.equal(await new Client(port).ended, 'ECONNREFUSED');
const workers = (h, pool, n) => h.workersSatisfy((all) => {
	const ws = all.filter((w) => w.pool === pool);

	return ws.length === n && ws.every((w) => w.state === 'ready');
}, `${n} workers of ${pool}`);

test('stopped: refused; started: as before', async (t) => {
	const h = await startTwo(t);
	const web = new Load(h);

	assert.match(await fine(h, 'stop', 'back'), /^stopped, /m);
	await workers(h, 'back', 0);
	await isRefused(h.other);
	const p = await back(h);

	assert.equal(p.stopped, true);
	assert.deepEqual([p.configured, p.target], [2, 0]);
	assert.match(await fine(h, 'list'), /^back +- +- +stopped /m);
	await refused(h, /pool "back" is stopped already/, 'stop', 'back');

	assert.match(await fine(h, 'start', 'back'), /^started, /m);
	await workers(h, 'back', 2);
	await h.logged('pool back is started with 2 workers');
	assert.equal((await new Client(h.other).ask('/', true)).status, 200);
	assert.equal((await back(h)).stopped, false);
	await refused(h, /pool "back" runs already/, 'start', 'back');
	await refused(h, /there is no pool "bcak"/, 'start', 'bcak');
	await refused(h, /there is no pool "bcak"/, 'stop', 'bcak');
	await web.stop();
	assert.deepEqual(web.failures, []);
});

test('requests under way are finished first', async (t) => {
	const h = await startTwo(t, { keys: 'gate = "@DIR@/gate"' });
	const c = new Client(h.other);

	await c.ask();
	await h.workersSatisfy((ws) => ws.some((w) => w.pid === c.pid &&
	    w.idle > 0 && w.active === w.idle), 'an idle connection');
	c.send('/hold');
	await h.workersSatisfy((ws) => ws.some((w) => w.pid === c.pid &&
	    w.active > w.idle), 'a request under way');
	await fine(h, 'stop', 'back');
	// Each of its workers has heard of it.
	for (let i = 0; i < 2; i++)
		await h.logged(new RegExp(`back\\.${i} .*draining`));
	await isRefused(h.other);
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	const a = await c.answer();

	assert.equal(a.status, 200);
	assert.equal(a.close, true);
	await c.ended;
	await workers(h, 'back', 0);
});

test('what was scaled comes back so', async (t) => {
	const h = await startTwo(t);

	await fine(h, 'scale', 'back', '3');
	await fine(h, 'stop', 'back');
	await fine(h, 'start', 'back');
	await workers(h, 'back', 3);
});

test('restart and scale start a stopped one', async (t) => {
	const h = await startTwo(t);

	await fine(h, 'stop', 'back');
	await fine(h, 'restart', 'back');
	await workers(h, 'back', 2);
	await fine(h, 'stop', 'back');
	await fine(h, 'scale', 'back', '+1');
	await workers(h, 'back', 3);
});

test('a restart of all leaves it stopped', async (t) => {
	const h = await startTwo(t);

	await fine(h, 'stop', 'back');
	await fine(h, 'restart');
	await fine(h, 'scale', 'web', '1');
	await workers(h, 'web', 1);
	await workers(h, 'back', 0);
	assert.equal((await back(h)).stopped, true);
});

test('a reload keeps it stopped, with the number configured then',
    async (t) => {
	const h = await startTwo(t);

	await fine(h, 'stop', 'back');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('"back" { workers = 2', '"back" { workers = 3'));
	await fine(h, 'reload');
	await workers(h, 'back', 0);
	await isRefused(h.other);
	assert.equal((await back(h)).stopped, true);
	await fine(h, 'start', 'back');
	const ws = (await workers(h, 'back', 3)).filter(
	    (w) => w.pool === 'back');

	assert.ok(ws.every((w) => w.generation === 2));
});

test('a pool that is configured no more is forgotten', async (t) => {
	const h = await startTwo(t);

	await fine(h, 'stop', 'back');
	await workers(h, 'back', 0);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace(/^.*"back".*$/gm, ''));
	await fine(h, 'reload');
	assert.equal(await back(h), undefined);
	await refused(h, /there is no pool "back"/, 'start', 'back');
});

test('deleted: gone until the next reload', async (t) => {
	const h = await startTwo(t);

	assert.match(await fine(h, 'delete', 'back'), /^deleted, /m);
	await workers(h, 'back', 0);
	await isRefused(h.other);
	await h.workersSatisfy((ws) => ws.length === 2, 'two workers');
	assert.doesNotMatch(await fine(h, 'list'), /back/);
	await fine(h, 'scale', 'web', '3');
	await fine(h, 'restart');
	assert.equal(await back(h), undefined);
	await fine(h, 'reload');
	await workers(h, 'back', 2);
	assert.equal((await new Client(h.other).ask('/', true)).status, 200);
});

test('one worker less, whichever it is', async (t) => {
	const h = await startTwo(t);
	const load = new Load(h, { kind: 'new' });
	const slots = async () => (await h.workers())
	    .filter((w) => w.pool === 'web' && w.state === 'ready')
	    .map((w) => w.slot);

	await fine(h, 'scale', 'web', '3');
	await fine(h, 'delete', 'web.1');
	await h.workersSatisfy((ws) => ws.filter((w) => w.pool === 'web')
	    .length === 2, 'two workers');
	assert.deepEqual(await slots(), [0, 2]);
	// They stay, and what comes takes the place that is free.
	await fine(h, 'reload');
	assert.deepEqual(await slots(), [0, 2]);
	await fine(h, 'scale', 'web', '+1');
	assert.deepEqual(await slots(), [0, 1, 2]);
	const last = (await h.workers()).find((w) => w.pool === 'web' &&
	    w.slot === 2);

	await fine(h, 'delete', String(last.pid));
	assert.deepEqual(await slots(), [0, 1]);
	await load.more(50);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

test('what the scale is counted from', async (t) => {
	const h = await startTwo(t);

	await fine(h, 'scale', 'back', '+2');
	await workers(h, 'back', 4);
	await fine(h, 'scale', 'back', '-3');
	await workers(h, 'back', 1);
	await refused(h, /the number of workers is 1 to 256/, 'scale', 'back',
	    '-1');
	for (const n of ['++1', '+', '-', '+x', '1+'])
		assert.equal((await h.hostctl('scale', 'back', n)).code, 2, n);
});

// hostctl stop web.0 stopped all of web.
test('a worker is no pool', async (t) => {
	const h = await startTwo(t);
	const { pid } = (await h.workers()).find((w) => w.pool === 'web');
	const why = /only whole pools .*; hostctl delete web\.0 does without/;

	for (const name of ['web.0', String(pid)])
		for (const verb of ['stop', 'start'])
			await refused(h, why, verb, name);
	await refused(h, /there is no pool "web\.0"/, 'scale', 'web.0', '3');
	assert.equal((await workers(h, 'web', 2))
	    .filter((w) => w.pid === pid).length, 1);
});

// It was another program's, hostctl said.
test('an address that a worker has not closed yet', async (t) => {
	const h = await startTwo(t);
	const old = (await h.workers()).filter((w) => w.pool === 'back');

	for (const { pid } of old)
		process.kill(pid, 'SIGSTOP');
	await fine(h, 'stop', 'back');
	await refused(h, /worker back\.\d \(pid \d+\), which is ending, still has it; try again/,
	    'start', 'back');
	for (const { pid } of old)
		process.kill(pid, 'SIGCONT');
	await workers(h, 'back', 0);
	await fine(h, 'start', 'back');
	await workers(h, 'back', 2);
});

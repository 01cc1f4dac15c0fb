// SPDX-License-Identifier: BSD-2-Clause
// hostctl scale changes the number of workers, and no request fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { freePort } from './lib/hostd.mjs';
import { descriptors, descriptorsAtMost, startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

async function scale(h, n) {
	const r = await h.hostctl('scale', 'web', String(n));

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /^scaled, generation \d+ is served$/m);
}

const slots = (h, list) => h.workersSatisfy((ws) =>
    ws.length === list.length && ws.every((w, i) => w.slot === list[i] &&
    w.state === 'ready'), `slots ${list}`);

test('up and down under load', async (t) => {
	const h = await startLife(t);
	const load = new Load(h, { clients: 6 });
	const fresh = new Load(h, { kind: 'new' });
	const before = await slots(h, [0, 1]);

	await scale(h, 4);
	const four = await slots(h, [0, 1, 2, 3]);

	assert.deepEqual(four.slice(0, 2).map((w) => w.pid),
	    before.map((w) => w.pid));
	await load.more(() => four.every((w) => load.byPid.has(w.pid)));

	await scale(h, 1);
	const one = await slots(h, [0]);

	assert.equal(one[0].pid, before[0].pid);
	await load.more(100);
	for (let i = 0; i < 10; i++) {
		await scale(h, 4);
		await fresh.more(10);
		await scale(h, 2);
		await fresh.more(10);
	}
	await slots(h, [0, 1]);
	await load.more(100);
	for (const l of [load, fresh]) {
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
});

// The sockets of workers that are let go stay, with those that are left.
test('nobody waits where there is no worker any more', async (t) => {
	const other = await freePort();
	const h = await startLife(t, { conf: `
		pool "web" { workers = 4 }
		listen "main" { address = "127.0.0.1:@PORT@" }
		listen "other" { address = "127.0.0.1:${other}" }
	` });
	// All workers of `ws`, and no others, serve those who come now.
	const serve = async (ws, port = h.port) => {
		const load = new Load(h, { kind: 'new', port });

		await load.more(() =>
		    ws.every((w) => load.byPid.get(w.pid) > 3));
		await load.more(50);
		await load.stop();
		assert.deepEqual(load.failures, []);
		assert.deepEqual([...load.byPid.keys()].sort(),
		    ws.map((w) => w.pid).sort());
	};
	const back = (pid) => h.workersSatisfy((ws) => ws.every((w) =>
	    w.state === 'ready' && w.pid !== pid), 'a new worker');

	await serve(await slots(h, [0, 1, 2, 3]));
	await scale(h, 2);
	const [first] = await slots(h, [0, 1]);

	await serve(await slots(h, [0, 1]));
	await serve(await slots(h, [0, 1]), other);

	process.kill(first.pid, 'SIGKILL');
	await serve(await back(first.pid));
	assert.equal((await h.hostctl('reload')).code, 0);
	await serve(await slots(h, [0, 1]));

	// Each gets its own back.
	await scale(h, 4);
	await serve(await slots(h, [0, 1, 2, 3]));
	await scale(h, 1);
	await serve(await slots(h, [0]));

	await t.test('an address that goes, goes with all its sockets',
	    async () => {
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace(/^.*listen "other".*\n/m, ''));
		assert.equal((await h.hostctl('reload')).code, 0);
		await slots(h, [0]);
		const c = new Client(other);

		assert.equal(await c.ended, 'ECONNREFUSED');
		await scale(h, 3);
		await serve(await slots(h, [0, 1, 2]));
	});
});

test('many times leaves nothing behind', async (t) => {
	const h = await startLife(t);
	const round = async () => {
		await scale(h, 5);
		await slots(h, [0, 1, 2, 3, 4]);
		await scale(h, 2);
		await slots(h, [0, 1]);
	};

	await round();
	const before = descriptors(h.child.pid);

	for (let i = 0; i < 5; i++)
		await round();
	await descriptorsAtMost(h.child.pid, before);
	assert.equal(h.pids().length, 3);
});

test('a worker that is let go finishes first', async (t) => {
	const h = await startLife(t, { keys: 'gate = "@DIR@/gate"' });
	const [, second] = await h.workers();
	const others = [];
	let c;

	for (;;) {
		c = new Client(h.port);
		await c.ask();
		if (c.pid === second.pid)
			break;
		others.push(c);
	}
	others.forEach((o) => o.destroy());
	await h.workersSatisfy((ws) => ws[1].idle > 0 &&
	    ws[1].active === ws[1].idle, 'an idle connection');
	c.send('/hold');
	await h.workersSatisfy((ws) => ws[1].active > ws[1].idle,
	    'a request under way');
	await scale(h, 1);

	const { pools } = (await h.status());

	assert.deepEqual(pools.map((p) => [p.configured, p.target]), [[2, 1]]);
	assert.deepEqual(pools[0].workers.map((w) => [w.slot, w.state]),
	    [[0, 'ready'], [1, 'draining']]);
	assert.match((await h.hostctl('list')).stdout,
	    new RegExp(`^web\\.1 +${second.pid} +1 +draining `, 'm'));

	await t.test('and its place can be taken meanwhile', async () => {
		await scale(h, 2);
		const ws = await h.workers();

		assert.deepEqual(ws.map((w) => [w.slot, w.state]),
		    [[0, 'ready'], [1, 'draining'], [1, 'ready']]);
	});

	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	assert.equal((await c.answer()).close, false);
	await slots(h, [0, 1]);
	// Its connection goes on with another one.
	const { pid } = c;

	assert.equal((await c.ask()).status, 200);
	assert.notEqual(c.pid, pid);
	c.destroy();
});

test('a number set by hand stays until the configured one changes',
    async (t) => {
	const h = await startLife(t);
	const reload = async () => {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
	};

	await scale(h, 3);
	await reload();
	await slots(h, [0, 1, 2]);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('workers = 2', 'workers = 1'));
	await reload();
	await slots(h, [0]);
});

test('what can\'t be done is refused', async (t) => {
	const h = await startLife(t);

	for (const [pool, n, why] of [
		['wbe', '2', /^hostctl: there is no pool "wbe"$/m],
		['web', '0', /^hostctl: the number of workers is 1 to 256$/m],
		['web', '257', /^hostctl: the number of workers is 1 to 256$/m],
		['web', '-2', /^hostctl: the number of workers is 1 to 256$/m],
	]) {
		const r = await h.hostctl('scale', pool, n);

		assert.equal(r.code, 1, `${pool} ${n}`);
		assert.match(r.stderr, why);
	}
	for (const args of [[], ['web'], ['web', 'x'], ['web', '1', '2']])
		assert.equal((await h.hostctl('scale', ...args)).code, 2);
	assert.equal((await slots(h, [0, 1])).length, 2);
});

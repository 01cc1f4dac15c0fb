// SPDX-License-Identifier: BSD-2-Clause
// A plugin that crashes costs one worker; the master names it, and takes its
// time when it does so again and again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

// A connection to the worker with that pid.
async function connectTo(h, pid) {
	const others = [];

	for (;;) {
		const c = new Client(h.port);

		await c.ask();
		if (c.pid === pid) {
			others.forEach((o) => o.destroy());
			return c;
		}
		others.push(c);
	}
}

async function crash(h, pid) {
	const c = await connectTo(h, pid);

	c.send('/crash');
	await c.ended;
	const [, delay] = await h.logged(
	    new RegExp(`\\(pid ${pid}, generation ` +
	    '1\\) died: SIGABRT in plugin life, on_headers; restarting in ' +
	    '(\\d+) ms'));

	return Number(delay);
}

test('a plugin that crashes on a request', async (t) => {
	const clock = await makeClock(t);
	const h = await startLife(t, { env: clock.env,
		conf: 'pool "web" { workers = 2  max_restarts = 0  ' +
		    'min_uptime = 1d  watchdog = 0 }' });
	const [victim, other] = await h.workers();
	const c = await connectTo(h, other.pid);
	const delays = [];
	let { pid } = victim;

	for (let i = 0; i < 4; i++) {
		delays.push(await crash(h, pid));
		// The others go on.
		assert.equal((await c.ask()).status, 200);
		assert.equal(c.pid, other.pid);
		const ws = await h.workersSatisfy((w) => w.length === 2 &&
		    w[0].state === 'ready' && w[0].pid !== pid, 'a new worker');

		assert.equal(ws[0].restarts, i + 1);
		assert.equal(ws[1].pid, other.pid);
		assert.equal(ws[1].restarts, 0);
		pid = ws[0].pid;
	}
	// The first is free when the worker was up for a second.
	const waits = delays.filter((d) => d > 0);

	assert.ok(waits.length >= 3, `${delays}`);
	waits.forEach((d, i) => assert.ok(i === 0 || d === 2 * waits[i - 1],
	    `${delays}`));

	await t.test('a wait shows in status and list', async () => {
		let restarts = 5;

		// Until one is long enough to be looked at.
		while (await crash(h, pid) < 10_000) {
			clock.pass(15);
			[{ pid }] = await h.workersSatisfy(([w]) =>
			    w.state === 'ready' && w.pid !== pid,
			    'a new worker');
			restarts++;
		}
		const w = (await h.workers())[0];

		assert.equal(w.state, 'waiting');
		assert.equal(w.restarts, restarts);
		assert.ok(w.retry_in_ms > 0);
		const r = await h.hostctl('list');

		assert.match(r.stdout, /^web\.0 +- +1 +waiting /m);
	});

	c.destroy();
	await t.test('a reload ends the wait', async () => {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		const ws = await h.workersSatisfy((w) => w.length === 2,
		    'end of the old worker');

		assert.deepEqual(ws.map((w) => [w.state, w.generation]),
		    [['ready', 2], ['ready', 2]]);
	});
});

// The workers that serve 16 connections.
async function askAll(h) {
	const pids = new Set();

	for (let i = 0; i < 16; i++) {
		const c = new Client(h.port);

		await c.ask('/', true);
		c.destroy();
		pids.add(c.pid);
	}
	return [...pids];
}

test('a worker that can\'t start again', async (t) => {
	const h = await startLife(t, { keys: 'bomb = "@DIR@/bomb"' });
	const bomb = path.join(h.dir, 'bomb');
	const [victim, other] = await h.workers();

	fs.writeFileSync(bomb, '');
	process.kill(victim.pid, 'SIGKILL');
	await h.logged(/died: SIGABRT in plugin life, create; restarting in 200 ms/);
	assert.deepEqual(await askAll(h), [other.pid]);

	await t.test('keeps nobody from adding one', async () => {
		const r = await h.hostctl('scale', 'web', '3');

		assert.equal(r.code, 1, r.stdout);
		assert.match(r.stderr,
		    /^hostctl: worker web\.2 of generation 1 did not get ready: SIGABRT in plugin life, create$/m);
		assert.match(r.stderr,
		    /^hostctl: not scaled; generation 1 goes on serving$/m);
		assert.deepEqual((await h.workers()).map((w) => w.slot),
		    [0, 1]);
		fs.rmSync(bomb);
		const s = await h.hostctl('scale', 'web', '3');

		assert.equal(s.code, 0, s.stderr);
	});

	const ws = await h.workersSatisfy((w) => w.length === 3 &&
	    w.every((x) => x.state === 'ready'), 'all workers');

	assert.ok(ws[0].restarts >= 2);
	assert.equal(ws[1].pid, other.pid);
});

test('others serve those who would wait for it', async (t) => {
	const h = await startLife(t, { keys: 'bomb = "@DIR@/bomb"',
		conf: 'pool "web" { workers = 3 }' });
	const bomb = path.join(h.dir, 'bomb');
	const [first, second, third] = (await h.workers()).map((w) => w.pid);
	const waits = (slot, pid) => h.logged(new RegExp(
	    `worker web\\.${slot} \\(pid (?!${pid},).* died: SIGABRT`));

	fs.writeFileSync(bomb, '');
	process.kill(first, 'SIGKILL');
	await waits(0, first);
	assert.ok(!(await askAll(h)).includes(first));

	// Also when the one that did has gone as well.
	process.kill(second, 'SIGKILL');
	await waits(1, second);
	assert.deepEqual(await askAll(h), [third]);
	process.kill(third, 'SIGKILL');
	await waits(2, third);

	// The first to come back serves all, and then each its own.
	fs.rmSync(bomb);
	const ws = await h.workersSatisfy((list) => list.length === 3 &&
	    list.every((w) => w.state === 'ready'), 'all workers');
	const load = new Load(h, { kind: 'new' });

	await load.more(() => ws.every((w) => load.byPid.get(w.pid) > 3));
	await load.stop();
	assert.deepEqual(load.failures, []);

	await t.test('and are let go without anybody lost', async () => {
		const more = new Load(h);

		fs.writeFileSync(bomb, '');
		process.kill(ws[2].pid, 'SIGKILL');
		await h.logged(new RegExp(`worker web\\.2 \\(pid ` +
		    `(?!(${third}|${ws[2].pid}),).* died: SIGABRT`),
		    h.log.length);
		const failed = more.failures.length;

		fs.rmSync(bomb);
		assert.equal((await h.hostctl('scale', 'web', '2')).code, 0);
		await more.more(20);
		assert.equal((await h.hostctl('reload')).code, 0);
		await more.more(20);
		await more.stop();
		assert.equal(more.failures.length, failed);
	});
});

test('a reload whose second worker does not start is taken back',
    async (t) => {
	const h = await startLife(t, { keys: 'bomb = "@DIR@/bomb"' });
	const load = new Load(h);
	const before = await h.workers();
	const conf = path.join(h.dir, 'conf.d/life.conf');

	fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8')
	    .replace('bomb"', 'token" create = once') +
	    `pool "more" { workers = 2 }
	    listen "more" { address = "unix:${h.dir}/more.sock" pool = "more" }
	`);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 4, r.stdout);
	assert.match(r.stderr, new RegExp('^hostctl: worker web\\.1 of ' +
	    'generation 2 did not get ready: .*plugin "life" .*start failed',
	    'm'));
	assert.match(r.stderr, /generation 1 goes on serving$/m);
	const after = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.generation === 1 && w.state === 'ready'),
	    'the old generation');

	// One of it was never replaced, the other is new.
	assert.deepEqual(after.map((w) => w.pool), ['web', 'web']);
	assert.equal(after[1].pid, before[1].pid);
	assert.notEqual(after[0].pid, before[0].pid);
	assert.ok(!fs.existsSync(`${h.dir}/more.sock`));
	assert.equal((await h.status()).generation, 1);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);

	fs.rmSync(conf);
	const again = await h.hostctl('reload');

	assert.equal(again.code, 0, again.stderr);
});

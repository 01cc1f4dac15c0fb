// SPDX-License-Identifier: BSD-2-Clause
// session_lmdb: sessions that all workers share, which outlive them, end in
// time, and need no more room than they may.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { command, until } from './lib/hostd.mjs';
import { countKept, reconfigure, startAgain, startKept } from './lib/kept.mjs';
import { get, set, Visitor } from './lib/session.mjs';

const BIG = 50_000;
const big = (key) => `big=${key}:${BIG}`;

// Until every worker has answered: pids.
async function allWorkers(h, v, each) {
	const pids = new Set();

	await until(async () => {
		const [[, pid], ...rest] = await v.do('pid', ...each.steps,
		    { agent: false });

		each.check(rest);
		pids.add(pid);
		return pids.size === 4;
	}, 'an answer of each worker');
}

// Somebody new, whose session has n bytes: the status.
const come = async (h) => (await new Visitor(h).visit(big('b'))).status;

for (const own of [false, true])
	test(`no word of it, ${own ? 'a user of its own' : 'workers of root\'s'}`,
	    async (t) => {
		const user = !own && process.getuid() === 0 ? 'nobody' :
		    undefined;
		const h = await startKept(t, { store: null, own, user });
		const v = new Visitor(h);
		const dir = path.dirname(h.file);

		await v.get(set('name', 'Zoé'));
		await allWorkers(h, v, { steps: [get('name')], check: ([r]) =>
			assert.deepEqual(r, ['OK', 'Zoé']) });
		const st = [h.file, dir, path.dirname(dir)].map((f) =>
		    fs.statSync(f));

		assert.deepEqual(st.map((s) => s.mode & 0o777),
		    [0o600, 0o700, 0o700]);
		const [worker] = await h.workers();
		const uid = fs.statSync(`/proc/${worker.pid}`).uid;

		assert.deepEqual(st.map((s) => s.uid), [uid, uid, uid]);
		await t.test('a test of the configuration leaves it alone',
		    async () => {
			const before = fs.statSync(h.file).mtimeMs;
			const [file, ...args] = [...h.through, h.program,
				'-t', '-c', h.confFile];
			const r = await command(file, args);

			assert.equal(r.code, 0, r.stderr);
			assert.equal(fs.statSync(h.file).mtimeMs, before);
		});
	});

test('four workers, and a restart', async (t) => {
	const h = await startKept(t);
	const v = new Visitor(h);
	const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);

	await v.get(set('first', 1));
	// Each by its own connection, four at once.
	for (let i = 0; i < keys.length; i += 4)
		await Promise.all(keys.slice(i, i + 4).map((k) =>
		    v.get(set(k, k), { agent: false })));
	const all = async () => assert.deepEqual((await v.get('keys')).sort(),
	    ['first', ...keys].sort());

	await all();
	await h.stop();
	await startAgain(h);
	await all();
	await v.do('destroy');
	assert.equal((await countKept(h)).sessions, 0);
	await h.stop('SIGQUIT');
	await startAgain(h);
	assert.equal(await v.get(get('first')), undefined);
});

test('ends, and what it leaves', async (t) => {
	const h = await startKept(t, { store: 'sweep_interval = 200ms',
		keys: 'ttl = 1s' });
	const many = Array.from({ length: 300 }, () => new Visitor(h));

	for (const v of many)
		await v.get(set('a', 1));
	await until(async () => (await countKept(h)).sessions === 0,
	    'a store without sessions');
	assert.equal(await many[0].get(get('a')), undefined);
	await t.test('who removes dies, and another does', async () => {
		const lives = await h.workers();

		for (const w of lives.slice(1)) {
			process.kill(w.pid, 'SIGKILL');
			await h.workersSatisfy((ws) => ws.every((x) =>
			    x.state === 'ready' && x.pid !== w.pid), 'it back');
		}
		await new Visitor(h).get(set('b', 1));
		await until(async () => (await countKept(h)).sessions === 0,
		    'a store without sessions');
	});
});

test('one that is used does not end', async (t) => {
	const clock = await makeClock(t);
	const h = await startKept(t, { env: clock.env, workers: 1,
		keys: 'ttl = 1h', store: 'sweep_interval = 200ms' });
	const v = new Visitor(h);

	await v.get(set('a', 1));
	for (let i = 1; i < 5; i++) {
		clock.set(i * 2400);
		assert.equal(await v.get(get('a')), 1);
		// Behind what is written of that.
		await new Visitor(h).get(set('b', 1));
	}
	clock.set(6 * 2400);
	assert.equal(await v.get(get('a')), undefined);
});

test('a full store refuses new ones', async (t) => {
	const h = await startKept(t, { store: 'max_size = 4m' });
	const v = new Visitor(h);

	await v.get(set('a', 1));
	await until(async () => await come(h) === 503, 'a refusal');
	const { sessions, bytes, room, max_size } = await countKept(h);

	assert.ok(sessions > 20, `${sessions} sessions`);
	assert.ok(bytes > room && bytes < max_size, `${bytes} of ${room}`);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await v.get(set('a', 2), get('a')), 2);
	const r = await h.hostctl('plugin', 'call', 'kept', 'destroy', v.id);

	assert.match(r.stdout, /1 session destroyed/);
	assert.equal(await v.get(get('a')), undefined);
	const all = await h.hostctl('plugin', 'call', 'kept', 'destroy', 'all');

	assert.match(all.stdout, new RegExp(
	    `${sessions - 1} sessions destroyed`));
	assert.equal((await countKept(h)).sessions, 0);
	assert.equal(await come(h), 200);
	assert.ok(fs.statSync(h.file).size <= max_size);
});

test('a full store that evicts', async (t) => {
	const h = await startKept(t, {
		store: 'max_size = 4m  when_full = evict' });
	const first = new Visitor(h), last = new Visitor(h);

	await first.get(set('a', 1));
	for (let i = 0; i < 150; i++)
		assert.equal(await come(h), 200);
	await last.get(set('a', 1));
	assert.equal(await first.get(get('a')), undefined);
	assert.equal(await last.get(get('a')), 1);
	assert.ok(fs.statSync(h.file).size <= 4 << 20);
	await h.logged(/it is full: sessions that would end first/);
});

test('a larger one while workers have the smaller', async (t) => {
	const h = await startKept(t, { workers: 1, store: 'max_size = 4m',
		conf: 'drain_timeout = 0' });
	const v = new Visitor(h);

	await v.get(set('a', 1));
	const [{ pid: old }] = await h.workersSatisfy(([w]) =>
	    w.active === 1 && w.idle === 1, 'nothing under way');
	const late = v.twin().begin('pid', 'body', get('a'), set('b', 2));

	await h.workersSatisfy(([w]) => w.active > w.idle, 'a request');
	reconfigure(h, 'max_size = 4m', 'max_size = 64m');
	const reload = h.hostctl('reload');

	await h.logged('serving generation 2');
	for (let i = 0; i < 150; i++)
		assert.equal(await come(h), 200);
	assert.ok(fs.statSync(h.file).size > 4 << 20);
	late.go();
	const [[, pid], , a, b] = await late.done;

	assert.equal(pid, old);
	assert.deepEqual([a, b], [['OK', 1], ['OK']]);
	assert.equal((await reload).code, 0);
	assert.deepEqual((await v.get('keys')).sort(), ['a', 'b']);
});

test('a file that is removed while it is used', async (t) => {
	const h = await startKept(t, { store: 'sweep_interval = 200ms' });
	const v = new Visitor(h);

	await v.get(set('a', 1));
	fs.unlinkSync(h.file);
	await h.logged(/sessions\.mdb: it, or its -lock, was removed or replaced/);
	await until(async () => fs.existsSync(h.file) &&
	    (await v.visit(get('a'))).status === 200 &&
	    await come(h) === 200, 'a new one');
	await allWorkers(h, v, { steps: [get('a')], check: ([r]) =>
		assert.notDeepEqual(r, ['OK', 1]) });
});

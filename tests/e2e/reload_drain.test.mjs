// SPDX-License-Identifier: BSD-2-Clause
// What is in flight during a reload finishes; what does not is ended in time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd } from './lib/hostd.mjs';
import { held, startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const gate = (h) => path.join(h.dir, 'gate');
const keys = 'gate = "@DIR@/gate"';

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stdout + r.stderr);
}

const draining = (ws, pid) => ws.some((w) => w.pid === pid &&
    w.state === 'draining');

const generationOf = async (h, pid) =>
	(await h.workers()).find((w) => w.pid === pid)?.generation;

test('a slow request finishes, and its connection goes on', async (t) => {
	const h = await startLife(t, { keys });
	const c = await held(h);
	const idle = new Client(h.port);

	await idle.ask();
	await reload(h);
	const ws = await h.workers();

	assert.ok(draining(ws, c.pid), JSON.stringify(ws));
	assert.deepEqual(ws.filter((w) => w.state === 'ready')
	    .map((w) => w.generation), [2, 2]);

	await t.test('hostctl list shows both generations', async () => {
		const r = await h.hostctl('list');

		assert.match(r.stdout, new RegExp(
		    `^web\\.\\d +${c.pid} +1 +draining `, 'm'));
		assert.equal(r.stdout.match(/^web\.\d +\d+ +2 +ready /gm)
		    .length, 2);
	});

	fs.writeFileSync(gate(h), '');
	const a = await c.answer();

	assert.equal(a.status, 200);
	assert.equal(a.close, false);
	await h.workersSatisfy((w) => w.length === 2, 'end of the old workers');
	for (const one of [c, idle]) {
		const b = await one.ask();

		assert.equal(b.status, 200);
		assert.equal(b.close, false);
		assert.equal(await generationOf(h, one.pid), 2);
		one.destroy();
	}
});

test('pipelined requests are all answered', async (t) => {
	const h = await startLife(t, { keys });
	const c = await held(h);

	c.send('/');
	c.send('/');
	await reload(h);
	fs.writeFileSync(gate(h), '');
	const { pid } = c;

	assert.equal((await c.answer()).status, 200);
	assert.equal(c.pid, pid);
	// What is behind it was read already.
	for (let i = 0; i < 2; i++) {
		const a = await c.answer();

		assert.equal(a.status, 200);
		assert.equal(a.close, false);
	}
	await h.workersSatisfy((w) => w.length === 2, 'end of the old workers');
	await c.ask();
	assert.equal(await generationOf(h, c.pid), 2);
	c.destroy();
});

test('drain_timeout ends what does not finish', async (t) => {
	const clock = await makeClock(t);
	const h = await startLife(t, { keys, env: clock.env, conf: `
		drain_timeout = 1h
		pool "web" { workers = 2  watchdog = 0 }` });
	const c = await held(h);
	const { pid } = c;

	await reload(h);
	await h.logged(new RegExp(`pid ${pid}\\] draining`));
	// Or it might be quicker than the worker, and end it.
	h.child.kill('SIGSTOP');
	atEnd(t, () => h.child.kill('SIGCONT'));
	clock.pass(3601);
	assert.equal(await c.ended, 'closed');
	assert.equal(c.answered, 1);
	await h.logged(new RegExp(`pid ${pid}\\] \\d connections were still ` +
	    'open at the drain deadline'));
	h.child.kill('SIGCONT');
	await h.workersSatisfy((w) => w.length === 2, 'end of the old workers');
});

test('generations pile up while requests hold them, and go with them',
    async (t) => {
	const h = await startLife(t, { keys, conf: 'drain_timeout = 1h' });
	const clients = [];

	for (let i = 0; i < 4; i++) {
		clients.push(await held(h));
		await reload(h);
	}
	const ws = await h.workers();

	for (const [i, c] of clients.entries()) {
		const w = ws.find((x) => x.pid === c.pid);

		assert.equal(w.state, 'draining');
		assert.equal(w.generation, i + 1);
	}
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run/gen')).sort(),
	    ['1', '2', '3', '4', '5']);
	fs.writeFileSync(gate(h), '');
	for (const c of clients)
		assert.equal((await c.answer()).close, false);
	await h.workersSatisfy((w) => w.length === 2, 'end of the old workers');
	// But for those that one could go back to.
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run/gen')).sort(),
	    ['2', '3', '4', '5']);
});

test('a stuck worker does not hold up a reload', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 1 }\n' +
	    'drain_timeout = 100ms' });
	const [{ pid }] = await h.workers();

	process.kill(pid, 'SIGSTOP');
	await reload(h);
	const c = new Client(h.port);

	await c.ask('/', true);
	assert.notEqual(c.pid, pid);
	await h.logged(`(pid ${pid}) has not ended in time, sending SIGKILL`);
	await h.workersSatisfy((w) => w.length === 1, 'end of the old worker');
});

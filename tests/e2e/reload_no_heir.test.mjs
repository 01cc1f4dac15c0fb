// SPDX-License-Identifier: BSD-2-Clause
// A worker that is to go while no other one of its pool is ready keeps what it
// has until one is; where none will be, its clients are sent away at once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { startHostd } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { Client } from './lib/load.mjs';
import { closing, open, text } from './lib/websocket.mjs';

async function start(t, drain, env) {
	const h = await startHostd(t, { env, files: { gate: '' }, conf: `
		pool "web" { workers = 2  watchdog = 0 }
		drain_timeout = ${drain}
		plugin "slow" { module = "${await plugin('ready_route')}"
			gate = "@DIR@/gate" }
		plugin "moving" { module = "${await plugin('moving_ws')}" }
		route "/" { plugin = "slow" }
		route "/moving" { plugin = "moving"
			websocket { ping_interval = 0 } }` });

	h.gate = path.join(h.dir, 'gate');
	return h;
}

async function ask(s, command) {
	await s.send(text(command));
	return (await s.message()).data.toString();
}

async function fine(h, ...args) {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
}

async function isSentAway(s) {
	assert.equal((await s.closing()).code, 1012);
	await s.send(closing(1012));
	await s.end();
	s.finish();
}

// As many as it takes for one to be with that worker.
async function openAt(t, h, pid) {
	for (;;) {
		const s = await open(t, h, '/moving');

		assert.equal(await ask(s, 'mode plain'), 'plain');
		if (await ask(s, 'who') === String(pid))
			return s;
		s.destroy();
	}
}

// The other worker of two has died and does not get ready again.
async function startAlone(t, drain, env) {
	const h = await start(t, drain, env);
	const [dies, stays] = (await h.workers())
	    .sort((a, b) => a.slot - b.slot);

	h.pid = stays.pid;
	h.ws = await openAt(t, h, stays.pid);
	fs.rmSync(h.gate);
	process.kill(dies.pid, 'SIGKILL');
	await h.logged(/died: [^]*worker web\.0 waits for plugin slow: the gate/);
	return h;
}

test('until one is ready', async (t) => {
	const h = await startAlone(t, '1h');
	const s = h.ws;
	const idle = new Client(h.port);

	await idle.ask();
	await fine(h, 'scale', 'web', '1');
	await h.logged(/web\.1 gen 1 pid \d+\] draining/);
	assert.equal(await ask(s, 'who'), String(h.pid));
	assert.equal((await idle.ask()).close, false);
	fs.writeFileSync(h.gate, '');
	await h.workersSatisfy((ws) => ws.length === 1 &&
	    ws[0].state === 'ready', 'end of the one that goes');
	assert.notEqual(await ask(s, 'who'), String(h.pid));
	assert.equal((await idle.ask()).status, 200);
	idle.destroy();
});

test('half of its time at most', async (t) => {
	const clock = await makeClock(t);
	const h = await startAlone(t, '1h', clock.env);
	const idle = new Client(h.port);

	await idle.ask();
	await fine(h, 'scale', 'web', '1');
	await h.logged(/web\.1 gen 1 pid \d+\] draining/);
	clock.pass(2000);
	// That it has something to do.
	idle.send();
	await isSentAway(h.ws);
	idle.destroy();
	await h.workersSatisfy((ws) => ws.length === 1 && ws[0].slot === 0,
	    'end of the one that goes');
	assert.doesNotMatch(h.log, /still open at the drain deadline/);
});

test('where none will be, not at all', async (t) => {
	const h = await startAlone(t, '1h');
	const idle = new Client(h.port);

	await idle.ask();
	await fine(h, 'stop', 'web');
	await h.logged(/web\.1 gen 1 pid \d+\] draining/);
	assert.equal((await idle.ask()).close, true);
	await idle.ended;
	await isSentAway(h.ws);
});

// SPDX-License-Identifier: BSD-2-Clause
// Twenty reloads in a row while clients of every kind are in the middle of what
// they do: none of them notices anything.  HOSTD_FULL=1: with 2000 WebSockets.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { startBusy } from './lib/busy.mjs';
import { Crowd } from './lib/crowd.mjs';
import { descriptors, descriptorsAtMost } from './lib/life.mjs';
import { Traffic } from './lib/traffic.mjs';

const RELOADS = 20;
const SOCKETS = process.env.HOSTD_FULL ? 2000 : 300;
const WORKERS = 3;

const resident = (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

const allNew = (h, generation) => h.workersSatisfy((ws) =>
    ws.length === WORKERS && ws.every((w) => w.state === 'ready' &&
    w.generation === generation), 'the end of the old workers');

test('nobody notices twenty reloads', async (t) => {
	const h = await startBusy(t, WORKERS);
	const crowd = await Crowd.open(t, h, SOCKETS);
	const traffic = await Traffic.begin(t, h);
	const counts = () => ({ ...traffic.counts(), ...crowd.counts() });
	const during = [];
	const took = [];
	let master;

	for (let i = 1; i <= RELOADS; i++) {
		const before = counts();
		const since = Date.now();
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		took.push(Date.now() - since);
		traffic.reloads++;
		const after = counts();

		during.push(Object.fromEntries(Object.keys(after).map((k) =>
		    [k, after[k] - before[k]])));
		// Those before have filled what is kept for going back.
		if (i === RELOADS / 2) {
			await allNew(h, i + 1);
			master = { fds: descriptors(h.child.pid),
				kb: resident(h.child.pid) };
		}
	}
	await allNew(h, RELOADS + 1);
	const fds = descriptors(h.child.pid);
	const kb = resident(h.child.pid);

	await crowd.stop();
	await traffic.stop();
	t.diagnostic(`reloads took ${took.join(' ')} ms`);
	t.diagnostic(`during them: ${JSON.stringify(during)}`);
	t.diagnostic(`in all: ${JSON.stringify(counts())}, ` +
	    traffic.kinds.map((k) => `${k.name}: ${k.answers} (${k.crossed})`)
	    .join(', '));
	t.diagnostic(`the master: ${master.fds}, ${fds} descriptors; ` +
	    `${master.kb}, ${kb} kB`);

	await t.test('the load went on all the time', () => {
		for (const kind of Object.keys(during[0])) {
			const n = during.reduce((sum, d) => sum + d[kind], 0);

			assert.ok(n >= RELOADS, `${n} ${kind} in reloads`);
		}
		// Whenever one was done, everybody was waiting for an answer.
		for (const k of traffic.kinds)
			assert.equal(k.crossed, k.n * RELOADS, k.name);
		assert.equal(crowd.pids().size, WORKERS);
	});

	await t.test('no request failed, no connection was cut', () => {
		assert.deepEqual(traffic.failures, []);
		for (const k of traffic.kinds.filter((o) => o.connections > 0))
			assert.equal(k.connections, k.n, k.name);
	});

	await t.test('no WebSocket was closed, no message lost', () => {
		assert.deepEqual(crowd.closed, []);
		assert.deepEqual(crowd.wrong, []);
	});

	await t.test('nothing is left of the old workers', async () => {
		assert.doesNotMatch(h.log,
		    /drain deadline|can't move|ended: SIG|not held/);
		await descriptorsAtMost(h.child.pid, master.fds);
		if (process.env.HOSTD_BUILD !== 'asan')
			assert.ok(kb <= master.kb + 512,
			    `the master has grown from ${master.kb} to ${kb} kB`);
	});
});

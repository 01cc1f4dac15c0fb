// SPDX-License-Identifier: BSD-2-Clause
// A random worker is killed, or stopped, every half second under load: nobody
// fails but who was connected to it, and the master does not grow.  For 20
// seconds each, or HOSTD_STORM_SECONDS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { descriptors, startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

const SECONDS = Number(process.env.HOSTD_STORM_SECONDS ?? 20);
const EVERY = 500;
const CLIENTS = 6;
const asan = process.env.HOSTD_BUILD === 'asan';

const rssOf = (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// None of those that were hit, whose end the master may not have seen yet.
const allReady = (h, n, hit) => h.workersSatisfy((ws) => ws.length === n &&
    ws.every((w) => w.state === 'ready' && !hit.has(w.pid)), 'all workers');

// One blow every half second; returns the pids that were hit.
async function storm(h, signal, seconds) {
	const hit = new Set();
	const end = Date.now() + seconds * 1000;
	let due = Date.now();

	while (Date.now() < end) {
		due += EVERY;
		const pids = h.pids().slice(1).filter((pid) => !hit.has(pid));
		const victim = pids[Math.floor(Math.random() * pids.length)];

		if (victim !== undefined) {
			hit.add(victim);
			process.kill(victim, signal);
		}
		await new Promise((r) => setTimeout(r, due - Date.now()));
	}
	return hit;
}

async function weather(t, signal, workers) {
	const h = await startLife(t, {
		conf: `pool "web" { workers = ${workers} watchdog = 1s }` });
	const master = h.child.pid;
	const load = [new Load(h, { clients: CLIENTS }),
		new Load(h, { clients: CLIENTS, kind: 'new' })];
	const hit = await storm(h, signal, SECONDS / 4);

	await allReady(h, workers, hit);
	const before = { rss: rssOf(master), fds: descriptors(master) };

	for (const pid of await storm(h, signal, SECONDS * 3 / 4))
		hit.add(pid);
	const after = await allReady(h, workers, hit);

	// Those who are there now serve.
	await load[1].more(() => after.every((w) => load[1].byPid.has(w.pid)));
	await Promise.all(load.map((l) => l.stop()));
	t.diagnostic(`${hit.size} hit, ${load[0].answers} and ` +
	    `${load[1].answers} answers, ${load[0].failures.length} and ` +
	    `${load[1].failures.length} failures; master ${before.rss} kB, ` +
	    `${rssOf(master)} kB`);

	await t.test('only their own connections failed', () => {
		const nameless = [];

		for (const f of load.flatMap((l) => l.failures))
			if (f.answered === 0)
				nameless.push(f);
			else
				assert.ok(hit.has(f.pid),
				    `${f.why} of ${f.pid}`);
		// Not answered yet, they do not know whose they were: one of
		// each client at most for each that was hit.
		for (const f of nameless)
			assert.match(f.why, /ECONNRESET|closed/);
		assert.ok(load.every((l) =>
		    l.failures.length <= CLIENTS * hit.size));
	});

	await t.test('the master is as it was', async () => {
		// Those of workers that were just replaced go with them.
		await until(() => descriptors(master) <= before.fds + 1,
		    `no more descriptors than the ${before.fds} of before`);
		if (!asan)	// which keeps what was freed
			assert.ok(rssOf(master) <= before.rss + 1024);
		assert.equal((await h.hostctl('reload')).code, 0);
	});

	await t.test('each was replaced', async () => {
		const said = new Set([...h.log.matchAll(
		    /\(pid (\d+), generation 1\) died: /g)]
		    .map((m) => Number(m[1])));

		for (const pid of hit)
			assert.ok(said.has(pid), `${pid}`);
		assert.doesNotMatch(h.log, /errored/);
	});
}

test('kill -9', (t) => weather(t, 'SIGKILL', 4));
test('kill -STOP', (t) => weather(t, 'SIGSTOP', 8));

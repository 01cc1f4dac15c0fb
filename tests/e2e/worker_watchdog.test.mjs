// SPDX-License-Identifier: BSD-2-Clause
// A worker whose loop does not turn: others accept for it, and when its
// watchdog says so it is replaced, with the reason.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir, within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const pool = (keys) => `pool "web" { workers = 2 ${keys} }\n`;

const source = (gate) => `
#include <hostd/easy.h>
#include <fcntl.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	(void)!open("${gate}", O_RDONLY);	/* until somebody writes */
	return hostd_respond(in, req, 200, "text/plain", "back\\n");
}

HOSTD_EASY_ROUTE("stuck", "1.0", "/stuck", on_headers)
`;

// A connection to the worker with that pid, which has answered once.
async function connectTo(h, pid) {
	for (;;) {
		const c = new Client(h.port);

		await c.ask();
		if (c.pid === pid)
			return c;
		c.destroy();
	}
}

// Ask on new connections until pred(pids) holds.
const askUntil = (h, pred) => within((async () => {
	const pids = new Set();

	while (!pred(pids)) {
		const c = new Client(h.port);

		await c.ask('/', true);
		pids.add(c.pid);
		c.destroy();
	}
	return pids;
})(), 'answers of those who should');

test('a callback that does not return', async (t) => {
	const dir = tempDir(t);
	const gate = path.join(dir, 'gate');

	execFileSync('mkfifo', [gate]);
	const so = await buildPlugin(dir, 'stuck', source(gate));
	const h = await startHostd(t, { conf: `
		sandbox_paths = {"r:${gate}"}
		${pool('watchdog = 1s')}
		plugin "sleeper" { module = "${so}" }
		route "/" { plugin = "sleeper" }` });
	const request = fetch(h.url).catch((e) => e);
	const [, pid] = await h.logged(new RegExp('web\\.\\d \\(pid (\\d+), ' +
	    'generation 1\\) has been in plugin sleeper, on_headers, for ' +
	    '\\d+ ms \\(watchdog\\): killing it'));

	await h.logged(new RegExp(
	    `pid ${pid}, generation 1\\) died: in plugin ` +
	    'sleeper, on_headers, for \\d+ ms \\(watchdog\\); restarting in'));
	assert.ok(await request instanceof Error);
	const ws = await h.workersSatisfy((list) => list.length === 2 &&
	    list.every((w) => w.state === 'ready' && w.pid !== Number(pid)),
	    'a new worker');

	assert.deepEqual(ws.map((w) => w.restarts).sort(), [0, 1]);
});

test('a worker that is stopped', async (t) => {
	const h = await startLife(t, { conf: pool('') });
	const [victim, other] = await h.workers();
	const c = await connectTo(h, victim.pid);
	const load = new Load(h, { kind: 'new' });

	process.kill(victim.pid, 'SIGSTOP');
	await h.logged(new RegExp(
	    `pid ${victim.pid}, generation 1\\) has been ` +
	    'stopped by a signal, for \\d+ ms and serves nobody'));
	const [w] = await h.workersSatisfy((list) =>
	    list.some((x) => x.silent_ms > 0), 'silence in status');

	assert.equal(w.pid, victim.pid);
	assert.match((await h.hostctl('list')).stdout, /^web\.0 .* silent /m);

	await t.test('its connections are another\'s', async () => {
		// None of these waits for it; some would have met its sockets.
		for (let i = 0; i < 32; i++) {
			const n = new Client(h.port);

			await n.ask('/', true);
			assert.equal(n.pid, other.pid);
			n.destroy();
		}
	});

	await t.test('until it goes on', async () => {
		process.kill(victim.pid, 'SIGCONT');
		assert.equal((await c.ask()).status, 200);
		assert.equal(c.pid, victim.pid);
		await askUntil(h, (pids) => pids.has(victim.pid));
		await load.more(20);
		await load.stop();
		assert.deepEqual(load.failures, []);
		assert.deepEqual((await h.workers()).map((x) => x.restarts),
		    [0, 0]);
	});
	c.destroy();
});

test('one that stays stopped is replaced', async (t) => {
	const h = await startLife(t, { conf: pool('watchdog = 1s') });
	const [victim, other] = await h.workers();
	const c = await connectTo(h, victim.pid);
	const load = new Load(h);

	process.kill(victim.pid, 'SIGSTOP');
	const [, delay] = await h.logged(new RegExp(`pid ${victim.pid}, ` +
	    'generation 1\\) died: stopped by a signal, for \\d+ ms ' +
	    '\\(watchdog\\); restarting in (\\d+) ms'));

	assert.ok(Number(delay) <= 100);
	await c.ended;
	const ws = await h.workersSatisfy((list) => list.every((w) =>
	    w.state === 'ready' && w.pid !== victim.pid), 'a new worker');

	assert.equal(ws[1].pid, other.pid);
	assert.equal(ws[1].restarts, 0);
	await load.more(() => load.byPid.get(ws[0].pid) > 10);
	await load.stop();
	for (const f of load.failures)
		assert.ok(f.pid === victim.pid || f.answered === 0, f.why);
});

// Both masters look as often; when the one has replaced a worker, the other
// would have, too, if it had been awake.
test('time that the master has not seen does not count', async (t) => {
	const h = await startLife(t, { conf: pool('watchdog = 1s') });
	const clock = await startLife(t, { conf: pool('watchdog = 1s') });
	const pids = h.pids();
	const [w] = await clock.workers();

	t.after(() => pids.forEach((pid) => {
		try { process.kill(pid, 'SIGCONT'); } catch { /* gone */ }
	}));
	for (const pid of pids)
		process.kill(pid, 'SIGSTOP');
	process.kill(w.pid, 'SIGSTOP');
	await clock.logged(`pid ${w.pid}, generation 1) died: stopped`);
	// The master last, who would look at them meanwhile.
	for (const pid of pids.toReversed())
		process.kill(pid, 'SIGCONT');
	// The clock again: h has looked as often since.
	const [next] = await clock.workersSatisfy((list) => list.every((x) =>
	    x.state === 'ready' && x.pid !== w.pid), 'a new worker');

	process.kill(next.pid, 'SIGSTOP');
	await clock.logged(`pid ${next.pid}, generation 1) died: stopped`);
	assert.deepEqual((await h.workers()).map((x) => x.restarts), [0, 0]);
	assert.doesNotMatch(h.log, /watchdog/);
});

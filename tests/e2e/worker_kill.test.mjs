// SPDX-License-Identifier: BSD-2-Clause
// Workers that are killed come back, and take nobody with them but those who
// were connected to them.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

const restartsIn = (h, pid) => h.logged(
    new RegExp(`\\(pid ${pid}, .* died: SIGKILL; restarting in (\\d+) ms`));

// Idle connections to both workers: Map of pid to [Client].
async function connectToAll(h, n) {
	const by = new Map();

	while (by.size < n || [...by.values()].some((c) => c.length < 2)) {
		const c = new Client(h.port);

		await c.ask();
		by.set(c.pid, [...by.get(c.pid) ?? [], c]);
	}
	return by;
}

const replaced = (h, pids) => h.workersSatisfy((w) => w.length === 2 &&
    w.every((x) => x.state === 'ready' && !pids.includes(x.pid)),
    'replaced workers');

test('kill -9 of one worker under load', async (t) => {
	const h = await startLife(t);
	const [victim, other] = await h.workers();
	const idle = await connectToAll(h, 2);
	const keep = new Load(h, { kind: 'keep', clients: 6 });
	const fresh = new Load(h, { kind: 'new', clients: 4 });

	await keep.more(() => keep.byPid.get(victim.pid) > 10);
	process.kill(victim.pid, 'SIGKILL');
	// At once when it was up for a second, else after the shortest wait.
	const [, delay] = await restartsIn(h, victim.pid);
	const now = await h.workersSatisfy((w) => w.some((x) =>
	    x.slot === victim.slot && x.pid !== victim.pid &&
	    x.state === 'ready'), 'a replaced worker');

	assert.ok(Number(delay) <= 100, `back after ${delay} ms`);
	const next = now.find((x) => x.slot === victim.slot);

	await fresh.more(() => fresh.byPid.get(next.pid) > 10);
	await keep.more(100);
	await Promise.all([keep.stop(), fresh.stop()]);

	await t.test('only its own connections failed', async () => {
		for (const f of keep.failures)
			assert.ok(f.pid === victim.pid || f.answered === 0,
			    `${f.why} of ${f.pid}`);
		// Those it had accepted and not yet answered, one of each
		// client at most; those in its queue were answered later.
		assert.ok(fresh.failures.length <= 4,
		    JSON.stringify(fresh.failures));
		assert.ok(keep.failures.length <= 6,
		    JSON.stringify(keep.failures));
		for (const c of idle.get(victim.pid))
			await c.ended;
		for (const c of idle.get(other.pid)) {
			await c.ask();
			assert.equal(c.pid, other.pid);
			c.destroy();
		}
	});

	await t.test('the other worker is the same', () => {
		assert.deepEqual(now.map((w) => [w.slot, w.restarts]),
		    [[0, victim.slot === 0 ? 1 : 0],
			[1, victim.slot === 1 ? 1 : 0]]);
		assert.equal(now.find((w) => w.slot === other.slot).pid,
		    other.pid);
		assert.equal(next.generation, victim.generation);
	});
});

test('kill -9 of all workers under load', async (t) => {
	const h = await startLife(t);
	const before = (await h.workers()).map((w) => w.pid);
	const load = new Load(h, { clients: 6 });

	await load.more(() => before.every((pid) => load.byPid.get(pid) > 10));
	for (const pid of before)
		process.kill(pid, 'SIGKILL');
	for (const pid of before)
		assert.ok(Number((await restartsIn(h, pid))[1]) <= 100);
	const after = await replaced(h, before);

	await load.more(() => after.every((w) => load.byPid.get(w.pid) > 10));
	await load.stop();
	for (const f of load.failures)
		assert.ok(before.includes(f.pid) || f.answered === 0,
		    `${f.why} of ${f.pid}`);
	assert.ok(load.failures.length <= 6, JSON.stringify(load.failures));
	assert.deepEqual(after.map((w) => w.restarts), [1, 1]);
});

test('connections that wait in the queue are not lost', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 1 }' });
	const [victim] = await h.workers();

	// It is alive and accepts nobody.
	process.kill(victim.pid, 'SIGSTOP');
	const clients = Array.from({ length: 8 }, () => new Client(h.port));

	await Promise.all(clients.map((c) => c.connected));
	for (const c of clients)
		c.send();
	process.kill(victim.pid, 'SIGKILL');
	for (const c of clients) {
		const a = await c.answer();

		assert.equal(a.status, 200);
		assert.notEqual(c.pid, victim.pid);
		c.destroy();
	}
});

// The number of a dead worker's channel was given to a hostctl, which was then
// never heard again, or the master aborted.
test('hostctl is heard while workers are killed', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 8 }' });
	const say = () => within(new Promise((resolve, reject) => {
		const s = net.connect(h.socket);

		s.on('error', reject);
		s.on('data', (d) => {
			s.destroy();
			resolve(JSON.parse(d).ok);
		});
		// In two pieces: it has to be heard more than once.
		s.write('{"cmd":', () => setImmediate(() =>
		    s.write('"version"}\n')));
	}), 'answer');

	for (let round = 0; round < 2; round++) {
		const workers = await h.workersSatisfy((ws) =>
		    ws.every((w) => w.state === 'ready'), 'all workers');
		const answers = [];

		for (const w of workers) {
			process.kill(w.pid, 'SIGKILL');
			answers.push(say(), say());
		}
		for (const a of await Promise.all(answers))
			assert.equal(a, true);
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO in several workers: what is said and asked reaches all of them,
// once, and a worker that is killed or stands still holds nobody up for long.
import assert from 'node:assert/strict';
import { until } from './lib/hostd.mjs';
import { call, connect, heard, onHostd, settledAll } from './lib/sio.mjs';

// A socket in each worker, in the order of their slots; and what process has
// it.
async function oneOnEach(t, h) {
	const count = async () => (await h.workers()).map((w) => w.websockets);
	const found = [];
	let before = await count();

	while (found.filter(Boolean).length < before.length) {
		const s = await connect(t, h, 'websocket',
		    { reconnection: false });
		const after = await until(async () => {
			const now = await count();

			return now.some((n, i) => n !== before[i]) && now;
		}, 'a connection more');

		before.forEach((n, i) => {
			if (after[i] > n)
				found[i] ??= s;
		});
		before = after;
	}
	return found;
}

onHostd('everybody is reached, once', async (t, h) => {
	const all = await oneOnEach(t, h);
	const ids = all.map((s) => s.id);

	for (const s of all)
		await call(s, 'join', 'room');
	for (const s of all)
		await call(s, 'say', 'room', s.id, Buffer.from([1, 0]));
	await call(all[0], 'except', 'room', ids[1], 'but one');
	await call(all[1], 'others', 'room', 'others');
	await settledAll(all);
	for (const s of all) {
		const got = heard(s, 'said').map(([v]) => v);

		assert.deepEqual(got.slice().sort(), [...ids,
			...s === all[1] ? [] : ['but one', 'others']].sort());
	}

	assert.deepEqual((await call(all[2], 'fetch', 'room'))
	    .map(({ id }) => id), ids.slice().sort());
	all.forEach((s, i) => s.on('question', (v, ack) => ack([v, i])));
	const [error, answers] = await new Promise((resolve) =>
	    all[1].emit('askall', 'room', 'q', (...a) => resolve(a)));

	assert.equal(error, null);
	assert.deepEqual(answers.sort(), [['q', 0], ['q', 1], ['q', 2]]);

	// What another worker says is in no order with that.
	await call(all[0], 'joinall', 'room', 'more');
	assert.equal((await call(all[0], 'fetch', 'more')).length, 3);
	all[2].emit('kick', 'room');
	await until(() => all.every((s) => !s.connected), 'the end of all');
}, {}, { workers: 3 });

// One that is stopped is asked as well; that it is killed ends the wait.
onHostd('killed while it is asked', async (t, h) => {
	const [asker, , other] = await oneOnEach(t, h);
	const [, victim] = await h.workers();

	await call(asker, 'fetch', []);
	process.kill(victim.pid, 'SIGSTOP');
	const asked = call(asker, 'fetch', []);

	process.kill(victim.pid, 'SIGKILL');
	const got = (await asked).map(({ id }) => id);

	assert.ok(got.includes(asker.id) && got.includes(other.id));
	// Those who are left are together.
	await call(other, 'join', 'room');
	await call(asker, 'say', 'room', 'still here');
	await until(() => heard(other, 'said').length === 1, 'the word');
}, { requestsTimeout: 30_000 }, { workers: 3 });

// Nobody waits for one that stands still longer than for an answer, and only
// once.
onHostd('one that stands still', async (t, h) => {
	const [asker, other] = await oneOnEach(t, h);
	const [, victim] = await h.workers();

	process.kill(victim.pid, 'SIGSTOP');
	try {
		const got = (await call(asker, 'fetch', [])).map(({ id }) =>
		    id);

		assert.ok(got.includes(asker.id) && !got.includes(other.id));
		await call(asker, 'fetch', []);
	} finally {
		process.kill(victim.pid, 'SIGCONT');
	}
	// It is there again.
	await call(other, 'join', 'room');
	await until(async () => (await call(asker, 'fetch',
	    'room')).length === 1, 'both to be seen');
}, { requestsTimeout: 500 });

// SPDX-License-Identifier: BSD-2-Clause
// Sockets that go on in another worker hear what other nodes say: all of it,
// once, in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from './lib/redis.mjs';
import { oneOnEach, startRooms, untilHeard } from './lib/rooms.mjs';

async function node(t, url) {
	const h = await startRooms(t, 2, { conf:
	    `plugin "redis" { module = "pubsub_redis.so" url = "${url}" }` });

	for (let i = 0; i < 2; i++)
		await h.logged(new RegExp(`web\\.${i} .*redis is up`));
	return h;
}

// Says numbers to the room as fast as it is answered.
async function talk(m, name, until) {
	let i = 0;

	while (!until())
		await m.do(`pub red ${name} ${i++}`);
	return i;
}

test('reloads of one of two nodes while all talk', async (t) => {
	const redis = await startRedis(t);
	const here = await node(t, redis.url), there = await node(t, redis.url);
	const moving = [...await oneOnEach(t, here, 2),
	    ...await oneOnEach(t, here, 2)];
	const staying = await oneOnEach(t, there, 2);
	const all = [...moving, ...staying];
	let done = false;

	for (const m of all)
		await m.do('join red');
	await redis.subscribers('red', 4);
	for (const m of all)
		await untilHeard(m, 'red', ...all.filter((x) => x !== m));
	const talks = Promise.all(all.map((m, k) => talk(m, k, () => done)));

	talks.catch(() => {});
	for (let i = 0; i < 6; i++) {
		const r = await here.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		await here.workersSatisfy((ws) => ws.length === 2,
		    'end of the old workers');
	}
	done = true;
	const said = await talks;
	const total = said.reduce((x, y) => x + y);

	for (const m of all) {
		const heard = said.map(() => []);

		for (const text of await m.hears(total)) {
			const [k, i] = text.split(' ').map(Number);

			heard[k].push(i);
		}
		await m.ask('who x');
		assert.deepEqual(m.heard, []);
		heard.forEach((got, k) => {
			const isFar = moving.includes(m) !==
			    moving.includes(all[k]);

			// Two workers' ways to another node are two ways.
			if (isFar && moving.includes(all[k]))
				got.sort((x, y) => x - y);
			assert.deepEqual(got, [...Array(said[k]).keys()],
			    `of ${k}`);
		});
	}
	for (const m of moving)
		assert.notEqual((await m.ask('who x'))[0], String(m.pid));
	assert.doesNotMatch(here.log, /did not bring back|drain deadline/);
});

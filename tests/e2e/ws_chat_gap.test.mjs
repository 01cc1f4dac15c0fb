// SPDX-License-Identifier: BSD-2-Clause
// A worker that stalls loses messages; its people are given what is kept then.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat } from './lib/chat.mjs';
import { masterOf, moveSlot, shardSubscribers, slotOf } from
    './lib/cluster.mjs';
import { atEnd } from './lib/hostd.mjs';
import { startPatientCluster } from './lib/redis.mjs';

test('what a stalled worker has missed comes as history', async (t) => {
	const h = await startChat(t, { workers: 2,
		keys: 'history = 50  max_text = 8000',
		conf: 'pubsub { queue = 256k  query_timeout = 1h }' });
	const [ada, bob] = await oneOnEach(t, h, 2);
	const filler = '.'.repeat(7900);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	atEnd(t, () => {
		try { process.kill(bob.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(bob.pid, 'SIGSTOP');
	const said = [];

	for (let i = 0; i < 150; i++)
		said.push(await ada.say('lobby', `${i} ${filler}`));
	process.kill(bob.pid, 'SIGCONT');
	const kept = said.slice(-50);

	assert.deepEqual((await bob.next('history')).messages, kept);
	assert.ok(bob.unread.filter((m) => m.type === 'message').length <
	    said.length, 'some were lost on the way');
	// Others in the room, and those who come, are as they were.
	const eve = await Person.open(t, h);

	assert.deepEqual(await eve.join('lobby', 'Eve'), kept);
	await eve.say('lobby', 'hello');
	await bob.hears('hello');
	await ada.hears('hello');
});

test('a gap of one room is made good there only', async (t) => {
	const all = await startPatientCluster(t);
	const conf = `plugin "redis" { module = "pubsub_redis.so"
		url = "redis://127.0.0.1:${all[0].port}" }`;
	const h = await startChat(t, { conf });

	await h.logged('redis is up');
	const ada = await Person.open(t, h);
	const slot = await slotOf(all[0], 'chat/lobby');
	const from = await masterOf(all, slot);
	const said = {};

	for (const room of ['lobby', 'den']) {
		await ada.join(room, 'Ada');
		said[room] = await ada.say(room, `in ${room}`);
	}
	await shardSubscribers(from, 'chat/lobby', 1);
	await moveSlot(all, slot, from, all[(all.indexOf(from) + 1) % 3]);
	const heard = await ada.next('history');

	assert.equal(heard.room, 'lobby');
	assert.deepEqual(heard.messages, [said.lobby]);
	// The other one had the same time.
	await ada.join('lobby');
	await ada.join('den');
	assert.deepEqual(ada.unread.filter((m) => m.type === 'history'), []);
});

// Each gets it in its turn, and whoever asks for something meanwhile is not
// kept waiting until all have it.
test('a long history for many', async (t) => {
	const h = await startChat(t, { workers: 2, keys: 'history = 100',
		conf: 'pubsub { queue = 256k  query_timeout = 1h }' });
	const [ada, bob] = await oneOnEach(t, h, 2);
	const filler = '.'.repeat(1900), rest = [];

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	while (rest.length < 100) {
		const p = await Person.open(t, h);

		if (p.pid === bob.pid) {
			rest.push(p);
			await p.join('lobby', `P${rest.length}`);
		} else {
			await p.close();
		}
	}
	atEnd(t, () => {
		try { process.kill(bob.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(bob.pid, 'SIGSTOP');
	const said = [];

	for (let i = 0; i < 300; i++)
		said.push((await ada.say('lobby', `${i} ${filler}`)).id);
	process.kill(bob.pid, 'SIGCONT');
	const kept = said.slice(-100);

	for (const p of [bob, ...rest])
		assert.deepEqual((await p.next('history')).messages
		    .map((m) => m.id), kept);
});

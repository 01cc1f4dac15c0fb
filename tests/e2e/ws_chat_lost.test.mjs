// SPDX-License-Identifier: BSD-2-Clause
// Workers and nodes that die say nothing of who was with them; those who are
// still there are told all the same.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat } from './lib/chat.mjs';
import { startRedis } from './lib/redis.mjs';

test('whoever was with a worker that is killed has left', async (t) => {
	const h = await startChat(t, { workers: 2, keys: 'roll_call = 1s' });
	const [ada, bob] = await oneOnEach(t, h, 2);

	// One of that name is with each of them.
	const eves = [];

	while (!eves.some((p) => p.pid === ada.pid) ||
	    !eves.some((p) => p.pid === bob.pid))
		eves.push(await Person.open(t, h));
	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	for (const p of eves)
		await p.join('lobby', 'Eve');
	await ada.join('den');
	await bob.join('den');
	await ada.next('joined', (m) => m.room === 'den' && m.name === 'Bob');
	for (const p of eves)
		await ada.next('joined', (m) => m.name === 'Eve');
	process.kill(bob.pid, 'SIGKILL');
	const left = [await ada.next('left', (m) => m.room === 'lobby'),
		await ada.next('left', (m) => m.room === 'den')];

	assert.deepEqual(left.map((m) => m.name), ['Bob', 'Bob']);
	assert.ok(left.every((m) => typeof m.id === 'string'));
	// Bob comes back, and is there.
	const back = await Person.open(t, h);

	await back.join('lobby', 'Bob');
	await ada.next('joined', (m) => m.name === 'Bob');
	await back.close();
	await ada.next('left', (m) => m.name === 'Bob');
	assert.deepEqual(ada.unread.filter((m) => m.type === 'left'), [],
	    'Eve is still there');
});

test('those who come and go with a word are told of once', async (t) => {
	const h = await startChat(t, { workers: 2, keys: 'roll_call = 100ms' });
	const [ada, bob] = await oneOnEach(t, h, 2);
	const until = Date.now() + 5000;

	await ada.join('lobby', 'Ada');
	for (let i = 0; i < 20 || Date.now() < until; i++) {
		await bob.join('lobby', 'Bob');
		bob.send('leave', { room: 'lobby' });
		await bob.next('left');
		await ada.next('joined', (m) => m.name === 'Bob');
		await ada.next('left', (m) => m.name === 'Bob');
	}
	await bob.join('lobby', 'Bob');
	await ada.next('joined', (m) => m.name === 'Bob');
	assert.deepEqual(await ada.list('lobby'), ['Ada', 'Bob']);
	assert.deepEqual(ada.unread, []);
});

// Bug: a question waited for what it owed even when the node was forgotten.
test('whoever was with a node that dies has left', async (t) => {
	const redis = await startRedis(t);
	const conf = `plugin "redis" { module = "pubsub_redis.so"
		url = "${redis.url}" }`;
	const [one, two] = [
		await startChat(t, { conf, keys: 'roll_call = 1s' }),
		await startChat(t, { conf })];

	for (const h of [one, two])
		await h.logged(/redis is up/);
	const ada = await Person.open(t, one), bob = await Person.open(t, two);

	await ada.join('lobby', 'Ada');
	await redis.subscribers('chat/lobby', 1);
	await bob.join('lobby', 'Bob');
	await redis.subscribers('chat/lobby', 2);
	await ada.next('joined', (m) => m.name === 'Bob');
	assert.deepEqual(await ada.list('lobby'), ['Ada', 'Bob']);
	// At once: a worker without its master would say that it ends.
	for (const signal of ['SIGSTOP', 'SIGKILL'])
		for (const pid of two.pids())
			process.kill(pid, signal);
	assert.equal((await ada.next('left')).name, 'Bob');
	assert.deepEqual(await ada.list('lobby'), ['Ada']);
});

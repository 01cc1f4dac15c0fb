// SPDX-License-Identifier: BSD-2-Clause
// A room of two nodes, by Redis; and what is said of those whose node ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Person, startChat, texts } from './lib/chat.mjs';
import { startRedis } from './lib/redis.mjs';

const startNode = async (t, redis) => {
	const h = await startChat(t, { conf: `
		plugin "redis" { module = "pubsub_redis.so"  url = "${redis.url}" }` });

	await h.logged(/redis is up/);
	return h;
};

for (const how of [['stop'], ['stop', '--now']])
	test(`whoever was with a node that ends (${how.join(' ')}) has left`,
	    async (t) => {
		const redis = await startRedis(t);
		const one = await startNode(t, redis);
		const two = await startNode(t, redis);
		const ada = await Person.open(t, one);
		const bob = await Person.open(t, two),
		    eve = await Person.open(t, two);

		await ada.join('lobby', 'Ada');
		await redis.subscribers('chat/lobby', 1);
		await bob.join('lobby', 'Bob');
		await eve.join('lobby', 'Eve');
		await redis.subscribers('chat/lobby', 2);
		await eve.say('lobby', 'hello');
		await ada.hears('hello');
		assert.deepEqual(await ada.list('lobby'),
		    ['Ada', 'Bob', 'Eve']);
		assert.equal((await two.hostctl(...how)).code, 0);
		const left = [(await ada.next('left')).name,
			(await ada.next('left')).name];

		assert.deepEqual(left.sort(), ['Bob', 'Eve']);
		assert.deepEqual(await ada.list('lobby'), ['Ada']);
		// What they have said was kept here, too.
		const kim = await Person.open(t, one);

		assert.deepEqual(texts(await kim.join('lobby', 'Kim')),
		    ['hello']);
	});

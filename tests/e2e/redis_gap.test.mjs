// SPDX-License-Identifier: BSD-2-Clause
// Bug: a gap was told while SUBSCRIBE was on its way to Redis; what was
// published behind it was lost, too, and nobody said so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from './lib/redis.mjs';
import { Way } from './lib/redis_way.mjs';
import { Member, startRooms } from './lib/rooms.mjs';

test('a gap is told when nothing is lost any more', async (t) => {
	const redis = await startRedis(t);
	const way = await Way.open(t, redis, '\r\nSUBSCRIBE\r\n');
	const start = async (url) => {
		const h = await startRooms(t, 1, { conf: `
			plugin "redis" { module = "pubsub_redis.so"
				url = "${url}" retry_max = 200ms }` });

		await h.logged('redis is up');
		return h;
	};
	const a = await Member.open(t, await start(way.url));
	const b = await Member.open(t, await start(redis.url));

	await a.do('follow red');
	await redis.subscribers('red', 1);
	way.holds = true;
	way.cut();
	await way.holding();
	await b.do('pub red lost');
	// Whatever may be told has been told.
	for (let i = 0; i < 3; i++)
		await a.ask('who x');
	assert.deepEqual(a.heard, []);
	way.release();
	assert.deepEqual(await a.hears(1), ['~ red gap']);
	await b.do('pub red after');
	await a.until(() => a.heard.includes('~ red after'), 'message');
	assert.ok(!a.heard.includes('~ red lost'));
});

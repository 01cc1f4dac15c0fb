// SPDX-License-Identifier: BSD-2-Clause
// Rooms across nodes by a Redis Cluster: each at the master of its slot.
import assert from 'node:assert/strict';
import test from 'node:test';
import { count, crosses, masterOf, shardSubscribers, slotOf, startNode,
    startPair } from './lib/cluster.mjs';
import { startCluster, startPatientCluster, startRedis } from './lib/redis.mjs';
import { Member, startRooms } from './lib/rooms.mjs';

const times = (stats) => Number(/cluster\|slots:calls=(\d+)/.exec(stats)?.[1]);

// Until it was asked so many times who has what; how many times it was.
const asked = async (r, n) => times(await r.until((s) => times(s) >= n,
    'INFO', 'commandstats'));

test('every room is at the master of its slot', async (t) => {
	const all = await startPatientCluster(t);
	const [one, two, a, b] = await startPair(t, all[1]);
	const rooms = Array.from({ length: 30 }, (_, i) => `room-${i}`);
	const used = new Set();

	for (const room of rooms) {
		const master = await masterOf(all, await slotOf(all[0], room));

		await b.do(`join ${room}`);
		await shardSubscribers(master, room, 1);
		used.add(master);
		await crosses(a, b, room, `to ${room}`);
	}
	assert.equal(used.size, 3);
	// As one with a tag is at that of the tag.
	const { socket } = await masterOf(all, await slotOf(all[0], 'x'));

	for (const room of ['{hostd:x}1', 'a{hostd:x}b'])
		assert.equal((await masterOf(all,
		    await slotOf(all[0], room))).socket, socket);
	await b.do('join {hostd:x}1');
	await crosses(a, b, '{hostd:x}1', 'tagged');
	for (const r of all) {
		// Two connections of each hostd, at home one more, and ours.
		await r.until((list) => list.trim().split('\n').length ===
		    (r === all[1] ? 7 : 5), 'CLIENT', 'LIST');
		assert.deepEqual(await r.command('PUBSUB', 'CHANNELS'), []);
	}
	for (const h of [one, two]) {
		assert.equal(count(h, 'redis is up'), 1);
		assert.equal(count(h, 'redis is down'), 0);
	}
	await t.test('and left there', async () => {
		const master = await masterOf(all,
		    await slotOf(all[0], 'room-0'));

		await b.do('leave room-0');
		await shardSubscribers(master, 'room-0', 0);
	});
});

// The URL's node only says who the others are.
test('the one that was asked first is not needed', async (t) => {
	const all = await startCluster(t, 3, 1);
	const [one, two, a, b] = await startPair(t, all[3]);
	const slot = await slotOf(all[0], 'red');

	await b.do('join red');
	await shardSubscribers(await masterOf(all.slice(0, 3), slot), 'red', 1);
	await all[3].kill();
	await crosses(a, b, 'red', 'hello');
	await all[3].start();
	await crosses(a, b, 'red', 'again');
	for (const h of [one, two])
		assert.equal(count(h, 'redis is down'), 0, h.log);
});

test('cluster = no: one of them brings it all', async (t) => {
	const all = await startPatientCluster(t);
	const [, , a, b] = await startPair(t, all[0], 'cluster = no');

	for (const room of ['red', 'green', 'blue']) {
		await b.do(`join ${room}`);
		await all[0].until((r) => r[1] === 1, 'PUBSUB', 'NUMSUB',
		    `hostd:${room}`);
		await crosses(a, b, room, `to ${room}`);
	}
	const list = await all[1].command('CLIENT', 'LIST');

	assert.equal(list.trim().split('\n').length, 1);
});

test('cluster = yes: but it is none', async (t) => {
	const redis = await startRedis(t);
	const h = await startRooms(t, 1, { conf: `
		plugin "redis" { module = "pubsub_redis.so" url = "${redis.url}"
			cluster = yes retry_max = 100ms }` });

	await h.logged('redis is down: this Redis is not a cluster');
	// It is asked again, and that is not said again.
	await asked(redis, 5);
	assert.equal(count(h, 'redis is down'), 1);
	assert.equal(count(h, 'redis is up'), 0);
});

test('it is a cluster, but not all of it is there', async (t) => {
	const [r] = await startCluster(t, 1);
	const slot = await slotOf(r, 'red');

	await r.command('CLUSTER', 'DELSLOTS', slot);
	await r.until((s) => s.includes('cluster_state:fail'),
	    'CLUSTER', 'INFO');
	const h = await startNode(t, r);

	await h.logged('redis is down: the cluster\'s state is not ok');
	await r.command('CLUSTER', 'ADDSLOTS', slot);
	await h.logged('redis is up');
	await r.command('CLUSTER', 'DELSLOTS', slot);
	const a = await Member.open(t, h);

	await a.do('join red');
	await h.logged(/redis is up[^]*redis is down: CLUSTERDOWN/);
	await asked(r, await asked(r, 0) + 5);
	await r.command('CLUSTER', 'ADDSLOTS', slot);
	await shardSubscribers(r, 'red', 1);
	await h.logged(/CLUSTERDOWN[^]*redis is up/);
	assert.equal(count(h, 'redis is down'), 2, h.log);
	assert.equal(count(h, 'redis is up'), 2, h.log);
});

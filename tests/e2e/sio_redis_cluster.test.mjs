// SPDX-License-Identifier: BSD-2-Clause
// Nodes of Socket.IO that meet in a Redis Cluster, each at another master of
// it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { startPatientCluster } from './lib/redis.mjs';
import { call, callAll, connect, heard, settledAll } from './lib/sio.mjs';
import { acquainted, startHostdMember, startNodeOfCluster } from
    './lib/sio_nodes.mjs';

async function talk(t, members, way) {
	const keys = `retry_max = 200ms mode = ${way ? 'sharded' : 'classic'}`;
	const servers = [];

	for (const r of members.slice(0, 2))
		servers.push(await startHostdMember(t, r, keys, 1));
	servers.push(await startNodeOfCluster(t, members, way));
	const all = await Promise.all([...servers, servers[0]].map((s) =>
	    connect(t, s, 'websocket')));

	await Promise.all(servers.slice(0, 2).map((h) =>
	    h.logged('nodes: Redis is there')));
	await acquainted(all.slice(0, 2), all.length);
	await acquainted(all);
	for (const s of all)
		s.on('question', (v, done) => done(v));
	for (const [i, s] of all.entries()) {
		await call(s, 'say', [], i);
		assert.equal((await callAll(s, 'askall', [], i))[1].length,
		    all.length);
	}
	await settledAll(all);
	for (const s of all)
		assert.deepEqual(heard(s, 'said').map(([v]) => v).sort(),
		    [0, 1, 2, 3]);

	// Rooms, the channels of which are anywhere.
	const rooms = ['a', 'b', 'c', 'd', 'e'];

	for (const s of all)
		await call(s, 'join', rooms);
	if (way)
		for (const room of rooms)
			await until(async () => (await Promise.all(members
			    .map((r) => r.command('PUBSUB', 'SHARDNUMSUB',
			    `socket.io#/#${room}#`)))).some((r) => r[1] === 3),
			    `channel of ${room}`);
	for (const s of all)
		s.heard = [];
	for (const room of rooms)
		for (const s of all)
			await call(s, 'say', room, room);
	// Two channels may be at two masters, so nothing is behind all of it.
	await until(() => all.every((s) => heard(s, 'said').length >=
	    rooms.length * all.length), 'all that was said');
	await settledAll(all);
	for (const s of all)
		assert.deepEqual(heard(s, 'said').map(([v]) => v).sort(),
		    rooms.flatMap((r) => Array(all.length).fill(r)));
}

test('classic and sharded', async (t) => {
	const members = await startPatientCluster(t);

	for (const way of ['', 'dynamic'])
		await t.test(way || 'classic', (st) => talk(st, members, way));
});

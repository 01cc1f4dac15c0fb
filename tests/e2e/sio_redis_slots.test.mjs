// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO by a Redis Cluster that changes: slots move, masters die.  The
// rooms are together again by themselves, and each log has one line of either
// kind.
import assert from 'node:assert/strict';
import test from 'node:test';
import { masterOf, moveSlot } from './lib/cluster.mjs';
import { until } from './lib/hostd.mjs';
import { startCluster } from './lib/redis.mjs';
import { call, connect, heard } from './lib/sio.mjs';
import { acquainted, startHostdMember } from './lib/sio_nodes.mjs';

const LOST = /nodes: Redis is not there/g;
const BACK = /nodes: Redis is (there|back)/g;
const count = (h, what) => h.log.match(what)?.length ?? 0;
const channelOf = (room) => `socket.io#/#${room && `${room}#`}`;

// A room whose channel that master has.
async function roomAt(all, master) {
	for (let i = 0;; i++) {
		const slot = await master.command('CLUSTER', 'KEYSLOT',
		    channelOf(`r${i}`));

		if (await masterOf(all, slot) === master)
			return `r${i}`;
	}
}

// A hostd at each of two members, and a socket in each: { h, s }.
async function startPair(t, [one, two], mode) {
	const keys = `retry_max = 100ms  mode = ${mode}`;
	const pair = await Promise.all([one, two].map(async (r) => {
		const h = await startHostdMember(t, r, keys, 1, '',
		    { requestsTimeout: 1000 });

		return { h, s: await connect(t, h, 'websocket') };
	}));

	await acquainted(pair.map(({ s }) => s));
	return pair;
}

// What one says in a room comes to the other, both ways.  What is said while
// they do not hear each other is lost.
async function together(pair, room, what) {
	for (const [i, { s }] of pair.entries()) {
		const { s: other } = pair[1 - i];

		await until(async () => {
			await call(s, 'others', room, what);
			return heard(other, 'said').some(([v]) => v === what);
		}, `${what} in ${room}`);
		other.heard = [];
	}
	await acquainted(pair.map(({ s }) => s));
}

const times = (pair, n) => Promise.all(pair.map(({ h }) => until(() =>
    count(h, LOST) >= n && count(h, BACK) > n, `lost ${n} times`)));

function saidOnly(pair, n) {
	for (const { h } of pair) {
		assert.equal(count(h, LOST), n, h.log);
		assert.equal(count(h, BACK), n + 1, h.log);
		assert.doesNotMatch(h.log, / died: /);
	}
}

async function slotsMove(t, all) {
	const pair = await startPair(t, all, 'sharded');

	for (const { s } of pair)
		await call(s, 'join', 'red');
	await together(pair, 'red', 'before');
	// That of a room, then that of the namespace.
	for (const [i, room] of ['red', ''].entries()) {
		const slot = await all[0].command('CLUSTER', 'KEYSLOT',
		    channelOf(room));
		const from = await masterOf(all, slot);

		await moveSlot(all.slice(0, 3), slot, from,
		    all[(all.indexOf(from) + 1) % 3]);
		await times(pair, i + 1);
		await together(pair, 'red', `after ${i}`);
		await together(pair, [], `all after ${i}`);
	}
	saidOnly(pair, 2);
}

async function masterDies(t, all, mode) {
	const [, , [, port], [, other]] = (await all[1].until((ranges) =>
	    ranges[0].length === 4, 'CLUSTER', 'SLOTS'))[0];
	const [dies, heir] = [port, other].map((n) =>
	    all.find((r) => r.port === n));

	await heir.until((v) => v.includes('master_link_status:up'), 'INFO',
	    'replication');
	// One of them was told of the one that dies.
	const pair = await startPair(t, [dies, all[1]], mode);
	const room = await roomAt(all, dies);

	for (const { s } of pair)
		await call(s, 'join', room);
	await together(pair, room, 'before');
	await dies.kill();
	await heir.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
	await times(pair, 1);
	await together(pair, room, 'after');
	await together(pair, [], 'all after');
	saidOnly(pair, 1);
	// It is a replica from now on.
	await dies.start();
	await together(pair, room, 'at last');
	saidOnly(pair, 1);
}

test('what a cluster may do', async (t) => {
	// The test says when a master is dead, not a machine that stood still;
	// replicas hear of slots within half of this.
	const all = await startCluster(t, 3, 3, 6000);

	await t.test('slots of subscribed channels move', (st) =>
		slotsMove(st, all));
	for (const mode of ['classic', 'sharded'])
		await t.test(`a master dies, and its replica takes over (${mode})`,
		    (st) => masterDies(st, all, mode));
});

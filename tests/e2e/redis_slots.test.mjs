// SPDX-License-Identifier: BSD-2-Clause
// A Redis Cluster that changes: slots move, masters die.
import assert from 'node:assert/strict';
import test from 'node:test';
import { count, crosses, masterOf, moveSlot, shardSubscribers, slotOf,
    startPair } from './lib/cluster.mjs';
import { acquaint, startCluster, startMember, startPatientCluster } from
    './lib/redis.mjs';

test('a slot moves', async (t) => {
	const all = await startPatientCluster(t);
	const [one, two, a, b] = await startPair(t, all[0]);
	const slot = await slotOf(all[0], 'red');
	let from = await masterOf(all, slot);

	await b.do('join red');
	await b.do('follow red');
	await shardSubscribers(from, 'red', 1);
	await crosses(a, b, 'red', 'before');
	for (let i = 0; i < 4; i++) {
		const to = all[(all.indexOf(from) + 1) % 3];

		b.heard.length = 0;
		await moveSlot(all, slot, from, to);
		await shardSubscribers(to, 'red', 1);
		await b.until(() => b.heard.includes('~ red gap'), 'gap');
		// The first may be lost, while it is found out.
		while (!b.heard.includes('after')) {
			await a.do('but red after');
			await b.ask('who x');
		}
		await shardSubscribers(from, 'red', 0);
		from = to;
	}
	for (const h of [one, two]) {
		assert.equal(count(h, 'redis is up'), 1);
		assert.equal(count(h, 'redis is down'), 0, h.log);
	}
});

test('a slot moves to a node that had none, and back', async (t) => {
	const all = await startCluster(t);
	const extra = await startMember(t);
	const four = [...all, extra];

	await acquaint(four);
	const [one, two, a, b] = await startPair(t, all[0]);
	const slot = await slotOf(all[0], 'red');
	const from = await masterOf(all, slot);

	await b.do('join red');
	await shardSubscribers(from, 'red', 1);
	await moveSlot(four, slot, from, extra);
	await shardSubscribers(extra, 'red', 1);
	while (!b.heard.includes('there')) {
		await a.do('but red there');
		await b.ask('who x');
	}
	await moveSlot(four, slot, extra, from);
	await shardSubscribers(from, 'red', 1);
	while (!b.heard.includes('back')) {
		await a.do('but red back');
		await b.ask('who x');
	}
	// Nobody stays connected to it for nothing; the one is ours.
	await extra.until((s) => s.trim().split('\n').length === 1,
	    'CLIENT', 'LIST');
	for (const h of [one, two])
		assert.equal(count(h, 'redis is down'), 0, h.log);
});

test('a master dies, and comes back', async (t) => {
	const all = await startCluster(t);
	const [one, two, a, b] = await startPair(t, all[0]);

	await b.do('join red');
	await all[2].kill();
	for (const h of [one, two])
		await h.logged(new RegExp(
		    `redis is down: 127.0.0.1:${all[2].port
		    }: the server has closed the connection`));
	await a.do('join red');
	await a.do('pub red alone');
	await a.until(() => a.heard.includes('alone'), 'alone');
	await all[2].start();
	for (const h of [one, two])
		await h.logged(/redis is down[^]*redis is up/);
	const master = await masterOf(all, await slotOf(all[0], 'red'));

	await shardSubscribers(master, 'red', 2);
	await crosses(a, b, 'red', 'hello');
	for (const h of [one, two]) {
		assert.equal(count(h, 'redis is up'), 2);
		assert.equal(count(h, 'redis is down'), 1, h.log);
	}
});

test('a master dies, and its replica takes over', async (t) => {
	const all = await startCluster(t, 3, 1);
	const [one, two, a, b] = await startPair(t, all[1]);
	let room = 0;

	// One that is at the first master.
	while (await masterOf(all, await slotOf(all[1], `r${room}`)) !== all[0])
		room++;
	await b.do(`join r${room}`);
	await shardSubscribers(all[0], `r${room}`, 1);
	await all[0].kill();
	for (const h of [one, two])
		await h.logged(/redis is down[^]*redis is up/);
	await shardSubscribers(all[3], `r${room}`, 1);
	await crosses(a, b, `r${room}`, 'hello');
	for (const h of [one, two]) {
		assert.equal(count(h, 'redis is up'), 2);
		assert.equal(count(h, 'redis is down'), 1, h.log);
	}
});

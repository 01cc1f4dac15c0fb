// SPDX-License-Identifier: BSD-2-Clause
// Sessions in a Redis Cluster: each at the master of its slot, wherever that
// goes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { masterOf } from './lib/cluster.mjs';
import { acquaint, agreed, startCluster, startMember, startPatientCluster }
    from './lib/redis.mjs';
import { outcome, serveRedisSessions, untilServed }
    from './lib/redis_sessions.mjs';
import { get, set, Visitor } from './lib/session.mjs';

const count = (h, what) => h.log.split(what).length - 1;
const at = (r) => `redis://127.0.0.1:${r.port}`;
const slotOf = (r, id) => r.command('CLUSTER', 'KEYSLOT', `sess:${id}`);
const holder = async (all, id) => masterOf(all, await slotOf(all[0], id));

// A session that a certain master has.
async function visitorAt(h, all, master) {
	for (;;) {
		const v = new Visitor(h);

		await untilServed(v, set('n', 0));
		if (await holder(all, v.id) === master)
			return v;
	}
}

// The keys of a slot go, then the slot itself.
async function moveKeys(all, slot, from, to, key) {
	await agreed(all);
	await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
	await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
	await from.command('MIGRATE', '127.0.0.1', to.port, key, 0, 60_000);
}

async function moveRest(all, slot, from, to) {
	for (const r of new Set([to, from, ...all]))
		await r.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
}

test('every session is at the master of its slot', async (t) => {
	const all = await startPatientCluster(t);
	const h = await serveRedisSessions(t, all[1], { url: at(all[1]) });
	const used = new Set();

	// By chance; not all of a hundred are at two of three.
	for (let i = 0; i < 30 || (used.size < 3 && i < 100); i++) {
		const v = new Visitor(h);

		await v.do(set('i', i));
		await v.do(set('j', i));
		const master = await holder(all, v.id);
		const text = await master.command('GET', `sess:${v.id}`);

		assert.deepEqual([JSON.parse(text).i, JSON.parse(text).j],
		    [i, i]);
		assert.deepEqual(await v.do(get('i'), 'regenerate', 'destroy'),
		    [['OK', i], ['OK'], ['OK']]);
		used.add(master);
	}
	assert.equal(used.size, 3);
	for (const r of all) {
		await r.until((n) => n.length === 0, 'KEYS', '*');
		// Two connections of each worker; at the one that was asked
		// first, too; and ours.
		await r.until((s) => s.trim().split('\n').length === 5,
		    'CLIENT', 'LIST');
	}
	assert.equal(count(h, 'Redis refuses'), 0, h.log);
});

test('slots move while they are used', async (t) => {
	const all = await startCluster(t);
	const extra = await startMember(t);
	const four = [...all, extra];

	await acquaint(four);
	await extra.until((s) => s.includes('cluster_state:ok'), 'CLUSTER',
	    'INFO');
	const h = await serveRedisSessions(t, all[0], { url: at(all[0]),
		workers: 1 });
	const v = await visitorAt(h, all, all[1]);
	const slot = await slotOf(all[0], v.id);
	const key = `sess:${v.id}`;
	let from = all[1], n = 0;
	const step = async () => {
		await v.do(set('n', ++n));
		assert.equal(await v.get(get('n')), n);
	};

	// To one that it knows, to one that it has never heard of, and back.
	for (const to of [all[2], extra, all[1]]) {
		await step();
		// Not there yet, and not here any more.
		await moveKeys(four, slot, from, to, key);
		await step();
		await step();
		await moveRest(four, slot, from, to);
		await step();
		assert.equal(JSON.parse(await to.command('GET', key)).n, n);
		from = to;
	}
	await t.test('and all the time', async () => {
		let over = false;
		const busy = (async () => {
			while (!over)
				await step();
		})();

		for (let i = 0; i < 12; i++) {
			const to = four[(four.indexOf(from) + 1) % 4];

			await moveKeys(four, slot, from, to, key);
			await moveRest(four, slot, from, to);
			from = to;
		}
		over = true;
		await busy;
		await step();
	});
	assert.equal(count(h, 'Redis refuses'), 0, h.log);
	assert.equal(count(h, 'down'), 0, h.log);
});

test('a master dies, and its replica takes over', async (t) => {
	const all = await startCluster(t, 3, 1);
	const h = await serveRedisSessions(t, all[1], { url: at(all[1]) });
	const a = await visitorAt(h, all.slice(0, 3), all[0]);
	const b = await visitorAt(h, all.slice(0, 3), all[1]);

	await a.do(set('a', 1));
	await all[0].command('WAIT', 1, 0);
	await all[0].kill();
	await h.logged(/a part of the Redis Cluster is down/);
	assert.equal(await b.get(get('n')), 0);
	await untilServed(a, get('a'));
	assert.equal(await a.get(get('a')), 1);
	await h.logged('Redis is up again');
});

test('the one of the URL is not there', async (t) => {
	const all = await startCluster(t);

	await all[0].kill();
	const nodes = all.slice(1).map(
	    (r) => `"127.0.0.1:${r.port}"`).join(', ');
	const h = await serveRedisSessions(t, all[0], { url: at(all[0]),
		store: `nodes = { ${nodes} }` });
	const v = new Visitor(h);

	await h.logged(/is down, and the sessions/);
	for (const r of all.slice(1))
		await r.until((s) => s.includes('cluster_state:fail'),
		    'CLUSTER', 'INFO');
	assert.equal(await outcome(v, set('a', 1)), 'refused');
	await all[0].start();
	await untilServed(v, set('a', 1));
	await t.test('nor are the others later', async () => {
		const w = await visitorAt(h, all, all[2]);

		await all[0].kill();
		await all[1].kill();
		await all[0].start();
		await all[1].start();
		await untilServed(w, set('a', 1));
	});
});

test('a part of it is nobody\'s', async (t) => {
	const [r] = await startCluster(t, 1);
	const h = await serveRedisSessions(t, r, { url: at(r), workers: 1 });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	const slot = await slotOf(r, v.id);

	await r.command('CLUSTER', 'DELSLOTS', slot);
	await r.until((s) => s.includes('cluster_state:fail'), 'CLUSTER',
	    'INFO');
	assert.equal(await outcome(v, set('a', 2)), 'E_IO');
	await h.logged('Redis refuses GET: CLUSTERDOWN');
	await r.command('CLUSTER', 'ADDSLOTS', slot);
	await untilServed(v, set('a', 2));
});

test('what it can\'t be', async (t) => {
	for (const [store, why] of [
		['cluster = no nodes = { "127.0.0.1:1" }',
			'nodes: these are for a cluster'],
		['nodes = { "me@127.0.0.1:1" }', 'it is not host:port'],
		['nodes = { "127.0.0.1:0" }', 'the port is not a number'] ])
		await assert.rejects(serveRedisSessions(t, { url: '' },
		    { url: 'redis://127.0.0.1:1', store }),
		(e) => e.message.includes(why));
	await assert.rejects(serveRedisSessions(t, { url: '' },
	    { url: 'redis://127.0.0.1:1/3', store: 'cluster = yes' }),
	(e) => e.message.includes('a cluster has no database but 0'));
});

// SPDX-License-Identifier: BSD-2-Clause
// Rooms across nodes by Redis: heard everywhere, once, in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freePort, until } from './lib/hostd.mjs';
import { backendOf, startRedis } from './lib/redis.mjs';
import { Member, oneOnEach, startRooms, untilHeard } from './lib/rooms.mjs';
import { patient } from './lib/session.mjs';

const backend = (url, keys = '') => `plugin "redis" {
	module = "pubsub_redis.so" url = "${url}"
	${patient(keys, 'ping_timeout')} }`;

async function node(t, url, { workers = 1, keys, ...more } = {}) {
	const h = await startRooms(t, workers, { conf: `
		pubsub { query_timeout = 1h }
		${backend(url, keys)}`, ...more });

	for (let i = 0; i < workers; i++)
		await h.logged(new RegExp(`web\\.${i} .*redis is up`));
	return h;
}

test('between two nodes', async (t) => {
	const redis = await startRedis(t);
	const one = await node(t, redis.url), two = await node(t, redis.url);
	const a = await Member.open(t, one), b = await Member.open(t, two);
	const c = await Member.open(t, two);

	await a.do('join red');
	await b.do('join red');
	await c.do('join blue');
	await redis.subscribers('red', 2);
	await redis.subscribers('blue', 1);

	await t.test('all of the room', async () => {
		await a.do('pub red hello');
		assert.deepEqual(await b.hears(1), ['hello']);
		assert.deepEqual(await a.hears(1), ['hello']);
	});
	await t.test('all but me', async () => {
		await a.do('but red you');
		assert.deepEqual(await b.hears(1), ['you']);
	});
	await t.test('in order, once, whatever is in them', async () => {
		await a.do('flood red 1000 100');
		const got = await b.hears(1000);

		assert.equal(new Set(got).size, 1000);
		assert.deepEqual(got, await a.hears(1000));
		await a.do('flood red 1 4000000');
		assert.equal((await b.hears(1))[0].length, 4000016);
		await a.hears(1);
	});
	await t.test('how many there are', async () => {
		assert.deepEqual(await a.ask('count red'), ['0', '2']);
		assert.deepEqual(await a.ask('count blue'), ['0', '1']);
	});
	await t.test('nobody else has heard anything', async () => {
		await c.ask('who x');
		assert.deepEqual(c.heard, []);
		assert.deepEqual([...a.heard, ...b.heard], []);
	});
	await t.test('what nobody listens to is not subscribed', async () => {
		await b.do('leave red');
		await redis.subscribers('red', 1);
		a.close();
		await redis.subscribers('red', 0);
	});
});

test('between workers of two nodes nothing comes twice', async (t) => {
	const redis = await startRedis(t);
	const one = await node(t, redis.url, { workers: 2 });
	const two = await node(t, redis.url, { workers: 2 });
	const all = [...await oneOnEach(t, one, 2),
	    ...await oneOnEach(t, two, 2)];

	for (const m of all)
		await m.do('join red');
	await redis.subscribers('red', 4);
	await untilHeard(all[0], 'red', ...all.slice(1));
	for (let i = 0; i < 100; i++)
		for (const [k, m] of all.entries())
			await m.do(`pub red ${k}-${i}`);
	for (const m of all) {
		const got = await m.hears(400);

		assert.equal(new Set(got).size, 400);
		for (let k = 0; k < 4; k++)
			assert.deepEqual(
			    got.filter((s) => s.startsWith(`${k}-`)),
			    Array.from({ length: 100 }, (_, i) => `${k}-${i}`));
	}
});

test('over TCP, as a user with a password, to a database', async (t) => {
	const redis = await startRedis(t, { port: await freePort() });

	await redis.command('ACL', 'SETUSER', 'host', 'on', '>p@ss/w:rd',
	    'resetchannels', '&hostd:*', '+@all', '-ping', '-cluster');
	const url = redis.url.replace('//', '//host:p%40ss%2Fw%3Ard@') + '/3';
	const one = await node(t, url);
	const two = await node(t, redis.url.replace('//', '//host@'),
	    { keys: 'password = "p@ss/w:rd"' });
	const a = await Member.open(t, one), b = await Member.open(t, two);

	await a.do('join red');
	await b.do('join red');
	await redis.subscribers('red', 2);
	await a.do('pub red hello');
	assert.deepEqual(await b.hears(1), ['hello']);
	for (const h of [one, two])
		assert.doesNotMatch(h.log, /ss\/w:rd|w%3Ard/);
	const clients = (await redis.command('CLIENT', 'LIST')).split('\n');

	assert.equal(clients.filter((l) => / user=host /.test(l)).length, 4);
	assert.equal(clients.filter((l) => / db=3 /.test(l)).length, 2);
});

test('a prefix keeps systems apart', async (t) => {
	const redis = await startRedis(t);
	const one = await node(t, redis.url, { keys: 'prefix = "one:"' });
	const two = await node(t, redis.url, { keys: 'prefix = ""' });
	const a = await Member.open(t, one), b = await Member.open(t, two);

	await a.do('join red');
	await b.do('join red');
	await redis.until((r) => r[1] === 1 && r[3] === 1, 'PUBSUB', 'NUMSUB',
	    'one:red', 'red');
	await a.do('pub red hello');
	await a.hears(1);
	await b.do('pub red there');
	assert.deepEqual(await b.hears(1), ['there']);
	await a.ask('who x');
	assert.deepEqual(a.heard, []);
});

test('one of two is the backend, the other one lets go', async (t) => {
	const redis = await startRedis(t), other = await startRedis(t);
	const h = await startRooms(t, 1, { conf: `
		pubsub { backend = "redis" }
		plugin "spare" { module = "pubsub_redis.so" url = "${other.url}" }
		${backend(redis.url)}` });
	const a = await Member.open(t, h);

	await h.logged('redis is up');
	await h.logged('spare: the host has another backend');
	await other.until((s) => s.trim().split('\n').length === 1,
	    'CLIENT', 'LIST');
	await a.do('join red');
	await redis.subscribers('red', 1);
	assert.doesNotMatch(h.log, /spare is/);
});

test('the URL may be in the environment', async (t) => {
	const redis = await startRedis(t);
	const h = await startRooms(t, 1, {
		conf: 'plugin "redis" { module = "pubsub_redis.so" }',
		env: { REDIS_URL: redis.url } });

	await h.logged('redis is up');
});

test('what others put there does no harm', async (t) => {
	const redis = await startRedis(t);
	const h = await node(t, redis.url);
	const a = await Member.open(t, h);

	await a.do('join red');
	await redis.subscribers('red', 1);
	for (const junk of ['', 'x', '\0'.repeat(100), 'y'.repeat(1 << 20)])
		assert.equal(await redis.command('PUBLISH', 'hostd:red', junk),
		    1);
	await redis.command('PUBLISH', 'hostd:hostd/nodes', 'junk');
	await a.do('pub red still');
	assert.deepEqual(await a.hears(1), ['still']);
	await until(async () => (await backendOf(h)).bad >= 4,
	    'end of the junk');
});

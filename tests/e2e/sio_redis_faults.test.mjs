// SPDX-License-Identifier: BSD-2-Clause
// Nodes of Socket.IO whose Redis goes and comes, who don't answer, or who send
// what nobody can read.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { call, callAll, connect, heard, settled, settledAll } from
    './lib/sio.mjs';
import { acquainted, redisClient, startHostdMember, startNodeMember } from
    './lib/sio_nodes.mjs';

const METRICS = `
	plugin "metrics" { module = "http_metrics.so" }
	route "/metrics" { plugin = "metrics" }`;

const count = (h, what) => h.log.split(what).length - 1;

// A hostd of one worker, one of two, and one of Node's; a client of each.
async function start(t, options = {}) {
	const redis = await startRedis(t);
	const [a, b, n] = await Promise.all([
		startHostdMember(t, redis, 'retry_max = 200ms', 1, METRICS,
		    options),
		startHostdMember(t, redis, 'retry_max = 200ms'),
		startNodeMember(t, redis)]);
	const all = await Promise.all([a, b, b, n].map((where) =>
	    connect(t, where, 'websocket')));

	const c = { redis, a, b, n, all };

	await together(c);
	return c;
}

// All four nodes are there; Node's is not to be asked before.
async function together(c) {
	await c.redis.until((r) => r[1] === 4, 'PUBSUB', 'NUMSUB',
	    'socket.io-request#/#');
	await acquainted(c.all.slice(0, 3), c.all.length);
}

async function everybodyHears(c, what) {
	for (const s of c.all)
		await call(s, 'say', [], what);
	await settledAll(c.all);
	for (const s of c.all)
		assert.equal(heard(s,
		    'said').filter(([v]) => v === what).length,
		    c.all.length, what);
}

test('Redis goes away, and comes back', async (t) => {
	const c = await start(t);
	const [one, b1, b2] = c.all;

	await everybodyHears(c, 'before');
	for (let i = 1; i <= 2; i++) {
		const from = [c.a.log.length, c.b.log.length];

		await c.redis.kill();
		await c.a.logged(/Redis is not there .*: this machine is alone/,
		    from[0]);
		// Each of its workers.
		await c.b.logged(/(Redis is not there[^]*){2}/, from[1]);
		for (const what of [`alone ${i}`, `again ${i}`])
			await call(b1, 'say', [], what);
		await settledAll([b1, b2]);
		for (const s of [b1, b2])
			assert.equal(heard(s, 'said').filter(([v]) =>
			    v === `again ${i}`).length, 1);
		assert.deepEqual((await call(one, 'fetch', [])).map((s) =>
		    s.id), [one.id]);
		assert.deepEqual((await call(b1, 'fetch', [])).map((s) => s.id)
		    .sort(), [b1.id, b2.id].sort());
		await c.redis.start();
		await together(c);
		await everybodyHears(c, `after ${i}`);
		await c.a.logged('Redis is back', from[0]);
		assert.equal(count(c.a, 'Redis is not there'), i, c.a.log);
		assert.equal(count(c.a, 'Redis is back'), i, c.a.log);
	}
	// What was said without it is not said later.
	assert.deepEqual(heard(one, 'said').filter(([v]) => /a[lg]/.test(v)),
	    []);
});

test('it is not there at first', async (t) => {
	const redis = await startRedis(t);

	await redis.kill();
	const h = await startHostdMember(t, redis, 'retry_max = 100ms', 1);
	const s = await connect(t, h, 'polling');

	await h.logged(/Redis is not there/);
	assert.equal((await call(s, 'fetch', [])).length, 1);
	await redis.start();
	await h.logged('Redis is back');
	await redis.until((r) => r[1] === 1, 'PUBSUB', 'NUMSUB',
	    'socket.io-request#/#');
	assert.equal(count(h, 'Redis is not there'), 1);
});

test('nodes that do not answer', async (t) => {
	const clock = await makeClock(t);
	const c = await start(t, { clock, requestsTimeout: 3_600_000 });
	const [one, other] = c.all;
	// It is counted as a node, and says nothing.
	const mute = await redisClient(t, c.redis);
	const ear = await redisClient(t, c.redis);
	let asked, answers = 0;
	const question = () => new Promise((r) => { asked = r; });
	// Its limit is over when the others have said so much, and all of that
	// has come.
	const late = async (n) => {
		await until(() => answers === n, `${n} answers`);
		answers = 0;
		await settled(other, one);
		await clock.passFor(c.a, 3601);
	};

	await mute.subscribe('socket.io-request#/#', () => asked?.());
	await ear.subscribe('socket.io-response#/#', () => answers++);
	const all = call(one, 'fetch', []);

	await late(3);
	assert.equal((await all).length, c.all.length);
	for (const s of c.all)
		s.on('question', (v, done) => done(v));
	const votes = callAll(one, 'askall', [], 1);

	// How many are asked, and what they say.
	await late(3 + 3);
	assert.deepEqual(await votes, ['timeout', [1, 1, 1, 1]]);
	// One that goes while it is asked.
	const q = question();
	const got = call(one, 'fetch', []);

	await q;
	mute.destroy();
	await late(3);
	assert.equal((await got).length, c.all.length);
	await c.redis.until((r) => r[1] === 4, 'PUBSUB', 'NUMSUB',
	    'socket.io-request#/#');
	assert.equal((await call(one, 'fetch', [])).length, c.all.length);
	// And with Redis, in the middle of a question; Node's would not catch
	// it.
	c.all.pop().disconnect();
	await c.n.stop();
	await (await redisClient(t, c.redis)).subscribe('socket.io-request#/#',
	    () => asked?.());
	const last = question();
	const rest = call(one, 'fetch', []);

	await last;
	await c.redis.kill();
	assert.ok((await rest).some((s) => s.id === one.id));
});

// What decodes as nothing, as something else, and as too much.
const GARBAGE = ['', '{', '{}', '[]', 'null', '\xc1', '\x93', '\x90',
    '\x93\0\0\0',
	'\x93\xa1x\x80\x80', '\xdd\xff\xff\xff\xff', '\x91'.repeat(5000),
	'\x93\xa1x\x82\xa4type\x05\xa4data\x91\xa4said\x80',
	'\x93\xa1x\x82\xa4type\x02\xa4data\x90\x80',
	'\x93\xa1x\x82\xa4type\x02\xa4data\x91\xa4said\xc0',
	'\x93\xa1x\x82\xa4type\x02\xa4data\x91\xa4said\x81\xa5rooms\xa1r',
	'{"type":4,"close":true}', '{"type":4,"opts":{"rooms":5},"close":true}',
	'{"type":2,"opts":{"rooms":[]}}', '{"type":99}', '{"type":"5"}',
	'{"type":5,"requestId":"x"}', '{"type":6,"data":[]}', '{"type":6}',
	'{"requestId":"x","sockets":5}',
	    `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
	'{"type":1,"uid":"\xff"}'];

test('garbage', async (t) => {
	const c = await start(t);
	const pub = await redisClient(t, c.redis);
	const channels = ['#/#', '#/#r#', '-request#/#', '-response#/#',
		'-response#/#x#'];

	await call(c.all[0], 'join', 'r');
	// Node's would fall over some of them.
	c.all.pop().disconnect();
	await c.n.stop();
	for (const channel of channels)
		for (const text of [...GARBAGE, ...Array.from({ length: 50 },
		    () => randomBytes(40))])
			await pub.publish(`socket.io${channel}`,
			    Buffer.from(text, 'latin1'));
	await acquainted(c.all);
	await everybodyHears(c, 'still here');
	assert.equal(count(c.a, 'is ignored: '), 1, c.a.log);
	const text = await (await fetch(`${c.a.url}/metrics`)).text();
	const [, n] = /^hostd_socketio_redis_ignored_total(?:{.*})? (\d+)$/m.exec(text);

	assert.ok(Number(n) > 100, n);
});

// SPDX-License-Identifier: BSD-2-Clause
// Another node that does not answer any more: the first question waits for it,
// those behind it do not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { Member, startRooms } from './lib/rooms.mjs';

const WAIT = 2000;	// query_timeout, in milliseconds
const TIMEOUT = '-6';

async function start(t, redis, wait) {
	const h = await startRooms(t, 2, { conf: `
		pubsub { query_timeout = ${wait} }
		plugin "redis" { module = "pubsub_redis.so"
			url = "${redis.url}" retry_max = 200ms }` });

	return [h, await Member.open(t, h)];
}

// How long it takes, and what comes of it.
async function count(m) {
	const from = Date.now();
	const [status, total] = await m.ask('count red');

	return { status, total: Number(total), ms: Date.now() - from };
}

// Several of them.  Who waits does so each time, and never for less than that;
// a machine that stands still does not do so each time.
async function severalSoon(m) {
	const all = [];

	for (let i = 0; i < 5; i++)
		all.push(await count(m));
	const soonest = Math.min(...all.map(({ ms }) => ms));

	assert.ok(soonest < WAIT / 2, `${soonest} ms`);
	return all;
}

const satisfies = (m, pred) => until(async () => pred(await count(m)),
    'the count');

// Until so many are counted, by all.
const counted = (m, n) => satisfies(m,
    (c) => c.status === '0' && c.total === n);

const kill = (h, signal) => {
	for (const p of h.pids())
		process.kill(p, signal);
};

async function couple(t, wait = `${WAIT}ms`) {
	const redis = await startRedis(t);
	const [, a] = await start(t, redis, wait);
	const [two, b] = await start(t, redis, wait);

	await a.do('join red');
	await b.do('join red');
	await redis.subscribers('red', 2);
	await counted(a, 2);
	await counted(b, 2);
	return { redis, a, two, b };
}

// Bug: until a dead node was forgotten, every question waited for it.
test('it is killed', async (t) => {
	const { redis, a, two } = await couple(t);

	// At once: a worker without its master would say that it ends.
	kill(two, 'SIGSTOP');
	kill(two, 'SIGKILL');
	await two.ended;
	// It may take more than one, if it was killed as it answered.
	await satisfies(a, (c) => c.status === TIMEOUT);
	for (const { status, total } of await severalSoon(a)) {
		assert.equal(status, TIMEOUT);	// not all have answered
		assert.equal(total, 1);
	}
	// One that comes is asked, and answers.
	const [, c] = await start(t, redis, `${WAIT}ms`);

	await c.do('join red');
	await satisfies(a, (c) => c.total === 2);
});

test('it stops, and goes on', async (t) => {
	const { a, two } = await couple(t);

	atEnd(t, () => kill(two, 'SIGCONT'));
	kill(two, 'SIGSTOP');
	const { status } = await count(a);

	assert.equal(status, TIMEOUT);
	await severalSoon(a);
	kill(two, 'SIGCONT');
	await counted(a, 2);
});

test('it ends', async (t) => {
	const { a, two } = await couple(t, '1h');

	await two.stop('SIGTERM');
	for (;;) {
		const { status, total } = await count(a);

		assert.equal(status, '0');
		if (total === 1)
			break;
	}
});

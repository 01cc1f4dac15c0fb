// SPDX-License-Identifier: BSD-2-Clause
// A worker that stalls costs a bounded amount, loses what is beyond, is told
// so, and nobody else notices.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd } from './lib/hostd.mjs';
import { Member, oneOnEach, startRooms, untilHeard } from './lib/rooms.mjs';

const N = 400, SIZE = 1000;

test('a stopped worker', async (t) => {
	const h = await startRooms(t, 2, { conf: 'pubsub { queue = 64k }' });
	const [a, b] = await oneOnEach(t, h, 2);
	let near;

	do {
		near?.close();
		near = await Member.open(t, h);
	} while (near.pid !== a.pid);
	await b.do('join red');
	await b.do('follow red');
	await near.do('join red');
	await untilHeard(a, 'red', b);
	near.heard.length = 0;

	process.kill(b.pid, 'SIGSTOP');
	atEnd(t, () => {
		try { process.kill(b.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	await a.do(`flood red ${N} ${SIZE}`, 1);
	await h.logged(/a worker does not take its messages: \d+ bytes wait/);
	assert.deepEqual((await near.hears(N)).map(
	    (s) => Number(s.slice(0, 14))), [...Array(N).keys()]);
	const { dropped } = (await h.status()).bus;

	assert.ok(dropped > 0 && dropped < N, `${dropped} dropped`);

	process.kill(b.pid, 'SIGCONT');
	await h.logged(/a worker takes its messages again/);
	await b.until(() => b.heard.includes('~ red gap'), 'word of the gap');
	const got = b.heard.filter((s) => /^\d{14} /.test(s))
	    .map((s) => Number(s.slice(0, 14)));

	assert.equal(got.length, N - dropped);
	assert.deepEqual(got, [...got.keys()]);
	b.heard.length = 0;
	await a.do('pub red afterwards');
	await b.until(() => b.heard.includes('afterwards'), 'what follows');
	assert.equal((await h.status()).bus.dropped, dropped);
});

test('a killed worker, and its successor', async (t) => {
	const h = await startRooms(t, 2);
	const [a, b] = await oneOnEach(t, h, 2);

	await b.do('join red');
	await untilHeard(a, 'red', b);
	assert.deepEqual(await a.ask('count red'), ['0', '1']);
	process.kill(b.pid, 'SIGKILL');
	await b.until(() => b.closed !== undefined, 'its end').catch(() => {});
	assert.equal(b.closed, 1006);
	while ((await a.ask('count red'))[1] !== '0')
		;
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready' &&
	    w.pid !== b.pid) && ws.length === 2, 'a successor');
	const [c] = (await oneOnEach(t, h, 2)).filter((m) => m.pid !== a.pid);

	await c.do('join red');
	await untilHeard(a, 'red', c);
	await a.do('join red');
	await untilHeard(c, 'red', a);
	assert.deepEqual(await a.ask('count red'), ['0', '2']);
});

test('reloads, with rooms full', async (t) => {
	const h = await startRooms(t, 2, { conf: 'drain_timeout = 4s' });
	const [a, b] = await oneOnEach(t, h, 2);

	await a.do('join red');
	await b.do('join red');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	// Those of before and those of now are in one room.
	const [c, d] = await oneOnEach(t, h, 2);

	await c.do('join red');
	await d.do('join red');
	await untilHeard(c, 'red', a, b, d);
	await untilHeard(a, 'red', b, c, d);
	await h.workersSatisfy((ws) => ws.length === 2,
	    'end of the old workers');
	assert.deepEqual(await c.ask('count red'), ['0', '4']);
});

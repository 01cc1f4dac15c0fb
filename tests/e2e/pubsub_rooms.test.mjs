// SPDX-License-Identifier: BSD-2-Clause
// Rooms: who is in one hears what is said there, once, in order, and nobody
// else.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Member, oneOnEach, startRooms, untilHeard } from './lib/rooms.mjs';

test('in one worker', async (t) => {
	const h = await startRooms(t);
	const a = await Member.open(t, h), b = await Member.open(t, h);
	const c = await Member.open(t, h);

	await a.do('join red');
	await b.do('join red');
	await c.do('join blue');

	await t.test('all of the room', async () => {
		await a.do('pub red hello');
		assert.deepEqual(await a.hears(1), ['hello']);
		assert.deepEqual(await b.hears(1), ['hello']);
		await c.ask('who x');
		assert.deepEqual(c.heard, []);
	});
	await t.test('all but me', async () => {
		await a.do('but red you');
		assert.deepEqual(await b.hears(1), ['you']);
		await a.ask('who x');
		assert.deepEqual(a.heard, []);
	});
	await t.test('joined twice is once', async () => {
		await b.do('join red');
		await a.do('but red once');
		await b.ask('who x');
		assert.deepEqual(b.heard.splice(0), ['once']);
	});
	await t.test('a room that nobody is in', () => a.do('pub green x'));
	await t.test('one who is not in it may speak', async () => {
		await c.do('pub red from-c');
		assert.deepEqual(await a.hears(1), ['from-c']);
		assert.deepEqual(await b.hears(1), ['from-c']);
	});
	await t.test('left', async () => {
		await b.do('leave red');
		await a.do('pub red alone');
		assert.deepEqual(await a.hears(1), ['alone']);
		await b.ask('who x');
		assert.deepEqual(b.heard, []);
		await b.do('leave red', -9);
	});
	await t.test('counts and members', async () => {
		await b.do('join red');
		assert.deepEqual(await a.ask('here red'), ['0', '2']);
		assert.deepEqual(await a.ask('members red'), ['0', '2', '1']);
		assert.deepEqual(await a.ask('count red'), ['0', '2']);
		assert.deepEqual(await a.ask('count nobody'), ['0', '0']);
	});
	await t.test('gone with its socket', async () => {
		b.close();
		while ((await a.ask('here red'))[1] !== '1')
			;
		assert.deepEqual(await a.ask('members red'), ['0', '1', '1']);
	});
	await t.test('bad names', async () => {
		await a.do(`join ${'x'.repeat(256)}`, -1);
		await a.do('join a\u0001b', -1);
		await a.do('join hostd/nodes', -1);
		await a.do('pub hostd/x y', -1);
		await a.do(`join ${'x'.repeat(255)}`);
	});
});

test('max_channels', async (t) => {
	const h = await startRooms(t, 1, { keys: 'max_channels = 2' });
	const a = await Member.open(t, h);

	await a.do('join a');
	await a.do('join b');
	await a.do('join b');
	await a.do('join c', -4);
	await a.do('leave a');
	await a.do('join c');
});

test('across workers', async (t) => {
	const h = await startRooms(t, 3);
	const [a, b, c] = await oneOnEach(t, h, 3);

	await b.do('join red');
	await c.do('join red');
	await untilHeard(a, 'red', b, c);

	await t.test('in order, each once', async () => {
		await a.do('flood red 500 1000');
		for (const m of [b, c]) {
			const got = await m.hears(500);

			assert.deepEqual(got.map((s) => Number(s.slice(0, 14))),
			    [...got.keys()]);
			assert.ok(got.every((s) => s.length === 1016));
		}
	});
	await t.test('large ones', async () => {
		await a.do('flood red 3 900000');
		for (const m of [b, c])
			assert.deepEqual(
			    (await m.hears(3)).map((s) => s.length),
			    [900016, 900016, 900016]);
	});
	await t.test('both ways', async () => {
		await b.do('but red from-b');
		assert.deepEqual(await c.hears(1), ['from-b']);
		await b.ask('who x');
		assert.deepEqual(b.heard, []);
	});
	await t.test('counted', async () => {
		assert.deepEqual(await a.ask('count red'), ['0', '2']);
		assert.deepEqual(await a.ask('here red'), ['0', '0']);
	});
	await t.test('a worker without an interest is not woken', async () => {
		await b.do('leave red');
		await c.do('leave red');
		for (;;) {
			const n = (await h.status()).bus.out;

			await a.do('pub red x');
			if ((await h.status()).bus.out === n)
				break;
		}
		// A question to all workers: they have read what was sent.
		await a.replay('red');
		const after = (await h.status()).bus;

		await a.do('flood red 100 100');
		assert.deepEqual((await h.status()).bus, after);
		assert.ok(after.out >= 500);
		assert.equal(after.dropped, 0);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// Who is in a room, and what was said there before, asked of all workers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Member, oneOnEach, startRooms, untilHeard } from './lib/rooms.mjs';

test('labels', async (t) => {
	const h = await startRooms(t, 2);
	const [a, b] = await oneOnEach(t, h, 2);
	const c = await Member.open(t, h);

	for (const [m, name] of [[a, 'ada'], [b, 'bob'], [c, 'cyd']]) {
		await m.do(`label ${name}`);
		await m.do('join red');
	}
	await untilHeard(a, 'red', b);
	await untilHeard(b, 'red', a);
	for (const m of [a, b]) {
		const [status, ...names] = await m.ask('list red');

		assert.equal(status, '0');
		assert.deepEqual(names.sort(), ['ada', 'bob', 'cyd']);
	}
	await b.do('leave red');
	for (;;) {
		const [, ...names] = await a.ask('list red');

		if (names.length === 2) {
			assert.deepEqual(names.sort(), ['ada', 'cyd']);
			break;
		}
	}
	await a.do(`label ${'x'.repeat(256)}`, -1);
});

test('history', async (t) => {
	const h = await startRooms(t, 2);
	const [a, b] = await oneOnEach(t, h, 2);
	const texts = (list) => list.map((m) => m.text);

	assert.deepEqual(await a.replay('red'), []);
	await a.do('keep red 3 60000');
	for (const s of ['one', 'two', 'three', 'four'])
		await a.do(`pub red ${s}`);
	const all = await a.replay('red');

	assert.deepEqual(texts(all), ['two', 'three', 'four']);
	assert.equal(new Set(all.map((m) => m.node)).size, 1);
	assert.ok(BigInt(all[1].seq) > BigInt(all[0].seq));

	await t.test('asked from another worker', async () => {
		assert.deepEqual(await b.replay('red'), all);
	});
	await t.test('behind a message', async () => {
		assert.deepEqual(await b.replay('red', all[0].node, all[0].seq),
		    all.slice(1));
		assert.deepEqual(await b.replay('red', all[2].node, all[2].seq),
		    []);
	});
	await t.test('behind one that is forgotten: all', async () => {
		assert.deepEqual(await b.replay('red', all[0].node, 1), all);
	});
	await t.test('kept by both: each once, in order', async () => {
		await a.do('keep red 100 60000');
		await b.do('keep red 100 60000');
		await b.do('join red');
		await untilHeard(a, 'red', b);
		await b.do('pub red from-b');
		const got = texts(await a.replay('red'));

		assert.equal(got.at(-1), 'from-b');
		assert.deepEqual(got, texts(await b.replay('red')));
		assert.equal(new Set(got).size, got.length);
		assert.deepEqual(got.slice(0, 3), ['two', 'three', 'four']);
	});
	await t.test('not wanted any more', async () => {
		await a.do('keep red 0 0');
		await b.do('keep red 0 0');
		assert.deepEqual(await a.replay('red'), []);
	});
	await t.test('too old', async () => {
		await a.do('keep blue 10 1');
		await a.do('pub blue x');
		while ((await a.replay('blue')).length > 0)
			;
	});
	await t.test('limits', async () => {
		await a.do('keep red 1001 1000', -1);
		await a.do('keep red 10 0', -1);
	});
});

test('an instance\'s own subscriptions', async (t) => {
	const h = await startRooms(t, 2);
	const [a, b] = await oneOnEach(t, h, 2);

	await a.do('follow red');
	await a.do('pub red mine');
	assert.deepEqual(await a.hears(1), ['~ red mine']);
	await a.do('join red');
	await untilHeard(b, 'red', a);
	await a.do('leave red');
	await b.do('pub red theirs');
	assert.deepEqual(await a.hears(1), ['~ red theirs']);
	await a.do('unfollow red');
	await a.do('unfollow red', -3);
	await a.do('pub red unheard');
	await a.ask('who x');
	assert.deepEqual(a.heard, []);
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: events and acknowledgements with binary attachments.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { call, callAll, connect, eachMode, heard, next, onServers, settled }
    from './lib/sio.mjs';

const bytes = (...list) => Buffer.from(list);
const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

const shapes = {
	'alone': [bytes(1, 2, 3)],
	'empty': [bytes()],
	'every byte': [all],
	'among others': ['a', bytes(0x1e), 1, null, bytes(0xff), { x: 1 }],
	'nested': [{ a: [1, { b: bytes(9) }], c: { d: { e: bytes(8) } } },
	    [[bytes(7)]]],
	'ten': Array.from({ length: 10 }, (_, i) => randomBytes(i * 37)),
	'long': [randomBytes(200_000)],
	'like base64': [Buffer.from('bAQID'), Buffer.from('4hello')],
};

onServers('there and back', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);

	for (const [name, args] of Object.entries(shapes)) {
		const echo = next(s, 'echo');

		assert.deepEqual(await callAll(s, 'echo', ...args), args, name);
		assert.deepEqual(await echo, args, name);
	}
	assert.deepEqual(await call(s, 'back', new Uint8Array([1, 2, 3])),
	    bytes(1, 2, 3));
	assert.deepEqual(await call(s, 'back', new Uint8Array([4]).buffer),
	    bytes(4));
	// One buffer in two places is two attachments.
	assert.deepEqual(await callAll(s, 'back', all, all), [all, all]);
	// What looks like a placeholder, without attachments.
	assert.deepEqual(await call(s, 'back', { _placeholder: true, num: 5 }),
	    { _placeholder: true, num: 5 });
}));

onServers('questions of the server, answers with attachments', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);

	s.on('question', (v, done) => done({ is: v, not: [bytes(0)] }));
	assert.deepEqual(await callAll(s, 'ask', bytes(1, 2)),
	    [null, { is: bytes(1, 2), not: [bytes(0)] }]);
}));

onServers('to a room', async (t, where) => {
	const all = [];

	for (const mode of ['polling', 'websocket', 'upgrade', 'polling'])
		all.push(await connect(t, where, mode));
	for (const s of all.slice(1))
		await call(s, 'join', 'bin');
	const what = { pic: randomBytes(5000), more: [bytes(), 'x'] };

	for (let i = 0; i < 5; i++)
		all[0].emit('say', 'bin', i, what);
	await settled(...all);
	for (const s of all.slice(1))
		assert.deepEqual(heard(s, 'said'),
		    [0, 1, 2, 3, 4].map((i) => [i, what]));
	assert.deepEqual(heard(all[0], 'said'), []);
});

onServers('many in order, with text between them', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const n = 200;
	const what = (i) => i % 3 === 0 ? i : i % 3 === 1 ? bytes(i) :
	    [bytes(i), { i: bytes(i, i) }];
	const want = Array.from({ length: n }, (_, i) => [what(i)]);

	for (const [v] of want)
		s.emit('echo', v);
	const acks = Promise.all(want.map(([v]) => call(s, 'back', v)));

	await call(s, 'many', n, bytes(1), 'x', bytes(2, 3));
	assert.deepEqual(await acks, want.map(([v]) => v));
	assert.deepEqual(heard(s, 'echo'), want);
	assert.deepEqual(heard(s, 'item'), want.map((_, i) =>
	    [i, bytes(1), 'x', bytes(2, 3)]));
}));

onServers('more than is allowed', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const end = next(s, 'disconnect');

	s.emit('echo', ...Array.from({ length: 11 }, (_, i) => bytes(i)));
	assert.equal((await end)[0], 'transport close');
	assert.deepEqual(heard(s, 'echo'), []);
}));

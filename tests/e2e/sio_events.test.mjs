// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: events with all that JSON can say, acknowledgements of both sides,
// and how long they are waited for.
import assert from 'node:assert/strict';
import { call, callAll, connect, eachMode, heard, modes, next, onServers } from
    './lib/sio.mjs';
import { until, within } from './lib/hostd.mjs';

const deep = (n) => n === 0 ? 'bottom' : n % 2 ? [deep(n - 1)] :
    { a: deep(n - 1) };

const shapes = {
	nothing: [],
	literals: [null, true, false],
	numbers: [0, -1, 1, 0.1, -2.5e-7, 1e21, 1e300, 5e-324, 2 ** 53 - 1,
	    -(2 ** 53 - 1), 123456789.123],
	strings: ['', ' ', 'a', '"\\/\b\f\n\r\t', '\u0000\u001e\u007f\u2028',
	    'ä€😀', '\ud83d', '__proto__', '1-["no",{}]'],
	lists: [[], [[]], [1, [2, [3, []]], null], Array(1000).fill(7)],
	objects: [{}, { '': '' }, { a: { b: { c: [] } } }, { 'k"ey\n€': 1 },
	    { 10: 'x', 9: 'y', b: 1, a: 2 }, { _placeholder: true, num: 0 }],
	deep: [deep(60)],
	long: ['x'.repeat(300_000), '€'.repeat(50_000)],
	wide: [Object.fromEntries(Array.from({ length: 2000 }, (_, i) =>
	    [`key ${i}`, { i, s: `${i}`, l: [i] }]))],
	many: Array.from({ length: 300 }, (_, i) => i),
};

onServers('what goes there comes back', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);

	for (const [name, args] of Object.entries(shapes)) {
		const echo = next(s, 'echo');

		assert.deepEqual(await callAll(s, 'echo', ...args), args, name);
		assert.deepEqual(await echo, args, name);
		if (args.length === 1)
			assert.equal(JSON.stringify((await echo)[0]),
			    JSON.stringify(args[0]), `${name}, to the letter`);
	}
}));

onServers('what JSON has no words for', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const when = new Date();

	assert.deepEqual(await callAll(s, 'back', undefined, NaN, -0, when,
	    { u: undefined, m: new Map([[1, 2]]) }, Infinity),
	    [null, null, 0, when.toISOString(), { m: {} }, null]);
}));

onServers('names of events', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	let answered = 0;

	// Nobody listens to these: nothing happens, and nobody answers.
	for (const name of ['nobody', '', 'error', 'message', 'connection', '€',
	    7, 'constructor', '__proto__', 'hasOwnProperty', 'x'.repeat(5000)])
		s.emit(name, 1, () => answered++);
	assert.equal(await call(s, 'back', 'still here'), 'still here');
	assert.equal(answered, 0);
	await assert.rejects(s.timeout(50).emitWithAck('nobody'),
	    /operation has timed out/);
}));

onServers('acknowledgements', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const all = Array.from({ length: 200 }, (_, i) => i);

	// The first id is 0.
	assert.equal(s.ids, 0);
	assert.deepEqual(await callAll(s, 'back'), []);
	assert.deepEqual(await callAll(s, 'back', null), [null]);
	assert.deepEqual(await Promise.all(all.map((i) => call(s, 'back', i))),
	    all);

	const answers = [];

	s.emit('twice', 'once', (v) => answers.push(v));
	await call(s, 'back');
	assert.deepEqual(answers, ['once']);
	assert.deepEqual(heard(s, 'echo'), []);
}));

onServers('questions of the server', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const answer = (...got) => got.at(-1)(...got.slice(0, -1), 'yes');

	s.once('question', answer);
	assert.deepEqual(await callAll(s, 'ask', 'a', { b: 1 }),
	    [null, 'a', { b: 1 }, 'yes']);
	s.once('question', (done) => done());
	assert.deepEqual(await callAll(s, 'ask'), [null]);
	// Many at a time, answered in another order.
	const waiting = [];

	s.on('question', (v, done) => {
		waiting.push(() => done(v * 2));
		if (waiting.length === 20)
			for (const f of waiting.reverse())
				f();
	});
	assert.deepEqual(await Promise.all(Array.from({ length: 20 }, (_, i) =>
	    callAll(s, 'ask', i))),
	    Array.from({ length: 20 }, (_, i) => [null, i * 2]));
}));

onServers('nobody answers, and then too late', (t, where) =>
    Promise.all(Object.keys(modes).map(async (mode) => {
	const s = await connect(t, where, mode);
	const late = new Promise((resolve) => s.once('question', (v, done) =>
	    resolve(done)));

	assert.deepEqual(await callAll(s, 'askshort', 'hm'), ['timeout']);
	(await late)('too late');
	assert.equal(await call(s, 'back', 1), 1);
})));

onServers('an event is sent again until it is acknowledged', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode,
	    { retries: 2, ackTimeout: 60 });
	// Which is answered when its question is: never.
	const given = new Promise((resolve) =>
	    s.emit('asklong', 'again', (e) => resolve(e)));

	assert.match((await within(given, 'the end of retries')).message,
	    /timed out/);
	await until(() => heard(s, 'question').length === 3, 'three of them');
}));

onServers('many in order', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const n = 500, mine = Array.from({ length: n }, (_, i) => [i]);

	for (const [i] of mine)
		s.emit('echo', i);
	await call(s, 'many', n, 'x'.repeat(100));
	await call(s, 'back');
	assert.deepEqual(heard(s, 'echo'), mine);
	assert.deepEqual(heard(s, 'item'),
	    mine.map(([i]) => [i, 'x'.repeat(100)]));
}));

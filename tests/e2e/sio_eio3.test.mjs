// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO with clients of its version 2, which speak revision 3 of Engine.IO,
// beside those of now.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { until } from './lib/hostd.mjs';
import { call, callAll, connect, eachMode, gone, heard, hour, modes, next,
    onHostd, onServers, settledAll, startOurs, watch } from './lib/sio.mjs';
import { also2, client2, connect2, entered, refusal } from './lib/sio2.mjs';

const options = { allowEIO3: true };
const on3 = (title, fn, more = {}, ours = {}) =>
	onServers(title, fn, { ...options, ...more }, ours);
const bytes = (...list) => Buffer.from(list);

const shapes = {
	nothing: [],
	text: ['a', null, 1.5, { x: [1, { y: 'z' }] }],
	'beyond ASCII': ['ä€😀'.repeat(50), { '😀': 'ÿ' }, '\u001e:'],
	long: ['€'.repeat(60_000)],
	bytes: [bytes(4, 0, 255, 0x1e)],
	'no bytes': [bytes()],
	'bytes among others': ['€', bytes(1), { a: [bytes(2), 'b4'] },
	    randomBytes(3000)],
};

// Also where bytes can't be sent.
const each = (t, fn) => Promise.all(Object.keys(modes).flatMap((mode) =>
    [false, true].map((forceBase64) => fn(mode, { forceBase64 }))));

on3('there and back', (t, where) => each(t, async (mode, base64) => {
	const s = await connect2(t, where, mode, base64);

	for (const [name, args] of Object.entries(shapes)) {
		const echo = next(s, 'echo');

		assert.deepEqual(await callAll(s, 'echo', ...args), args, name);
		assert.deepEqual(await echo, args, name);
	}
}));

on3('many in order', (t, where) => each(t, async (mode, base64) => {
	const s = await connect2(t, where, mode, base64);
	const what = (i) => i % 3 === 0 ? i : i % 3 === 1 ? bytes(i) :
	    { '😀': [bytes(i, 4)] };
	const want = Array.from({ length: 100 }, (_, i) => [what(i)]);

	for (const [v] of want)
		s.emit('echo', v);
	assert.deepEqual(await Promise.all(want.map(([v]) =>
	    callAll(s, 'back', v))), want);
	assert.deepEqual(heard(s, 'echo'), want);
}));

on3('questions of the server', (t, where) => each(t, async (mode, base64) => {
	const s = await connect2(t, where, mode, base64);

	s.on('question', (v, done) => done({ is: v, not: [bytes(0)] }, 'ü'));
	assert.deepEqual(await callAll(s, 'ask', bytes(1, 2)),
	    [null, { is: bytes(1, 2), not: [bytes(0)] }, 'ü']);
}));

on3('rooms together with clients of now', async (t, where) => {
	const old = await Promise.all([['polling'], ['websocket'], ['upgrade'],
		['polling', { forceBase64: true }],
		['websocket', { forceBase64: true }]]
	    .map(([mode, more]) => connect2(t, where, mode, more)));
	const now = await Promise.all(Object.keys(modes).map((mode) =>
	    connect(t, where, mode)));
	const all = [...old, ...now];
	const what = ['€😀', { pic: randomBytes(2000), no: [bytes()] }];

	for (const s of all)
		await call(s, 'join', 'both');
	for (const s of [old[0], now[1]]) {
		for (let i = 0; i < 3; i++)
			await call(s, 'say', 'both', i, i === 1 ? 'x' : what);
		await call(s, 'others', 'both', 'the others');
		await settledAll(all);
		for (const o of all) {
			assert.deepEqual(heard(o, 'said'), [[0, what], [1, 'x'],
			    [2, what], ...o === s ? [] : [['the others']]]);
			o.heard = [];
		}
	}
	assert.deepEqual((await call(now[0], 'fetch', 'both')).map((v) => v.id),
	    all.map((s) => s.id).sort());
	assert.deepEqual(await call(old[1], 'rooms'),
	    [old[1].id, 'both'].sort());
	await call(now[0], 'leaveall', 'both', 'both');
	assert.deepEqual(await call(now[0], 'fetch', 'both'), []);
	// The id is a room, too.
	await call(now[0], 'say', old[0].id, 'you');
	await settledAll(all);
	assert.deepEqual(all.map((s) => heard(s, 'said').length),
	    all.map((s) => s === old[0] ? 1 : 0));
});

on3('who it is', (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(t, where);
	const s = await connect2(st, where, mode, { query: { name: 'n' } });
	const b = await entered(also2(s, '/dyn-1', {
		query: { 'a b': 'ä&=,', token: 1 } }));

	assert.equal(b.id, `/dyn-1#${s.io.engine.id}`);
	assert.deepEqual(await w.came(b.id),
	    { id: b.id, nsp: '/dyn-1', recovered: false });
	const { id, nsp, auth, query } = await call(s, 'whoami');

	assert.deepEqual([id, nsp, auth], [s.io.engine.id, '/', {}]);
	assert.equal(id, s.id);
	assert.equal(query.EIO, '3');
	assert.equal(query.name, 'n');
	assert.deepEqual((await call(b, 'whoami')).auth,
	    { 'a b': 'ä&=,', token: '1' });
	assert.deepEqual(await call(b, 'rooms'), [b.id]);
}));

on3('refusals', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect2(st, where, mode);

	assert.deepEqual(await refusal(also2(s, '/private')),
	    { code: 'E1', hint: 'log in' });
	assert.equal(await refusal(also2(s, '/slow', { query: 'late=1' })),
	    'too late');
	assert.deepEqual(await refusal(also2(s, '/nowhere')),
	    { message: 'Invalid namespace' });
	const b = await entered(also2(s, '/chat'));

	assert.deepEqual(await callAll(b, 'back', 1), [1]);
	assert.equal(await call(s, 'back', 1), 1);
}));

on3('a namespace again', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect2(st, where, mode);
	const b = await entered(also2(s, '/private',
	    { query: { token: 'secret' } }));
	const { id } = b;

	await call(b, 'join', 'r');
	b.disconnect();
	await until(async () => (await call(s, 'back', 1)) === 1, 'an answer');
	b.open();
	await entered(b);
	assert.equal(b.id, id);
	assert.deepEqual(await call(b, 'rooms'), [id]);
	const left = gone(b);

	b.emit('bye', false);
	assert.equal(await left, 'io server disconnect');
	b.open();
	await entered(b);
	assert.equal(await call(b, 'back', 'in'), 'in');
}));

on3('how it ends', (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(t, where);
	const ends = async (cut, ours, ...theirs) => {
		const s = await connect2(st, where, mode);
		const { id } = s;
		const why = gone(s);

		await call(s, 'join', 'r');
		await cut(s);
		assert.equal(await why, ours);
		const told = await w.gone(id);

		assert.ok(theirs.includes(told.reason), told.reason);
		assert.deepEqual(told.rooms, ['r']);
	};

	await ends((s) => s.disconnect(), 'io client disconnect',
	    'client namespace disconnect');
	await ends((s) => s.emit('bye', false), 'io server disconnect',
	    'server namespace disconnect');
	await ends((s) => s.emit('bye', true), 'io server disconnect',
	    'server namespace disconnect');
	await ends((s) => s.io.engine.close(), 'forced close',
	    'transport close');
	await ends((s) => s.io.engine.write('no packet'), 'transport close',
	    'forced close', 'forced server close');
}));

on3('the client pings', (t, where) => eachMode(t, async (st, mode) => {
	const s = await connect2(st, where, mode);
	let pongs = 0;

	s.io.engine.on('pong', () => pongs++);
	await until(() => pongs >= 5, 'pongs');
	assert.equal(await call(s, 'back', 'alive'), 'alive');
}), { pingInterval: 100, pingTimeout: 20_000 });

test('its pings are what it lives by', async (t) => {
	const clock = await makeClock(t);
	const h = await startOurs(t, { ...options, pingInterval: 100,
		pingTimeout: 3_600_000 }, { clock, workers: 1 });
	const s = await connect2(t, h, 'websocket');

	for (let i = 0; i < 4; i++) {
		// The second one's ping came after the time that has passed.
		await next(s.io.engine, 'pong');
		await next(s.io.engine, 'pong');
		clock.pass(2400);
	}
	assert.equal(await call(s, 'back', 'alive'), 'alive');
});

on3('who does not is given up', async (t, where) => {
	const w = await watch(t, where);

	// Behind an upgrade, Node's server does not look any more.
	const ids = await Promise.all((where.node ? ['polling', 'websocket'] :
	    Object.keys(modes)).map(async (mode) => {
		const s = await connect2(t, where, mode);

		clearTimeout(s.io.engine.pingIntervalTimer);
		clearTimeout(s.io.engine.pingTimeoutTimer);
		return s.id;
	}));

	await hour(where, w);
	assert.deepEqual(w.all('gone'), []);
	await hour(where, w);
	for (const id of ids)
		assert.equal((await w.gone(id)).reason, 'ping timeout');
}, { pingInterval: 3_600_000, pingTimeout: 3_600_000 }, { clock: true });

onHostd('they are not served unless that is allowed', async (t, where) => {
	for (const mode of Object.keys(modes))
		assert.match((await refusal(client2(t, where, mode))).message,
		    /^(xhr poll|websocket) error$/);
});

onHostd('it stays who it is over reloads', (t, h) =>
    each(t, async (mode, base64) => {
	const s = await connect2(t, h, mode, base64);
	const b = await entered(also2(s, '/chat'));
	const ids = [s.id, b.id];

	await call(s, 'join', 'r');
	await call(b, 'join', 'q');
	return [s, b, ids];
    }).then(async (all) => {
	const numbers = Array.from({ length: 300 }, (_, i) => [i, bytes(i)]);

	for (let i = 0; i < 2; i++) {
		const said = all.map(([s, b]) => Promise.all(numbers.map((v) =>
		    callAll([s, b][v[0] % 2], 'back', ...v))));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		for (const v of said)
			assert.deepEqual(await v, numbers);
		await Promise.all(all.map(async ([s, b, ids]) => {
			assert.deepEqual(await call(s, 'rooms'),
			    [ids[0], 'r'].sort());
			assert.deepEqual(await call(b, 'rooms'),
			    [ids[1], 'q'].sort());
			assert.deepEqual(await callAll(b, 'back', bytes(i)),
			    [bytes(i)]);
		}));
	}
	assert.equal((await call(all[0][0], 'fetch', 'r')).length, all.length);
	await Promise.all(all.map(([s]) => {
		const told = gone(s);

		s.emit('bye', true);
		return told;
	}));
}), options);

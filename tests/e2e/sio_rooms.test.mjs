// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: rooms; everybody who is meant gets exactly one copy, and nobody
// else gets any.
import assert from 'node:assert/strict';
import { also, call, callAll, connect, eachMode, heard, modes, next, onServers,
    settled, settledAll } from './lib/sio.mjs';

// Eight clients of all kinds: a to h.
async function crowd(t, where) {
	const names = 'abcdefgh'.split('');
	const list = await Promise.all(names.map((_, i) => connect(t, where,
	    Object.keys(modes)[i % 3])));
	const c = Object.fromEntries(names.map((n, i) => [n, list[i]]));

	c.all = list;
	// What they were said since the last look, as "a:1 b:1".
	c.got = async () => {
		await settledAll(list);
		const text = names.map((n) => heard(c[n], 'said').map((args) =>
		    `${n}:${args.join(',')}`)).flat().join(' ');

		for (const s of list)
			s.heard = [];
		return text;
	};
	c.id = (n) => c[n].id;
	return c;
}

onServers('to, except, others', async (t, where) => {
	const c = await crowd(t, where);

	for (const n of 'bcd')
		await call(c[n], 'join', 'r1');
	for (const n of 'def')
		await call(c[n], 'join', ['r2', 'r3']);

	await call(c.a, 'say', 'r1', 1);
	assert.equal(await c.got(), 'b:1 c:1 d:1');
	// A union: one copy for who is in both.
	await call(c.d, 'say', ['r1', 'r2', 'r3', 'nobody'], 2);
	assert.equal(await c.got(), 'b:2 c:2 d:2 e:2 f:2');
	await call(c.d, 'others', ['r1', 'r2'], 3);
	assert.equal(await c.got(), 'b:3 c:3 e:3 f:3');
	await call(c.a, 'others', 'r1', 4);
	assert.equal(await c.got(), 'b:4 c:4 d:4');
	await call(c.a, 'except', 'r1', 'r2', 5);
	assert.equal(await c.got(), 'b:5 c:5');
	await call(c.a, 'except', [], ['r1', c.id('h')], 6);
	assert.equal(await c.got(), 'a:6 e:6 f:6 g:6');
	await call(c.g, 'others', [], 7);
	assert.equal(await c.got(), 'a:7 b:7 c:7 d:7 e:7 f:7 h:7');
	await call(c.a, 'say', [], 8);
	assert.equal(await c.got(), 'a:8 b:8 c:8 d:8 e:8 f:8 g:8 h:8');
	await call(c.a, 'say', 'nobody', 9);
	assert.equal(await c.got(), '');
	// To one: the room of its id.
	await call(c.a, 'say', c.id('h'), 10);
	await call(c.h, 'say', [c.id('a'), c.id('h')], 11);
	assert.equal(await c.got(), 'a:11 h:10,11'.replace('10,11', '10 h:11'));
	await call(c.a, 'others', c.id('a'), 12);
	assert.equal(await c.got(), '');
});

onServers('in and out', async (t, where) => {
	const c = await crowd(t, where);
	const rooms = [' ', 'ä€😀', 'a#b', 'a/b', '*', 'x'.repeat(255), '"\\\n',
	    '__proto__', 'a,b'];

	for (const room of rooms)
		await call(c.b, 'join', room);
	assert.deepEqual((await call(c.b, 'rooms')).sort(),
	    [...rooms, c.b.id].sort());
	for (const room of rooms)
		await call(c.a, 'say', [room], 1);
	assert.equal(await c.got(), rooms.map(() => 'b:1').join(' '));
	// Twice in, once out.
	await call(c.b, 'join', 'a#b');
	await call(c.b, 'leave', rooms.filter((r) => r !== '*'));
	await call(c.b, 'leave', 'never in');
	assert.deepEqual(await call(c.b, 'rooms'), ['*', c.b.id].sort());
	for (const room of rooms)
		await call(c.a, 'say', [room], 2);
	assert.equal(await c.got(), 'b:2');
	// Out of its own.
	await call(c.b, 'leave', c.b.id);
	assert.deepEqual(await call(c.b, 'rooms'), ['*']);
	await call(c.a, 'say', c.b.id, 3);
	assert.equal(await c.got(), '');

	// In, said, out, said; without waiting.
	for (let i = 0; i < 20; i++) {
		c.c.emit('join', 'door');
		c.c.emit('say', 'door', i);
		c.c.emit('leave', 'door');
		c.c.emit('say', 'door', 'not heard');
	}
	await call(c.c, 'back');
	assert.equal(await c.got(),
	    Array.from({ length: 20 }, (_, i) => `c:${i}`).join(' '));
});

onServers('each gets one copy of many', async (t, where) => {
	const c = await crowd(t, where);

	for (const s of c.all)
		await call(s, 'join', 'many');
	for (let i = 0; i < 40; i++)
		for (const s of c.all)
			s.emit('say', 'many', s.id, i);
	await Promise.all(c.all.map((s) => call(s, 'back')));
	await settledAll(c.all);
	for (const s of c.all)
		for (const { id } of c.all)
			assert.deepEqual(heard(s, 'said').filter(([from]) =>
			    from === id).map(([, i]) => i),
			    Array.from({ length: 40 }, (_, i) => i));
});

onServers('all of a room move, and are looked at', async (t, where) => {
	const c = await crowd(t, where);
	const ids = (s) => s.split('').map(c.id).sort();

	for (const n of 'bcd')
		await call(c[n], 'join', 'from');
	await call(c.b, 'setdata', { name: 'bea' });
	await call(c.a, 'joinall', 'from', ['x', 'y']);
	await settled(...c.all);
	await call(c.a, 'say', 'x', 1);
	assert.equal(await c.got(), 'b:1 c:1 d:1');

	const list = await call(c.a, 'fetch', 'x');

	assert.deepEqual(list.map((s) => s.id), ids('bcd'));
	assert.deepEqual(list.find((s) => s.id === c.id('b')), { id: c.id('b'),
		rooms: [c.id('b'), 'from', 'x', 'y'].sort(),
		data: { x: { name: 'bea' } } });
	assert.deepEqual(list.find((s) => s.id === c.id('c')).data, {});
	await call(c.a, 'leaveall', 'from', 'x');
	await settled(...c.all);
	await call(c.a, 'say', 'x', 2);
	await call(c.a, 'say', 'y', 3);
	assert.equal(await c.got(), 'b:3 c:3 d:3');
	assert.deepEqual(await call(c.a, 'fetch', 'x'), []);
	assert.deepEqual((await call(c.a, 'fetch', [])).map((s) => s.id),
	    ids('abcdefgh'));
	assert.deepEqual((await call(c.h, 'fetch', c.id('a')))
	    .map((s) => s.id), ids('a'));
}, {}, { alone: true });

onServers('all are asked', async (t, where) => {
	const c = await crowd(t, where);

	for (const n of 'bcdef') {
		c[n].on('question', (v, done) => done(`${n}${v}`));
		await call(c[n], 'join', 'jury');
	}
	const [e, answers] = await callAll(c.a, 'askall', 'jury', '?');

	assert.equal(e, null);
	assert.deepEqual(answers.sort(), ['b?', 'c?', 'd?', 'e?', 'f?']);
	assert.deepEqual(await callAll(c.a, 'askall', 'nobody', '?'),
	    [null, []]);
	// One of them has nothing to say.
	c.d.off('question');
	const late = await callAll(c.a, 'askallshort', 'jury', '!');

	assert.equal(late[0], 'timeout');
	assert.deepEqual(late[1].sort(), ['b!', 'c!', 'e!', 'f!']);
	// And one of them goes.
	c.d.disconnect();
	assert.equal(await call(c.a, 'back', 1), 1);
});

onServers('local and volatile', async (t, where) => {
	const c = await crowd(t, where);

	for (const n of 'bc')
		await call(c[n], 'join', 'r');
	await call(c.a, 'local', 'r', 1);
	assert.equal(await c.got(), 'b:1 c:1');
	// Who can be written to now gets it; others might.
	await call(c.a, 'join', 'r');
	await call(c.b, 'volatile', 'r', 2);
	assert.match(await c.got(), /^(a:2)?\s?b:2 ?(c:2)?$/);
	// Behind it, nothing is lost.
	await call(c.b, 'volatile', 'r', 3);
	await call(c.b, 'say', 'r', 4);
	assert.match(await c.got(), /a:4 .*b:4 .*c:4$/);
}, {}, { workers: 1 });

onServers('rooms are of a namespace, and end with their sockets',
    (t, where) => eachMode(t, async (st, mode) => {
	const a = await connect(st, where, mode);
	const chat = also(st, a, '/chat');
	const b = await connect(st, where, mode, { nsp: '/chat' });

	await call(a, 'join', 'r');
	await call(b, 'join', 'r');
	await call(chat, 'say', 'r', 1);
	await call(a, 'say', 'r', 2);
	await settled(a);
	await settled(chat, b);
	assert.deepEqual([a, b, chat].map((s) => heard(s, 'said')),
	    [[[2]], [[1]], []]);
	assert.equal((await call(a, 'fetch', 'r')).length, 1);

	const end = next(b, 'disconnect');

	b.emit('bye', false);
	await end;
	assert.deepEqual(await call(chat, 'fetch', 'r'), []);
}));

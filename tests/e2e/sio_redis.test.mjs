// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO on two hostds and a server of Node's is one cluster: rooms,
// acknowledgements and questions go from each to each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { call, callAll, gone, heard, settledAll } from './lib/sio.mjs';
import { acquainted, startEmitter, startNodes } from './lib/sio_nodes.mjs';

// Who has been told what since the last look, as "a1:x b2:x".
async function told(c) {
	await settledAll(c.all);
	const text = c.names.flatMap((n) => heard(c[n], 'said').map((args) =>
	    `${n}:${JSON.stringify(args).slice(1, -1)}`)).join(' ');

	for (const s of c.all)
		s.heard = [];
	return text;
}

// A test of nodes that speak in each of these ways.
function nodes(title, fn, ways = ['', 'dynamic']) {
	for (const way of ways)
		test(`${title}${way && `, sharded, ${way}`}`, async (t) =>
		    fn(await startNodes(t, way), way));
}

// So many nodes hear of a room; where it has no channel of its own, they do.
const heardBy = (c, way, room, n) => way.startsWith('dynamic') &&
    c.redis.until((r) => r[1] === n, 'PUBSUB', 'SHARDNUMSUB',
    Buffer.from(`socket.io#/#${room}#`).toString('latin1'));

nodes('rooms are of all nodes', async (c, way) => {
	for (const s of [c.a1, c.b1, c.n1])
		await call(s, 'join', 'r');
	for (const s of [c.a2, c.n2])
		await call(s, 'join', 'q');
	await heardBy(c, way, 'r', 3);
	await heardBy(c, way, 'q', 2);
	if (way === 'dynamic-private')
		for (const s of c.all)
			await heardBy(c, way, s.id, 1);
	for (const from of ['a1', 'b2', 'n2']) {
		const s = c[from];

		await call(s, 'say', 'r', from);
		assert.equal(await told(c),
		    `a1:"${from}" b1:"${from}" n1:"${from}"`);
		await call(s, 'say', ['r', 'q'], 1);
		assert.equal(await told(c), 'a1:1 a2:1 b1:1 n1:1 n2:1');
		await call(s, 'except', [], ['r', c.b2.id], 2);
		assert.equal(await told(c), 'a2:2 n2:2');
		await call(s, 'others', [], 3);
		assert.equal(await told(c), c.names.filter((n) => n !== from)
		    .map((n) => `${n}:3`).join(' '));
		await call(s, 'say', c.n1.id, 4);
		await call(s, 'say', c.b1.id, 5);
		assert.equal(await told(c), 'b1:5 n1:4');
		await call(s, 'local', [], 6);
		assert.match(await told(c), new RegExp(`${from}:6`));
		await call(s, 'volatile', 'r', 7);
		assert.match(await told(c), /7/);
		await call(s, 'say', 'nobody', 8);
		assert.equal(await told(c), '');
	}
	for (const from of ['a1', 'b1', 'n1']) {
		await call(c[from], 'joinall', 'q', ['w', 'ä#"']);
		await settledAll(c.all);
		await heardBy(c, way, 'ä#"', 2);
		await call(c.b1, 'say', 'ä#"', 1);
		assert.equal(await told(c), 'a2:1 n2:1');
		await call(c[from], 'leaveall', 'w', 'ä#"');
		await settledAll(c.all);
		await call(c.a1, 'say', 'ä#"', 2);
		assert.equal(await told(c), '');
	}
}, ['', 'static', 'dynamic', 'dynamic-private']);

nodes('values of all kinds go from each to each', async (c) => {
	const values = [null, true, false, 0, -0.5, 127, 128, -33, 1e15, -1e15,
		2 ** 53, 1.1, 5e-324, '', 'ä€😀"\\\n\0', 'x'.repeat(70000), [],
		{}, { a: [{ b: { c: [1, [2]] } }] }, Array(20).fill({ k: 1 }),
		'__proto__', Buffer.from([0, 1, 255]),
		{ deep: [Buffer.alloc(70000, 7), { b: Buffer.alloc(0) }] }];

	for (const from of ['a1', 'n1']) {
		for (const s of c.all)
			s.heard = [];
		await call(c[from], 'say', [], ...values);
		await settledAll(c.all);
		for (const n of c.names) {
			const all = heard(c[n], 'said');

			assert.equal(all.length, 1, n);
			assert.deepEqual(all[0], values);
		}
	}
	// Times are what they are for clients of Node's.
	c.n.io.emit('said', new Date(1700000000123), undefined, NaN);
	await settledAll(c.all);
	assert.deepEqual(heard(c.a1, 'said').at(-1),
	    ['2023-11-14T22:13:20.123Z', null, null]);
});

nodes('clients of all nodes are asked', async (c) => {
	for (const n of c.names)
		c[n].on('question', (v, done) => done(n, v));
	for (const s of [c.a1, c.b2, c.n1]) {
		const [e, list] = await callAll(s, 'askall', [],
		    Buffer.from('?'));

		assert.equal(e, null);
		assert.deepEqual(list.sort(), c.names);
	}
	for (const n of c.names)
		c[n].off('question').on('question', (v, done) => done(v));
	const [, bins] = await callAll(c.n2, 'askall', c.b1.id,
	    Buffer.from([1, 2]));

	assert.deepEqual(bins, [Buffer.from([1, 2])]);
	// Nobody is in the room, anywhere.
	assert.deepEqual(await callAll(c.a1, 'askall', 'nobody', 1),
	    [null, []]);
	assert.deepEqual(await callAll(c.n1, 'askall', 'nobody', 1),
	    [null, []]);
	// One does not answer.
	c.b1.off('question');
	for (const s of [c.a2, c.n2]) {
		const [e, list] = await callAll(s, 'askallshort', [],
		    'x');

		assert.equal(e, 'timeout');
		assert.equal(list.length, 5);
	}
});

// Each answers with its name in bytes, deep in other things and alone.
nodes('answers with attachments, of clients of all nodes', async (c) => {
	const shapes = {
		'alone': (b) => b,
		'empty': (b, n) => [n, Buffer.alloc(0)],
		'deep': (b, n) => (
		    { n, deep: [{ b }, [Buffer.from([0, 255])]] }),
		'long': (b) => Buffer.concat([b, Buffer.alloc(100_000, 0x1e)]),
		'twice': (b) => [b, b],
	};
	const byText = (list) => list.map((v) => JSON.stringify(v)).sort();
	const answers = (shape, names) => byText(names.map((n) =>
	    shapes[shape](Buffer.from(n), n)));

	for (const n of c.names)
		c[n].on('question', (shape, v, done) =>
		    done(shapes[shape](Buffer.from(n), n),
		    Buffer.from('more')));
	for (const s of [c.a1, c.b1, c.n1])
		await call(s, 'join', 'r');
	for (const from of [c.a2, c.n2])
		for (const shape of Object.keys(shapes)) {
			const [e, list] = await callAll(from, 'askall', 'r',
			    shape, { b: Buffer.from([1, 2]) });

			assert.equal(e, null, shape);
			assert.deepEqual(byText(list),
			    answers(shape, ['a1', 'b1', 'n1']), shape);
		}
	// Of each machine one does not answer: who asks has what the others
	// say.
	for (const n of ['a1', 'b2', 'n1'])
		c[n].off('question');
	await Promise.all([c.a2, c.n2].map(async (from) => {
		const [e, list] = await callAll(from, 'askallshort', [],
		    'deep', 1);

		assert.equal(e, 'timeout');
		assert.deepEqual(byText(list),
		    answers('deep', ['a2', 'b1', 'n2']));
	}));
});

nodes('sockets, rooms and servers of all nodes', async (c, way) => {
	const ids = (...names) => names.map((n) => c[n].id).sort();

	for (const s of [c.a1, c.b1, c.n1])
		await call(s, 'join', 'r');
	await call(c.b1, 'setdata', { deep: ['ä'] });
	await call(c.n1, 'setdata', 5);
	for (const s of c.all) {
		const list = await call(s, 'fetch', 'r');
		const of = (n) => list.find((o) => o.id === c[n].id);

		assert.deepEqual(list.map((o) => o.id), ids('a1', 'b1', 'n1'));
		assert.deepEqual(of('b1').data, { x: { deep: ['ä'] } });
		assert.deepEqual(of('n1').data, { x: 5 });
		assert.deepEqual(of('a1').rooms, [c.a1.id, 'r'].sort());
		assert.deepEqual(await call(s, 'fetch', 'nobody'), []);
	}
	// Node's applications read these.
	const [one] = await c.n.io.in(c.a1.id).fetchSockets();

	assert.equal(one.handshake.query.EIO, '4');
	assert.equal(typeof one.handshake.headers.host, 'string');
	assert.equal(typeof one.handshake.issued, 'number');
	// The sharded one knows only its own.
	if (!way)
		assert.deepEqual([...await c.n.io.of('/').adapter.allRooms()]
		    .filter((r) => r.length < 20), ['r']);

	for (const from of ['a1', 'n2']) {
		for (const s of c.all)
			s.heard = [];
		await call(c[from], 'sse', 'x', { y: 1 });
		await settledAll(c.all);
		const mine = from[0] === 'n' ? ['n1', 'n2'] : [];
		const who = c.names.filter((n) => heard(c[n],
		    'sse').length > 0);

		assert.ok(mine.every((n) => !who.includes(n)));
		assert.ok(['b1', 'b2'].every((n) => who.includes(n)));
		for (const n of who)
			assert.deepEqual(heard(c[n], 'sse'), [['x', { y: 1 }]]);
	}

	// Each of the four others answers: two workers are one server each.
	for (const s of [c.a1, c.n1])
		for (const v of [{ deep: [1] }, null, 'ä'])
			assert.deepEqual(await callAll(s, 'sseask', v, 1),
			    [null, Array(4).fill(v)]);

	const ends = [c.a1, c.b1, c.n1].map(gone);

	await call(c.a2, 'kick', 'r', true);
	assert.deepEqual(await Promise.all(ends),
	    Array(3).fill('io server disconnect'));
	const more = [c.b2].map(gone);

	await call(c.n2, 'kick', c.b2.id, false);
	assert.deepEqual(await Promise.all(more), ['io server disconnect']);
});

// The old workers' sockets, rooms and subscriptions are the new ones'.
nodes('all is there after a reload', async (c, way) => {
	for (const s of [c.a1, c.b1, c.n1])
		await call(s, 'join', 'r');
	await c.a.hostctl('reload', '--wait');
	await c.b.hostctl('reload', '--wait');
	await c.redis.until((r) => r[1] === 5, 'PUBSUB', way ? 'SHARDNUMSUB' :
	    'NUMSUB', way ? 'socket.io#/#' : 'socket.io-request#/#');
	await acquainted(c.all);
	await heardBy(c, way, 'r', 3);
	for (const s of c.all)
		await call(s, 'say', 'r', 1);
	assert.equal(await told(c), ['a1', 'b1', 'n1'].flatMap((n) =>
	    Array(c.all.length).fill(`${n}:1`)).join(' '));
});

test('who only emits', async (t) => {
	const c = await startNodes(t);
	const e = await startEmitter(t, c.redis);
	// All that it has sent has come.
	const sent = async (mark) => {
		e.emit('last', mark);
		await until(() => c.all.every((s) => heard(s, 'last')
		    .some(([v]) => v === mark)), mark);
	};

	await call(c.a1, 'join', 'r');
	await call(c.n1, 'join', 'r');
	e.to('r').emit('said', 'x', Buffer.from([255]));
	e.emit('said', 'all');
	e.of('/chat').emit('said', 'elsewhere');
	e.except('r').emit('said', 'but r');
	e.to(c.b1.id).emit('said', 'one');
	await sent('first');
	assert.equal(await told(c), [
		'a1:"x",{"type":"Buffer","data":[255]}', 'a1:"all"',
		'a2:"all"', 'a2:"but r"', 'b1:"all"', 'b1:"but r"', 'b1:"one"',
		'b2:"all"', 'b2:"but r"',
		'n1:"x",{"type":"Buffer","data":[255]}', 'n1:"all"',
		'n2:"all"', 'n2:"but r"'].join(' '));
	e.in('r').socketsJoin(['s', 't']);
	e.in('r').socketsLeave('s');
	e.to('t').emit('said', 't');
	e.to('s').emit('said', 's');
	e.serverSideEmit('sse', 'em');
	await sent('second');
	assert.equal(await told(c), 'a1:"t" n1:"t"');
	const ends = [c.a1, c.n1].map(gone);

	e.in('t').disconnectSockets(true);
	assert.deepEqual(await Promise.all(ends),
	    Array(2).fill('io server disconnect'));
});

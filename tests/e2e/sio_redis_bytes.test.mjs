// SPDX-License-Identifier: BSD-2-Clause
// What hostd sends to other nodes of Socket.IO, byte for byte as Node's adapter
// does, but for ids; and how it answers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { call, connect, heard } from './lib/sio.mjs';
import { redisClient, startHostdMember } from './lib/sio_nodes.mjs';

// All that is published, as [channel, bytes].
async function recorder(t, redis) {
	const sub = await redisClient(t, redis);
	const r = { list: [] };

	await sub.pSubscribe('*', (bytes, channel) =>
	    r.list.push([channel.toString(), bytes]), true);
	r.sSubscribe = async (...channels) => {
		for (const name of channels)
			await sub.sSubscribe(name, (bytes, channel) =>
			    r.list.push([channel.toString(), bytes]), true);
	};
	r.next = (pred, what) => until(() => {
		const i = r.list.findIndex(pred);

		return i >= 0 && r.list.splice(i, 1)[0];
	}, what);
	return r;
}

async function start(t, keys = '', key = 'socket.io', sharded = false) {
	const redis = await startRedis(t);
	const rec = await recorder(t, redis);
	const h = await startHostdMember(t, redis, keys, 1);
	const pub = await redisClient(t, redis);
	const s = await connect(t, h, 'websocket');

	// Our uid, of the channel that only we hear.
	const [own] = await redis.until((r) => r.length === 1, 'PUBSUB',
	    ...sharded ? ['SHARDCHANNELS', `${key}#/#????????????#`] :
	    ['CHANNELS', `${key}-response#/#?*`]);

	await h.logged('nodes: Redis is there');

	rec.list.length = 0;
	return { redis, rec, h, pub, s, uid: own.split('#')[2],
		publish: (channel, v) => pub.publish(channel, v) };
}

const hex = (...parts) => Buffer.concat(parts.map((p) =>
    typeof p === 'string' ? Buffer.from(p, 'latin1') : Buffer.from(p)));
const json = (o) => JSON.stringify(o);

test('broadcasts', async (t) => {
	const c = await start(t);
	const uid = hex([0xa0 | c.uid.length], c.uid);
	const expect = async (channel, ...parts) => {
		const [on, bytes] =
		    await c.rec.next(([n]) => !n.includes('watch'),
		    'broadcast');

		assert.equal(on, channel);
		assert.equal(bytes.toString('hex'), hex([0x93], uid, ...parts)
		    .toString('hex'));
	};
	const packet = '\x83\xa4type\x02\xa4data';
	const opts = '\xa3nsp\xa1/\x83\xa5rooms';

	assert.match(c.uid, /^[A-Za-z0-9_-]{12}$/);
	await call(c.s, 'say', [], 'hi', { n: 1 });
	await expect('socket.io#/#', packet, '\x93\xa4said\xa2hi\x81\xa1n\x01',
	    opts, '\x90\xa6except\x90\xa5flags\x80');
	await call(c.s, 'say', 'room1', 'hé');
	await expect('socket.io#/#room1#', packet, '\x92\xa4said\xa3h\xc3\xa9',
	    opts, '\x91\xa5room1\xa6except\x90\xa5flags\x80');
	await call(c.s, 'others', 'room1', 1);
	await expect('socket.io#/#room1#', packet, '\x92\xa4said\x01', opts,
	    '\x91\xa5room1\xa6except\x91\xb4', c.s.id, '\xa5flags\x80');
	await call(c.s, 'except', ['room1', 'room2'], 'x', -1);
	await expect('socket.io#/#', packet, '\x92\xa4said\xff', opts,
	    '\x92\xa5room1\xa5room2\xa6except\x91\xa1x\xa5flags\x80');
	await call(c.s, 'volatile', [], 1.5);
	await expect('socket.io#/#', packet,
	    '\x92\xa4said\xcb\x3f\xf8\0\0\0\0\0\0', opts,
	    '\x90\xa6except\x90\xa5flags\x81\xa8volatile\xc3');
	await call(c.s, 'say', 'room1', Buffer.from([1, 2, 3]),
	    { b: Buffer.from([9]) });
	await expect('socket.io#/#room1#', packet,
	    '\x93\xa4said\xc4\x03\x01\x02\x03\x81\xa1b\xc4\x01\x09', opts,
	    '\x91\xa5room1\xa6except\x90\xa5flags\x80');
});

test('requests', async (t) => {
	const c = await start(t);
	const expect = async (o) => {
		const [on, bytes] = await c.rec.next(([n]) =>
		    n.includes('request'), 'request');

		assert.equal(on, 'socket.io-request#/#');
		assert.equal(bytes.toString(), json({ uid: c.uid, ...o }));
	};
	const opts = { rooms: ['room1'], except: [] };

	await call(c.s, 'joinall', 'room1', ['r9', 'r10']);
	await expect({ type: 2, opts, rooms: ['r9', 'r10'] });
	await call(c.s, 'leaveall', 'room1', 'r10');
	await expect({ type: 3, opts, rooms: ['r10'] });
	await call(c.s, 'kick', 'room1', true);
	await expect({ type: 4, opts, close: true });
	await call(c.s, 'sse', 'x', { y: 1 }, Buffer.from([7]));
	await expect({ type: 6, data: ['sse', 'x', { y: 1 },
		Buffer.from([7])] });
});

// A node that is counted, says nothing by itself, and answers as it is told.
async function dummy(t, c) {
	const sub = await redisClient(t, c.redis);
	const heardBy = [];

	await sub.subscribe('socket.io-request#/#', (b) => heardBy.push(b),
	    true);
	return { answer: (v) => c.publish('socket.io-response#/#', v),
		next: () => until(() => heardBy.shift(), 'request') };
}

test('questions', async (t) => {
	const c = await start(t);
	const d = await dummy(t, c);

	await call(c.s, 'join', 'room1');
	let got = call(c.s, 'fetch', 'room1');
	let q = JSON.parse(await d.next());
	const { requestId } = q;

	assert.match(requestId, /^[A-Za-z0-9_-]{6}$/);
	assert.equal(json(q), json({ uid: c.uid, requestId, type: 5,
		opts: { rooms: ['room1'], except: [] } }));
	await d.answer(json({ requestId: 'others', sockets: [] }));
	await d.answer(json({ requestId, sockets: [{ id: 'far',
		handshake: {}, rooms: ['far', 42], data: { x: 1 } }] }));
	assert.deepEqual((await got).map((s) => s.id).sort(),
	    [c.s.id, 'far'].sort());

	c.s.on('question', (v, done) => done(v));
	got = call(c.s, 'askall', [], 7);
	q = await d.next();
	const id = q.subarray(q.indexOf('requestId') + 10).subarray(0, 6);

	assert.equal(q.toString('hex'), hex('\x85\xa3uid', [0xa0 | 12], c.uid,
	    '\xa9requestId\xa6', id, '\xa4type\x07\xa6packet\x83\xa4type\x02' +
	    '\xa4data\x92\xa8question\x07\xa3nsp\xa1/\xa4opts\x83\xa5rooms\x90' +
	    '\xa6except\x90\xa5flags\x81\xa7timeout\xcd\x4e\x20')
	    .toString('hex'));
	await d.answer(json({ type: 8, requestId: id.toString(),
		clientCount: 2 }));
	for (const v of ['\xa1x', '\x05'])
		await d.answer(hex('\x83\xa4type\x09\xa9requestId\xa6', id,
		    '\xa6packet', v));
	// One that comes late is nobody's.
	await d.answer(hex('\x83\xa4type\x09\xa9requestId\xa6', id,
	    '\xa6packet\x05'));
	assert.equal(await got, null);
});

for (const own of [false, true])
	test(`answers${own ? ' to who asks' : ''}`, async (t) => {
		const c = await start(t, own ?
		    'key = "myapp" publish_on_specific_response_channel = on' :
		    '', own ? 'myapp' : 'socket.io');
		const key = own ? 'myapp' : 'socket.io';
		const asks = (o) => c.publish(`${key}-request#/#`,
		    Buffer.isBuffer(o) ? o : json(o));
		const expect = async (o) => {
			const [on, bytes] = await c.rec.next(([n]) =>
			    n.includes('response'), 'answer');

			assert.equal(on, `${key}-response#/#` +
			    (own ? 'UID456#' : ''));
			if (Buffer.isBuffer(o))
				assert.equal(bytes.toString('hex'),
				    o.toString('hex'));
			else
				assert.equal(bytes.toString(), json(o));
		};
		const uid = 'UID456', requestId = 'abc"12';
		const opts = { rooms: ['r'], except: [] };

		await call(c.s, 'join', 'r');
		await asks({ uid, requestId, type: 1 });
		const [, rooms] = await c.rec.next(([n]) =>
		    n.includes('response'), 'answer');

		assert.deepEqual(JSON.parse(rooms).rooms.sort(),
		    [c.s.id, 'r'].sort());
		await asks({ uid, requestId, type: 5, opts: { ...opts,
			rooms: ['nobody'] } });
		await expect({ requestId, sockets: [] });
		await asks({ uid, requestId, type: 0, rooms: ['r'] });
		await expect({ requestId, sockets: [c.s.id] });
		await asks({ uid, requestId, type: 5, opts });
		const [, found] = await c.rec.next(([n]) =>
		    n.includes('response'), 'answer');
		const { sockets: [s] } = JSON.parse(found);

		assert.deepEqual(Object.keys(s), ['id', 'handshake', 'rooms',
			'data']);
		assert.deepEqual(s.rooms, [c.s.id, 'r']);

		c.s.on('question', (v, done) => done(...v));
		const packet = (v) => hex(`\x85\xa3uid\xa6${uid}\xa9requestId` +
		    `\xa6abc"12\xa4type\x07\xa6packet\x83\xa4type\x02\xa4data` +
		    '\x92\xa8question', v, '\xa3nsp\xa1/\xa4opts\x83\xa5rooms' +
		    '\x90\xa6except\x90\xa5flags\x81\xa7timeout\xcd\x07\xd0');
		const answer = '\xa4type\x09\xa9requestId\xa6abc"12';

		await asks(packet('\x91\xc4\x02\x01\x02'));
		await expect({ type: 8, requestId, clientCount: 1 });
		await expect(hex('\x83', answer, '\xa6packet\xc4\x02\x01\x02'));
		await asks(packet('\x90'));
		await expect({ type: 8, requestId, clientCount: 1 });
		await expect(hex('\x82', answer));
		c.s.off('question').disconnect();
		await until(async () => {
			await asks(packet('\x90'));
			const [, b] = await c.rec.next(([n]) =>
			    n.includes('response'), 'count');

			return JSON.parse(b).clientCount === 0;
		}, 'nobody');
	});

test('sharded', async (t) => {
	const c = await start(t, 'mode = sharded', 'socket.io', true);
	const expect = async (channel, o) => {
		const [on, bytes] = await c.rec.next(() => true, 'message');

		assert.equal(on, channel);
		if (Buffer.isBuffer(o))
			assert.equal(bytes.toString('hex'), o.toString('hex'));
		else
			assert.equal(bytes.toString(), json({ ...o, uid: c.uid,
				nsp: '/' }));
	};
	const opts = { rooms: ['room1'], except: [], flags: {} };

	await c.rec.sSubscribe('socket.io#/#', 'socket.io#/#room1#',
	    'socket.io#/#asker#');
	await call(c.s, 'say', 'room1', 'hi');
	await expect('socket.io#/#room1#', { type: 3, data: { packet: { type: 2,
		data: ['said', 'hi'] }, opts } });
	await call(c.s, 'say', 'room1', Buffer.from([1, 2, 3]));
	await expect('socket.io#/#room1#', hex('\x84\xa4type\x03\xa4data\x82' +
	    '\xa6packet\x82\xa4type\x02\xa4data\x92\xa4said\xc4\x03\x01\x02\x03' +
	    '\xa4opts\x83\xa5rooms\x91\xa5room1\xa6except\x90\xa5flags\x80' +
	    '\xa3uid', [0xa0 | c.uid.length], c.uid, '\xa3nsp\xa1/'));
	// 20 characters might be a socket's id.
	await call(c.s, 'say', c.s.id, 1);
	await expect('socket.io#/#', { type: 3, data: { packet: { type: 2,
		data: ['said', 1] }, opts: { ...opts, rooms: [c.s.id] } } });
	await call(c.s, 'joinall', 'room1', 'r9');
	await expect('socket.io#/#',
	    { type: 4, data: { opts, rooms: ['r9'] } });
	await call(c.s, 'kick', 'room1', false);
	await expect('socket.io#/#', { type: 6, data: { opts, close: false } });
	await call(c.s, 'sse', 5);
	await expect('socket.io#/#', { type: 9, data: { packet: ['sse', 5] } });

	const asks = (type, data) => c.pub.sPublish('socket.io#/#',
	    json({ type, data, uid: 'asker', nsp: '/' }));
	const requestId = 'abc';
	const answered = async (type, data) => {
		assert.equal((await c.rec.next(([n]) => n === 'socket.io#/#',
		    'question'))[0], 'socket.io#/#');
		await expect('socket.io#/#asker#', { type, data: { requestId,
			...data } });
	};

	await asks(7, { opts: { ...opts, rooms: ['nobody'] }, requestId });
	await answered(8, { sockets: [] });
	await asks(9, { requestId, packet: ['asked', { got: 5 }] });
	await answered(10, { packet: { got: 5 } });
	await asks(3, { packet: { type: 2, data: ['x'] }, requestId,
		opts: { ...opts, rooms: ['nobody'] } });
	await answered(11, { clientCount: 0 });
	c.s.on('q', (done) => done('yes'));
	await asks(3, { packet: { type: 2, data: ['q'] }, requestId,
		opts: { ...opts, rooms: [] } });
	await answered(11, { clientCount: 1 });
	await expect('socket.io#/#asker#', { type: 12, data: { requestId,
		packet: 'yes' } });
});

test('one socket, as older nodes ask', async (t) => {
	const c = await start(t);
	const asks = (o) => c.publish('socket.io-request#/#', json(o));
	const answered = async (requestId) => {
		const [, bytes] = await c.rec.next(([n]) =>
		    n === 'socket.io-response#/#', 'answer');

		assert.equal(bytes.toString(), json({ requestId }));
	};

	await asks({ requestId: 'no', type: 2, sid: 'nobody', room: 'r' });
	await asks({ requestId: 'j', type: 2, sid: c.s.id, room: 'r' });
	await answered('j');
	assert.deepEqual(await call(c.s, 'rooms'), [c.s.id, 'r'].sort());
	await asks({ requestId: 'l', type: 3, sid: c.s.id, room: 'r' });
	await answered('l');
	assert.deepEqual(await call(c.s, 'rooms'), [c.s.id]);
	await asks({ requestId: 'd', type: 4, sid: c.s.id, close: true });
	await answered('d');
	await until(() => c.s.disconnected, 'the end');
});

test('rooms that are numbers, and packets of other order', async (t) => {
	const c = await start(t);

	await call(c.s, 'join', '42');
	await c.publish('socket.io#/#42#',
	    hex('\x93\xa6other1\x83\xa3nsp\xa1/' +
	    '\xa4data\x92\xa4said\x01\xa4type\x02\x83\xa5flags\x80\xa5rooms' +
	    '\x91\x2a\xa6except\x90'));
	// No nsp, no except, no flags; and one of another namespace.
	await c.publish('socket.io#/#', hex('\x93\xa6other1\x82\xa4data\x92' +
	    '\xa4said\x02\xa4type\x02\x81\xa5rooms\x90'));
	await c.publish('socket.io#/#', hex('\x93\xa6other1\x83\xa4type\x02' +
	    '\xa4data\x92\xa4said\x03\xa3nsp\xa2/x\x81\xa5rooms\x90'));
	// Of a room that nobody is in: not even looked at.
	await c.publish('socket.io#/#none#', 'garbage');
	await c.publish('socket.io#/#', hex('\x93\xa6other1\x82\xa4data\x92' +
	    '\xa4said\x04\xa4type\x02\x81\xa5rooms\x90'));
	await until(() => heard(c.s, 'said').length === 3, 'all');
	assert.deepEqual(heard(c.s, 'said'), [[1], [2], [4]]);
});

// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO over a WebSocket: packets, limits, and how it ends.
import assert from 'node:assert/strict';
import { packet, webSocket, webSocketConnected, works } from './lib/eio.mjs';
import { onServers, watch } from './lib/sio.mjs';
import { BINARY, CLOSE, binary, closing, CONT, fragments, frame, PING, PONG,
    TEXT, text } from './lib/websocket.mjs';

const reason = async (w, s) => (await w.gone(s.id)).reason;

onServers('packets', async (t, where) => {
	const s = await webSocketConnected(t, where);
	const event = '451-["echo",{"_placeholder":true,"num":0}]';

	await s.say('42["echo","ä€😀"]', '42["echo",2]');
	assert.equal(await packet(s), '42["echo","ä€😀"]');
	assert.equal(await packet(s), '42["echo",2]');
	await s.send(text(event), binary(Buffer.from([9, 0, 255])));
	assert.equal(await packet(s), event);
	assert.deepEqual(await s.expect(BINARY), Buffer.from([9, 0, 255]));
	await s.send(text(event), binary(''));
	assert.equal(await packet(s), event);
	assert.deepEqual(await s.expect(BINARY), Buffer.alloc(0));
	// In fragments, with a ping between them and between an event and its
	// attachment.
	await s.send(frame(TEXT, '42["ec', { fin: false }), frame(PING, 'x'),
	    frame(CONT, 'ho",3]'));
	assert.equal((await s.expect(PONG)).toString(), 'x');
	assert.equal(await packet(s), '42["echo",3]');
	await s.send(text(event), frame(PING, 'y'), fragments(BINARY, ['a', 'b',
	    'c']));
	assert.equal((await s.expect(PONG)).toString(), 'y');
	assert.equal(await packet(s), event);
	assert.equal((await s.expect(BINARY)).toString(), 'abc');
	// What nobody asked for.
	await s.say('3', '0', '5', '6');
	await works(s);
});

const ends = {
	'a ping of the client': ['transport error', text('2')],
	'an unknown packet': ['parse error', text('7')],
	'an empty one': ['parse error', text('')],
	'no packet at all': ['parse error', text('zz')],
	'a frame that is not masked': ['transport error',
	    frame(TEXT, '42["x"]', { key: null }), 1002],
	'a reserved bit': ['transport error', frame(TEXT, '42["x"]',
	    { rsv: 2 }), 1002],
	'an unknown opcode': ['transport error', frame(5, 'x'), 1002],
	'text that is not UTF-8': ['transport error',
	    frame(TEXT, Buffer.from([0x34, 0x32, 0xff])), 1007],
	'a message too long': ['transport error', text('4'.repeat(2001)), 1009],
	'a message too long in fragments': ['transport error',
	    fragments(TEXT, ['4'.repeat(1500), '4'.repeat(501)]), 1009],
	'a binary one too long': ['transport error',
	    binary(Buffer.alloc(2001)), 1009],
	'a close': ['transport close', closing(1000)],
	'a close without a code': ['transport close', frame(CLOSE)],
	'no goodbye': ['transport close', null],
};

onServers('how it ends', async (t, where) => {
	const w = await watch(t, where);

	for (const [name, [why, bytes, code]] of Object.entries(ends)) {
		const s = await webSocketConnected(t, where);

		if (bytes)
			await s.send(bytes);
		else
			s.destroy();
		if (why === 'transport close')
			s.finish();
		assert.equal(await reason(w, s), why, name);
		if (!bytes)
			continue;
		const c = await s.closing();

		if (code !== undefined)
			assert.equal(c.code, code, name);
	}
}, { maxHttpBufferSize: 2000 });

onServers('as long as is allowed', async (t, where) => {
	const s = await webSocketConnected(t, where);
	const event = `42["echo","${'x'.repeat(2000 - 13)}"]`;

	await s.say(event);
	assert.equal(await packet(s), event);
	await s.send(text('451-["echo",{"_placeholder":true,"num":0}]'),
	    binary(Buffer.alloc(2000)));
	await packet(s);
	assert.deepEqual(await s.expect(BINARY), Buffer.alloc(2000));
}, { maxHttpBufferSize: 2000 });

onServers('the server closes', async (t, where) => {
	const s = await webSocketConnected(t, where);

	await s.say('40/chat');
	await packet(s);
	await s.say('42["many",2]', '42["bye",true]');
	const all = [await packet(s), await packet(s), await packet(s),
		await packet(s)];

	assert.deepEqual(all.slice(0, 2), ['42["item",0]', '42["item",1]']);
	assert.deepEqual(all.slice(2).sort(), ['41', '41/chat,']);
	assert.ok([1000, 1005].includes((await s.closing()).code));
});

onServers('a second one for a session that is on one', async (t, where) => {
	const s = await webSocketConnected(t, where);
	const other = await webSocket(t, where, s.opened.sid).catch((e) => e);

	// Node would let it take over, if it asked.
	if (!where.node)
		await other.closing();
	await works(s);
});

onServers('sessions do not mix', async (t, where) => {
	const all = await Promise.all(Array.from({ length: 10 }, () =>
	    webSocketConnected(t, where)));

	await Promise.all(all.map(async (s, n) => {
		for (let i = 0; i < 20; i++)
			await works(s, `${n} ${i}`);
	}));
});

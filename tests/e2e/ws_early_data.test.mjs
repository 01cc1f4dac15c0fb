// SPDX-License-Identifier: BSD-2-Clause
// Frames that come with the handshake's request: a client need not wait.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pattern } from './lib/static.mjs';
import { BINARY, binary, closing, CONT, frame, handshake, open, piecewise, PING,
    PONG, same, serveEcho, Socket, TEXT, text } from './lib/websocket.mjs';

test('early data', async (t) => {
	const h = await serveEcho(t, { routes: { '/echo': 'max_message = 64k',
		'/rate': 'message_rate = 1', '/packed': 'deflate = on' } });
	const pace = await open(t, h);
	// The request, with frames in the same segment.
	const early = async (t, ...frames) => {
		const s = await Socket.connect(t, h);

		await s.send(handshake(), ...frames);
		return s;
	};
	const opened = async (s) =>
		assert.equal((await s.answer()).status, 101);

	await t.test('a message', async (t) => {
		const s = await early(t, text('early'));

		await opened(s);
		assert.equal((await s.message()).data.toString(), 'early');
		await s.echo(TEXT, 'late');
	});
	await t.test('many messages and pings', async (t) => {
		const frames = Array.from({ length: 300 }, (_, i) =>
		    [text(`${i}`), frame(PING, `${i}`)]);
		const s = await early(t, ...frames.flat());

		await opened(s);
		for (let i = 0; i < 300; i++) {
			assert.equal((await s.expect(TEXT)).toString(), `${i}`);
			assert.equal((await s.expect(PONG)).toString(), `${i}`);
		}
		await s.echo(TEXT, 'late');
	});
	await t.test('a large message', async (t) => {
		const data = pattern(65536);
		const s = await early(t, binary(data));

		await opened(s);
		same((await s.message()).data, data);
		await s.echo(BINARY, data);
	});
	await t.test('a part of a frame', async (t) => {
		const bytes = text('hello');

		for (let i = 1; i < bytes.length; i++) {
			const s = await early(t, bytes.subarray(0, i));

			await opened(s);
			await pace.roundtrip();
			await s.send(bytes.subarray(i));
			assert.equal((await s.message()).data.toString(),
			    'hello');
		}
	});
	await t.test('a fragment', async (t) => {
		const s = await early(t, text('hel', { fin: false }));

		await opened(s);
		await s.send(frame(CONT, 'lo'));
		assert.equal((await s.message()).data.toString(), 'hello');
	});
	await t.test('a close', async (t) => {
		const s = await early(t, text('early'), closing(1000));

		await opened(s);
		assert.equal((await s.message()).data.toString(), 'early');
		await s.closedWith(1000);
	});
	await t.test('a close and a FIN', async (t) => {
		const s = await early(t, closing(4000));

		s.finish();
		await opened(s);
		await s.closedWith(4000);
	});
	await t.test('a message and a FIN', async (t) => {
		const s = await early(t, text('early'));

		s.finish();
		await opened(s);
		assert.equal((await s.message()).data.toString(), 'early');
		await s.end();
	});
	await t.test('what is not allowed: 1002', async (t) => {
		const s = await early(t, text('early', { key: null }));

		await opened(s);
		await s.closedWith(1002);
	});
	await t.test('too many: 1008', async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(handshake('/rate'), text('a'), text('b'));
		await opened(s);
		assert.equal((await s.message()).data.toString(), 'a');
		await s.closedWith(1008);
	});
	await t.test('not compressed, before that is agreed on', async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(handshake('/packed', { headers: {
		    'Sec-WebSocket-Extensions': 'permessage-deflate' } }),
		    text('not compressed'));
		await opened(s);
		assert.equal((await s.message()).data.toString(),
		    'not compressed');
	});
	await t.test('byte by byte', async (t) => {
		const s = await Socket.connect(t, h);

		await piecewise(s, Buffer.concat([Buffer.from(handshake()),
		    text('early'), frame(PING, 'p')]), pace);
		await opened(s);
		assert.equal((await s.expect(TEXT)).toString(), 'early');
		assert.equal((await s.expect(PONG)).toString(), 'p');
	});
	await t.test('behind a request that is refused: not frames',
	    async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(handshake('/other'), text('early'));
		assert.equal((await s.answer()).status, 404);
		// Bytes of no request.
		assert.equal((await s.answer()).status, 400);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// The client of these tests notices what a server must not send.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { atEnd } from './lib/hostd.mjs';
import { acceptOf, closePayload, frame, open, SAMPLE_KEY, same, TEXT } from
    './lib/websocket.mjs';

const bare = (opcode, payload = '', more = {}) =>
	frame(opcode, payload, { key: null, ...more });

// A server that says 101 and these bytes, whatever it is asked.
async function says(t, bytes, headers = '', accept = acceptOf(SAMPLE_KEY)) {
	const server = net.createServer((c) => {
		c.on('error', () => {});
		c.once('data', () => c.end(Buffer.concat([
			Buffer.from('HTTP/1.1 101 Switching Protocols\r\n' +
			    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
			    `Sec-WebSocket-Accept: ${accept}\r\n` +
			    `${headers}\r\n`),
			bytes])));
	}).listen(0, '127.0.0.1');

	atEnd(t, () => server.close());
	await once(server, 'listening');
	return { port: server.address().port };
}

const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
const bad = [
	['a mask', frame(1, 'x')],
	['RSV2', bare(1, 'x', { rsv: 2 })],
	['RSV3', bare(1, 'x', { rsv: 1 })],
	['RSV1 without compression', bare(1, 'x', { rsv: 4 })],
	['RSV1 of a ping', bare(9, 'x', { rsv: 4 }), DEFLATE],
	['RSV1 of a continuation', Buffer.concat([
		bare(1, '\0', { rsv: 4, fin: false }),
		bare(0, '', { rsv: 4 })]), DEFLATE],
	['opcode 3', bare(3, 'x')],
	['opcode 11', bare(11, 'x')],
	['a length of 16 bits that is short', bare(1, 'x', { size: 2 })],
	['a length of 64 bits that is short', bare(1, 'x'.repeat(200),
		{ size: 8 })],
	['a ping of 126 bytes', bare(9, 'x'.repeat(126))],
	['a ping in fragments', bare(9, 'x', { fin: false })],
	['a continuation of nothing', bare(0, 'x')],
	['a message inside a message', Buffer.concat([
		bare(1, 'x', { fin: false }), bare(1, 'y')])],
	['half a close code', bare(8, 'x')],
	['close code 1005', bare(8, closePayload(1005))],
	['close code 2999', bare(8, closePayload(2999))],
	['a reason that is not UTF-8', bare(8, closePayload(1000,
		Buffer.from([0xff])))],
	['a frame behind a close', Buffer.concat([
		bare(8, closePayload(1000)), bare(1, 'x')])],
	['half a frame', bare(1, 'hello').subarray(0, 3)],
	['half a header', bare(1, 'x').subarray(0, 1)],
];

for (const [name, bytes, headers] of bad)
	test(name, async (t) => {
		const s = await open(t, await says(t, bytes, headers));

		// Sooner or later, and whatever was read before.
		await assert.rejects(async () => {
			while (s.unread > 0)
				await s.next();
			await s.end();
		});
	});

test('text that is not UTF-8', async (t) => {
	const s = await open(t, await says(t, bare(1, Buffer.from([0xff]))));

	await assert.rejects(s.message());
});

test('compressed data that is none', async (t) => {
	const s = await open(t, await says(t, bare(2, Buffer.from([7]),
	    { rsv: 4 }), DEFLATE));

	await assert.rejects(s.message());
});

test('another accept', async (t) => {
	const where = await says(t, Buffer.alloc(0), '', acceptOf('x'));

	await assert.rejects(open(t, where), /Expected values/);
});

test('a message that is not the one that was sent', async (t) => {
	for (const data of ['hellO', 'hell', 'hello!'])
		await assert.rejects((await open(t, await says(t,
		    bare(1, data)))).echo(TEXT, 'hello'));
	same(Buffer.from('x'), Buffer.from('x'));
	assert.throws(() => same(Buffer.from('x'), Buffer.from('xy')));
	assert.throws(() => same(Buffer.from('xy'), Buffer.from('x')));
});

test('and what is right, it takes', async (t) => {
	const s = await open(t, await says(t, Buffer.concat([
		bare(1, 'he', { fin: false }), bare(0, 'llo'),
		bare(8, closePayload(1000, 'bye'))])));

	assert.equal((await s.message()).data.toString(), 'hello');
	assert.equal((await s.closedWith(1000)).reason, 'bye');
});

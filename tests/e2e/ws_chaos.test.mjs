// SPDX-License-Identifier: BSD-2-Clause
// Clients whose bytes are changed anywhere and end anywhere: each is answered
// by the rules or cut off, and nothing is left of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pattern } from './lib/static.mjs';
import { BINARY, closing, fragments, frame, handshake, open, PING, serveEcho,
    Socket, TEXT, text, untilWebsockets } from './lib/websocket.mjs';

const CLIENTS = 300;
const AT_ONCE = 20;

function numbers(seed) {
	let x = seed >>> 0;

	return (n) => {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		return (x >>> 8) % n;
	};
}

// Something of all that there is.
function talk(s) {
	const packed = s.deflater ? (data) => frame(TEXT,
	    s.deflater.deflate(Buffer.from(data)), { rsv: 4 }) : text;

	return Buffer.concat([text('hello'), packed('hello '.repeat(50)),
		frame(PING, 'x'), packed('again '.repeat(20)),
		fragments(BINARY, [pattern(200), pattern(70)]),
		frame(BINARY, pattern(30000)),
		fragments(TEXT, [...'κόσμε'].map((c) => Buffer.from(c))),
		closing(1000, 'bye')]);
}

async function client(t, h, seed) {
	const rnd = numbers(seed);
	const s = await Socket.connect(t, h);

	await s.send(handshake(rnd(2) ? '/kept' : '/echo', { headers: {
	    'Sec-WebSocket-Extensions': 'permessage-deflate' } }));
	assert.equal((await s.answer()).status, 101);
	const bytes = talk(s);
	const end = rnd(3) === 0 ? bytes.length : rnd(bytes.length);

	for (let i = rnd(4); i > 0; i--)
		bytes[rnd(end || 1)] ^= 1 << rnd(8);
	for (let i = 0, n; i < end; i += n) {
		n = 1 + rnd(rnd(2) ? 40000 : 50);
		await s.send(bytes.subarray(i, Math.min(i + n, end)));
	}
	if (rnd(3) === 0) {
		s.socket.resetAndDestroy();
		return;
	}
	s.finish();
	// What comes is looked at by the rules, whatever it is.
	while (!s.closed || s.unread > 0)
		try {
			await s.next();
		} catch (e) {
			if (!/^FIN before/.test(e.message))
				throw e;
		}
	s.destroy();
}

test('chaos', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': 'max_message = 64k',
		'/kept': `max_message = 64k  deflate = on  deflate_min = 0
			deflate_server_takeover = on
			deflate_client_takeover = on` } });
	const [{ pid }] = await h.workers();
	let seed = 0;
	const loop = async () => {
		while (seed < CLIENTS)
			await client(t, h, ++seed);
	};

	await Promise.all(Array.from({ length: AT_ONCE }, loop));
	await untilWebsockets(h, 0);
	await (await open(t, h)).echo(TEXT, 'fine');
	assert.equal((await h.workers())[0].pid, pid);
});

// SPDX-License-Identifier: BSD-2-Clause
// Bytes behind the last request of a connection do no harm to its answer: with
// them unread, the close used to take back what the client had not received.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';

const SIZE = 8_000_000;
const ASKED = get(`/flow/source?${SIZE}`, 'Connection: close');

const start = (t) => serve(t, 'flow_route', (so) => `
	http { output_high = 16m  lingering_timeout = 1h }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);

// Reads a little at a time, as a slow client would.
async function slowly(c) {
	const { socket } = c;

	socket.on('data', () => {
		socket.pause();
		setImmediate(() => setImmediate(() => socket.resume()));
	});
	socket.resume();
	const r = await c.next();

	assert.equal(r.body.length, SIZE);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
}

for (const [name, bytes] of [['nothing', ''], ['an empty line', '\r\n'],
	['another request', get('/flow/stats')],
	['more than is read at once', 'x'.repeat(200_000)]])
	test(`behind it: ${name}`, async (t) => {
		const h = await start(t);
		const c = await connect(t, h.port);

		await c.send(ASKED);
		// The answer is complete when its first bytes come.
		await c.bytes(1);
		c.socket.pause();
		if (bytes)
			await c.send(bytes);
		await slowly(c);
		await h.logged('ended source why 0');
	});

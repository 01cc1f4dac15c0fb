// SPDX-License-Identifier: BSD-2-Clause
// One empty line before a request is skipped (RFC 9112 section 2.2), however
// the network cuts it: a CR that came alone used to be a bad request.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, connect, get, serveShow } from './lib/http1.mjs';

// The pieces in reads of their own: an answer to somebody else is between.
async function inPieces(t, h, c, ...pieces) {
	for (const p of pieces) {
		await c.send(p);
		await ask(t, h.port, '/between');
	}
}

test('CR and LF apart', async (t) => {
	const h = await serveShow(t);

	for (const pieces of [['\r\n', get('/1')], ['\r', '\n', get('/1')],
		['\r', `\n${get('/1')}`], ['\r\nG', get('/1').slice(1)]]) {
		const c = await connect(t, h.port);

		await inPieces(t, h, c, ...pieces);
		assert.equal((await c.next()).status, 200);
		// And behind a request.
		await inPieces(t, h, c, ...pieces);
		assert.equal((await c.next()).status, 200);
	}
});

test('byte by byte', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await inPieces(t, h, c, ...`\r\n${get('/1')}`);
	assert.equal(JSON.parse((await c.next()).body).path, '/1');
});

test('anything else is still refused', async (t) => {
	const h = await serveShow(t);

	for (const pieces of [['\r', 'G'], ['\r', '\r'], ['\n', get('/')],
		['\r\n', '\r', '\n', get('/')], ['\r\n\r', '\n', get('/')]]) {
		const c = await connect(t, h.port);

		await c.send(pieces[0]);
		for (const p of pieces.slice(1)) {
			await ask(t, h.port, '/between');
			await c.send(p);
		}
		assert.equal((await c.next()).status, 400,
		    JSON.stringify(pieces));
	}
});

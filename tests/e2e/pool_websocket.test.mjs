// SPDX-License-Identifier: BSD-2-Clause
// Upgrades for a route of another pool: the WebSocket is one of its workers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { exchange } from './lib/exchange.mjs';
import { startHostd, until, within } from './lib/hostd.mjs';
import { get, parseAnswer } from './lib/http1.mjs';
import { npm } from './lib/npm.mjs';
import { sumsSatisfy } from './lib/pools.mjs';
import { acceptOf, frame, handshake, open, SAMPLE_KEY, Socket, TEXT, upgrade,
    untilWebsockets } from './lib/websocket.mjs';

const { WebSocket } = npm('ws');

const serve = (t, conf = '') => startHostd(t, { conf: `
	pool "web" { workers = 2 }
	pool "socket" { workers = 2 }
	plugin "echo" { module = "ws_echo.so"  pool = "socket" }
	plugin "near" { module = "http_respond.so"  body = "near" }
	route "/echo" {
		plugin = "echo"
		websocket { deflate = on  origins = {"same"} }
	}
	route "/" { plugin = "near" }
	${conf}` });

test('npm\'s ws', async (t) => {
	const h = await serve(t);
	const url = `ws://127.0.0.1:${h.port}/echo`;
	const all = [0, 1, 2, 3].map((seed) => exchange({ seed, count: 500,
		url, max: 64 << 10 }, WebSocket, [[],
		{ perMessageDeflate: seed % 2 === 1 }]));

	for (const r of await within(Promise.all(all), 'end of the exchange',
	    60_000))
		assert.equal(r.back, 500);
	await untilWebsockets(h, 0);
	await sumsSatisfy(h, (s) => s.socket.requests === 4, 'four requests');
});

test('where they are', async (t) => {
	const h = await serve(t);
	const all = [];

	for (let i = 0; i < 10; i++)
		all.push(await open(t, h));
	await sumsSatisfy(h, ({ web, socket }) => socket.websockets === 10 &&
	    socket.active === 10 && web.active === 0, 'all in socket');
	// As many in one as in the other.
	assert.deepEqual((await h.workers()).filter((w) => w.pool === 'socket')
	    .map((w) => w.active), [5, 5]);
	for (const s of all) {
		await s.echo(TEXT, 'hello');
		s.destroy();
	}
	await untilWebsockets(h, 0);
});

test('behind other requests of the connection, and words at once',
    async (t) => {
	const h = await serve(t);
	const s = await Socket.connect(t, h);
	let text = '';

	s.socket.removeAllListeners('data');
	s.socket.setEncoding('latin1').on('data', (d) => { text += d; });
	await s.send(Buffer.concat([Buffer.from(get('/') + handshake()),
		frame(TEXT, Buffer.from('early'))]));
	await until(() => text.endsWith('early'), 'the echo');
	const first = parseAnswer(text);
	const second = parseAnswer(text.slice(first.end));

	assert.equal(first.body, 'near');
	assert.equal(second.status, 101);
	assert.deepEqual(second.headers['sec-websocket-accept'],
	    [acceptOf(SAMPLE_KEY)]);
	s.destroy();
});

test('those that are refused', async (t) => {
	const h = await serve(t);

	for (const [status, options] of [
		[403, { headers: { Origin: 'http://other.example' } }],
		[426, { headers: { 'Sec-WebSocket-Version': '12' } }],
		[400, { headers: { 'Sec-WebSocket-Key': undefined } }]]) {
		const { r } = await upgrade(t, h, '/echo', options);

		assert.equal(r.status, status);
	}
	await sumsSatisfy(h, (s) => s.socket.requests === 3, 'three requests');
});

// SPDX-License-Identifier: BSD-2-Clause
// WebSockets over HTTP/2 whose server is behind http_proxy, and speaks
// HTTP/1.1.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { atEnd, until, within } from './lib/hostd.mjs';
import { serve } from './lib/http1.mjs';
import { connect } from './lib/http2.mjs';
import { npm } from './lib/npm.mjs';

// What ws's server has been asked, and says everything back.
async function startServer(t) {
	const { WebSocketServer } = npm('ws');
	const server = new WebSocketServer({ port: 0, host: '127.0.0.1',
		perMessageDeflate: false,
		handleProtocols: (all) => [...all].at(-1) });
	const asked = [];

	atEnd(t, () => {
		for (const c of server.clients)
			c.terminate();
		server.close();
	});
	await once(server, 'listening');
	server.on('connection', (s, q) => {
		asked.push({ ...q.headers, url: q.url, method: q.method });
		s.on('message', (m, binary) => s.send(m, { binary }));
		s.on('close', (code) => { asked.at(-1).code = code; });
		s.on('error', () => {});
	});
	return { port: server.address().port, asked, clients: server.clients };
}

const start = (t, port) => serve(t, 'show_route', () => `
	http { h2c = on }
	upstream "app" { server "127.0.0.1:${port}" {} }
	plugin "proxy" { module = "http_proxy.so" }
	route "/" { plugin = "proxy"  upstream = "app" }`);

function frame(opcode, payload) {
	const n = payload.length;
	const length = n < 126 ? [0x80 | n] : [0x80 | 126, n >> 8, n & 255];

	return Buffer.concat([Buffer.from([0x80 | opcode, ...length,
		1, 2, 3, 4]), payload.map((b, i) => b ^ (i % 4 + 1))]);
}

// A stream that asks for a WebSocket, and n bytes of what comes of it.
async function open(c, more = {}) {
	const s = c.open('/chat?a=b', { ':method': 'CONNECT',
		':protocol': 'websocket', 'sec-websocket-version': '13',
		    ...more },
	{ endStream: false });
	let all = Buffer.alloc(0);

	s.on('error', () => {});
	s.on('data', (d) => { all = Buffer.concat([all, d]); });
	const [head] = await within(once(s, 'response'), 'answer');

	return { s, head, read: async (n) => {
		while (all.length < n)
			await within(once(s, 'data'), `${n} bytes`);
		const got = all.subarray(0, n);

		all = all.subarray(n);
		return got;
	} };
}

test('messages, both ways', async (t) => {
	const server = await startServer(t);
	const h = await start(t, server.port);
	const c = await connect(t, h);
	const { s, head, read } = await open(c,
	    { 'sec-websocket-protocol': 'one, two' });

	assert.equal(head[':status'], 200);
	assert.equal(head['sec-websocket-protocol'], 'two');
	for (const name of ['sec-websocket-accept', 'upgrade', 'connection'])
		assert.equal(head[name], undefined);
	assert.equal(server.asked[0].method, 'GET');
	assert.equal(server.asked[0].url, '/chat?a=b');
	s.write(frame(1, Buffer.from('hello')));
	assert.equal((await read(7)).subarray(2).toString(), 'hello');
	const big = Buffer.alloc(60000, 'x');

	for (let i = 0; i < 20; i++)
		s.write(frame(2, big));
	for (let i = 0; i < 20; i++)
		assert.ok((await read(60004)).subarray(4).equals(big));
	s.write(frame(8, Buffer.from([3, 232])));
	assert.deepEqual([...await read(4)], [0x88, 2, 3, 232]);
	s.end();
	await within(once(s, 'close'), 'close');
	assert.equal(s.rstCode, 0);
	await until(() => server.asked[0].code === 1000, 'code at the server');
});

test('each has a key that nobody knows', async (t) => {
	const server = await startServer(t);
	const h = await start(t, server.port);
	const c = await connect(t, h);

	for (let i = 0; i < 8; i++)
		await open(c);
	const keys = server.asked.map((q) => q['sec-websocket-key']);

	assert.equal(new Set(keys).size, 8);
	for (const key of keys) {
		const bytes = Buffer.from(key, 'base64');

		assert.equal(bytes.length, 16);
		assert.equal(bytes.toString('base64'), key);
	}
});

test('either side goes without a word', async (t) => {
	const server = await startServer(t);
	const h = await start(t, server.port);
	const c = await connect(t, h);
	const a = await open(c), b = await open(c), d = await open(c);
	const [first, second] = [...server.clients];

	a.s.close(8);
	await within(once(first, 'close'), 'close at the server');
	second.terminate();
	await within(once(b.s, 'end'), 'end at the client');
	b.s.end();
	await within(once(b.s, 'close'), 'close at the client');
	d.s.write(frame(1, Buffer.from('still')));
	assert.equal((await d.read(7)).subarray(2).toString(), 'still');
	// And all of the client at once.
	const third = [...server.clients][0];

	c.session.destroy();
	await within(once(third, 'close'), 'close at the server');
});

// SPDX-License-Identifier: BSD-2-Clause
// WebSockets over streams of HTTP/2 (RFC 8441).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { serve } from './lib/http1.mjs';
import { connect } from './lib/http2.mjs';

const start = (t) => serve(t, 'show_route', () => `
	http { h2c = on }
	plugin "echo" { module = "ws_echo.so" }
	route "/echo" { plugin = "echo" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello" }`);

const ask = { ':method': 'CONNECT', ':protocol': 'websocket',
	'sec-websocket-version': '13' };

function frame(opcode, payload) {
	const n = payload.length, mask = Buffer.from([1, 2, 3, 4]);
	const head = n < 126 ? Buffer.from([0x80 | opcode, 0x80 | n]) :
	    Buffer.from([0x80 | opcode, 0x80 | 126, n >> 8, n & 255]);

	return Buffer.concat([head, mask, payload.map((b, i) =>
	    b ^ mask[i % 4])]);
}

// What has come, up to n bytes.
function reader(s) {
	let all = Buffer.alloc(0);

	s.on('data', (d) => { all = Buffer.concat([all, d]); });
	return async (n) => {
		while (all.length < n)
			await within(once(s, 'data'), `${n} bytes`);
		const got = all.subarray(0, n);

		all = all.subarray(n);
		return got;
	};
}

async function open(t, c, path = '/echo', more = {}) {
	const s = c.open(path, { ...ask, ...more }, { endStream: false });
	const [head] = await within(once(s, 'response'), 'answer');

	return { s, head, read: reader(s) };
}

test('messages, beside requests on the same connection', async (t) => {
	const h = await start(t);
	const c = await connect(t, h);

	assert.equal(c.session.remoteSettings.enableConnectProtocol, true);
	const { s, head, read } = await open(t, c);

	assert.equal(head[':status'], 200);
	assert.equal(head['sec-websocket-accept'], undefined);
	assert.equal(head.upgrade, undefined);
	s.write(frame(1, Buffer.from('hello')));
	assert.equal((await read(7)).subarray(2).toString(), 'hello');
	const big = Buffer.alloc(60000, 'x');

	s.write(frame(2, big));
	assert.ok((await read(60004)).subarray(4).equals(big));
	assert.equal((await c.ask('/')).body, 'hello');
	s.write(frame(8, Buffer.from([3, 232])));
	assert.deepEqual([...await read(4)], [0x88, 2, 3, 232]);
	s.end();
	await within(once(s, 'close'), 'close');
	assert.equal(s.rstCode, 0);
	assert.equal((await c.ask('/')).body, 'hello');
});

test('handshakes that are refused', async (t) => {
	const h = await start(t);
	const c = await connect(t, h);
	const status = async (path, more) => {
		const { s, head } = await open(t, c, path, more);

		s.on('error', () => {});
		s.close(8);
		return head[':status'];
	};

	assert.equal(await status('/echo', { 'sec-websocket-version': '12' }),
	    426);
	assert.equal(await status('/echo', { ':protocol': 'other' }), 426);
	assert.equal(await status('/', {}), 200);
	assert.equal(await status('/echo', {}), 200);
});

test('a client that resets it is gone, and another is not', async (t) => {
	const h = await start(t);
	const c = await connect(t, h);
	const a = await open(t, c), b = await open(t, c);

	a.s.on('error', () => {});
	a.s.close(8);
	await within(once(a.s, 'close'), 'close');
	b.s.write(frame(1, Buffer.from('still')));
	assert.equal((await b.read(7)).subarray(2).toString(), 'still');
	b.s.close();
});

test('a reload closes it with 1012', async (t) => {
	const h = await start(t);
	const c = await connect(t, h);
	const { s, read } = await open(t, c);
	const r = h.hostctl('reload');
	const close = await read(4);

	assert.deepEqual([...close], [0x88, 2, 1012 >> 8, 1012 & 255]);
	s.write(frame(8, Buffer.from([1012 >> 8, 1012 & 255])));
	s.end();
	assert.equal((await r).code, 0);
	await within(c.closed, 'close of the connection');
});

// SPDX-License-Identifier: BSD-2-Clause
// A stream listener: bytes go both ways as they are, and ends are passed on.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { freePort, tempDir, until, within } from './lib/hostd.mjs';
import { listen } from './lib/net.mjs';
import { connect, echo, recorder, servers, startGroup, startStream } from
    './lib/tcp.mjs';

const SIZE = 64 << 20;

// A pattern that shows bytes that are lost, doubled or out of order.
function* pieces(key) {
	const c = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16, key),
	    Buffer.alloc(16));

	for (let n = 0; n < SIZE; n += 65536)
		yield c.update(Buffer.alloc(65536));
}

function sumOf(key) {
	const h = crypto.createHash('sha256');

	for (const p of pieces(key))
		h.update(p);
	return h.digest('hex');
}

async function send(s, key) {
	for (const p of pieces(key))
		if (!s.write(p))
			await once(s, 'drain');
	s.end();
}

async function sum(s) {
	const h = crypto.createHash('sha256');

	s.on('data', (d) => h.update(d));
	await within(once(s, 'end'), 'end of a stream', 120_000);
	return h.digest('hex');
}

test('small messages', async (t) => {
	const server = await echo(t, 'hello ');
	const h = await startGroup(t, [server.port]);
	const c = await connect(t, h.port);

	assert.equal(await c.bytes(6), 'hello ');
	for (let i = 1; i <= 100; i++) {
		await c.send('0123456789');
		assert.equal((await c.bytes(6 + 10 * i)).length, 6 + 10 * i);
	}
	c.finish();
	assert.equal((await c.end()).length, 1006);
	assert.equal(c.error, undefined);
});

test('a side that has ended may still listen', async (t) => {
	const server = await recorder(t);
	const h = await startGroup(t, [server.port]);
	const c = await connect(t, h.port);

	await c.send('the question');
	c.finish();
	const one = await server.heard((s) => s.ended);

	assert.equal(one.text, 'the question');
	one.socket.write('a long');
	assert.equal(await c.bytes(6), 'a long');
	assert.equal(c.closed, false);
	one.socket.end(' answer');
	assert.equal(await c.end(), 'a long answer');
	assert.equal(c.error, undefined);

	// The other way round: the server has said all it has.
	const d = await connect(t, h.port);
	const two = await server.heard(() => true, 1);

	two.socket.end('bye');
	assert.equal(await d.end(), 'bye');
	await d.send('but listen');
	d.finish();
	assert.equal((await server.heard((s) => s.ended, 1)).text,
	    'but listen');
});

test('much, both ways at once', async (t) => {
	const sums = [];
	const server = await listen(t, (s) => {
		sums.push(sum(s));
		send(s, 2).catch(() => {});
	});
	const h = await startGroup(t, [server.port]);
	const s = net.connect({ port: h.port, host: '127.0.0.1',
		allowHalfOpen: true });
	const [heard] = await Promise.all([sum(s), send(s, 1)]);

	assert.equal(heard, sumOf(2));
	assert.equal(await sums[0], sumOf(1));
	// Of connections that have ended.
	s.destroy();
	await until(async () => {
		const [{ servers: [one] }] = await servers(h);

		return one.inflight === 0 && one.upgraded === 0 &&
		    one.bytes_in === SIZE && one.bytes_out === SIZE;
	}, 'end of the connection in the list, with its bytes');
});

// It is read no faster than the other side takes it.
test('one who does not read holds the other up, and nobody else', async (t) => {
	const server = await echo(t);
	const h = await startGroup(t, [server.port]);
	const s = net.connect({ port: h.port, host: '127.0.0.1' });
	const piece = Buffer.alloc(1 << 20, 'x');

	s.pause();
	await once(s, 'connect');
	// More than buffers of kernels hold, all the way there and back.
	for (let i = 0; i < 256; i++)
		s.write(piece);
	for (let before = -1; before !== s.writableLength;) {
		before = s.writableLength;
		const c = await connect(t, h.port);

		await c.send('ping');
		assert.equal(await c.bytes(4), 'ping');
		c.destroy();
	}
	assert.ok(s.writableLength > 0);
	let got = 0;

	s.on('data', (d) => { got += d.length; });
	s.end();
	s.resume();
	await within(once(s, 'end'), 'end', 120_000);
	assert.equal(got, 256 << 20);
});

test('resets are passed on as resets', async (t) => {
	const server = await recorder(t);
	const h = await startGroup(t, [server.port]);
	const c = await connect(t, h.port);

	await c.send('hello');
	const one = await server.heard('hello');
	const error = once(one.socket, 'close').catch((e) => e.code);

	c.socket.resetAndDestroy();
	assert.equal(await within(error, 'reset'), 'ECONNRESET');

	const d = await connect(t, h.port);

	await d.send('hello');
	(await server.heard('hello', 1)).socket.resetAndDestroy();
	await d.end();
	assert.equal(d.error, 'ECONNRESET');
});

test('idle ones are closed', async (t) => {
	const server = await recorder(t);
	const clock = await makeClock(t);
	const h = await startGroup(t, [server.port], { env: clock.env,
		keys: 'idle_timeout = 1h',
		conf: 'pool "web" { workers = 1  watchdog = 0 }' });
	const c = await connect(t, h.port);

	await c.send('hello');
	const one = await server.heard('hello');
	const another = async (i) => {
		await (await connect(t, h.port)).send('ping');
		await server.heard('ping', i);
	};

	// What comes behind it has gone on, so the worker has done with it.
	await another(1);
	assert.equal(c.closed, false);
	clock.pass(3601);
	await another(2);

	assert.equal(await c.end(), '');
	await server.heard((s) => s.ended || s.socket.destroyed);
	assert.equal(one.text, 'hello');
});

test('from a unix socket to a unix socket', async (t) => {
	const dir = tempDir(t);
	const file = path.join(dir, 'server.sock');
	const from = path.join(dir, 'listen.sock');

	await echo(t, 'unix ', { path: file });
	const h = await startStream(t, 'upstream = "app"', `
		upstream "app" { server "unix:${file}" { } }
		listen "unix" { address = "unix:${from}" mode = stream
			upstream = "app" }`);

	for (const where of [h.port, { path: from }]) {
		const c = await connect(t, where);

		await c.send('socket');
		assert.equal(await c.bytes(11), 'unix socket');
		c.finish();
		await c.end();
	}
});

test('HTTP and streams are connections of the same workers', async (t) => {
	const server = await echo(t, 'x');
	const http = await freePort();
	const h = await startGroup(t, [server.port], { conf: `
		http { max_connections = 3 }
		listen "http" { address = "127.0.0.1:${http}" }` });
	const open = [];

	for (let i = 0; i < 3; i++) {
		open.push(await connect(t, h.port));
		await open[i].bytes(1);
	}
	await until(async () => (await h.status()).connections.active === 3,
	    'three connections');
	// The fourth waits until one has gone.
	const late = await connect(t, h.port);

	open[0].destroy();
	assert.equal(await late.bytes(1), 'x');
});

test('with over_limit = 503 one too many is closed', async (t) => {
	const server = await echo(t, 'x');
	const h = await startGroup(t, [server.port], { conf:
	    'http { max_connections = 1 over_limit = "503" }' });
	const c = await connect(t, h.port);

	await c.bytes(1);
	assert.equal(await (await connect(t, h.port)).end(), '');
	c.finish();
	await c.end();
});

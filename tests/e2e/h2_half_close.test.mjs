// SPDX-License-Identifier: BSD-2-Clause
// A client of HTTP/2 that closes its sending side: as over HTTP/1, what it
// asked for before is answered, as far as it has opened windows, unless a
// plugin has not begun to answer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import tls from 'node:tls';
import * as h2 from './lib/h2frames.mjs';
import { Frames, PREFACE, frame, get, headers, pseudo, u32 } from
    './lib/h2frames.mjs';
import { ask } from './lib/http1.mjs';
import { serveFlow } from './lib/http2.mjs';
import { startTls } from './lib/tls.mjs';

const WIDE = { settings: [[4, 0x7fffffff]] };
const widen = frame(h2.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65535));
const isEnd = (id) => (f) => f.id === id && f.flags & h2.END_STREAM &&
    (f.type === h2.DATA || f.type === h2.HEADERS);
const bytes = (c, id) => c.frames.filter((f) => f.type === h2.DATA &&
    f.id === id).reduce((n, f) => n + f.payload.length, 0);

test('requests and then the end', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/'), get(3, '/'), headers(5, pseudo('/', 'POST'),
	    h2.END_HEADERS), frame(h2.DATA, h2.END_STREAM, 5,
	    Buffer.from('body')));
	c.socket.end();
	for (const id of [1, 3, 5])
		assert.ok(await c.first(isEnd(id)), `answer ${id}`);
	await c.ended();
	assert.equal(bytes(c, 3), 5);
});

test('all of it in one segment', async (t) => {
	const h = await serveFlow(t);
	const s = net.connect(h.port, '127.0.0.1');
	const c = new Frames(s);

	t.after(() => s.destroy());
	s.end(Buffer.concat([PREFACE, frame(h2.SETTINGS, 0, 0), get(1, '/')]));
	assert.ok(await c.first(isEnd(1)));
	await c.ended();
});

test('large answers go on to their ends', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port, WIDE);

	c.send(widen, get(1, '/flow/source?8000000'),
	    get(3, '/flow/source?8000000'));
	await c.frame(h2.DATA, 1);
	c.socket.end();
	for (const id of [1, 3])
		assert.ok(await c.first(isEnd(id)), `end of ${id}`);
	await c.ended();
	assert.equal(bytes(c, 1), 8000000);
	assert.equal(bytes(c, 3), 8000000);
});

test('over TLS', async (t) => {
	const h = await startTls(t, { conf: `
		plugin "static" { module = "http_static.so"  root = "www" }
		route "/" { plugin = "static" }`,
	files: { 'www/big': Buffer.alloc(6 << 20) } });
	const s = tls.connect({ port: h.port, host: '127.0.0.1',
		ca: fs.readFileSync(h.ca), servername: 'localhost',
		ALPNProtocols: ['h2'], checkServerIdentity: () => undefined,
		allowHalfOpen: true });
	const c = new Frames(s);

	t.after(() => s.destroy());
	await new Promise((r) => s.once('secureConnect', r));
	assert.equal(s.alpnProtocol, 'h2');
	// Its end is told by close_notify, and a FIN.
	s.end(Buffer.concat([PREFACE, frame(h2.SETTINGS, 0, 0,
	    h2.setting(4, 0x7fffffff)), widen, get(1, '/big')]));
	assert.ok(await c.first(isEnd(1)));
	await c.ended();
	assert.equal(bytes(c, 1), 6 << 20);
});

test('an answer that has begun is finished', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/flow/begin'));
	await c.frame(h2.DATA, 1);
	c.socket.end();
	assert.deepEqual((await ask(t, h.port, '/flow/release')).json,
	    { held: 1, gone: 0 });
	assert.ok(await c.first(isEnd(1)));
	await c.ended();
	await h.logged('ended begin why 0');
});

test('one that has begun ends when no more of it comes', async (t) => {
	const h = await serveFlow(t, 'lingering_timeout = 300ms');
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/flow/begin'));
	await c.frame(h2.DATA, 1);
	c.socket.end();
	await h.logged('ended begin why 1');
	await c.ended();
});

test('nobody waits for what has not begun', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/flow/defer'));
	await h.logged('holding defer');
	c.socket.end();
	await h.logged('ended defer why 1');
	await c.ended();
});

test('a window that can not open any more', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/flow/source?8000000'));
	await c.first(() => bytes(c, 1) === 65535);
	c.socket.end();
	await h.logged('ended source why 1');
	await c.ended();
});

test('a body without an end', async (t) => {
	const h = await serveFlow(t);
	const c = await Frames.connect(t, h.port);

	c.send(headers(1, pseudo('/flow/count', 'POST'), h2.END_HEADERS),
	    frame(h2.DATA, 0, 1, Buffer.from('half')), get(3, '/'));
	await c.first(isEnd(3));
	c.socket.end();
	await h.logged(/ended count why 1/);
	await c.ended();
});

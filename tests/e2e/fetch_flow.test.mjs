// SPDX-License-Identifier: BSD-2-Clause
// Large bodies stream: whoever is slow slows the other side down, and the
// worker holds no more than its limits.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { fakeServer, startFetch } from './lib/fetch.mjs';
import { within } from './lib/hostd.mjs';
import { connect, get } from './lib/http1.mjs';

const SIZE = 48 << 20;
const block = Buffer.alloc(65536, 'x');

async function start(t, keys = '') {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], keys, '', 'http { max_body = 1g }');
	const [w] = await h.workers();
	const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(
	    fs.readFileSync(`/proc/${w.pid}/status`, 'utf8'))[1]) / 1024;
	const before = peak();

	return { s, h, bounded: () => {
		const grown = peak() - before;

		assert.ok(grown < 24, `the worker grew by ${grown} MB`);
	} };
}

// Write it all; resolves at the end, full() when the kernel takes no more.
function pour(socket) {
	let left = SIZE, full;
	const stuck = new Promise((resolve) => { full = resolve; });
	const done = new Promise((resolve) => {
		const more = () => {
			while (left > 0) {
				left -= block.length;
				if (!socket.write(block)) {
					full();
					socket.once('drain', more);
					return;
				}
			}
			resolve();
		};

		more();
	});

	return { done, stuck };
}

// What a socket gives from now on, counted and dropped.
const drain = (socket) => within(new Promise((resolve) => {
	let n = 0;

	socket.removeAllListeners('data');
	socket.on('data', (d) => {
		n += d.length;
		if (n >= SIZE)
			resolve(n);
	});
	socket.resume();
}), 'all of it', 60000);

test('a client that reads slowly', async (t) => {
	const { s, h, bounded } = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	c.socket.pause();
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
	const { done, stuck } = pour(server);

	await stuck;
	const all = drain(c.socket);

	await done;
	await all;
	bounded();
});

test('a server that reads slowly', async (t) => {
	const { s, h, bounded } = await start(t);
	const c = await connect(t, h.port);

	await c.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n`);
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.pause();
	const { done, stuck } = pour(c.socket);

	await stuck;
	const all = drain(server);

	await done;
	await all;
	server.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
	assert.equal((await c.next()).body, 'ok');
	bounded();
});

// The time for all of it ends what would take for ever.
test('a server that never reads', async (t) => {
	const { s, h, bounded } = await start(t, 'all = 2000');
	const c = await connect(t, h.port);

	await c.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n`);
	const server = await s.accept();

	server.pause();
	const { stuck } = pour(c.socket);

	await stuck;
	assert.equal((await c.next()).status, 504);
	bounded();
});

test('an answer that is longer than it may be', async (t) => {
	const { s, h } = await start(t, 'max_body = 1000');
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.write('HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n');
	assert.equal((await c.next()).status, 503);
	await server.ended();
	await c.send(get('/'));
	const second = await s.accept();

	await second.until('\r\n\r\n');
	second.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    `3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`);
	await c.end();
	await second.ended();
});

test('an answer in one piece', async (t) => {
	const { s, h } = await start(t, 'buffer = 1');
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '3\r\nabc\r\n');
	server.write('2\r\nde\r\n0\r\n\r\n');
	const r = await c.next();

	assert.equal(r.body, 'abcde');
});

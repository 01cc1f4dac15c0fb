// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: bodies pass as they come, both ways, and no faster than the
// slower side.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { atEnd, within } from './lib/hostd.mjs';
import { chunked, connect, get, post, track } from './lib/http1.mjs';
import { reply, serveProxy, startBackend, tell } from './lib/proxied.mjs';

const MB = 1 << 20;
const SIZE = 64 * MB;
const block = Buffer.alloc(65536, 'abcdefghijklmnopqrstuvwxyz');

// Something that a callback gives later.
function later() {
	const p = {};

	p.promise = new Promise((resolve) => { p.resolve = resolve; });
	return p;
}

const head = (path, framing) =>
	`POST ${path} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;

for (const [name, framing, parts] of [
	['a length', 'Content-Length: 10', ['hello', 'world']],
	['chunks', 'Transfer-Encoding: chunked',
		['5\r\nhello\r\n', '5\r\nworld\r\n0\r\n\r\n']]])
	test(`a request's body is there before its end: ${name}`, async (t) => {
		const first = later();
		const b = await startBackend(t, async (q) => {
			assert.equal(
			    q.headers[framing.split(':')[0].toLowerCase()][0],
			    framing.split(': ')[1]);
			first.resolve(await q.reader.bytes(name === 'chunks' ?
			    10 :
				5));
			await q.reader.next((s) => s.includes('world') &&
				{ value: s, used: s.length });
			q.socket.write(reply(200, 'done'));
			return null;
		}, { early: true });
		const h = await serveProxy(t, [b]);
		const c = await connect(t, h.port);

		await c.send(head('/', framing) + parts[0]);
		assert.ok((await first.promise).includes('hello'));
		await c.send(parts[1]);
		assert.equal((await c.next()).body, 'done');
	});

test('an answer\'s body is there before its end', async (t) => {
	const go = later();
	const b = await startBackend(t, async (q) => {
		q.socket.write('HTTP/1.1 200 OK\r\n' +
		    'Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
		await go.promise;
		return '6\r\nsecond\r\n0\r\nX-Sum: 9\r\n\r\n';
	});
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	while (!c.unread.includes('first'))
		await c.bytes(c.unread.length + 1);
	go.resolve();
	const r = await c.next();

	assert.equal(r.body, 'firstsecond');
	assert.deepEqual(r.trailers, ['X-Sum: 9']);
});

test('trailers of a request reach the server', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(chunked('/', ['hello']).replace('0\r\n\r\n',
	    '0\r\nX-Sum: 5\r\n\r\n'));
	const { body, trailers } = JSON.parse((await c.next()).body);

	assert.equal(body, 'hello');
	assert.deepEqual(trailers, ['X-Sum: 5']);
});

test('interim responses pass; 100 is ours', async (t) => {
	const b = await startBackend(t, async (q) => {
		assert.equal(q.headers.expect, undefined);
		q.socket.write('HTTP/1.1 100 Continue\r\n\r\n' +
		    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
		assert.equal((await q.read()).body, 'hello');
		return reply(200, 'done');
	}, { early: true });
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(head('/', 'Content-Length: 5\r\nExpect: 100-continue'));
	const seen = [(await c.next()).status];

	await c.send('hello');
	for (let r; (r = await c.next()).status !== 200;) {
		seen.push(r.status);
		assert.deepEqual(r.headers.link, ['</a>']);
	}
	assert.deepEqual(seen.sort(), [100, 103]);
});

test('an answer may come before the body\'s end', async (t) => {
	const b = await startBackend(t, (q) => {
		q.socket.write(reply(413, 'too much', 'Connection: close',
		    'Content-Length: 8'));
		return null;
	}, { early: true });
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(head('/', 'Content-Length: 1000000') + 'begin');
	const r = await c.next();

	assert.equal(r.status, 413);
	assert.equal(r.body, 'too much');
});

test('answers without a body', async (t) => {
	const b = await startBackend(t, (q) => ({
		'/204': 'HTTP/1.1 204 No Content\r\n\r\n',
		'/304': 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
		'/head': 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
	}[q.target]));
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(get('/204'));
	assert.equal((await c.next()).status, 204);
	await c.send(get('/304'));
	assert.deepEqual((await c.next()).headers.etag, ['"a"']);
	await c.send(get('/head').replace('GET', 'HEAD'));
	assert.deepEqual((await c.next(
	    { head: true })).headers['content-length'], ['1234']);
	assert.equal(b.connections, 1);
});

test('a client of HTTP/1.0', async (t) => {
	const b = await startBackend(t, () => 'HTTP/1.1 200 OK\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send('GET / HTTP/1.0\r\n\r\n');
	assert.match(await c.end(), /\r\n\r\nok$/);
	// Not asked for by a name, it is asked for by the group's.
	assert.deepEqual(b.requests[0].headers.host, ['app']);
});

// -- large bodies --

async function largeServer(t) {
	let count;
	const got = { body: 0, done: later() };
	const server = http.createServer((q, s) => {
		q.on('data', (d) => { got.body += d.length; });
		q.on('end', () => got.done.resolve());
		if (q.method === 'GET') {
			s.setHeader('Content-Length', SIZE);
			count = 0;
			const more = () => {
				while (count < SIZE) {
					count += block.length;
					if (!s.write(block))
						return;
				}
				s.end(() => { got.sent?.resolve(); });
			};

			s.on('drain', more);
			more();
		} else if (got.hold)
			q.pause();
		q.on('end', () => { if (q.method !== 'GET') s.end('ok'); });
		got.request = q;
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	atEnd(t, () => new Promise((resolve) => {
		server.close(resolve);
		server.closeAllConnections();
	}));
	got.port = server.address().port;
	return got;
}

async function serveLarge(t, got, keys = '') {
	const h = await serveProxy(t, [got], keys, {
		http: 'max_body = 1g  output_high = 64k',
		conf: 'plugin "hello" { module = "http_respond.so" }\n' +
		    'route "/hello" { plugin = "hello" }',
		options: { env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ??
			''}:quarantine_size_mb=1` } } });
	const [w] = await h.workers();
	const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(
	    fs.readFileSync(`/proc/${w.pid}/status`, 'utf8'))[1]) / 1024;
	const before = peak();

	h.bounded = () => {
		const grown = peak() - before;

		assert.ok(grown < 24, `the worker grew by ${grown} MB`);
	};
	return h;
}

async function open(t, h, text) {
	const s = track(t, net.connect(h.port, '127.0.0.1'));

	s.on('error', () => {});
	s.pause();
	await within(new Promise((resolve) => s.once('connect', resolve)),
	    'connection');
	s.write(text);
	return s;
}

// Other requests, while somebody does not read.
async function others(t, h, n) {
	const c = await connect(t, h.port);

	for (let i = 0; i < n; i++) {
		await c.send(get('/hello'));
		await c.next();
	}
	c.destroy();
}

// Until n bytes of body have come; what they are is compared.
const readAll = (s, n) => within(new Promise((resolve, reject) => {
	let text = '', body = -1;

	s.on('data', (d) => {
		let part = d;

		if (body < 0) {
			text += d.toString('latin1');
			const at = text.indexOf('\r\n\r\n');

			if (at < 0)
				return;
			body = 0;
			part = Buffer.from(text.slice(at + 4), 'latin1');
		}
		for (let at = 0; at < part.length; at += 4099) {
			const from = (body + at) % block.length;

			if (part[at] !== block[from])
				reject(new Error(`byte ${body + at} is wrong`));
		}
		body += part.length;
		if (body === n)
			resolve();
	});
	s.on('close', () => reject(new Error(`closed after ${body}`)));
	s.resume();
}), 'the whole body');

test('a slow client slows the server down', async (t) => {
	const got = await largeServer(t);
	const h = await serveLarge(t, got);
	const s = await open(t, h, get('/'));

	await others(t, h, 200);
	h.bounded();
	await readAll(s, SIZE);
	h.bounded();
});

test('a slow server slows the client down', async (t) => {
	const got = await largeServer(t);

	got.hold = true;
	const h = await serveLarge(t, got);
	const s = await open(t, h, head('/', `Content-Length: ${SIZE}`));
	let sent = 0;

	const more = () => {
		while (sent < SIZE) {
			sent += block.length;
			if (!s.write(block))
				return;
		}
	};

	s.on('drain', more);
	more();
	await others(t, h, 200);
	h.bounded();
	got.request.resume();
	await within(got.done.promise, 'the whole body', 60_000);
	assert.equal(got.body, SIZE);
	h.bounded();
});

for (const memory of ['16k', '0'])
	test(`buffered, the server is done long before the client: ${memory}`,
	    async (t) => {
		const got = await largeServer(t);
		const h = await serveLarge(t, got, `buffering = on
			buffer_size = ${memory}`);

		got.sent = later();
		const s = await open(t, h, get('/'));

		await within(got.sent.promise, 'the server\'s end', 60_000);
		h.bounded();
		await readAll(s, SIZE);
		h.bounded();
	});

test('a full file makes the server wait', async (t) => {
	const got = await largeServer(t);
	const h = await serveLarge(t, got, `buffering = on
		buffer_file_size = 1m`);
	const s = await open(t, h, get('/'));

	await others(t, h, 200);
	await readAll(s, SIZE);
	h.bounded();
});

test('a directory that is not there makes it wait, too', async (t) => {
	const got = await largeServer(t);
	const h = await serveLarge(t, got, `buffering = on
		buffer_dir = "/nowhere"`);
	const s = await open(t, h, get('/'));

	await readAll(s, SIZE);
	h.bounded();
});

test('buffered requests are complete before a server is asked', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b], 'request_buffering = on');
	const c = await connect(t, h.port);

	await c.send(chunked('/', ['hello']).replace('0\r\n\r\n', ''));
	await others2(t, h);
	assert.equal(b.requests.filter((q) => q.method === 'POST').length, 0);
	await c.send('5\r\nworld\r\n0\r\n\r\n');
	const { headers, body } = JSON.parse((await c.next()).body);

	assert.equal(body, 'helloworld');
	assert.deepEqual(headers['content-length'], ['10']);
	assert.equal(headers['transfer-encoding'], undefined);
});

async function others2(t, h) {
	const c = await connect(t, h.port);

	await c.send(get('/other'));
	await c.next();
}

test('large ones, too, by way of a file', async (t) => {
	const got = await largeServer(t);
	const h = await serveLarge(t, got, 'request_buffering = on');
	const s = await open(t, h, head('/', `Content-Length: ${SIZE}`));

	for (let sent = 0; sent < SIZE; sent += block.length)
		if (!s.write(block))
			await new Promise((r) => s.once('drain', r));
	await within(got.done.promise, 'the whole body', 60_000);
	assert.equal(got.body, SIZE);
	h.bounded();
});

// The part in memory was sent twice, and the rest not at all.
test('and when only the rest is in the file', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b], 'request_buffering = on  ' +
	    'buffer_size = 4k');
	const c = await connect(t, h.port);
	const parts = ['begin', 'x'.repeat(50_000), 'end'];

	await c.send(chunked('/', parts));
	assert.equal(JSON.parse((await c.next()).body).body, parts.join(''));
});

test('without room for it they are refused', async (t) => {
	const b = await startBackend(t, tell);

	for (const keys of ['buffer_dir = "/nowhere"',
	    'buffer_file_size = 4k']) {
		const h = await serveProxy(t, [b], `request_buffering = on
			buffer_size = 1k  ${keys}`);
		const c = await connect(t, h.port);

		await c.send(post('/', 'x'.repeat(100_000)));
		assert.equal((await c.next()).status, 503);
		await h.logged(keys.includes('nowhere') ?
			'/nowhere (buffer_dir): No such file' :
			    'buffer_file_size');
	}
	assert.equal(b.requests.length, 0);
});

test('an answer larger than max_response is none', async (t) => {
	const b = await startBackend(t, (q) => q.target === '/length' ?
		reply(200, 'x'.repeat(2000)) : 'HTTP/1.1 200 OK\r\n' +
		    `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}` +
		    '\r\n0\r\n\r\n');
	const h = await serveProxy(t, [b], 'max_response = 1k');
	const c = await connect(t, h.port);

	await c.send(get('/length'));
	assert.equal((await c.next()).status, 502);
	await c.send(get('/'));
	assert.ok(!(await c.end()).endsWith('0\r\n\r\n'));
	await h.logged('cut short: the answer is larger than max_response');
});

// SPDX-License-Identifier: BSD-2-Clause
// The chunked coding both ways; HTTP/1.0 gets an answer that ends with the
// connection.  Trailers are taken and dropped.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chunked, connect, get, post, serveShow } from './lib/http1.mjs';

const body = (b) => 'POST / HTTP/1.1\r\nHost: a\r\n' +
	`Transfer-Encoding: chunked\r\n\r\n${b}`;

async function shown(c) {
	const r = await c.next();

	assert.equal(r.status, 200);
	return JSON.parse(r.body);
}

test('chunked requests', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const cases = [
		['0\r\n\r\n', ''],
		['5\r\nhello\r\n0\r\n\r\n', 'hello'],
		['5;ext=1;other="a b"\r\nhello\r\n0;last\r\n\r\n', 'hello'],
		['A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n',
			'01234567890123456789'],
		['005\r\nhello\r\n000\r\n\r\n', 'hello'],
		['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
		[`${'1\r\nx\r\n'.repeat(3000)}0\r\n\r\n`, 'x'.repeat(3000)],
	];

	for (const pieces of [undefined, 1, 7])
		for (const [bytes, want] of cases) {
			const all = body(bytes);

			for (let i = 0; i < all.length;
			    i += pieces ?? all.length)
				await c.send(all.slice(i,
				    i + (pieces ?? all.length)));
			const r = await shown(c);

			assert.equal(r.content_length, -1);
			assert.equal(r.body, want);
			assert.equal(r.seen, want.length);
		}
});

test('the coding has a name without case', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\n' +
	    'TRANSFER-encoding:   ChunKED \r\n\r\n2\r\nok\r\n0\r\n\r\n');
	assert.equal((await shown(c)).body, 'ok');
});

test('trailers are dropped, and the connection goes on', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const trailers = 'X-Sum: 1\r\nContent-Length: 7\r\nHost: b\r\n' +
	    'Transfer-Encoding: gzip\r\n';

	await c.send(body(`5\r\nhello\r\n0\r\n${trailers}\r\n`) +
	    get('/after'));
	const r = await shown(c);

	assert.equal(r.body, 'hello');
	assert.equal(r.headers, 2, 'they are no headers');
	assert.equal(r.host, 'a');
	assert.equal((await shown(c)).path, '/after');
});

test('chunked answers', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const [n, of] of [[0, 1], [1, 1], [3, 10], [100, 1000],
	    [3, 70000]]) {
		await c.send(get(`/?stream=${n}&of=${of}`));
		const r = await c.next();

		assert.deepEqual(r.headers['transfer-encoding'], ['chunked']);
		assert.equal(r.headers['content-length'], undefined);
		assert.equal(r.headers.connection, undefined);
		assert.equal(r.body, 'x'.repeat(n * of));
		assert.equal(r.chunks.length, n, 'a chunk for each write');
	}
});

test('an echo of chunks, and of a length', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const parts = ['a', 'bc'.repeat(500), 'd'];

	await c.send(chunked('/?echo', parts));
	const r = await c.next();

	assert.deepEqual(r.headers['transfer-encoding'], ['chunked']);
	assert.equal(r.body, parts.join(''));
	await c.send(post('/?echo', parts.join('')));
	const l = await c.next();

	assert.deepEqual(l.headers['content-length'], ['1002']);
	assert.equal(l.body, parts.join(''));
});

test('HTTP/1.0 reads to the end of the connection', async (t) => {
	const h = await serveShow(t);

	for (const extra of ['', 'Connection: keep-alive\r\n']) {
		const c = await connect(t, h.port);

		await c.send(`GET /?stream=5&of=1000 HTTP/1.0\r\n${extra}\r\n`);
		const r = await c.next();

		assert.equal(r.headers['transfer-encoding'], undefined);
		assert.equal(r.headers['content-length'], undefined);
		assert.deepEqual(r.headers.connection, ['close']);
		assert.ok(r.toClose);
		assert.equal(r.body, 'x'.repeat(5000));
		assert.equal(c.error, undefined);
	}
});

test('HTTP/1.0 with a length goes on if asked to', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (let i = 0; i < 2; i++) {
		await c.send('GET /?length=100 HTTP/1.0\r\n' +
		    'Connection: keep-alive\r\n\r\n');
		const r = await c.next();

		assert.deepEqual(r.headers['content-length'], ['100']);
		assert.deepEqual(r.headers.connection, ['keep-alive']);
	}
});

test('answers that have no body have no framing of one', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const status of [204, 304]) {
		await c.send(get(`/?status=${status}`));
		const r = await c.next();

		assert.equal(r.status, status);
		assert.equal(r.headers['content-length'], undefined);
		assert.equal(r.headers['transfer-encoding'], undefined);
	}
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
	assert.equal(c.unread, '');
});

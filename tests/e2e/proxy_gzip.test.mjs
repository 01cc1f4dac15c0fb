// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: text that is compressed on its way.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { connect, get } from './lib/http1.mjs';
import { reply, serveProxy, startBackend } from './lib/proxied.mjs';

const text = 'It was the best of times, it was the worst of times. '.repeat(
    200);
const type = 'Content-Type: text/html; charset=utf-8';
const unzip = (r) => zlib.gunzipSync(Buffer.from(r.body, 'latin1')).toString();

// The answer to a client that takes `takes`, when the server sends these.
async function answer(t, { keys = '', takes = 'gzip', lines = [type],
	body = text, status = 200, method = 'GET', bytes = null } = {}) {
	const b = await startBackend(t, () =>
		bytes ?? reply(status, body, ...lines));
	const h = await serveProxy(t, [b], `gzip = on  ${keys}`);
	const c = await connect(t, h.port);

	await c.send(get('/', ...takes === null ? [] :
		[`Accept-Encoding: ${takes}`]).replace('GET', method));
	const r = await c.next({ head: method === 'HEAD' });

	r.backend = b;
	r.zipped = r.headers['content-encoding']?.[0] === 'gzip';
	return r;
}

test('text is compressed, and says so', async (t) => {
	const r = await answer(t, { lines: [type, 'ETag: "abc"',
		'Accept-Ranges: bytes', 'Vary: Origin'] });

	assert.ok(r.zipped);
	assert.equal(unzip(r), text);
	assert.equal(r.headers['content-length'], undefined);
	assert.deepEqual(r.headers.etag, ['W/"abc"']);
	assert.deepEqual(r.headers.vary, ['Origin', 'Accept-Encoding']);
	assert.equal(r.headers['accept-ranges'], undefined);
	assert.ok(r.body.length < text.length / 10);
});

test('not for who does not take it, but caches learn that it varies',
    async (t) => {
	for (const takes of [null, 'br', 'gzip;q=0', 'identity']) {
		const r = await answer(t,
		    { takes, lines: [type, 'ETag: "abc"'] });

		assert.ok(!r.zipped, takes);
		assert.equal(r.body, text);
		assert.deepEqual(r.headers.vary, ['Accept-Encoding']);
		assert.deepEqual(r.headers.etag, ['"abc"']);
	}
});

test('nor what is not to be', async (t) => {
	for (const what of [
		{ lines: ['Content-Type: image/png'] }, { lines: [] },
		{ lines: [type, 'Cache-Control: public, no-transform'] },
		{ lines: [type, 'Content-Encoding: br'] },
		{ body: 'short' }, { status: 206 }, { keys: 'gzip = off'
		    .replace('gzip = off', 'gzip_types = {"text/css"}') }]) {
		const r = await answer(t, what);

		assert.equal(r.headers.vary, undefined);
		assert.equal(r.body, what.body ?? text);
	}
});

test('the keys', async (t) => {
	assert.ok((await answer(t, { body: 'short',
		keys: 'gzip_min_length = 5' })).zipped);
	assert.ok((await answer(t, { lines: ['Content-Type: x/y'],
		keys: 'gzip_types = {"x/y"}  gzip_level = 9' })).zipped);
	assert.ok((await answer(t, { status: 404 })).zipped);
	// Twice would be once too often.
	assert.deepEqual((await answer(t, { lines: [type,
		'Vary: accept-encoding'] })).headers.vary, ['accept-encoding']);
});

test('HEAD is told the same', async (t) => {
	const r = await answer(t, { method: 'HEAD',
		bytes: `HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: 5000\r\n\r\n` });

	assert.ok(r.zipped);
	assert.equal(r.headers['content-length'], undefined);
});

test('what streams is there at once', async (t) => {
	let go;
	const b = await startBackend(t, async (q) => {
		q.socket.write(`HTTP/1.1 200 OK\r\n${type}\r\n` +
		    'Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
		await new Promise((resolve) => { go = resolve; });
		return '6\r\nsecond\r\n0\r\n\r\n';
	});
	const h = await serveProxy(t, [b], 'gzip = on');
	const c = await connect(t, h.port);
	const out = zlib.createGunzip();
	let plain = '';

	out.on('data', (d) => { plain += d; });
	await c.send(get('/', 'Accept-Encoding: gzip'));
	// A whole chunk, which can be read without what follows.
	const first = (s) => {
		const [, size, rest] = /\r\n\r\n([0-9a-f]+)\r\n([^]*)$/
		    .exec(s) ?? [];

		return size && rest.length >= parseInt(size, 16) ?
		    rest.slice(0, parseInt(size, 16)) : null;
	};
	let chunk;

	while ((chunk = first(c.unread)) === null)
		await c.bytes(c.unread.length + 1);
	out.write(Buffer.from(chunk, 'latin1'));
	while (plain !== 'first')
		await new Promise((r) => out.once('data', r));
	go();
	assert.equal(unzip(await c.next()), 'firstsecond');
});

test('large ones, over one connection', async (t) => {
	const large = Array.from({ length: 300_000 }, (_, i) => `${i * 7919}\n`)
	    .join('');
	const b = await startBackend(t, () => reply(200, large, type));
	const h = await serveProxy(t, [b], 'gzip = on');
	const c = await connect(t, h.port);

	for (let i = 0; i < 3; i++) {
		await c.send(get('/', 'Accept-Encoding: gzip'));
		assert.equal(unzip(await c.next()), large);
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// Interim responses of plugins, and trailers both ways.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';

const start = (t) => serve(t, 'trailer_route', (so) => `
	http { output_high = 4k }
	plugin "trailers" { module = "${so}" }
	route "/" { plugin = "trailers" }`);

const OK = 0, INVAL = -1, FULL = -4, STATE = -9;

async function codes(h, path) {
	const m = await h.logged(
	    new RegExp(`trailers: ${path}:([ \\d-]*)$`, 'm'));

	return m[1].trim().split(' ').map(Number);
}

const chunked = (path, body, ...trailers) =>
	[`POST ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked', '',
		body.length.toString(16), body, '0', ...trailers, '', '']
	    .join('\r\n');

test('interim responses come before the answer, in order', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/inform'));
	for (const status of [102, 103]) {
		const r = await c.next();

		assert.equal(r.status, status);
		assert.deepEqual(r.headers,
		    { link: ['</a.css>; rel=preload'] });
	}
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.link, undefined);
	assert.deepEqual(r.trailers, ['X-Sum: 2']);
	assert.deepEqual(await codes(h, 'inform'), [OK, OK, OK]);
});

test('an HTTP/1.0 client gets neither', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send('GET /inform HTTP/1.0\r\n\r\n');
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.body, 'ok');
});

test('an interim response has its place and its limits', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/late'));
	assert.equal((await c.next()).status, 200);
	assert.deepEqual(await codes(h, 'late'), [STATE, OK]);
	await c.send(get('/odd'));
	assert.equal((await c.next()).status, 200);
	assert.deepEqual(await codes(h, 'odd'),
	    [INVAL, INVAL, INVAL, INVAL, INVAL, OK]);
});

test('a plugin can\'t fill memory with them', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/flood'));
	assert.deepEqual(await (async () => {
		while ((await c.next()).status !== 200)
			;
		return codes(h, 'flood');
	})(), [FULL, OK]);
});

test('trailers of a request reach the plugin', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(chunked('/echo', 'hello', 'Digest: abc', 'Host: b',
	    'X-Two:\t two '));
	const r = await c.next();

	assert.equal(r.body, 'hello');
	assert.deepEqual(r.trailers, ['Digest: abc', 'X-Two: two']);
	assert.deepEqual(await codes(h, 'echo'), [OK, OK]);
	// The next one has none.
	await c.send(chunked('/echo', 'again'));
	assert.deepEqual((await c.next()).trailers, []);
});

test('they come one byte at a time', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	for (const byte of chunked('/echo', 'hello', 'Digest: abc'))
		await c.send(byte);
	assert.deepEqual((await c.next()).trailers, ['Digest: abc']);
});

test('they are there when the body is complete', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(chunked('/early', 'hello', 'Digest: abc'));
	assert.equal((await c.next()).status, 200);
	assert.deepEqual(await codes(h, 'early'), [STATE, OK]);
});

test('a body of known length has none behind it', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/length') + get('/length'));
	for (let i = 0; i < 2; i++) {
		const r = await c.next();

		assert.deepEqual(r.headers['content-length'], ['2']);
		assert.equal(r.body, 'ok');
	}
});

test('what frames a message is no trailer', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/framing'));
	assert.deepEqual((await c.next()).trailers, ['X-Sum: 2']);
	assert.deepEqual(await codes(h, 'framing'), [INVAL, OK]);
});

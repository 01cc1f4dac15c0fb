// SPDX-License-Identifier: BSD-2-Clause
// Each limit lets through what it allows, and not one more.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { chunked, connect, get, post, serveShow } from './lib/http1.mjs';

async function answer(t, h, bytes) {
	const c = await connect(t, h.port);

	await c.send(bytes);
	const r = await c.next();

	if (r.headers.connection?.[0] === 'close')
		assert.equal(await c.end(), '');
	c.destroy();
	return r;
}

async function refused(t, h, bytes, status) {
	const r = await answer(t, h, bytes);

	assert.equal(r.status, status);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.match(r.body, new RegExp(`${status} `));
}

test('request line: 414', async (t) => {
	const h = await serveShow(t, 'max_request_line = 100');
	const line = (n) => `GET /${'a'.repeat(n - 14)} HTTP/1.1`;
	const ask = (n) => `${line(n)}\r\nHost: a\r\n\r\n`;

	assert.equal(line(100).length, 100);
	assert.equal((await answer(t, h, ask(99))).status, 200);
	assert.equal((await answer(t, h, ask(100))).status, 200);
	await refused(t, h, ask(101), 414);
	await refused(t, h, 'GET /' + 'a'.repeat(200), 414);
});

test('head: 431', async (t) => {
	const h = await serveShow(t, 'max_head = 1000  max_request_line = 900');
	const ask = (n) => {
		const rest = get('/', 'X: ').length;

		return get('/', `X: ${'y'.repeat(n - rest)}`);
	};

	assert.equal(ask(1000).length, 1000);
	assert.equal((await answer(t, h, ask(999))).status, 200);
	assert.equal((await answer(t, h, ask(1000))).status, 200);
	await refused(t, h, ask(1001), 431);
	await refused(t, h, `GET / HTTP/1.1\r\nX: ${'y'.repeat(2000)}`, 431);
});

test('a head as large as may be configured', async (t) => {
	const h = await serveShow(t,
	    'max_head = 60k  max_request_line = 60k  max_headers = 255');
	const path = `/${'p'.repeat(10000)}`;
	const r = await answer(t, h, get(path, ...Array.from({ length: 254 },
	    (_, i) => `X-${i}: ${'v'.repeat(120)}`)));

	assert.equal(r.status, 200);
	assert.equal(JSON.parse(r.body).path, path);
	assert.equal(JSON.parse(r.body).headers, 255);
});

test('number of headers: 431', async (t) => {
	const h = await serveShow(t, 'max_headers = 10');
	const ask = (n) => get('/', ...Array.from({ length: n - 1 },
	    (_, i) => `X-${i}: y`));
	const r = await answer(t, h, ask(10));

	assert.equal(r.status, 200);
	assert.equal(JSON.parse(r.body).headers, 10);
	await refused(t, h, ask(11), 431);
});

test('body with a length: 413 before any of it', async (t) => {
	const h = await serveShow(t, 'max_body = 1000');

	assert.equal((await answer(t, h, post('/', 'x'.repeat(1000)))).status,
	    200);
	await refused(t, h, post('/', 'x'.repeat(1001)), 413);
	await refused(t, h, 'POST / HTTP/1.1\r\nHost: a\r\n' +
	    'Content-Length: 999999999999\r\n\r\n', 413);
});

test('chunked body: 413 when it gets there', async (t) => {
	const h = await serveShow(t, 'max_body = 1000');

	assert.equal((await answer(t, h, chunked('/',
	    ['x'.repeat(600), 'y'.repeat(400)]))).status, 200);
	await refused(t, h, chunked('/', ['x'.repeat(600), 'y'.repeat(401)]),
	    413);
	// Not before it gets there: the size of a chunk is only a promise.
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\n' +
	    `Transfer-Encoding: chunked\r\n\r\n2\r\nxx\r\nffff\r\n`);
	await c.send('y'.repeat(999));
	assert.equal((await c.next()).status, 413);
});

test('a body no limit allows', async (t) => {
	const h = await serveShow(t, 'max_body = 0');

	assert.equal((await answer(t, h, get('/'))).status, 200);
	assert.equal((await answer(t, h, post('/', ''))).status, 200);
	assert.equal((await answer(t, h, chunked('/', []))).status, 200);
	await refused(t, h, post('/', 'x'), 413);
	await refused(t, h, chunked('/', ['x']), 413);
});

test('a route\'s own limit', async (t) => {
	const h = await serveShow(t, 'max_body = 1000', `
		route "/big/" { plugin = "show"  max_body = 5k }
		route "/small/" { plugin = "show"  max_body = 10 }`);

	assert.equal((await answer(t, h, post('/big/', 'x'.repeat(5120))))
	    .status, 200);
	await refused(t, h, post('/big/', 'x'.repeat(5121)), 413);
	await refused(t, h, post('/small/', 'x'.repeat(11)), 413);
	await refused(t, h, chunked('/small/', ['x'.repeat(11)]), 413);
	assert.equal((await answer(t, h, post('/', 'x'.repeat(11)))).status,
	    200);
});

test('a route\'s own limits of heads', async (t) => {
	const h = await serveShow(t, 'h2c = on', `
		route "/small/" { plugin = "show"  max_head = 256 }
		route "/few/" { plugin = "show"  max_headers = 5 }`);
	const large = (path, n) => get(path, `X: ${'y'.repeat(n -
	    get(path, 'X: ').length)}`);
	const many = (path, n) => get(path, ...Array.from({ length: n - 1 },
	    (_, i) => `X-${i}: y`));

	for (const [path, refuses] of [['/', 0], ['/small/', 256]]) {
		assert.equal((await answer(t, h, large(path, 256))).status,
		    200);
		assert.equal((await answer(t, h, large(path, 257))).status,
		    refuses ? 431 : 200);
	}
	assert.equal((await answer(t, h, many('/few/', 5))).status, 200);
	assert.equal((await answer(t, h, many('/few/', 6))).status, 431);
	assert.equal((await answer(t, h, many('/', 6))).status, 200);
	const curl = async (...args) => (await command('curl', ['-s', '-w',
		'%{http_code}/%{num_connects} ', '-o', '/dev/null', '-H',
		`x: ${'y'.repeat(300)}`, ...args])).stdout;

	// The connection goes on; HTTP/2 knows them, too.
	assert.equal(await curl(`${h.url}/small/`, '-o', '/dev/null',
	    `${h.url}/`), '431/1 200/0 ');
	assert.equal(await curl('--http2-prior-knowledge', `${h.url}/small/`),
	    '431/1 ');
	assert.equal(await curl('--http2-prior-knowledge', `${h.url}/`),
	    '200/1 ');
});

test('a route can\'t allow larger heads than http', async (t) => {
	const h = await serveShow(t, '', `
		route "/a" { plugin = "show"  max_head = 17k }
		route "/b" { plugin = "show"  max_headers = 101 }`,
	    { ready: false });

	await h.ended;
	assert.match(h.log, /hostd.conf:\d+: "max_head" is more than that of http, 16384, which holds for all routes/);
	assert.match(h.log, /hostd.conf:\d+: "max_headers" is more than that of http, 100/);
});

test('a refused request is counted', async (t) => {
	const h = await serveShow(t, 'max_head = 500  max_request_line = 400');

	await refused(t, h, get('/', `X: ${'y'.repeat(600)}`), 431);
	const st = await h.status();

	assert.deepEqual([st.requests.total, st.requests.bad,
		st.requests.status['2xx']], [1, 1, 0]);
});

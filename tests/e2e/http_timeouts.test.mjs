// SPDX-License-Identifier: BSD-2-Clause
// Clients and plugins that take too long.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { connect, get, post, serve, serveShow } from './lib/http1.mjs';

const flow = (t, http) => serve(t, 'flow_route', (so) => `
	http { ${http} }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }
	route "/flow/quick/" { plugin = "flow"  defer_timeout = 300ms }`);

/*
 * Where a client has to be in time for another limit than that it exceeds:
 * heads have a thousand seconds.  pass(s): so much goes by for what has been
 * sent, and the worker sees it.
 */
async function heads(t) {
	const clock = await makeClock(t);
	const h = await serveShow(t, 'head_timeout = 1000s',
	    'pool "web" { workers = 1  watchdog = 0 }', { env: clock.env });

	h.pass = (s) => clock.passFor(h, s);
	return h;
}

test('no first byte: closed in silence', async (t) => {
	const h = await serveShow(t, 'head_timeout = 300ms');
	const c = await connect(t, h.port);

	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
});

test('a head that does not end: 408', async (t) => {
	const h = await heads(t);

	for (const bytes of ['G', get('/').slice(0, -2)]) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		await h.pass(1001);
		const r = await c.next();

		assert.equal(r.status, 408);
		assert.deepEqual(r.headers.connection, ['close']);
		assert.equal(await c.end(), '');
	}
});

test('a head that comes byte by byte gets no more time', async (t) => {
	const h = await heads(t);
	const c = await connect(t, h.port);

	await c.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
	// Without the limit this would go on to a 431.
	while (!c.closed && !c.unread) {
		await c.send('y');
		await h.pass(400);
	}
	assert.equal((await c.next()).status, 408);
});

test('the second head has its time, too', async (t) => {
	const h = await heads(t);
	const c = await connect(t, h.port);

	await c.send(get('/') + 'GET /');
	assert.equal((await c.next()).status, 200);
	await h.pass(1001);
	assert.equal((await c.next()).status, 408);
	assert.equal(await c.end(), '');
});

test('a body that stops: 408, and the plugin hears of it', async (t) => {
	const h = await flow(t, 'body_timeout = 300ms');

	for (const bytes of [post('/flow/count', 'hello').slice(0, -2),
		'POST /flow/count HTTP/1.1\r\nHost: a\r\n' +
		'Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n']) {
		const c = await connect(t, h.port);
		const from = h.log.length;

		await c.send(bytes);
		const r = await c.next();

		assert.equal(r.status, 408);
		assert.deepEqual(r.headers.connection, ['close']);
		assert.equal(await c.end(), '');
		await h.logged('ended count why 2 seen 3', from);
	}
});

test('idle: closed in silence', async (t) => {
	const h = await serveShow(t, 'idle_timeout = 300ms');
	const c = await connect(t, h.port);

	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
});

test('a client that does not read its answer is cut off', async (t) => {
	const h = await flow(t, 'send_timeout = 300ms');
	const c = await connect(t, h.port);

	c.socket.pause();
	await c.send(get('/flow/source?1000000000'));
	await h.logged('ended source why 2');
	c.socket.resume();
	const rest = await c.end();

	assert.match(rest, /^HTTP\/1\.1 200 OK\r\n/);
	assert.ok(rest.length < 1e9);
});

test('a plugin that does not answer: 504', async (t) => {
	const h = await flow(t, 'defer_timeout = 300ms');
	const c = await connect(t, h.port);

	await c.send(get('/flow/defer'));
	const r = await c.next();

	assert.equal(r.status, 504);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	await h.logged('ended defer why 2');
});

test('a route\'s own time to answer', async (t) => {
	const h = await flow(t, '');
	const slow = await connect(t, h.port);
	const quick = await connect(t, h.port);

	await slow.send(get('/flow/defer'));
	await h.logged('holding defer');
	await quick.send(get('/flow/quick/defer'));
	assert.equal((await quick.next()).status, 504);
	await quick.send(get('/'));
	assert.equal(await quick.end(), '');
	const c = await connect(t, h.port);

	await c.send(get('/flow/release'));
	await c.next();
	const r = await slow.next();

	assert.equal(r.status, 200);
	assert.equal(r.body, 'released\n');
});

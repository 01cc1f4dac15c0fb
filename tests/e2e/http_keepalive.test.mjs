// SPDX-License-Identifier: BSD-2-Clause
// When a connection goes on after an answer, and when it ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, post, serveShow } from './lib/http1.mjs';

const old = (path, ...more) =>
	[`GET ${path} HTTP/1.0`, ...more, '', ''].join('\r\n');

test('HTTP/1.1 goes on unless asked not to', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (let i = 0; i < 50; i++) {
		await c.send(i % 2 ? get(`/${i}`) : post(`/${i}`, 'body'));
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.version, 'HTTP/1.1');
		assert.equal(r.headers.connection, undefined);
		assert.equal(JSON.parse(r.body).path, `/${i}`);
	}
	await c.send(get('/', 'Connection: close'));
	const last = await c.next();

	assert.deepEqual(last.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined, 'a FIN, not a reset');
});

test('Connection is a list of options in any case', async (t) => {
	const h = await serveShow(t);

	for (const value of ['Close', 'foo, CLOSE', 'close,',
	    ', close , bar']) {
		const c = await connect(t, h.port);

		await c.send(get('/', `Connection: ${value}`));
		assert.deepEqual((await c.next()).headers.connection, ['close'],
		    value);
		assert.equal(await c.end(), '');
	}
	const two = await connect(t, h.port);

	await two.send(get('/', 'Connection: foo', 'Connection: close'));
	assert.deepEqual((await two.next()).headers.connection, ['close']);
	await two.end();
	const no = await connect(t, h.port);

	await no.send(get('/', 'Connection: closed, x-close, foo'));
	assert.equal((await no.next()).headers.connection, undefined);
	await no.send(get('/'));
	assert.equal((await no.next()).status, 200);
});

test('HTTP/1.0 ends unless asked to go on', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(old('/'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(JSON.parse(r.body).http10, 1);
	assert.equal(JSON.parse(r.body).host, null, 'Host is not required');
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);

	const k = await connect(t, h.port);

	for (let i = 0; i < 3; i++) {
		await k.send(old(`/${i}`, 'Connection: Keep-Alive'));
		const a = await k.next();

		assert.deepEqual(a.headers.connection, ['keep-alive']);
		assert.equal(JSON.parse(a.body).path, `/${i}`);
	}
	await k.send(old('/'));
	assert.deepEqual((await k.next()).headers.connection, ['close']);
	await k.end();
});

test('HTTP/1.0 that says both is not kept', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(old('/', 'Connection: keep-alive, close'));
	assert.deepEqual((await c.next()).headers.connection, ['close']);
	await c.end();
});

test('the last of keepalive_requests says so', async (t) => {
	const h = await serveShow(t, 'keepalive_requests = 3');
	const c = await connect(t, h.port);
	const seen = [];

	for (let i = 0; i < 3; i++) {
		await c.send(get('/'));
		seen.push((await c.next()).headers.connection?.[0]);
	}
	assert.deepEqual(seen, [undefined, undefined, 'close']);
	assert.equal(await c.end(), '');
});

test('an error of the application leaves the connection', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const status of [200, 204, 304, 400, 404, 500, 503]) {
		await c.send(get(`/?status=${status}`));
		const r = await c.next();

		assert.equal(r.status, status);
		assert.equal(r.headers.connection, undefined);
	}
});

test('empty lines between requests are skipped, one each', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(`\r\n${get('/1')}\r\n${get('/2')}`);
	assert.equal(JSON.parse((await c.next()).body).path, '/1');
	assert.equal(JSON.parse((await c.next()).body).path, '/2');
});

test('in the middle of a head it goes on in the next worker', async (t) => {
	const h = await serveShow(t, 'head_timeout = 1h');
	const c = await connect(t, h.port);

	await c.send(get('/'));
	assert.equal((await c.next()).headers.connection, undefined);
	await c.send(get('/').slice(0, 20));
	const from = h.log.length;

	assert.equal((await h.hostctl('reload')).code, 0);
	await h.logged(/pid \d+\] ending/, from);
	await c.send(get('/').slice(20));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.connection, undefined);
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
});

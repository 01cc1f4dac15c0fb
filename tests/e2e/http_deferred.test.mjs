// SPDX-License-Identifier: BSD-2-Clause
// Answers given later, and clients that have left by then.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, chunked, connect, get, post, serve } from './lib/http1.mjs';

const start = (t, http = '') => serve(t, 'flow_route', (so) => `
	http { ${http} }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);
const release = async (t, h) => (await ask(t, h.port, '/flow/release')).json;

test('answered by another request, any number of them', async (t) => {
	const h = await start(t);
	const all = [];

	for (let i = 0; i < 10; i++) {
		const c = await connect(t, h.port);
		const from = h.log.length;

		await c.send(i % 2 ? get('/flow/defer') :
		    post('/flow/defer', 'x'));
		await h.logged('holding defer', from);
		all.push(c);
	}
	assert.deepEqual(await release(t, h), { held: 10, gone: 0 });
	for (const c of all) {
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body, 'released\n');
		await c.send(get('/flow/stats'));
		assert.equal((await c.next()).status, 200, 'and it goes on');
	}
});

test('what is pipelined behind it waits', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/flow/stats') + get('/flow/defer') +
	    get('/flow/stats') + chunked('/flow/count', ['abc']));
	assert.ok(JSON.parse((await c.next()).body).again === 0);
	await h.logged('holding defer');
	await c.send(get('/flow/stats'));
	assert.equal(c.unread, '');
	await release(t, h);
	assert.equal((await c.next()).body, 'released\n');
	assert.equal(JSON.parse((await c.next()).body).held, 0);
	assert.deepEqual(JSON.parse((await c.next()).body), { seen: 3 });
	assert.equal(JSON.parse((await c.next()).body).held, 0);
});

test('its head is still what it was', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/flow/begin'));
	await h.logged('holding begin');
	await c.bytes(1);
	for (let i = 0; i < 20; i++)
		await ask(t, h.port, `/flow/${'x'.repeat(100 * i)}`);
	await release(t, h);
	assert.equal((await c.next()).body, 'first,last');
	await h.logged('ended begin why 0');
});

test('the client left meanwhile: the handle is stale', async (t) => {
	const h = await start(t);

	for (const leave of [(c) => c.destroy(),
		(c) => c.socket.resetAndDestroy(), (c) => c.finish()]) {
		const c = await connect(t, h.port);
		const from = h.log.length;

		await c.send(get('/flow/defer'));
		await h.logged('holding defer', from);
		leave(c);
		await h.logged('ended defer why 1', from);
		assert.deepEqual(await release(t, h), { held: 1, gone: 1 });
	}
	assert.ok((await h.status()).stale_handles >= 3);
});

test('it left while its answer was under way', async (t) => {
	const h = await start(t);

	for (const path of ['begin', 'source?100000000', 'flood?100000000']) {
		const c = await connect(t, h.port);
		const from = h.log.length;

		await c.send(get(`/flow/${path}`));
		await c.bytes(1);
		c.socket.resetAndDestroy();
		await h.logged(/ended (begin|source|flood) why 1/, from);
	}
	assert.deepEqual(await release(t, h), { held: 1, gone: 1 });
});

test('it left while its body was not being read', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send('POST /flow/sink HTTP/1.1\r\nHost: a\r\n' +
	    'Content-Length: 1000\r\n\r\nsome');
	await h.logged('pausing sink');
	c.socket.resetAndDestroy();
	await h.logged('ended sink why 1 seen 4');
	assert.deepEqual((await ask(t, h.port, '/flow/resume')).json,
	    { paused: 1, gone: 1 });
});

test('it left within its body', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send('POST /flow/count HTTP/1.1\r\nHost: a\r\n' +
	    'Content-Length: 1000\r\n\r\nsome');
	// Its first part has arrived when a second connection is served.
	await ask(t, h.port, '/flow/stats');
	c.destroy();
	await h.logged(/ended count why 1 seen 4/);
});

test('a plugin that gives up cuts the connection', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/flow/fail'));
	assert.equal(await c.end(), '');
	await h.logged('ended fail why 4');
});

test('a worker that is replaced waits for it', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/flow/defer'));
	await h.logged('holding defer');
	const other = await connect(t, h.port);

	// A request that has begun, so that this connection stays, too.
	await other.send('POST /flow/count HTTP/1.1\r\nHost: a\r\n' +
	    'Content-Length: 2\r\n\r\nx');
	const reloaded = h.hostctl('reload');

	await h.logged('draining');
	await other.send(`y${get('/flow/release')}`);
	assert.equal((await other.next()).status, 200);
	assert.deepEqual(JSON.parse((await other.next()).body),
	    { held: 1, gone: 0 });
	const d = await c.next();

	assert.equal(d.body, 'released\n');
	assert.equal(d.headers.connection, undefined);
	assert.equal((await reloaded).code, 0);
	// Both go on in the next worker.
	for (const one of [c, other]) {
		await one.send(get('/flow/stats'));
		assert.equal((await one.next()).status, 200);
		one.destroy();
	}
});

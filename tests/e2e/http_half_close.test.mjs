// SPDX-License-Identifier: BSD-2-Clause
// A client that closes its sending side: what it asked for before is answered,
// unless a plugin has not begun to answer, for then nobody may be waiting.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, chunked, connect, get, post, serve, serveShow } from
    './lib/http1.mjs';

const flow = (t, http = '') => serve(t, 'flow_route', (so) => `
	http { ${http} }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);

test('a request and then the end', async (t) => {
	const h = await serveShow(t);

	for (const bytes of [get('/x'), post('/x', 'hello'),
		chunked('/x', ['hel', 'lo'])]) {
		const c = await connect(t, h.port);

		c.send(bytes);
		c.finish();
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(JSON.parse(r.body).path, '/x');
		assert.equal(await c.end(), '');
		assert.equal(c.error, undefined);
	}
});

test('the end of an idle connection is answered by ours', async (t) => {
	const h = await serveShow(t);
	const fresh = await connect(t, h.port);

	fresh.finish();
	assert.equal(await fresh.end(), '');
	const used = await connect(t, h.port);

	await used.send(get('/'));
	assert.equal((await used.next()).status, 200);
	used.finish();
	assert.equal(await used.end(), '');
	assert.equal(used.error, undefined);
});

test('the end within a head or a body: closed, no answer', async (t) => {
	const h = await serveShow(t);

	for (const bytes of [get('/').slice(0, 12),
		post('/', 'hello').slice(0, -2),
		chunked('/', ['hello']).slice(0, -4)]) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		c.finish();
		assert.equal(await c.end(), '');
	}
});

test('a large answer goes on to its end', async (t) => {
	const h = await serveShow(t,
	    'output_high = 16k  lingering_timeout = 1h');
	const c = await connect(t, h.port);

	c.send(get('/?length=8000000'));
	c.finish();
	const r = await c.next();

	assert.equal(r.body.length, 8000000);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
});

test('requests held back by the output limit are not lost', async (t) => {
	const h = await serveShow(t,
	    'output_high = 4k  lingering_timeout = 1h');
	const c = await connect(t, h.port);
	const n = 30;

	c.socket.pause();
	c.send(get('/?length=200000').repeat(n));
	c.finish();
	c.socket.resume();
	for (let i = 0; i < n; i++)
		assert.equal((await c.next()).body.length, 200000);
	assert.equal(await c.end(), '');
});

test('an answer that has begun is finished', async (t) => {
	const h = await flow(t, 'lingering_timeout = 1h');
	const c = await connect(t, h.port);

	await c.send(get('/flow/begin'));
	await h.logged('holding begin');
	await c.bytes(1);
	c.finish();
	const r = await ask(t, h.port, '/flow/release');

	assert.deepEqual(r.json, { held: 1, gone: 0 });
	assert.equal((await c.next()).body, 'first,last');
	assert.equal(await c.end(), '');
	await h.logged('ended begin why 0');
});

test('an answer that has begun ends when nobody takes it', async (t) => {
	const h = await flow(t, 'lingering_timeout = 300ms');
	const c = await connect(t, h.port);

	await c.send(get('/flow/begin'));
	await h.logged('holding begin');
	await c.bytes(1);
	c.finish();
	await h.logged('ended begin why 1');
	const r = await ask(t, h.port, '/flow/release');

	assert.deepEqual(r.json, { held: 1, gone: 1 });
});

test('a deferred request nobody waits for ends', async (t) => {
	const h = await flow(t);
	const c = await connect(t, h.port);

	await c.send(get('/flow/defer'));
	await h.logged('holding defer');
	c.finish();
	await h.logged('ended defer why 1');
	assert.equal(await c.end(), '');
	const r = await ask(t, h.port, '/flow/release');

	assert.deepEqual(r.json, { held: 1, gone: 1 });
});

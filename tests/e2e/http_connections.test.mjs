// SPDX-License-Identifier: BSD-2-Clause
// The limit of a worker's connections, and what those above it get.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serveShow } from './lib/http1.mjs';

// The harness's own connection would count.
const start = (t, http) => serveShow(t, http, '', { noPort: true });
const alive = async (c) => {
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
};

test('wait: the next one is served when another ends', async (t) => {
	const h = await start(t, 'max_connections = 4  over_limit = wait');
	const open = [];

	for (let i = 0; i < 4; i++) {
		open.push(await connect(t, h.port));
		await alive(open[i]);
	}
	const late = [await connect(t, h.port), await connect(t, h.port)];

	for (const c of late)
		await c.send(get('/late'));
	// Those that are served go on meanwhile, and nobody else is.
	for (let i = 0; i < 50; i++)
		for (const c of open)
			await alive(c);
	assert.equal((await h.status()).connections.active, 4);
	assert.deepEqual(late.map((c) => c.unread), ['', '']);
	open[0].destroy();
	open[1].destroy();
	for (const c of late)
		assert.equal((await c.next()).status, 200);
	assert.equal((await h.status()).connections.active, 4);
});

test('wait: nobody is lost in a crowd', async (t) => {
	const h = await start(t, 'max_connections = 3  over_limit = wait');

	await Promise.all(Array.from({ length: 60 }, async (_, i) => {
		const c = await connect(t, h.port);

		await c.send(get(`/${i}`, 'Connection: close'));
		assert.equal(JSON.parse((await c.next()).body).path, `/${i}`);
		c.destroy();
	}));
});

test('503: the next one is told, and the connection ends', async (t) => {
	const h = await start(t, 'max_connections = 4  over_limit = "503"' +
	    '  lingering_timeout = 1h');
	const open = [];

	for (let i = 0; i < 4; i++) {
		open.push(await connect(t, h.port));
		await alive(open[i]);
	}
	for (let i = 0; i < 5; i++) {
		const late = await connect(t, h.port);

		await late.send(get('/late'));
		const r = await late.next();

		assert.equal(r.status, 503);
		assert.deepEqual(r.headers.connection, ['close']);
		assert.equal(await late.end(), '');
		assert.equal(late.error, undefined);
		late.destroy();
	}
	for (const c of open)
		await alive(c);
	assert.equal((await h.status()).connections.refused, 5);
	open[0].destroy();
	// As soon as the worker knows of it there is room again.
	for (;;) {
		const c = await connect(t, h.port);

		await c.send(get('/'));
		const r = await c.next();

		c.destroy();
		if (r.status === 200)
			break;
		assert.equal(r.status, 503);
	}
});

test('503: also to a client that says nothing', async (t) => {
	const h = await start(t, 'max_connections = 1  over_limit = "503"');

	await alive(await connect(t, h.port));
	const late = await connect(t, h.port);

	assert.equal((await late.next()).status, 503);
	assert.equal(await late.end(), '');
});

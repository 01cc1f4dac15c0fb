// SPDX-License-Identifier: BSD-2-Clause
// Requests go to a server and answers come back: bodies, trailers, interim
// answers, and connections that are kept.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { chunked, connect, get, post } from './lib/http1.mjs';

test('one connection serves many requests', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);
	let server;

	for (let i = 0; i < 5; i++) {
		await c.send(get(`/n${i}?q`, 'X-Mine: yes'));
		server ??= await s.accept();
		const seen = await server.until(`/n${i}?q`);

		assert.match(seen, /X-Mine: yes\r\n/);
		server.write(OK);
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body, 'hello');
	}
	assert.equal(s.pending(), 0);
	assert.equal(server.seen.match(/HTTP\/1\.1\r\n/g).length, 5);
});

test('a body of known length', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(post('/', 'x'.repeat(100000)));
	const server = await s.accept();

	assert.match(await server.until('\r\n\r\n'), /POST \/ HTTP\/1\.1/);
	while (server.seen.split('\r\n\r\n')[1].length < 100000)
		await new Promise((resolve) => server.once('more', resolve));
	assert.match(server.seen, /Content-Length: 100000\r\n/);
	server.write(OK);
	assert.equal((await c.next()).body, 'hello');
});

test('chunks and trailers, both ways', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n' +
	    '\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n');
	const server = await s.accept();
	const seen = await server.until('X-Sum: 1\r\n\r\n');

	assert.ok(seen.endsWith('\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'));
	server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '2\r\nde\r\n0\r\nX-End: 2\r\n\r\n');
	const r = await c.next();

	assert.equal(r.body, 'de');
	assert.deepEqual(r.trailers, ['X-End: 2']);
	await c.send(chunked('/', ['more']));
	await server.until('more');
});

test('an interim answer comes first', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	server.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
	const info = await c.next();

	assert.equal(info.status, 103);
	assert.deepEqual(info.headers.link, ['</a>']);
	server.write(OK);
	assert.equal((await c.next()).status, 200);
});

test('an answer without a body', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	let i = 0;

	await c.send(get('/0'));
	const server = await s.accept();

	for (const head of ['204 No Content\r\n',
	    '304 Not Modified\r\nETag: "a"\r\n',
		'200 OK\r\nContent-Length: 0\r\n']) {
		await server.until(`/${i++} HTTP`);
		server.write(`HTTP/1.1 ${head}\r\n`);
		const r = await c.next();

		assert.equal(r.status, Number(head.slice(0, 3)));
		assert.equal(r.body, '');
		await c.send(get(`/${i}`));
	}
	assert.equal(s.pending(), 0);
});

// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: a client that leaves, and a server that may end its work.
import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { fakeServer, OK } from './lib/fetch.mjs';
import { connect, get, post } from './lib/http1.mjs';
import { serveProxy } from './lib/proxied.mjs';

async function start(t, keys = '') {
	const s = await fakeServer(t);
	const h = await serveProxy(t, [s], `ignore_client_abort = on ${keys}`);

	return { s, h, c: await connect(t, h.port) };
}

// hostd has noticed that its client left: a line in its access log.
const left = (h) => h.workersSatisfy((all) =>
	all.every((w) => w.active === 0), 'the end of the connection');

for (const [name, request, all] of [['GET', get('/1'), '/1 HTTP'],
	['POST', post('/1', 'body'), 'body']])
	test(`its answer is waited for: ${name}`, async (t) => {
		const { s, h, c } = await start(t);

		await c.send(request);
		const server = await s.accept();

		await server.until(all);
		c.destroy();
		await left(h);
		server.write(OK);
		// The connection is as good as any: it serves the next one.
		const next = await connect(t, h.port);

		await next.send(get('/2'));
		await server.until('/2 HTTP');
		server.write(OK.replace('hello', 'other'));
		assert.equal((await next.next()).body, 'other');
		assert.equal(s.pending(), 0);
	});

test('and read to its end, though the client took none of it', async (t) => {
	const { s, h, c } = await start(t);
	const large = 'x'.repeat(32 << 20);

	c.socket.pause();
	await c.send(get('/1'));
	const server = await s.accept();

	await server.until('/1 HTTP');
	const taken = new Promise((resolve) => server.write(
	    `HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n${large}`,
	    resolve));

	await new Promise((resolve) => c.socket.once('readable', resolve));
	c.destroy();
	await left(h);
	await within(taken, 'all of the answer');
	assert.equal(server.over, false);
});

// A regression: a client that was found to be gone by writing to it took the
// server's connection with it.
for (const buffering of ['on', 'off'])
	test(`and read to its end, though they leave in the middle: buffering ${buffering}`,
	    async (t) => {
		const { s, h, c } = await start(t, `buffering = ${buffering}`);
		const large = 'x'.repeat(2 << 20);
		const one = async (i) => {
			const client = await connect(t, h.port);
			let n = 0;

			client.socket.on('data', (d) => {
				n += d.length;
				if (n > 60_000 * i)
					client.destroy();
			});
			await client.send(get('/'));
			const server = await s.accept();

			await server.until('/ HTTP');
			return server;
		};
		const servers = await Promise.all(
		    Array.from({ length: 30 }, (_, i) => one(i + 1)));

		// All are there: none comes over a connection that is free.
		await Promise.all(servers.map((server) =>
		    within(new Promise((resolve) => server.write(
		    'HTTP/1.1 200 OK\r\nContent-Length: ' +
		    `${large.length}\r\n\r\n${large}`, resolve)),
		    'all of the answer')));
		c.destroy();
		await left(h);
		assert.equal(servers.filter((x) => x.broken).length, 0);
	});

test('not with a part of the request', async (t) => {
	const { s, c } = await start(t);

	await c.send(post('/1', 'body').slice(0, -1));
	const server = await s.accept();

	await server.until('bod');
	c.destroy();
	await server.ended();
});

test('a server that never answers has its time', async (t) => {
	const { s, c } = await start(t, 'read_timeout = 100ms');

	await c.send(get('/1'));
	const server = await s.accept();

	await server.until('/1 HTTP');
	c.destroy();
	await server.ended();
});

// SPDX-License-Identifier: BSD-2-Clause
// Connections to servers that are kept: how many, for how long, for how many
// requests, and not while a worker drains or the PROXY protocol is spoken.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { connect, get } from './lib/http1.mjs';

// One request over c; the server's connection, once it has answered.
async function exchange(c, s, path, known, answer = OK) {
	await c.send(get(path));
	const server = known ?? await s.accept();

	await server.until(`${path} HTTP`);
	server.write(answer);
	assert.equal((await c.next()).status, 200);
	return server;
}

test('for so many requests', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', 'keepalive_requests = 2');
	const c = await connect(t, h.port);
	const first = await exchange(c, s, '/1');

	await exchange(c, s, '/2', first);
	await first.ended();
	await exchange(c, s, '/3');
});

test('for so long', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', 'keepalive_timeout = 200ms');
	const c = await connect(t, h.port);

	await (await exchange(c, s, '/1')).ended();
	await exchange(c, s, '/2');
});

test('none', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', 'keepalive = 0');
	const c = await connect(t, h.port);
	const server = await exchange(c, s, '/1');

	assert.match(server.seen, /\r\nConnection: close\r\n/);
	await server.ended();
});

test('so many: the one that was used least recently goes', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', 'keepalive = 1');
	const a = await connect(t, h.port), b = await connect(t, h.port);

	await a.send(get('/a'));
	const one = await s.accept();

	await one.until('/a HTTP');
	const two = await exchange(b, s, '/b');

	one.write(OK);
	assert.equal((await a.next()).status, 200);
	await two.ended();
	await exchange(a, s, '/c', one);
});

test('not when the server says so', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	for (const head of ['HTTP/1.1 200 OK\r\nConnection: close\r\n',
		'HTTP/1.0 200 OK\r\n']) {
		const server = await exchange(c, s, '/', undefined,
		    `${head}Content-Length: 0\r\n\r\n`);

		await server.ended();
	}
	const server = await exchange(c, s, '/1', undefined,
	    'HTTP/1.0 200 OK\r\n' +
	    'Connection: keep-alive\r\nContent-Length: 0\r\n\r\n');

	await exchange(c, s, '/2', server);
});

test('not by a worker that is replaced', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);
	const server = await exchange(c, s, '/1');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await server.ended();
	await exchange(c, s, '/2');
});

test('an exchange goes on while its worker is replaced', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/1'));
	const server = await s.accept();

	await server.until('/1 HTTP');
	server.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe');
	await c.bytes(20);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	server.write('llo');
	assert.equal((await c.next()).body, 'hello');
	await server.ended();
});

// A connection says whose it is, so it is for one client only.
test('not when it begins with a client\'s address', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', 'proxy_protocol = v1');
	const c = await connect(t, h.port);
	const server = await exchange(c, s, '/1');

	assert.match(server.seen,
	    /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nGET \/1 /);
	assert.ok(server.seen.startsWith(
	    `PROXY TCP4 127.0.0.1 127.0.0.1 ${c.socket.localPort} ${h.port}\r\n`));
	await server.ended();
	await exchange(c, s, '/2');
});

// SPDX-License-Identifier: BSD-2-Clause
// What a server says that nobody has asked for, or behind an answer that can't
// have a body, is never the answer to the next request.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeServer, OK } from './lib/fetch.mjs';
import { connect, get, post } from './lib/http1.mjs';
import { serveProxy } from './lib/proxied.mjs';

const LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n' +
    'Content-Length: 0\r\n\r\n';
const BAD = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n' +
    'Content-Length: 2\r\n\r\nno';

async function start(t) {
	const s = await fakeServer(t);
	const h = await serveProxy(t, [s.port], '', { group: 'max_fails = 0' });

	return { s, c: await connect(t, h.port) };
}

// Ask for path, of the server's connection; what the client gets.
async function ask(c, server, path, answer, request = get(path)) {
	await c.send(request);
	await server.until(`${path} HTTP`);
	server.write(answer);
	return c.next({ head: request.startsWith('HEAD') });
}

// The first request, over a connection that stays.
async function first({ s, c }, answer = OK, request = get('/1')) {
	await c.send(request);
	const server = await s.accept();

	await server.until('/1 HTTP');
	server.write(answer);
	const r = await c.next({ head: request.startsWith('HEAD') });

	return { server, r };
}

for (const [name, bytes] of [['408', LATE], ['400', BAD], ['200', OK],
	['an empty line', '\r\n']])
	test(`on an idle connection: ${name}`, async (t) => {
		const at = await start(t);
		const { server } = await first(at);

		server.write(bytes);
		await server.ended();
		await at.c.send(get('/2'));
		const next = await at.s.accept();

		await next.until('/2 HTTP');
		assert.doesNotMatch(server.seen, /\/2/);
		next.write(OK.replace('hello', 'other'));
		const r = await at.c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body, 'other');
	});

for (const [name, bytes] of [['408', LATE], ['400', BAD]])
	test(`as the next request comes: ${name}`, async (t) => {
		const at = await start(t);
		const { server } = await first(at);

		await at.c.send(get('/2'));
		await server.until('/2 HTTP');
		server.end(bytes);
		const next = await at.s.accept();

		await next.until('/2 HTTP');
		next.write(OK);
		assert.equal((await at.c.next()).status, 200);
	});

test('what may not be asked twice is told of it', async (t) => {
	const at = await start(t);
	const { server } = await first(at);
	const r = await ask(at.c, server, '/2', LATE, post('/2', 'body'));

	assert.equal(r.status, 408);
	await server.ended();
});

for (const [name, bytes, request] of [
	['304', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n' +
	    'Content-Length: 100\r\n\r\n', get('/1', 'If-None-Match: "a"')],
	['304 with chunks', 'HTTP/1.1 304 Not Modified\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n', get('/1')],
	['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n',
		get('/1').replace('GET', 'HEAD')]]) {
	test(`no body: ${name}`, async (t) => {
		const at = await start(t);
		const { server, r } = await first(at, bytes, request);

		assert.equal(r.status, name === 'HEAD' ? 200 : 304);
		assert.equal(r.body, '');
		assert.equal((await ask(at.c, server, '/2', OK)).body, 'hello');
		assert.equal(at.s.pending(), 0);
	});

	test(`a body that can't be there: ${name}`, async (t) => {
		const at = await start(t);
		const { server, r } = await first(at,
		    bytes + OK.replace('hello', 'evil!'), request);

		assert.equal(r.status, name === 'HEAD' ? 200 : 304);
		await server.ended();
		await at.c.send(get('/2'));
		const next = await at.s.accept();

		await next.until('/2 HTTP');
		next.write(OK);
		assert.equal((await at.c.next()).body, 'hello');
	});

	test(`one that comes with the next request: ${name}`, async (t) => {
		const at = await start(t);
		const { server } = await first(at, bytes, request);

		await at.c.send(get('/2'));
		await server.until('/2 HTTP');
		server.write(`<p>${'x'.repeat(96)}\r\n\r\n`);
		await server.ended();
		const next = await at.s.accept();

		await next.until('/2 HTTP');
		next.write(OK);
		assert.equal((await at.c.next()).body, 'hello');
	});
}

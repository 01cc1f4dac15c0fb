// SPDX-License-Identifier: BSD-2-Clause
// What servers do wrong: refuse, hang, reset, talk nonsense, close kept
// connections; and what becomes of the request.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { freePort } from './lib/hostd.mjs';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { connect, get, post } from './lib/http1.mjs';

const ERROR = 1, TIMEOUT = 2, S503 = 0x20, UNSAFE = 0x400;
const once = 'tries = 1';

test('a server that refuses: the next one', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [{ port: await freePort() }, s]);
	const c = await connect(t, h.port);

	await c.send(post('/', 'body'));
	const server = await s.accept();

	await server.until('body');
	server.write(OK);
	assert.equal((await c.next()).status, 200);
});

test('all refuse: it says so', async (t) => {
	const h = await startFetch(t, [{ port: await freePort() },
		{ port: await freePort() }]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const r = await c.next();

	assert.equal(r.status, 502);
	assert.match(r.body, /Connection refused/);
});

test('no answer in time', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], `read = 200 ${once}`);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();
	const r = await c.next();

	assert.equal(r.status, 504);
	assert.match(r.body, /no answer comes for 200 ms/);
	await server.ended();
});

const HOUR = 3_600_000;

// With time limits that are over when the test says so.
async function startLate(t, servers, keys) {
	const clock = await makeClock(t);
	const h = await startFetch(t, servers, keys, '',
	    'pool "web" { workers = 1  watchdog = 0 }', clock.env);

	return { h, pass: () => clock.passFor(h, 3601) };
}

test('a hanging server: the next one is asked', async (t) => {
	const s1 = await fakeServer(t), s2 = await fakeServer(t);
	const { h, pass } = await startLate(t, [s1, s2],
	    `read = ${HOUR} next = ${TIMEOUT}`);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	await (await s1.accept()).until('\r\n\r\n');
	await pass();
	(await s2.accept()).write(OK);
	assert.equal((await c.next()).status, 200);
});

for (const [what, keys] of [['all of it', `all = ${HOUR} read = ${2 * HOUR}`],
	['the rest of it', `all = ${2 * HOUR} read = ${HOUR}`]])
	test(`${what} takes too long`, async (t) => {
		const s = await fakeServer(t);
		const { h, pass } = await startLate(t, [s],
		    `${keys} next = ${TIMEOUT}`);
		const c = await connect(t, h.port);

		await c.send(get('/'));
		const server = await s.accept();

		server.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n' +
		    '\r\nbegin');
		while (!c.unread.endsWith('begin'))
			await c.bytes(c.unread.length + 1);
		await pass();
		assert.match(await c.end(), /begin$/);
		await server.ended();
	});

test('a reset within the head: the next one', async (t) => {
	const s1 = await fakeServer(t), s2 = await fakeServer(t);
	const h = await startFetch(t, [s1, s2]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const first = await s1.accept();

	first.write('HTTP/1.1 200 O');
	await first.until('\r\n\r\n');
	first.resetAndDestroy();
	(await s2.accept()).write(OK);
	assert.equal((await c.next()).status, 200);
});

// The body was cut: the client's connection is, too.
for (const [name, head] of [
	['of known length', 'Content-Length: 10\r\n'],
	['in chunks', 'Transfer-Encoding: chunked\r\n'],
	['that ends with the connection', '']]) {
	test(`a reset within a body ${name}`, async (t) => {
		const s = await fakeServer(t);
		const h = await startFetch(t, [s]);
		const c = await connect(t, h.port);

		await c.send(get('/'));
		const server = await s.accept();

		await server.until('\r\n\r\n');
		server.write(`HTTP/1.1 200 OK\r\n${head}\r\n` +
		    (name === 'in chunks' ? '5\r\nhello\r\n' : 'hello'));
		await c.bytes(60);
		server.resetAndDestroy();
		const text = await c.end();

		assert.match(text, /hello/);
		assert.doesNotMatch(text, /0\r\n\r\n$/);
		await h.logged(/exchange ended -7 .*cut short/);
	});
}

test('what is no HTTP', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], once);

	for (const answer of ['SSH-2.0-OpenSSH\r\n', '\0\0\0\0',
		'HTTP/1.1 200 OK\n\n',
		'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
		'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5' +
		'\r\n\r\n0\r\n\r\n',
		'HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n' +
		'Connection: Upgrade\r\n\r\n',
		`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70000)}\r\n\r\n`,
		`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(300)}\r\n`,
		'HTTP/1.1 103 E\r\n\r\n'.repeat(200)]) {
		const c = await connect(t, h.port);

		await c.send(get('/'));
		const server = await s.accept();

		await server.until('\r\n\r\n');
		server.write(answer, 'latin1');
		let r = await c.next();

		while (r.status < 200)
			r = await c.next();
		assert.equal(r.status, 502, answer.slice(0, 40));
		assert.match(r.body, /is not HTTP/);
		await server.ended();
	}
});

test('a chunk that is none cuts the answer', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '5\r\nhello\r\n5\nworld');
	const text = await c.end();

	assert.match(text, /hello/);
	assert.doesNotMatch(text, /world|0\r\n\r\n$/);
});

// What comes behind an answer is nobody's.
test('an answer too many', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/a'));
	const first = await s.accept();

	await first.until('\r\n\r\n');
	first.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad`);
	assert.equal((await c.next()).body, 'hello');
	await first.ended();
	await c.send(get('/b'));
	const second = await s.accept();

	await second.until('/b');
	second.write(OK);
	assert.equal((await c.next()).body, 'hello');
});

test('a kept connection is closed as it is used again', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/0'));
	let server = await s.accept();

	await server.until('/0');
	server.write(OK);
	assert.equal((await c.next()).status, 200);
	for (let i = 1; i <= 20; i++) {
		// The server has seen the request, and lets go of it.
		await c.send(get(`/${i}`));
		await server.until(`/${i} HTTP`);
		server.destroy();
		server = await s.accept();
		await server.until(`/${i} HTTP`);
		server.write(OK);
		assert.equal((await c.next()).status, 200);
	}
});

test('what is not idempotent is not sent twice', async (t) => {
	const s = await fakeServer(t), other = await fakeServer(t);
	const h = await startFetch(t, [s, other]);
	const c = await connect(t, h.port);

	await c.send(post('/', 'pay'));
	const server = await s.accept();

	await server.until('pay');
	server.destroy();
	assert.equal((await c.next()).status, 502);
	assert.equal(other.pending(), 0);
});

test('unless that is wanted', async (t) => {
	const s = await fakeServer(t), other = await fakeServer(t);
	const h = await startFetch(t, [s, other], `next = ${ERROR | UNSAFE}`);
	const c = await connect(t, h.port);

	await c.send(post('/', 'pay'));
	const server = await s.accept();

	await server.until('pay');
	server.destroy();
	const second = await other.accept();

	await second.until('pay');
	second.write(OK);
	assert.equal((await c.next()).status, 200);
});

test('a status that another server may do better than', async (t) => {
	const s = await fakeServer(t), other = await fakeServer(t);
	const h = await startFetch(t, [s, other], `next = ${S503}`);
	const c = await connect(t, h.port);
	const no = 'HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno';

	await c.send(get('/'));
	(await s.accept()).write(no);
	(await other.accept()).write(no);
	const r = await c.next();

	assert.equal(r.status, 503);
	assert.equal(r.body, 'no');
});

test('an answer to a part of the request', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n' +
	    '\r\nbegin');
	const server = await s.accept();

	await server.until('begin');
	server.write('HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nbig');
	const r = await c.next();

	assert.equal(r.status, 413);
	assert.equal(r.body, 'big');
	await server.ended();
});

test('the client leaves while it waits', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	await server.until('\r\n\r\n');
	c.destroy();
	await server.ended();
	await h.logged('exchange ended -3 the request has ended');
});

test('the client leaves within the answer', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const server = await s.accept();

	server.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin');
	await c.bytes(50);
	c.destroy();
	await server.ended();
	await h.logged('exchange ended -3 the request has ended');
});

test('the client leaves within its request', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n' +
	    'begin');
	const server = await s.accept();

	await server.until('begin');
	c.destroy();
	await server.ended();
	await h.logged('exchange ended -3 the request has ended');
});

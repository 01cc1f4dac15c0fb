// SPDX-License-Identifier: BSD-2-Clause
// A client that is still sending when it is refused reads the answer before it
// meets a reset.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { command, tempDir, until, writeFiles } from './lib/hostd.mjs';
import { ask, connect, get, serve, serveShow } from './lib/http1.mjs';

const SIZE = 20_000_000;
// Nobody is in a hurry, but for those who are tested for it.
const PATIENT = 'lingering_timeout = 1h';
const part = Buffer.alloc(1 << 20, 'x');
const head = (path, extra = '') => `POST ${path} HTTP/1.1\r\nHost: a\r\n` +
	`Content-Length: ${SIZE}\r\n${extra}\r\n`;

// Sends all it can, and reads only then.
async function stubborn(t, h, path, extra) {
	const c = await connect(t, h.port);

	c.socket.pause();
	await c.send(head(path, extra));
	for (let sent = 0; sent < SIZE && !c.error; sent += part.length)
		await c.send(part.subarray(0,
		    Math.min(part.length, SIZE - sent)));
	c.socket.resume();
	const r = await c.next();

	return { c, r };
}

const empty = `
	plugin "x" { module = "http_respond.so" body = "x" }
	route "/here" { plugin = "x" }`;

test('413, and a body of 20 MB on its way', async (t) => {
	const h = await serveShow(t, `max_body = 1k  ${PATIENT}`);
	const { c, r } = await stubborn(t, h, '/');

	assert.equal(r.status, 413);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined, 'a FIN, not a reset');
});

test('404 and 405, and a body of 20 MB on its way', async (t) => {
	const h = await serve(t, 'show_route', () => `${empty}
		http { ${PATIENT} }
		route "/get" { plugin = "x" methods = {"GET"} }`);

	for (const [path, status] of [['/nowhere', 404], ['/get', 405]]) {
		const { c, r } = await stubborn(t, h, path);

		assert.equal(r.status, status);
		c.finish();
		await c.end();
		assert.equal(c.error, undefined);
	}
});

test('a plugin that refuses before the body', async (t) => {
	const h = await serveShow(t, `max_body = 100m  ${PATIENT}`);
	const { c, r } = await stubborn(t, h, '/?status=403');

	assert.equal(r.status, 403);
	c.finish();
	await c.end();
	assert.equal(c.error, undefined);
});

test('a body nobody wanted is dropped, and the connection goes on',
    async (t) => {
	const h = await serveShow(t, `max_body = 100m  ${PATIENT}`);
	const { c, r } = await stubborn(t, h, '/?status=403');

	assert.equal(r.headers.connection, undefined);
	await c.send(get('/after'));
	assert.equal(JSON.parse((await c.next()).body).path, '/after');
});

test('Connection: close does not spare the lingering', async (t) => {
	const h = await serveShow(t, `max_body = 100m  ${PATIENT}`);
	const { c, r } = await stubborn(t, h, '/?status=403',
	    'Connection: close\r\n');

	assert.equal(r.status, 403);
	await c.end();
	assert.equal(c.error, undefined);
});

test('curl and node read the answer', async (t) => {
	const h = await serveShow(t, `max_body = 1k  ${PATIENT}`);
	const dir = tempDir(t);

	writeFiles(dir, { body: Buffer.alloc(SIZE) });
	const r = await command('curl', ['-sS', '--http1.1', '-H', 'Expect:',
		'-o', '/dev/null', '-w', '%{http_code}', '-T', `${dir}/body`,
		`${h.url}/x`]);

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout, '413');
	const status = await new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port: h.port,
			method: 'POST', agent: false,
			    headers: { 'content-length': SIZE } });

		req.on('response',
		    (res) => { res.resume(); resolve(res.statusCode); });
		req.on('error', reject);
		req.end(Buffer.alloc(SIZE));
	});

	assert.equal(status, 413);
});

test('it ends when the client closes, or after lingering_timeout',
    async (t) => {
	const h = await serveShow(t,
	    'max_body = 1k  lingering_timeout = 200ms');
	const idle = () => until(async () =>
	    (await h.status()).connections.active === 0, 'no connection');
	const c = await connect(t, h.port);

	await c.send(head('/') + 'some of it');
	assert.equal((await c.next()).status, 413);
	assert.equal(await c.end(), '');
	c.finish();
	await idle();
	const deaf = await connect(t, h.port);

	await deaf.send(head('/'));
	assert.equal((await deaf.next()).status, 413);
	await deaf.end();
	await idle();
	assert.equal((await ask(t, h.port, '/')).status, 200);
});

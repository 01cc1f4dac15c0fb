// SPDX-License-Identifier: BSD-2-Clause
// HEAD, OPTIONS *, request targets in absolute form, and methods.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const line = (l, ...more) => [l, 'Host: a', ...more, '', ''].join('\r\n');

test('HEAD: the head of GET, and nothing behind it', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const varying = ({ date, ...rest }) => rest;

	for (const path of ['/?length=12345', '/?stream=3&of=10',
	    '/?status=404']) {
		await c.send(get(path));
		const g = await c.next();

		await c.send(line(`HEAD ${path} HTTP/1.1`));
		const r = await c.next({ head: true });

		assert.equal(r.status, g.status);
		assert.deepEqual(varying(r.headers), varying(g.headers));
	}
	// A body would be taken for the head of this answer.
	await c.send(get('/last'));
	assert.equal(JSON.parse((await c.next()).body).path, '/last');
	assert.equal(c.unread, '');
});

test('HEAD is seen by the plugin as HEAD', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(line('HEAD /x HTTP/1.1'));
	const r = await c.next({ head: true });

	assert.equal(r.status, 200);
	assert.ok(Number(r.headers['content-length'][0]) > 0);
	await c.send(get('/y'));
	assert.equal(JSON.parse((await c.next()).body).method, 'GET');
});

test('HEAD over HTTP/1.0 keeps the connection if asked to', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send('HEAD /?stream=3&of=10 HTTP/1.0\r\n' +
	    'Connection: keep-alive\r\n\r\n');
	const r = await c.next({ head: true });

	assert.equal(r.headers['transfer-encoding'], undefined);
	assert.deepEqual(r.headers.connection, ['keep-alive']);
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
});

test('curl -I', async (t) => {
	const h = await serveShow(t);
	const r = await command('curl', ['-sSI', `${h.url}/?length=77`]);

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /^HTTP\/1\.1 200 OK\r\n/);
	assert.match(r.stdout, /\r\nContent-Length: 77\r\n/);
});

test('OPTIONS * is the host\'s to answer', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(line('OPTIONS * HTTP/1.1'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers['content-length'], ['0']);
	for (const m of ['GET', 'HEAD', 'POST', 'OPTIONS'])
		assert.ok(r.headers.allow[0].split(', ').includes(m), m);
	await c.send(line('OPTIONS /x HTTP/1.1'));
	const own = JSON.parse((await c.next()).body);

	assert.equal(own.method, 'OPTIONS');
	assert.equal(own.path, '/x');
});

test('absolute form: its authority counts, not Host', async (t) => {
	const h = await serveShow(t, '', `
		plugin "b" { module = "http_respond.so" body = "for b" }
		route "/" { plugin = "b"  host = { "b.example" } }`);
	const c = await connect(t, h.port);
	const ask = async (target, ...more) => {
		await c.send(line(`GET ${target} HTTP/1.1`, ...more));
		return c.next();
	};
	let r = JSON.parse((await ask('http://A.Example:8080/x/y?q=1')).body);

	assert.equal(r.host, 'a.example');
	assert.equal(r.path, '/x/y');
	assert.equal(r.query, 'q=1');
	assert.equal(r.target, 'http://A.Example:8080/x/y?q=1');
	assert.equal((await ask('http://b.example/x')).body, 'for b');
	assert.equal((await ask('HTTP://b.example/x')).body, 'for b',
	    'a scheme has no case');
	r = JSON.parse((await ask('http://c')).body);
	assert.equal(r.path, '/');
	assert.equal(r.host, 'c');
	r = JSON.parse((await ask('http://c?q')).body);
	assert.equal(r.path, '/');
	assert.equal(r.query, 'q');
	r = JSON.parse((await ask('http://[::1]:80/v6')).body);
	assert.equal(r.path, '/v6');
	// RFC 9112 section 3.2: Host is required all the same.
	await c.send('GET http://c/ HTTP/1.1\r\n\r\n');
	assert.equal((await c.next()).status, 400);
});

test('OPTIONS of an absolute form without a path is OPTIONS *', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(line('OPTIONS http://a HTTP/1.1'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.ok(r.headers.allow, 'RFC 9110 section 4.2.3');
});

test('a Host with a port, in capitals, or an address', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const [value, want] of [['WWW.Example:8080', 'www.example'],
		['a:', 'a'], ['127.0.0.1:80', '127.0.0.1'],
		['[2001:DB8::1]:80', '[2001:db8::1]'], ['a.', 'a.']]) {
		await c.send(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`);
		const r = await c.next();

		assert.equal(r.status, 200, value);
		assert.equal(JSON.parse(r.body).host, want);
	}
});

test('methods reach the plugin by name', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const m of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS',
		'PROPFIND', 'REPORT', 'PURGE']) {
		await c.send(line(`${m} /m HTTP/1.1`));
		const r = await c.next();

		assert.equal(r.status, 200, m);
		assert.equal(JSON.parse(r.body).method, m);
	}
});

test('a body with any method', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const m of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
		await c.send(line(`${m} /m HTTP/1.1`, 'Content-Length: 4') +
		    'data');
		assert.equal(JSON.parse((await c.next()).body).body, 'data', m);
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// "100 Continue" is said when somebody wants the body, and only then.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { command, tempDir, writeFiles } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const expecting = (path, length, ...more) =>
	[`POST ${path} HTTP/1.1`, 'Host: a', 'Expect: 100-continue',
		`Content-Length: ${length}`, ...more, '', ''].join('\r\n');

test('the body is asked for, then answered', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const expect of ['100-continue', '100-Continue']) {
		await c.send('POST / HTTP/1.1\r\nHost: a\r\n' +
		    `Expect: ${expect}\r\nContent-Length: 5\r\n\r\n`);
		const go = await c.next();

		assert.equal(go.status, 100);
		assert.deepEqual(go.headers, {});
		await c.send('hello');
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(JSON.parse(r.body).body, 'hello');
	}
});

test('a chunked body is asked for, too', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n');
	assert.equal((await c.next()).status, 100);
	await c.send('5\r\nhello\r\n0\r\n\r\n');
	assert.equal(JSON.parse((await c.next()).body).body, 'hello');
});

test('a plugin that refuses: its answer and no 100', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(expecting('/?status=403', 5));
	const r = await c.next();

	assert.equal(r.status, 403);
	// Whether the body comes after all can't be known.
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
});

test('no route, or too large: the answer and no 100', async (t) => {
	const h = await serveShow(t, 'max_body = 100', `
		plugin "gone" { module = "http_respond.so" body = "x" }
		route "/only-get" { plugin = "gone"  methods = { "GET" } }`);

	for (const [bytes, status] of [[expecting('/', 101), 413],
		[expecting('/only-get', 5), 405]]) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		const r = await c.next();

		assert.equal(r.status, status);
		assert.deepEqual(r.headers.connection, ['close']);
		assert.equal(await c.end(), '');
	}
});

test('nothing to ask for: no body, or HTTP/1.0', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(get('/', 'Expect: 100-continue'));
	assert.equal((await c.next()).status, 200);
	await c.send(expecting('/', 0));
	assert.equal((await c.next()).status, 200);
	await c.send('POST / HTTP/1.0\r\nExpect: 100-continue\r\n' +
	    'Content-Length: 5\r\n\r\nhello');
	const r = await c.next();

	assert.equal(r.status, 200, 'RFC 9110: ignored in HTTP/1.0');
	assert.equal(JSON.parse(r.body).body, 'hello');
});

test('a body that is already here is taken', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	await c.send(expecting('/', 5) + 'hello' + get('/after'));
	let r = await c.next();

	if (r.status === 100)		// may be left out, need not be
		r = await c.next();
	assert.equal(JSON.parse(r.body).body, 'hello');
	assert.equal(JSON.parse((await c.next()).body).path, '/after');
});

test('node waits for it', async (t) => {
	const h = await serveShow(t);
	const got = await new Promise((resolve, reject) => {
		const seen = [];
		const req = http.request({ host: '127.0.0.1', port: h.port,
			method: 'PUT', path: '/n', agent: false,
			    headers: { expect: '100-continue',
				'content-length': 3 } });

		req.on('continue', () => { seen.push(100); req.end('abc'); });
		req.on('response', (res) => {
			seen.push(res.statusCode);
			res.setEncoding('utf8').on('data', (d) => seen.push(d));
			res.on('end', () => resolve(seen));
		});
		req.on('error', reject);
		req.flushHeaders();
	});

	assert.deepEqual(got.slice(0, 2), [100, 200]);
	assert.equal(JSON.parse(got.slice(2).join('')).body, 'abc');
});

test('curl waits for it, and heeds a refusal', async (t) => {
	const h = await serveShow(t, 'max_body = 10m');
	const dir = tempDir(t);

	writeFiles(dir, { body: 'x'.repeat(2_000_000) });
	const curl = (path) => command('curl', ['-sv', '--http1.1',
		'--expect100-timeout', '3600', '-H', 'Expect: 100-continue',
		'-o', `${dir}/out`, '-w', '%{http_code} %{size_upload}',
		'-T', `${dir}/body`, `${h.url}${path}`]);
	const ok = await curl('/x');

	assert.equal(ok.code, 0, ok.stderr);
	assert.equal(ok.stdout, '200 2000000');
	assert.match(ok.stderr, /< HTTP\/1\.1 100 Continue/);
	const no = await curl('/x?status=403');

	assert.equal(no.code, 0, no.stderr);
	assert.equal(no.stdout, '403 0', 'the body was never sent');
	assert.doesNotMatch(no.stderr, /100 Continue/);
});

// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: servers that refuse, hang, or say something odd.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { reply, serveProxy, startBackend } from './lib/proxied.mjs';
import { freePort, until } from './lib/hostd.mjs';
import { connect, get } from './lib/http1.mjs';

async function answer(t, h, path = '/a') {
	const c = await connect(t, h.port);

	await c.send(get(path));
	return c.next();
}

test('a server that refuses: 502 with the request\'s id', async (t) => {
	const h = await serveProxy(t, [await freePort()]);
	const r = await answer(t, h);
	const [id] = r.headers['x-request-id'];

	assert.equal(r.status, 502);
	assert.ok(r.body.includes(id), r.body);
	await h.logged(new RegExp(`answered 502: .*GET /a, request ${id}`));
});

test('all servers are down: 503 at once, with Retry-After', async (t) => {
	const h = await serveProxy(t, [await freePort(), await freePort()],
	    'retry_after = 7s', { group: 'fail_timeout = 1h' });

	assert.equal((await answer(t, h)).status, 502);
	const r = await answer(t, h);

	assert.equal(r.status, 503);
	assert.deepEqual(r.headers['retry-after'], ['7']);
	assert.ok(r.body.includes(r.headers['x-request-id'][0]));
});

test('a server that says nothing: 504', async (t) => {
	const b = await startBackend(t, () => null);
	const h = await serveProxy(t, [b], 'read_timeout = 50ms');
	const r = await answer(t, h);

	assert.equal(r.status, 504);
	assert.ok(r.body.includes(r.headers['x-request-id'][0]));
});

test('after its own time, whatever the time of a plugin is', async (t) => {
	const b = await startBackend(t, () => null);
	const h = await serveProxy(t, [b], 'read_timeout = 400ms', {
		http: 'defer_timeout = 20ms' });

	assert.equal((await answer(t, h)).status, 504);
	await h.logged('no answer comes for 400 ms');
	assert.doesNotMatch(h.log, /defer_timeout/);
});

test('what is not HTTP, or can be read in two ways: 502', async (t) => {
	let bytes;
	const b = await startBackend(t, () => bytes);
	const h = await serveProxy(t, [b], '',
	    { group: 'max_fails = 0' });

	for (bytes of ['hello\r\n\r\n', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
		'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
		'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n' +
		'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
		`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200000)}\r\n\r\n`,
		'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'])
		assert.equal((await answer(t, h)).status, 502,
		    bytes.slice(0, 60));
});

for (const [name, bytes] of [
	['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'],
	['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '5\r\nhello\r\n'],
	['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '5\r\nhello\r\nxyz\r\n']])
	for (const keys of ['', 'buffering = on',
		'gzip = on  gzip_types = {"*"}  gzip_min_length = 0'])
		test(`an answer that is cut short is so for the client: ${name} ${keys}`,
		    async (t) => {
			const b = await startBackend(t, (q) => {
				q.socket.end(bytes.replace('OK\r\n',
				    'OK\r\nContent-Type: text/plain\r\n'));
				return null;
			});
			const h = await serveProxy(t, [b], keys);
			const c = await connect(t, h.port);

			await c.send(get('/a', 'Accept-Encoding: gzip'));
			const text = await c.end();

			assert.match(text, /^HTTP\/1\.1 200 /);
			assert.ok(!text.endsWith('0\r\n\r\n'), text);
			await h.logged('cut short');
		});

test('so for a client of HTTP/1.0, whom only the end tells', async (t) => {
	const b = await startBackend(t, (q) => {
		q.socket.write('HTTP/1.1 200 OK\r\n' +
		    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
		return null;
	});
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send('GET /a HTTP/1.0\r\n\r\n');
	while (!c.unread.endsWith('hello'))
		await c.bytes(c.unread.length + 1);
	b.requests[0].socket.destroy();
	await c.end();
	assert.equal(c.error, 'ECONNRESET');
});

test('errors of servers are theirs, or get the operator\'s page', async (t) => {
	const b = await startBackend(t, (q) => q.target === '/auth' ?
		reply(401, 'theirs', 'WWW-Authenticate: Basic realm="x"') :
		reply(404, 'theirs'));
	let h = await serveProxy(t, [b]);

	assert.equal((await answer(t, h)).body, 'theirs');
	h = await serveProxy(t, [b], 'intercept_errors = on');
	let r = await answer(t, h);

	assert.equal(r.status, 404);
	assert.match(r.body, /<h1>404 Not Found<\/h1>/);
	r = await answer(t, h, '/auth');
	assert.deepEqual(r.headers['www-authenticate'], ['Basic realm="x"']);
	// The connection is of use again.
	assert.equal(b.connections, 2);
});

// Lines of dir/access.log, once there are n.
function lines(h, n) {
	const file = path.join(h.dir, 'access.log');

	return until(() => {
		const all = fs.existsSync(file) ?
		    fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

		return all.length >= n && all;
	}, `${n} lines in the access log`);
}

for (const [status, answers, keys] of [
	[502, () => 'nonsense\r\n\r\n', ''],
	[503, null, ''],
	[504, () => null, 'read_timeout = 50ms'],
	[404, () => reply(404, 'theirs'), 'intercept_errors = on']])
	for (const page of [true, false])
		test(`one id in all places: ${status}${page ?
			', with a page of the operator\'s' : ''}`,
			    async (t) => {
			const all = answers === null ?
				[await freePort(), await freePort()] :
				[await startBackend(t, answers)];
			const h = await serveProxy(t, all, keys, { conf: `
				${page ? `error_page "${status}" {
					file = "@DIR@/page" }` : ''}
				access_log "a" { path = "access.log"
					format = "$status $request_id" }`,
			group: 'fail_timeout = 1h',
			options: { files: { page:
				'<b>$request_id</b>, again: $request_id.' } } });

			if (status === 503)
				await answer(t, h);
			const from = h.log.length;
			const r = await answer(t, h);
			const [id] = r.headers['x-request-id'];

			assert.equal(r.status, status);
			if (page)
				assert.equal(r.body,
				    `<b>${id}</b>, again: ${id}.`);
			else
				assert.ok(
				    r.body.includes(`<p>Request ${id}</p>`));
			assert.equal(
			    (await lines(h, status === 503 ? 2 : 1)).at(-1),
			    `${status} ${id}`);
			if (status !== 404)
				await h.logged(
				    new RegExp(`answered ${status}: ` +
				    `.*request ${id}\\)`), from);
		});

test('a page where there is no id', async (t) => {
	const h = await serveProxy(t, [await freePort()], 'request_id = off', {
		conf: 'error_page "502" { file = "@DIR@/page" }',
		options: { files: { page: 'id $request_id' } } });

	assert.equal((await answer(t, h)).body, 'id -');
});

test('the access log tells which servers were asked', async (t) => {
	const dead = await freePort();
	const b = await startBackend(t, () => reply(200, 'ok'));
	const h = await serveProxy(t, [dead, b], '', { conf: `access_log "a" {
		path = "access.log"
		format = "$upstream_addr|$upstream_status|$upstream_connect_time|$upstream_header_time|$upstream_response_time"
	}` });

	assert.equal((await answer(t, h)).body, 'ok');
	assert.equal((await answer(t, h)).body, 'ok');
	const text = (await lines(h, 2)).join('\n');
	const number = String.raw`\d+\.\d{3}`;

	assert.match(text, new RegExp(
	    `^127.0.0.1:${dead}, 127.0.0.1:${b.port}` +
	    String.raw`\|502, 200\|-, ${number}\|-, ${number}\|${number}, ` +
	    `${number}$`, 'm'));
});

test('and that there was none', async (t) => {
	const h = await serveProxy(t, [], '', {
	    group: 'server "127.0.0.1:1" { down = on }', conf: `access_log "a" {
		path = "access.log"
		format = "$upstream_addr|$upstream_status|$status"
	}` });

	assert.equal((await answer(t, h)).status, 503);
	assert.deepEqual(await lines(h, 1), ['app|503|503']);
});

test('a client that leaves takes its server\'s work with it', async (t) => {
	let asked;
	const there = new Promise((resolve) => { asked = resolve; });
	const b = await startBackend(t, (q) => { asked(q); return null; });
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(get('/a'));
	const q = await there;
	const gone = new Promise((resolve) => q.socket.once('end', resolve));

	c.destroy();
	await gone;
});

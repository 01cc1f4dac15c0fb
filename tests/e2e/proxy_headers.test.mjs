// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: what servers and clients are told in headers, and what not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { startHostd } from './lib/hostd.mjs';
import { reply, serveProxy, startBackend, tell } from './lib/proxied.mjs';
import { Client, connect, get } from './lib/http1.mjs';

// What the server got of a request with these header lines.
async function sent(t, keys, lines, path = '/a', options = {}) {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b], keys, options);
	const c = await connect(t, h.port);

	await c.send(get(path, ...lines));
	return { ...JSON.parse((await c.next()).body), port: b.port, h };
}

// What the client gets of an answer with these header lines.
async function got(t, keys, lines, options = {}) {
	const b = await startBackend(t, () => reply(200, 'ok', ...lines));
	const h = await serveProxy(t, [b], keys, options);
	const c = await connect(t, h.port);

	await c.send(get('/a'));
	const r = await c.next();

	assert.equal(r.status, 200);
	return { ...r.headers, port: b.port };
}

test('hop-by-hop headers of requests end here', async (t) => {
	const { headers } = await sent(t, '',
	    ['Connection: close, X-Mine, Cookie',
		'X-Mine: 1', 'Cookie: a=b', 'Keep-Alive: timeout=5',
		    'TE: trailers',
		'Proxy-Connection: keep-alive',
		    'Proxy-Authorization: Basic eA==',
		'Upgrade: websocket', 'Accept: */*', 'X-Two: 1', 'X-Two: 2']);

	for (const name of ['x-mine', 'cookie', 'keep-alive', 'te',
	    'connection',
		'proxy-connection', 'proxy-authorization', 'upgrade'])
		assert.equal(headers[name], undefined, name);
	assert.deepEqual(headers.accept, ['*/*']);
	assert.deepEqual(headers['x-two'], ['1', '2']);
});

test('hop-by-hop headers of answers end here', async (t) => {
	const headers = await got(t, '', ['Connection: X-Mine', 'X-Mine: 1',
		'Keep-Alive: timeout=5', 'Proxy-Authenticate: Basic',
		    'Server: x',
		'X-Two: 1', 'X-Two: 2', 'Set-Cookie: a=1', 'Set-Cookie: b=2']);

	for (const name of ['x-mine', 'keep-alive', 'proxy-authenticate'])
		assert.equal(headers[name], undefined, name);
	assert.deepEqual(headers.server, ['hostd']);
	assert.deepEqual(headers['x-two'], ['1', '2']);
	assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
});

test('servers learn who asks, for what', async (t) => {
	const { headers } = await sent(t, '', ['X-Forwarded-For: 192.0.2.1',
		'X-Forwarded-For: 192.0.2.2', 'X-Forwarded-Proto: https',
		'X-Forwarded-Host: evil', 'X-Real-IP: 192.0.2.3',
		'Forwarded: for=192.0.2.4']);

	assert.deepEqual(headers.host, ['a']);
	assert.deepEqual(headers['x-forwarded-for'],
	    ['192.0.2.1, 192.0.2.2, 127.0.0.1']);
	assert.deepEqual(headers['x-forwarded-proto'], ['http']);
	assert.deepEqual(headers['x-forwarded-host'], ['a']);
	assert.deepEqual(headers['x-real-ip'], ['127.0.0.1']);
	assert.equal(headers.forwarded, undefined);
});

test('or what came, or nothing', async (t) => {
	const came = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https',
		'Forwarded: for=192.0.2.4'];
	let { headers } = await sent(t, `x_forwarded_for = set
		x_forwarded_proto = keep  x_forwarded_host = keep
		x_real_ip = off  forwarded = append`, came);

	assert.deepEqual(headers['x-forwarded-for'], ['127.0.0.1']);
	assert.deepEqual(headers['x-forwarded-proto'], ['https']);
	assert.deepEqual(headers['x-forwarded-host'], ['a']);
	assert.equal(headers['x-real-ip'], undefined);
	assert.deepEqual(headers.forwarded,
	    ['for=192.0.2.4, for=127.0.0.1;host="a";proto=http']);
	({ headers } = await sent(t, `x_forwarded_for = off
		x_forwarded_proto = off  forwarded = set`, came));
	assert.equal(headers['x-forwarded-for'], undefined);
	assert.equal(headers['x-forwarded-proto'], undefined);
	assert.deepEqual(headers.forwarded,
	    ['for=127.0.0.1;host="a";proto=http']);
});

test('a trusted proxy\'s client is who asks', async (t) => {
	const { headers } = await sent(t,
	    'forwarded = set  x_forwarded_for = set',
	    ['X-Forwarded-For: 2001:db8::7'], '/a',
	    { http: 'real_ip_from = {"127.0.0.0/8"}' });

	assert.deepEqual(headers['x-real-ip'], ['2001:db8::7']);
	assert.deepEqual(headers['x-forwarded-for'], ['2001:db8::7']);
	assert.deepEqual(headers.forwarded,
	    ['for="[2001:db8::7]";host="a";proto=http']);
});

test('the host that servers see', async (t) => {
	assert.deepEqual((await sent(t, 'host = "$host"', [])).headers.host,
	    ['a']);
	assert.deepEqual((await sent(t, 'host = "app.test:81"',
	    [])).headers.host, ['app.test:81']);
	const own = await sent(t, 'host = "$proxy_host"', []);

	assert.deepEqual(own.headers.host, ['app']);
	// The target's authority wins over Host.
	const whole = await sent(t, '', [], 'http://b.test:8080/a?x');

	assert.deepEqual(whole.headers.host, ['b.test:8080']);
	assert.deepEqual(whole.headers['x-forwarded-host'], ['b.test:8080']);
	assert.equal(whole.target, '/a?x');
});

test('names with underscores are no second way in', async (t) => {
	const lines = ['X_Forwarded_For: 192.0.2.1', 'X_Other: 1'];

	assert.equal((await sent(t, '', lines)).headers.x_forwarded_for,
	    undefined);
	assert.deepEqual((await sent(t, 'underscores = on', lines))
	    .headers.x_other, ['1']);
});

test('headers for servers are set and removed', async (t) => {
	const { headers } = await sent(t, `
		set_header = {"X-Who: $remote_addr as $http_user_agent",
		    "Accept-Encoding: ", "X-Uri: $uri?$args of $host, $scheme",
		    "X-Cookie: $cookie_sid $arg_b", "X-Price: $$5",
		    "Host: set.test"}
		remove_header = {"X-Secret"}`,
	['User-Agent: me', 'Accept-Encoding: br', 'X-Secret: 1', 'X-Who: evil',
		'Cookie: a=1; sid=42'], '/p%0d%0aq?a=1&b=2');

	assert.deepEqual(headers['x-who'], ['127.0.0.1 as me']);
	assert.equal(headers['accept-encoding'], undefined);
	assert.equal(headers['x-secret'], undefined);
	// Bytes that no header may have stay escaped.
	assert.deepEqual(headers['x-uri'],
	    ['/p%0D%0Aq?a=1&b=2 of a, http']);
	assert.deepEqual(headers['x-cookie'], ['42 2']);
	assert.deepEqual(headers['x-price'], ['$5']);
	assert.deepEqual(headers.host, ['set.test']);
});

test('headers for clients are added and hidden', async (t) => {
	const headers = await got(t, `
		add_header = {"X-From: $upstream_addr $upstream_status",
		    "X-Was: $upstream_http_x_inner", "X-Frame-Options: DENY"}
		hide_header = {"X-Powered-By", "X-Inner"}`,
	['X-Powered-By: Express', 'X-Inner: in']);

	assert.deepEqual(headers['x-from'], [`127.0.0.1:${headers.port} 200`]);
	assert.deepEqual(headers['x-was'], ['in']);
	assert.deepEqual(headers['x-frame-options'], ['DENY']);
	assert.equal(headers['x-powered-by'], undefined);
	assert.equal(headers['x-inner'], undefined);
});

test('each request has an id', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b],
	    'set_header = {"X-Id: $request_id"}');
	const c = await connect(t, h.port);
	const ids = new Set();

	for (let i = 0; i < 3; i++) {
		await c.send(get('/a'));
		const r = await c.next();
		const [id] = r.headers['x-request-id'];
		const { headers } = JSON.parse(r.body);

		assert.match(id, /^[0-9a-f]{32}$/);
		assert.deepEqual(headers['x-request-id'], [id]);
		assert.deepEqual(headers['x-id'], [id]);
		ids.add(id);
	}
	assert.equal(ids.size, 3);
	await c.send(get('/a', 'X-Request-ID: mine-1'));
	assert.deepEqual((await c.next()).headers['x-request-id'], ['mine-1']);
	await c.send(get('/a', 'X-Request-ID: <script>'));
	assert.match((await c.next()).headers['x-request-id'][0],
	    /^[0-9a-f]{32}$/);
});

test('mistakes in rules are told', async (t) => {
	const b = await startBackend(t, tell);

	for (const [keys, what] of [
		['set_header = {"X: $nothing"}', 'no variable "$nothing"'],
		['set_header = {"X"}', 'is not "Name: value"'],
		['set_header = {"Connection: close"}', 'the host\'s to set'],
		['add_header = {"X Y: 1"}', 'not a header\'s name'],
		['next_upstream = {"http_418"}', 'there is no "http_418"'],
		['next_upstream = {"off", "error"}', 'stands alone'],
		['rewrite = "new"', 'is not a path'],
		['cookie_path = {"/a"}', 'is not "FROM TO"'],
		['host = "a b"', 'is not a name']])
		await assert.rejects(serveProxy(t, [b], keys), (e) =>
			e.message.includes(what) || assert.fail(e.message));
});

test('trailers do not say what headers may not', async (t) => {
	const backend = await recorder(t, () => plain('ok'));
	const h = await startHostd(t, { conf: upstreamConf(backend, '',
	    'set_header = {"X-User: nobody"}  remove_header = {"X-Admin"}') });
	const c = await Client.connect(h.port);

	await c.send('POST /a HTTP/1.1\r\nHost: a\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-User: root\r\n' +
	    'X-Admin: 1\r\nX_User: root\r\nX-Request-ID: r\r\nX-Sum: 5\r\n\r\n');
	assert.equal((await c.next()).status, 200);
	assert.deepEqual(Object.keys(backend.requests[0].trailers), ['x-sum']);
	assert.deepEqual(backend.requests[0].headers['x-user'], ['nobody']);
	c.destroy();
});

test('nor do they show clients what is hidden', async (t) => {
	const backend = await recorder(t, () => 'HTTP/1.1 200 OK\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Secret: 1\r\n' +
	    'X-Sum: 5\r\n\r\n');
	const h = await startHostd(t, { conf: upstreamConf(backend, '',
	    'hide_header = {"X-Secret"}') });
	const c = await Client.connect(h.port);

	await c.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
	assert.deepEqual((await c.next()).trailers, ['X-Sum: 5']);
	c.destroy();
});

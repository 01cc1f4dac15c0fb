// SPDX-License-Identifier: BSD-2-Clause
// Routes that nobody comes to without a session: 401, or the way to the login.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, prepareHostd, raw, sbin, statusOf, until } from
    './lib/hostd.mjs';
import { ask, calls, cookieOf, get, order, serveSessions, set, Visitor, words }
    from './lib/session.mjs';
import { handshake } from './lib/websocket.mjs';

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

// "/s" gives sessions, "/in" and below "/in/" need one.
const serve = (t, { keys = '', conf = '', ...more } = {}) =>
	serveSessions(t, { keys, conf: `
		route "/in" { plugin = "s"  session = required }
		route "/in/" { plugin = "s"  session = required }
		${conf}`, ...more });

const enters = async (v, target = '/in?pid', options = {}) =>
	(await v.ask(target, options)).status;

test('401', async (t) => {
	const h = await serve(t);
	const v = new Visitor(h);

	for (const headers of [{}, html, { cookie: 'connect.sid=x' },
		{ cookie: cookieOf('unknown') },
		{ cookie: cookieOf('unknown', 'another') }])
		for (const method of ['GET', 'POST', 'HEAD', 'PURGE']) {
			const r = await ask(h, '/in?pid', { headers, method });

			assert.equal(r.status, 401);
			assert.deepEqual([r.setCookie, r.headers.location],
			    [[], undefined]);
			assert.doesNotMatch(r.text, /OK/);
		}
	assert.ok(words(h).every((w) => w === 'get'));
	await v.do(set('a', 1));
	assert.equal(await enters(v), 200);
	assert.equal(await enters(v, '/in/deep/er?get=a'), 200);
	assert.equal(await v.get(get('a')), 1);
	// It was asked for once, for the gate and for the plugin.
	calls(h);
	assert.equal((await v.ask('/in?get=a')).text, '[["OK",1]]');
	assert.deepEqual(words(h), ['get', 'touch']);
	await v.do('destroy');
	assert.equal(await enters(v), 401);
});

test('one that was only read for the gate lives longer', async (t) => {
	const h = await serve(t, { keys: 'rolling = on' });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	calls(h);
	const r = await v.ask('/in');

	assert.equal(r.cookies.length, 1);
	assert.deepEqual(calls(h), [`get ${v.id}`, `touch ${v.id} 86400000`]);
});

test('the way to the login', async (t) => {
	const h = await serve(t, { keys: 'login = "/s?do=login"', conf:
		'route "/s/" { plugin = "s"  session = required }' });

	for (const [method, headers, status] of [
		['GET', html, 303], ['HEAD', html, 303],
		['GET', { accept: 'text/html' }, 303],
		['GET', { accept: 'application/json, text/html;q=0.1' }, 303],
		['GET', {}, 401], ['GET', { accept: '*/*' }, 401],
		['GET', { accept: 'application/json' }, 401],
		['POST', html, 401], ['PUT', html, 401], ['DELETE', html, 401],
		['OPTIONS', html, 401]]) {
		const r = await ask(h, '/in?pid', { method, headers });

		assert.equal(r.status, status, `${method} ${headers.accept}`);
		assert.equal(r.headers.location, status === 303 ?
		    '/s?do=login' : undefined);
		assert.deepEqual(r.setCookie, []);
		assert.doesNotMatch(r.text, /OK/);
	}
	// The rest of a request that was refused is not another one.
	const { text } = await raw(h.port, 'POST /in HTTP/1.1\r\nHost: a\r\n' +
	    'Content-Length: 5\r\n\r\n01234GET /s?pid HTTP/1.1\r\nHost: a\r\n' +
	    'Connection: close\r\n\r\n');

	assert.equal(statusOf(text), 401);
	assert.equal(text.match(/^HTTP\/1/gm).length, 2);
	assert.match(text, /\[\["OK",\d+\]\]$/);
});

test('the login itself is open', async (t) => {
	const h = await serveSessions(t, { keys: 'login = "/s/in?next=/"',
		conf: 'route "/s/" { plugin = "s"  session = required }' });
	const v = new Visitor(h, { path: '/s/in' });

	assert.equal((await ask(h, '/s/in?pid', { headers: html })).status,
	    200);
	assert.equal((await ask(h, '/s/in?pid', { method: 'POST' })).status,
	    200);
	// What only looks like it is not.
	for (const target of ['/s/in/', '/s/inn', '/s/i', '/s/', '/s/in%2f',
		'/s/IN', '/s/in/../x'])
		assert.equal((await ask(h, `${target}?pid`)).status, 401,
		    target);
	for (const target of ['/s/x/../in', '/s/%69n', '/s/./in', '/s//in'])
		assert.equal((await ask(h, `${target}?pid`)).status, 200,
		    target);
	// In, and out.
	await v.do('regenerate', set('user', 'alice'));
	assert.equal(await enters(v, '/s/other?pid'), 200);
	await v.do('destroy');
	assert.equal(await enters(v, '/s/other?pid'), 401);
});

test('where to come back to', async (t) => {
	const h = await serve(t, { keys: 'login = "/s?next="' });
	const to = async (target) => (await ask(h, target,
	    { headers: html })).headers.location;

	assert.equal(await to('/in'), '/s?next=%2Fin');
	assert.equal(await to('/in/a?b=c&d=%20e'),
	    '/s?next=%2Fin%2Fa%3Fb%3Dc%26d%3D%2520e');
	// Nowhere else: the whole of what was asked for is a value.
	for (const target of ['/in//evil.example', '/in?x=//evil.example/',
		'/in/%0d%0aSet-Cookie:x=y', '/in?%0d%0a',
		'/in?\\evil', `/in?${'x'.repeat(6000)}`]) {
		const where = await to(target);

		assert.match(where, /^\/s\?next=%2Fin[A-Za-z0-9%._~!*'()-]*$/,
		    target);
		assert.equal(new URL(where, h.url).searchParams.get('next')
		    .startsWith('/in'), true);
	}
	// In absolute form there is another authority in it.
	const { text } = await raw(h.port,
	    'GET http://evil.example/in HTTP/1.1' +
	    '\r\nHost: evil.example\r\nAccept: text/html\r\n' +
	    'Connection: close\r\n\r\n');

	assert.equal(statusOf(text), 303);
	assert.match(text, /^Location: \/s\?next=\r$/m);
});

test('elsewhere', async (t) => {
	const h = await serve(t, { keys:
		'login = "https://login.example/?for=us"' });
	const r = await ask(h, '/in', { headers: html });

	assert.deepEqual([r.status, r.headers.location],
	    [303, 'https://login.example/?for=us']);
	assert.equal((await ask(h, '/?for=us')).status, 404);
});

test('required_key', async (t) => {
	const h = await serve(t, { keys: 'required_key = "user"' });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	// A session, but nobody in it.
	for (const steps of [[get('a')], ['set=user:null'], ['set=user:false'],
		['set=User:1'], ['set=user:%20null%20'], ['del=user'],
		['set=userx:1']]) {
		await v.do(...steps);
		assert.equal(await enters(v), 401, steps.join());
	}
	for (const value of [1, 'alice', true, {}, [], '', 0, 'null',
	    'false']) {
		await v.do(set('user', value));
		assert.equal(await enters(v), 200, JSON.stringify(value));
	}
	await v.do('regenerate', 'del=user');
	assert.equal(await enters(v), 401);
	// Who was refused has lost nothing.
	assert.equal(await v.get(get('a')), 1);
	// One key of several that are written in the same way.
	await v.do('set=us%22er:1', set('x', { user: 1 }));
	assert.equal(await enters(v), 401);
});

test('WebSockets', async (t) => {
	const h = await serve(t, { keys: 'login = "/s"' });
	const v = new Visitor(h);
	const upgrade = async (headers = {}) => {
		const { text } = await raw(h.port, handshake('/in?get=a',
		    { headers }), { until: /\r\n\r\n/ });

		return text;
	};

	await v.do(set('a', 1));
	for (const headers of [{}, { Cookie: 'connect.sid=x' },
		{ Cookie: cookieOf('unknown') }])
		assert.equal(statusOf(await upgrade(headers)), 401);
	const cookie = `connect.sid=${v.cookies.get('connect.sid')}`;

	assert.equal(statusOf(await upgrade({ Cookie: cookie })), 101);
	await v.do('destroy');
	assert.equal(statusOf(await upgrade({ Cookie: cookie })), 401);
});

test('other routes and blocks', async (t) => {
	const h = await serve(t, { keys: 'path = "/s"', conf: `
		session "shop" { store = "kept"  name = "shop.sid"
			secret = "dog"  required_key = "cart" }
		route "/cart" { plugin = "s"  session = required
			sessions = "shop" }
		route "/shop" { plugin = "s"  sessions = "shop" }
		plugin "files" { module = "http_respond.so"  body = "page" }
		route "/page" { plugin = "files"  session = required
			sessions = "shop" }
		access_log "a" { path = "access.log"  format = "$status" }` });
	const v = new Visitor(h, { path: '/shop' });
	const main = new Visitor(h);

	await main.do(set('cart', 1));
	// The cookie is for "/s": elsewhere nobody has one.
	assert.equal(await enters(main), 401);
	assert.equal(await enters(main, '/cart?pid'), 401);
	await v.do(set('a', 1));
	assert.equal(await enters(v, '/cart?pid'), 401);
	await v.do(set('cart', [1]));
	assert.equal(await enters(v, '/cart?get=cart'), 200);
	assert.equal(await enters(v, '/in?pid'), 401);
	// Of a plugin that knows nothing of sessions.
	assert.equal(await enters(v, '/page'), 200);
	assert.equal(await enters(new Visitor(h), '/page'), 401);
	const log = path.join(h.dir, 'access.log');
	const lines = () => fs.readFileSync(log, 'utf8').split('\n')
	    .slice(0, -1);

	await until(() => lines().length === 10, 'the access log');
	assert.deepEqual(lines(), ['200', '401', '401', '200', '401', '200',
		'200', '401', '200', '401']);
});

test('a route of it without a block', async (t) => {
	const h = await prepareHostd(t, { conf: `
		plugin "yes" { module = "http_respond.so"  body = "yes" }
		route "/" { plugin = "yes"  session = required }` });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr, /hostd\.conf:\d+: .*session "main" \{ \}/);
});

test('many at once, while the store thinks', async (t) => {
	const h = await serve(t);
	const v = new Visitor(h);

	await v.do(set('a', 1));
	order(h, 'any 0 behind');
	const all = await Promise.all(Array.from({ length: 60 }, (_, i) => {
		const w = i % 3 === 0 ? new Visitor(h) : v.twin();

		return enters(w, i % 3 === 1 ? '/in?count=n' : '/in?get=a');
	}));

	assert.deepEqual(all, all.map((_, i) => i % 3 === 0 ? 401 : 200));
});

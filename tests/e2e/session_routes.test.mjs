// SPDX-License-Identifier: BSD-2-Clause
// Sessions wherever a request leads: another pool, the next route, a server
// behind us, and however it is asked for.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get as request, plugin, serve } from './lib/http1.mjs';
import { calls, get, serveSessions, set, Visitor, words } from
    './lib/session.mjs';
import { httpServer } from './lib/servers.mjs';

test('another pool', async (t) => {
	const h = await serveSessions(t, { lmdb: true, conf: `
		pool "web" { workers = 2 }
		pool "socket" { workers = 2 }
		route "/far" { plugin = "s"  pool = "socket" }
		route "/in" { plugin = "s"  pool = "socket"
			session = required }` });
	const near = new Visitor(h);
	const far = new Visitor(h, { path: '/far' });

	far.cookies = near.cookies;
	assert.equal((await near.ask('/in?pid')).status, 401);
	await near.do(set('a', 1));
	assert.equal((await near.ask('/in?pid')).status, 200);
	assert.equal(await far.get(get('a')), 1);
	await far.do('regenerate', set('b', 2));
	assert.deepEqual(await near.get('keys'), ['a', 'b']);
	assert.notEqual(await near.get('pid'), await far.get('pid'));
	await near.do('destroy');
	assert.equal(await far.get('new'), 1);
});

test('the next route', async (t) => {
	const h = await serveSessions(t, { conf: `
		plugin "yes" { module = "http_respond.so"  body = "yes" }
		session "shop" { store = "kept"  name = "shop.sid"
			secret = "dog" }
		route "/p/a" { plugin = "s" }
		route "/p/" { plugin = "yes" }
		route "/q/a" { plugin = "s" }
		route "/q/" { plugin = "yes"  session = required
			sessions = "shop" }
		route "/shop" { plugin = "s"  sessions = "shop" }` });
	const v = new Visitor(h, { path: '/p/a' });
	const r = await v.visit(set('a', 1), 'pass');

	// What was said before it was passed on is stored with the answer.
	assert.deepEqual([r.status, r.text.trim(), r.cookies.length],
	    [200, 'yes', 1]);
	assert.equal(await new Visitor(h, { headers: { cookie: `connect.sid=${
		v.cookies.get('connect.sid')}` } }).get(get('a')), 1);
	assert.equal((await v.visit(get('a'), 'pass')).text.trim(), 'yes');
	// One that needs another session.
	const q = v.twin();

	q.path = '/q/a';
	calls(h);
	assert.equal((await q.visit(set('a', 2), 'pass')).status, 401);
	const shop = new Visitor(h, { path: '/shop' });

	await shop.do(set('cart', 1));
	q.cookies.set('shop.sid', shop.cookies.get('shop.sid'));
	calls(h);
	assert.equal((await q.visit(set('a', 3), 'pass')).status, 200);
	assert.deepEqual(words(h).sort(), ['get', 'get', 'set', 'touch']);
});

test('a server behind us', async (t) => {
	const origin = await httpServer(t, (q, r) => {
		r.setHeader('Set-Cookie', 'its=own');
		r.end(JSON.stringify(q.headers));
	});
	const h = await serveSessions(t, { keys: 'rolling = on', conf: `
		upstream "app" { server "127.0.0.1:${origin.port}" { } }
		plugin "proxy" { module = "http_proxy.so" }
		route "/app/" { plugin = "proxy"  upstream = "app"
			session = required }` });
	const v = new Visitor(h);

	assert.equal((await v.ask('/app/')).status, 401);
	assert.equal(origin.asked(), 0);
	await v.do(set('a', 1));
	const r = await v.ask('/app/x');

	// It has the cookie, as the client has sent it; the client has both.
	assert.equal(JSON.parse(r.text).cookie,
	    `connect.sid=${r.setCookie.map((c) => /^connect\.sid=([^;]*)/
	    .exec(c)?.[1]).find(Boolean)}`);
	assert.deepEqual(r.setCookie.map((c) => c.split('=')[0]).sort(),
	    ['connect.sid', 'its']);
});

test('one behind the other in one connection', async (t) => {
	const so = await plugin('session_route');
	const store = await plugin('faulty_store');
	const h = await serve(t, 'session_route', () => `
		plugin "kept" { module = "${store}" }
		plugin "s" { module = "${so}" }
		session "main" { store = "kept"  secret = "x" }
		route "/s" { plugin = "s" }`);
	const c = await connect(t, h.port);
	const once = async (method, ...headers) => {
		await c.send(request('/s?count=n&id', ...headers)
		    .replace(/^GET/, method));
		return c.next({ head: method === 'HEAD' });
	};
	const first = await once('GET');
	const cookie = `Cookie: ${first.headers['set-cookie'][0].split(';')[0]}`;

	// Each by its own cookie, whoever was there before.
	for (let i = 2; i < 6; i++) {
		assert.match((await once('GET', cookie)).body,
		    new RegExp(`^\\[\\["OK",${i}\\]`));
		assert.match((await once('GET')).body, /^\[\["OK",1\]/);
	}
	// A HEAD does what a GET does.
	const head = await once('HEAD');

	assert.equal(head.body, '');
	assert.equal(head.headers['set-cookie'].length, 1);
	await once('HEAD', cookie);
	assert.match((await once('GET', cookie)).body, /^\[\["OK",7\]/);
	// All at once.
	await c.send(Array.from({ length: 20 }, () => request('/s?count=n',
	    cookie)).join(''));
	for (let i = 0; i < 20; i++)
		assert.equal((await c.next()).body, `[["OK",${8 + i}]]`);
});

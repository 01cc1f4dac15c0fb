// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: paths for servers, and their redirects and cookies for clients.
import assert from 'node:assert/strict';
import test from 'node:test';
import { reply, serveProxy, startBackend, tell } from './lib/proxied.mjs';
import { connect, get } from './lib/http1.mjs';

async function targets(t, keys, route, pairs) {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b], keys, { route });
	const c = await connect(t, h.port);

	for (const [path, want] of pairs) {
		await c.send(get(path));
		assert.equal(JSON.parse((await c.next()).body).target, want,
		    path);
	}
}

test('without a rewrite the target goes on as it was sent', (t) =>
	targets(t, '', '/', [
		['/a/b?c=d', '/a/b?c=d'], ['/a%2Fb%20c', '/a%2Fb%20c'],
		['/a/../b', '/a/../b'], ['//a', '//a'], ['/?', '/?'],
		['http://a?x=1', '/?x=1'], ['http://a', '/'],
		['http://a/b?c://d', '/b?c://d']]));

test('a rewrite replaces what the route has matched', (t) =>
	targets(t, 'rewrite = "/new/"', '/api/', [
		['/api/', '/new/'], ['/api/x', '/new/x'],
		['/api/x%2Fy%20z?q=%20', '/new/x%2Fy%20z?q=%20'],
		['/%61pi/x', '/new/x'], ['/api/?a', '/new/?a'],
		['/b/../api/x%20y', '/new/x%20y'],
		['/api/../api/./%e4', '/new/%E4'], ['//api//x', '/new/x']]));

test('or takes it away', (t) =>
	targets(t, 'rewrite = "/"', '/api/',
	    [['/api/', '/'], ['/api/x/y?z', '/x/y?z']]));

// The header that the client gets when the server sends value.
async function changed(t, keys, route, name, values) {
	let value;
	const b = await startBackend(t,
	    (q) => reply(302, '', ...value.map((v) =>
		`${name}: ${v.replaceAll('PORT', b.port).replaceAll('HOST',
		    q.headers.host[0])}`)));
	const h = await serveProxy(t, [b], keys, { route });
	const c = await connect(t, h.port);

	for (const [from, to] of values) {
		value = [from].flat();
		await c.send(get(`${route}x`));
		assert.deepEqual((await c.next()).headers[name.toLowerCase()],
		    [to].flat(), from);
	}
}

test('a server\'s own address is no place to be sent to', (t) =>
	changed(t, '', '/', 'Location', [
		['http://127.0.0.1:PORT/there?x', '/there?x'],
		['http://127.0.0.1:PORT?x', '/?x'],
		['http://127.0.0.1:PORT', '/'],
		['http://app/there', '/there'],
		['http://example.com/there', 'http://example.com/there'],
		['https://app/there', 'https://app/there']]));

test('what a rewrite has changed is changed back', (t) =>
	changed(t, 'rewrite = "/new/"', '/api/', 'Location', [
		['/new/there', '/api/there'], ['/old/there', '/old/there'],
		['http://127.0.0.1:PORT/new/x?y#z', '/api/x?y#z'],
		['http://HOST/new/x', 'http://a/api/x'],
		['there', 'there'], ['//other/new/x', '//other/new/x']]));

test('Refresh has a URL, too', (t) =>
	changed(t, 'rewrite = "/new/"', '/api/', 'Refresh', [
		['5; url=/new/there', '5; url=/api/there'],
		['0;URL=http://127.0.0.1:PORT/new/', '0;URL=/api/'],
		    ['5', '5']]));

test('redirects by hand, and as they are', async (t) => {
	await changed(t, `redirect = {"http://inner:81/ https://example.com/",
		"default"}`, '/', 'Location', [
		['http://inner:81/x', 'https://example.com/x'],
		['http://127.0.0.1:PORT/x', '/x']]);
	await changed(t, 'redirect = {"off"}  rewrite = "/new/"', '/api/',
	    'Location', [['/new/x', '/new/x']]);
});

test('cookies are of our paths and names', (t) =>
	changed(t, `cookie_path = {"/new/ /api/"}
		cookie_domain = {"inner.test example.com"}`, '/api/', 'Set-Cookie', [
		[['a=1; Path=/new/; HttpOnly',
		    'b=2;path=/new/x;Domain=.INNER.test'],
			['a=1; Path=/api/; HttpOnly',
				'b=2; path=/api/x; Domain=example.com']],
		['c=3; Path=/; Domain=other.test',
		    'c=3; Path=/; Domain=other.test']]));

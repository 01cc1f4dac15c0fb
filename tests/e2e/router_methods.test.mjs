// SPDX-License-Identifier: BSD-2-Clause
// Routes told apart by method, 405 with Allow, and 404.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, serve } from './lib/http1.mjs';

const conf = (so) => `
	plugin "read" { module = "${so}"  label = "read" }
	plugin "write" { module = "${so}"  label = "write" }
	plugin "any" { module = "${so}"  label = "any" }
	route "/doc" { plugin = "read"  methods = {"GET"} }
	route "/doc" { plugin = "write"  methods = {"PUT", "DELETE"} }
	route "/dav/" { plugin = "any"  methods = {"PROPFIND", "GET"} }
	route "/post" { plugin = "write"  methods = "POST" }
	route "/all/" { plugin = "any" }
	route "/all/get" { plugin = "read"  methods = {"GET"} }
	route "/u/:id" { plugin = "read"  methods = {"GET"} }`;

async function tryAll(t, cases) {
	const h = await serve(t, 'show_route', conf);
	const c = await connect(t, h.port);

	for (const [method, path, want, allow] of cases) {
		await c.send(`${method} ${path} HTTP/1.1\r\nHost: a\r\n` +
		    'Content-Length: 2\r\n\r\nhi');
		const r = await c.next({ head: method === 'HEAD' });
		const name = `${method} ${path}`;

		if (typeof want === 'number') {
			assert.equal(r.status, want, name);
		} else {
			assert.equal(r.status, 200, name);
			if (method !== 'HEAD')
				assert.equal(JSON.parse(r.body).label, want,
				    name);
		}
		assert.deepEqual(r.headers.allow?.[0].split(', ').sort(),
		    allow?.sort(), name);
	}
}

test('one path, a plugin for each method', (t) => tryAll(t, [
	['GET', '/doc', 'read'],
	['PUT', '/doc', 'write'],
	['DELETE', '/doc', 'write'],
	['HEAD', '/doc', 'read'],
	['PROPFIND', '/dav/x', 'any'],
	['POST', '/post', 'write'],
]));

test('405 names the methods there are, and the connection goes on',
    (t) => tryAll(t, [
	['POST', '/doc', 405, ['GET', 'HEAD', 'PUT', 'DELETE']],
	['PATCH', '/doc', 405, ['GET', 'HEAD', 'PUT', 'DELETE']],
	['OPTIONS', '/doc', 405, ['GET', 'HEAD', 'PUT', 'DELETE']],
	['REPORT', '/dav/x', 405, ['GET', 'HEAD', 'PROPFIND']],
	['HEAD', '/post', 405, ['POST']],
	['GET', '/post', 405, ['POST']],
	['POST', '/u/7', 405, ['GET', 'HEAD']],
]));

test('the most specific route decides, even to say no', (t) => tryAll(t, [
	['GET', '/all/get', 'read'],
	['POST', '/all/get', 405, ['GET', 'HEAD']],
	['POST', '/all/other', 'any'],
]));

test('404 has no Allow, and the connection goes on', (t) => tryAll(t, [
	['GET', '/none', 404],
	['POST', '/none', 404],
	['HEAD', '/none', 404],
	['OPTIONS', '/none', 404],
	['OPTIONS', '*', 200, ['GET', 'HEAD', 'POST', 'PUT', 'DELETE',
	    'OPTIONS',
		'PATCH']],
	['GET', '/doc', 'read'],
]));

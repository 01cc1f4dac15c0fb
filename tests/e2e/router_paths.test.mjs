// SPDX-License-Identifier: BSD-2-Clause
// Paths are percent-decoded once and dot segments resolved before anything
// is matched.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, serve } from './lib/http1.mjs';

async function start(t) {
	const h = await serve(t, 'show_route', (so) => `
		plugin "open" { module = "${so}"  label = "open" }
		plugin "secret" { module = "${so}"  label = "secret" }
		plugin "odd" { module = "${so}"  label = "odd" }
		route "/" { plugin = "open" }
		route "/secret/" { plugin = "secret" }
		route "/a b" { plugin = "odd" }`);
	const c = await connect(t, h.port);

	return async (path) => {
		await c.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
		const r = await c.next();

		assert.equal(r.status, 200, path);
		return JSON.parse(r.body);
	};
}

test('what the plugin is told', async (t) => {
	const seen = await start(t);

	for (const [target, path] of [
		['/', '/'],
		['//', '/'],
		['/a//b///c', '/a/b/c'],
		['/a/./b', '/a/b'],
		['/a/.', '/a/'],
		['/a/..', '/'],
		['/a/../b', '/b'],
		['/a/b/../../c', '/c'],
		['/a/b/..', '/a/'],
		['/a/...', '/a/...'],
		['/a/..b', '/a/..b'],
		['/.a/b.', '/.a/b.'],
		['/%61', '/a'],
		['/%41%7a', '/Az'],
		['/%7E~', '/~~'],
		['/a%2fb', '/a/b'],
		['/a%2F..%2Fb', '/b'],
		['/%2e%2e%2f'.replace('/%2e', '/x/%2e'), '/'],
		['/x/%2E%2e/y', '/y'],
		['/%252e%252e/x', '/%2e%2e/x'],
		['/%25', '/%'],
		['/%2541', '/%41'],
		['/a+b', '/a+b'],
		['/%20%09', '/ \t'],
		['/%0d%0aX:y', '/\r\nX:y'],
		['/caf%C3%A9', '/caf\u00c3\u00a9'],
		['/;a=b/c;d', '/;a=b/c;d'],
		['/%3Fq%23f', '/?q#f'],
	]) {
		const r = await seen(target);

		assert.equal(r.path, path, target);
		assert.equal(r.target, target, 'as sent');
		assert.equal(r.query, null);
	}
});

test('a query is left as it was sent', async (t) => {
	const seen = await start(t);

	for (const [target, path, query] of [
		['/?', '/', ''],
		['/x?a=%2e%2e/../b', '/x', 'a=%2e%2e/../b'],
		['/x?%zz', '/x', '%zz'],
		['/x?a?b', '/x', 'a?b'],
		['/a/../b?../c', '/b', '../c'],
	]) {
		const r = await seen(target);

		assert.equal(r.path, path);
		assert.equal(r.query, query);
	}
});

test('no spelling goes around a route', async (t) => {
	const seen = await start(t);

	for (const target of ['/secret/x', '/%73ecret/x', '/./secret/x',
		'/open/../secret/x', '//secret/x', '/secret//x', '/secret%2fx',
		'/%2e/secret/x', '/a/%2e%2E/secret/x', '/%2fsecret/x'])
		assert.equal((await seen(target)).label, 'secret', target);
	for (const target of ['/secret/../x', '/secret/%2e%2e/x', '/Secret/x',
		'/%2573ecret/x', '/secret'])
		assert.equal((await seen(target)).label, 'open', target);
	assert.equal((await seen('/a%20b')).label, 'odd');
	assert.equal((await seen('/secret/../a%20b')).label, 'odd');
});

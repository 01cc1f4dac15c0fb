// SPDX-License-Identifier: BSD-2-Clause
// Which route answers: exact before ":param" before the longest prefix; and
// what it is told of the path.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask, connect, plugin, serve } from './lib/http1.mjs';

// { label: 'route keys' } -> plugins and routes
const routes = (so, all) => Object.entries(all).map(([label, route]) => `
	plugin "${label}" { module = "${so}"  label = "${label}"
		params = {"a", "b", "id", "name"} }
	${route.replace('{', `{ plugin = "${label}"  `)}`).join('');

const start = (t, all) =>
	serve(t, 'show_route', (so) => routes(so, all));

async function seen(t, h, path) {
	const r = await ask(t, h.port, path);

	assert.ok([200, 404].includes(r.status), `${path}: ${r.status}`);
	return r.status === 404 ? null : r.json;
}

test('exact, parameters, prefix', async (t) => {
	const h = await start(t, {
		root: 'route "/" { match = exact }',
		exact: 'route "/users/me" { }',
		param: 'route "/users/:id" { }',
		two: 'route "/users/:id/posts/:name" { }',
		literal: 'route "/users/:id/posts/new" { }',
		prefix: 'route "/users/" { }',
		deep: 'route "/users/all/of/" { }',
	});

	for (const [path, label, rest] of [
		['/', 'root', ''],
		['/users/me', 'exact', ''],
		['/users/you', 'param', ''],
		['/users/7/posts/x', 'two', ''],
		['/users/7/posts/new', 'literal', ''],
		['/users/', 'prefix', ''],
		['/users/7/x', 'prefix', '7/x'],
		['/users/7/', 'prefix', '7/'],
		['/users/me/', 'prefix', 'me/'],
		['/users/all/of', 'prefix', 'all/of'],
		['/users/all/of/', 'deep', ''],
		['/users/all/of/them', 'deep', 'them'],
		['/users/all/offer', 'prefix', 'all/offer'],
		['/users', null], ['/usersme', null], ['/other', null],
		['/Users/me', null],
	]) {
		const got = await seen(t, h, path);

		assert.equal(got?.label ?? null, label, path);
		if (label !== null)
			assert.equal(got.rest, rest, path);
	}
});

test('parameters have their values', async (t) => {
	const h = await start(t, {
		one: 'route "/u/:id" { }',
		two: 'route "/u/:a/p/:b" { }',
		within: 'route "/files/:name/raw/" { }',
	});
	const one = await seen(t, h, '/u/a%20b%2Fc');

	// Decoded once, before matching: the slash is a slash.
	assert.equal(one, null);
	assert.equal((await seen(t, h, '/u/a%20b'))[':id'], 'a b');
	const two = await seen(t, h, '/u/x/p/y?a=z');

	assert.equal(two[':a'], 'x');
	assert.equal(two[':b'], 'y');
	assert.equal(two[':id'], undefined, 'a name of another route');
	assert.equal(two.query, 'a=z');
	const within = await seen(t, h, '/files/f/raw/one/two');

	assert.equal(within.label, 'within');
	assert.equal(within[':name'], 'f');
	assert.equal(within.rest, 'one/two');
	assert.equal(await seen(t, h, '/u/'), null, 'a parameter is not empty');
});

test('match says what the path\'s end does not', async (t) => {
	const h = await start(t, {
		below: 'route "/p" { match = prefix }',
		only: 'route "/e/" { match = exact }',
	});

	assert.equal((await seen(t, h, '/p')).label, 'below');
	assert.equal((await seen(t, h, '/p/')).label, 'below');
	assert.equal((await seen(t, h, '/p/x')).rest, 'x');
	assert.equal(await seen(t, h, '/px'), null);
	assert.equal((await seen(t, h, '/e/')).label, 'only');
	assert.equal(await seen(t, h, '/e/x'), null);
	assert.equal(await seen(t, h, '/e'), null);
});

test('a route that passes leaves it to the next best', async (t) => {
	const h = await start(t, {
		exact: 'route "/x/y" { }',
		param: 'route "/x/:a" { }',
		prefix: 'route "/x/" { }',
	});
	const c = await connect(t, h.port);

	// show_route passes wherever the query asks it to: nobody is left.
	await c.send('GET /x/y?pass HTTP/1.1\r\nHost: a\r\n\r\n');
	assert.equal((await c.next()).status, 404);
	await c.send('GET /x/y HTTP/1.1\r\nHost: a\r\n\r\n');
	assert.equal(JSON.parse((await c.next()).body).label, 'exact');
});

test('it passes to another plugin', async (t) => {
	const h = await serve(t, 'show_route', (so) => `
		${routes(so, { show: 'route "/x" { }' })}
		plugin "last" { module = "http_respond.so" body = "last" }
		route "/" { plugin = "last" }`);

	assert.equal((await ask(t, h.port, '/x?pass')).body, 'last');
	assert.equal((await ask(t, h.port, '/x')).json.label, 'show');
});

test('one plugin in many places', async (t) => {
	const h = await serve(t, 'show_route', (so) => `
		plugin "show" { module = "${so}" }
		route "/a/" { plugin = "show" }
		route "/b/" { plugin = "show" }`);

	assert.equal((await ask(t, h.port, '/a/1')).json.rest, '1');
	assert.equal((await ask(t, h.port, '/b/2')).json.rest, '2');
	assert.equal((await ask(t, h.port, '/c/3')).status, 404);
});

test('a plugin dropped in serves the route it names', async (t) => {
	const h = await serve(t, 'show_route', () => '', { confd: {
		'20-show.so': fs.readFileSync(await plugin('show_route')) } });

	assert.equal((await ask(t, h.port, '/any/where')).json.rest,
	    'any/where');
});

test('no routes at all', async (t) => {
	const h = await serve(t, 'show_route', () => '');

	assert.equal((await ask(t, h.port, '/')).status, 404);
});

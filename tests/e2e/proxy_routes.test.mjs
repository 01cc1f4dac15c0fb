// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: which upstream a request goes to.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';
import { reply, startBackend } from './lib/proxied.mjs';

async function start(t, keys, routes) {
	const one = await startBackend(t, () => reply(200, 'one'));
	const two = await startBackend(t, () => reply(200, 'two'));

	return serve(t, 'show_route', () => `
		upstream "one" { server "127.0.0.1:${one.port}" { } }
		upstream "two" { server "127.0.0.1:${two.port}" { } }
		plugin "proxy" { module = "http_proxy.so"  ${keys} }
		${routes}`);
}

async function body(t, h, path) {
	const c = await connect(t, h.port);

	await c.send(get(path));
	return (await c.next()).body;
}

test('a route\'s own comes before the plugin\'s', async (t) => {
	const h = await start(t, 'upstream = "one"', `
		route "/" { plugin = "proxy" }
		route "/two/" { plugin = "proxy"  upstream = "two" }`);

	assert.equal(await body(t, h, '/'), 'one');
	assert.equal(await body(t, h, '/two/'), 'two');
});

test('one of the two has to be there', async (t) => {
	for (const [keys, what] of [['', 'has no upstream'],
		['upstream = "three"', 'there is no upstream "three"']])
		await assert.rejects(start(t, keys, `
			route "/" { plugin = "proxy" }
			route "/two/" { plugin = "proxy"  upstream = "two" }`),
		(e) => e.message.includes(what) || assert.fail(e.message));
});

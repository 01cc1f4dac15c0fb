// SPDX-License-Identifier: BSD-2-Clause
// The time that a server takes is no plugin's: defer_timeout used to end
// requests whose server had more time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { connect, get } from './lib/http1.mjs';

// A server that has been asked, and has taken longer than a plugin may: another
// one of those, that never answers, has shown that.
async function start(t, keys = '') {
	const s = await fakeServer(t), quick = await fakeServer(t);
	const h = await startFetch(t, [s], `${keys} tries = 1`, '', (so) => `
		http { defer_timeout = 100ms }
		plugin "never" { module = "${so}"  forget = 1 }
		upstream "quick" { server "127.0.0.1:${quick.port}" { } }
		route "/never" { plugin = "never"  upstream = "quick" }`);
	const c = await connect(t, h.port);

	await c.send(get('/slow'));
	const server = await s.accept();

	await server.until('/slow');
	quick.server.on('connection', (q) => q.on('data', () => q.write(OK)));
	for (let i = 0; i < 3; i++) {
		const never = await connect(t, h.port);

		await never.send(get('/never'));
		assert.equal((await never.next()).status, 504);
	}
	return { h, c, server };
}

test('a slow server', async (t) => {
	const { c, server } = await start(t);

	server.write(OK);
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.body, 'hello');
});

test('its own limit holds', async (t) => {
	const { c, server } = await start(t, 'read = 1000');
	const r = await c.next();

	assert.equal(r.status, 504);
	assert.match(r.body, /no answer comes for 1000 ms/);
	await server.ended();
});

test('then the plugin has its time, and no more', async (t) => {
	const { h, c, server } = await start(t, 'forget = 1');
	const from = h.log.length;

	server.write(OK);
	assert.equal((await c.next()).status, 504);
	await h.logged('/slow: no answer within defer_timeout (100 ms)', from);
	assert.match(h.log.slice(from), /exchange ended 0/);
});

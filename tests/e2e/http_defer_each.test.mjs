// SPDX-License-Identifier: BSD-2-Clause
// A time limit is for one request: what was left of it used to be all that the
// next one on the connection had.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { ask, connect, get, serve } from './lib/http1.mjs';

const delay = (s) => get(`/s/delay?${1000 * s}`);

// Two deferred requests, one behind the other.  pass(s): so much time goes by
// for what has been asked, and the worker sees it.
async function start(t, first, second) {
	const clock = await makeClock(t);
	const h = await serve(t, 'service_route', (so) => `
		pool "web" { workers = 1  watchdog = 0 }
		http { defer_timeout = 1000s }
		plugin "service" { module = "${so}" }
		plugin "ok" { module = "http_respond.so" }
		route "/s/" { plugin = "service" }
		route "/" { plugin = "ok" }`, { env: clock.env });
	const c = await connect(t, h.port);

	await c.send(delay(first) + delay(second));
	return { c, pass: async (s) => {
		await ask(t, h.port, '/');
		clock.pass(s);
		await ask(t, h.port, '/');
	} };
}

test('two deferred requests, one behind the other', async (t) => {
	const { c, pass } = await start(t, 700, 700);

	for (let i = 0; i < 2; i++) {
		await pass(701);
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body, 'late\n');
	}
});

test('one that takes longer is still answered 504', async (t) => {
	const { c, pass } = await start(t, 700, 3600);

	await pass(701);
	assert.equal((await c.next()).status, 200);
	await pass(1001);
	assert.equal((await c.next()).status, 504);
	assert.equal(await c.end(), '');
});

// SPDX-License-Identifier: BSD-2-Clause
// A time limit is for one request: what was left of it used to be all that the
// next one on the connection had.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';

const start = (t, http) => serve(t, 'service_route', (so) => `
	http { ${http} }
	plugin "service" { module = "${so}" }
	route "/s/" { plugin = "service" }`);

test('two deferred requests, one behind the other', async (t) => {
	const h = await start(t, 'defer_timeout = 1s');
	const c = await connect(t, h.port);

	await c.send(get('/s/delay?700') + get('/s/delay?700'));
	for (let i = 0; i < 2; i++) {
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(r.body, 'late\n');
	}
});

test('one that takes longer is still answered 504', async (t) => {
	const h = await start(t, 'defer_timeout = 1s');
	const c = await connect(t, h.port);

	await c.send(get('/s/delay?700') + get('/s/delay?3600000'));
	assert.equal((await c.next()).status, 200);
	assert.equal((await c.next()).status, 504);
	assert.equal(await c.end(), '');
});

// SPDX-License-Identifier: BSD-2-Clause
// What a posted function posts runs in a later turn of the loop; it used to run
// in the same one, so that a chain of posts held up everything else.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, connect, get, serve } from './lib/http1.mjs';

const start = (t) => serve(t, 'service_route', (so) => `
	plugin "service" { module = "${so}" }
	route "/s/" { plugin = "service" }`);

// Each posts the next and then takes 20 ms.  The loop's clock, which stands
// still during a turn, has to have gone on when the next is called.
test('each runs in a turn of its own', async (t) => {
	const h = await start(t);

	for (let i = 0; i < 5; i++) {
		const { json } = await ask(t, h.port, '/s/posts');

		assert.equal(json.length, 3);
		for (const ms of json)
			assert.ok(ms > 0, `${json}`);
	}
});

test('and others are served in between', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/s/posts') + get('/s/sum'));
	assert.equal((await ask(t, h.port, '/s/sum')).status, 200);
	assert.equal((await c.next()).status, 200);
	assert.deepEqual(JSON.parse((await c.next()).body), { sum: 500500 });
});

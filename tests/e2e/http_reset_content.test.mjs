// SPDX-License-Identifier: BSD-2-Clause
// 205 has no body, and says so (RFC 9110 section 15.3.6), whatever a plugin
// gives; it used to be sent.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, get, serve } from './lib/http1.mjs';

for (const path of ['reset', 'restream'])
	test(`${path}: no byte of it is sent`, async (t) => {
		const h = await serve(t, 'promise_route', (so) => `
			plugin "promise" { module = "${so}" }
			route "/" { plugin = "promise" }`);
		const c = await connect(t, h.port);

		await c.send(get(`/${path}`) + get('/owned'));
		const r = await c.next();

		assert.equal(r.status, 205);
		assert.deepEqual(r.headers['content-length'], ['0']);
		assert.equal(r.headers['transfer-encoding'], undefined);
		// What comes next is the next answer.
		assert.equal((await c.next()).body, 'fine');
	});

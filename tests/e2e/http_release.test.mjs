// SPDX-License-Identifier: BSD-2-Clause
// A plugin may go on with its answer when borrowed bytes are given back to it;
// what it did then used to go unseen until something else happened.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, connect, get, serve } from './lib/http1.mjs';

// No time limit comes to the rescue.
const start = (t) => serve(t, 'promise_route', (so) => `
	http {
		send_timeout = 1h
		idle_timeout = 1h
		defer_timeout = 1h
		lingering_timeout = 1h
	}
	plugin "promise" { module = "${so}" }
	route "/" { plugin = "promise" }`);
const LENT = 'r'.repeat(10);

for (const [path, body, codes] of [['refin', LENT, '0'],
	['rechunk', LENT, '0'], ['rewrite', `${LENT}second`, '0 0']])
	test(`${path}: the answer ends, and the next request is read`,
	    async (t) => {
		const h = await start(t);
		const c = await connect(t, h.port);

		for (let i = 0; i < 3; i++) {
			const from = h.log.length;

			await c.send(get(`/${path}`));
			assert.equal((await c.next()).body, body);
			await h.logged('ended why 0', from);
			assert.match(h.log.slice(from),
			    new RegExp(`: in release: ${codes}$`, 'm'));
		}
		await c.send(get('/owned'));
		assert.equal((await c.next()).body, 'fine');
	});

test('pipelined ones are answered in order', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);
	const all = ['refin', 'rewrite', 'owned', 'rechunk', 'refin'];

	await c.send(all.map((p) => get(`/${p}`)).join(''));
	for (const body of [LENT, `${LENT}second`, 'fine', LENT, LENT])
		assert.equal((await c.next()).body, body);
});

test('reabort: the connection is cut', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/reabort'));
	assert.ok((await c.end()).endsWith(`\r\n\r\n${LENT}`));
	await h.logged('ended why 4');
	assert.equal((await ask(t, h.port, '/owned')).status, 200);
});

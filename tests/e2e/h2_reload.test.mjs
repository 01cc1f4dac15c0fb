// SPDX-License-Identifier: BSD-2-Clause
// Connections of HTTP/2 are told to go when their worker ends, and no request
// fails over it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { serve } from './lib/http1.mjs';
import { answerOf, connect } from './lib/http2.mjs';

const start = (t) => serve(t, 'flow_route', (so) => `
	pool "web" { workers = 2 }
	http { h2c = on }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello" }`);

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stdout + r.stderr);
}

test('one that is idle, and one with a request under way', async (t) => {
	const h = await start(t);
	const idle = await connect(t, h), busy = await connect(t, h);

	await idle.ask('/');
	const s = busy.open('/flow/source?30000000');

	s.pause();
	await new Promise((r) => s.once('response', r));
	const done = reload(h);

	await idle.closed;
	const answer = answerOf(s);

	s.resume();
	assert.equal((await answer).bytes.length, 30000000);
	await busy.closed;
	await done;
	assert.equal((await (await connect(t, h)).ask('/')).body, 'hello');
});

test('under load nothing fails', async (t) => {
	const h = await start(t);
	let over = false, asked = 0, connections = 0;

	// As browsers do: after GOAWAY the next request takes a new connection;
	// what the server has not seen may be sent again.
	async function client() {
		let c = await connect(t, h);

		connections++;
		while (!over) {
			while (c.session.closed || c.session.destroyed) {
				c = await connect(t, h);
				connections++;
			}
			// One that the client has not sent, for GOAWAY came
			// first, is refused by itself.
			const all = await Promise.all(Array.from({ length: 10 },
			    () => c.ask('/').catch((e) => {
				if (!/REFUSED_STREAM|GOAWAY/.test(e.code +
				    e.message))
					throw e;
			})));

			for (const r of all)
				if (r !== undefined) {
					assert.equal(r.body, 'hello');
					asked++;
				}
		}
		c.session.close();
	}

	const clients = Array.from({ length: 8 }, client);

	for (let i = 0; i < 3; i++)
		await reload(h);
	const all = Promise.all(clients);

	await Promise.race([all, until(() => asked > 100 && connections > 8,
	    'answers over other connections')]);
	over = true;
	await all;
});

// SPDX-License-Identifier: BSD-2-Clause
// Clients that ask and ask and take no answer: each answer they had not taken
// used to keep its request in memory, thousands for a connection.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { ask, connect, get, serveShow } from './lib/http1.mjs';

const CLIENTS = 8;
const BLOCK = get('/?status=299').repeat(1000);

// Its peak, in bytes.
const memory = (pid) => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// Requests on all of them until nobody's are taken any more, though the worker
// has answered others meanwhile.
async function fill(t, h, all) {
	const before = await connect(t, h.port);
	let still = 0;

	while (still < 50) {
		const takers = all.filter((c) => c.socket.writableLength === 0);

		for (const c of takers)
			c.socket.write(BLOCK);
		still = takers.length > 0 ? 0 : still + 1;
		await before.send(get('/'));
		assert.equal((await before.next()).status, 200);
	}
}

test('they do not make the worker grow', async (t) => {
	// Room for bytes, so that it is the requests that are limited.
	const h = await serveShow(t,
	    'output_high = 1m  keepalive_requests = 1000000000  ' +
	    'send_timeout = 1h');
	const [{ pid }] = await h.workers();
	const all = [];

	for (let i = 0; i < CLIENTS; i++) {
		all.push(await connect(t, h.port));
		all[i].socket.pause();
	}
	await ask(t, h.port, '/');
	const start = memory(pid);

	await within(fill(t, h, all), 'end of what is taken');
	const each = (memory(pid) - start) / CLIENTS;

	assert.ok(each < 2 << 20, `${each} bytes for each connection`);
	// And what they have asked for is there when they want it.
	all[0].socket.resume();
	for (let i = 0; i < 2000; i++)
		assert.equal((await all[0].next()).status, 299);
});

// SPDX-License-Identifier: BSD-2-Clause
// Threads that a plugin makes for itself: a worker with one used to die of
// SIGTERM without a word, and their log lines used to wait for traffic.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, within } from './lib/hostd.mjs';
import { ask, connect, get, serve } from './lib/http1.mjs';

const start = (t, keys) => serve(t, 'service_route', (so) => `
	sandbox_paths = {"r:@DIR@"}
	http { head_timeout = 1h  idle_timeout = 1h }
	plugin "service" { module = "${so}" ${keys} }
	route "/s/" { plugin = "service" }`);

test('a worker with such a thread ends orderly on SIGTERM', async (t) => {
	const h = await start(t, 'thread = on');
	const c = await connect(t, h.port);
	const [w] = await h.workers();

	assert.ok(fs.readdirSync(`/proc/${w.pid}/task`).length > 1);
	await c.send(get('/s/sum') + get('/s/delay?3600000'));
	assert.equal((await c.next()).status, 200);
	const from = h.log.length;

	process.kill(w.pid, 'SIGTERM');
	await h.logged(/ ending$[^]*service: a request ended why 3$[^]*service: destroyed$/m,
	    from);
	assert.equal(await c.end(), '');
	// And another takes its place.
	assert.deepEqual((await ask(t, h.port, '/s/sum')).json,
	    { sum: 500500 });
	assert.doesNotMatch(h.log.slice(from), /died: SIG/);
});

test('its line is in the log, though nothing else happens', async (t) => {
	const h = await start(t, 'dir = "gate"');
	const gate = path.join(h.dir, 'gate');
	const c = await connect(t, h.port);

	assert.equal((await command('mkfifo', [gate])).code, 0);
	await c.send(get('/s/thread'));
	assert.equal((await c.next()).body, 'thread\n');
	// That turn of the loop is over when what it logged is there.
	await h.logged('there is a thread');
	const writer = await within(fs.promises.open(gate, 'w'), 'thread');

	await h.logged('service: from a thread: told');
	await writer.close();
});

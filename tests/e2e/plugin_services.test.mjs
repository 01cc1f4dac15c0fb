// SPDX-License-Identifier: BSD-2-Clause
// Timers, work on threads and keys of plugins, at their edges.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask, connect, get, serve } from './lib/http1.mjs';

const start = (t, keys = '', conf = '') => serve(t, 'service_route', (so) => `
	${conf}
	plugin "service" { module = "${so}" ${keys} }
	route "/s/" { plugin = "service" }`);

test('work is done on a thread and answered on the loop', async (t) => {
	const h = await start(t, '', 'work_threads = 2');
	const all = await Promise.all(Array.from({ length: 20 },
	    () => ask(t, h.port, '/s/sum')));

	for (const r of all)
		assert.deepEqual(r.json, { sum: 500500 });
	const [w] = await h.workers();
	const threads = fs.readdirSync(`/proc/${w.pid}/task`).length;

	assert.equal(threads, 3);
});

test('a crash on a thread is blamed on whose work it was', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	c.send(get('/s/crash'));
	await h.logged(
	    /died: SIGABRT in plugin service, work on a thread; restarting/);
});

test('an instance has a number of timers', async (t) => {
	const h = await start(t);
	const r = await ask(t, h.port, '/s/timers');

	assert.deepEqual(r.json, { n: 65536, next: -4, again: 0 });
});

test('a relative path is below the directory of hostd.conf', async (t) => {
	const h = await start(t);

	assert.equal((await ask(t, h.port, '/s/path')).body, `${h.dir}/below`);
	const other = await start(t, 'dir = "a/../b"');

	assert.equal((await ask(t, other.port, '/s/path')).body,
	    `${other.dir}/a/../b`);
	const absolute = await start(t, 'dir = "/srv/www"');

	assert.equal((await ask(t, absolute.port, '/s/path')).body, '/srv/www');
});

// SPDX-License-Identifier: BSD-2-Clause
// restart_at: at that minute all workers are replaced, and nobody notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

const MINUTE = 60_000, BEFORE = 2_000;

test('every minute', async (t) => {
	const h = await startLife(t, { conf:
		'pool "web" { workers = 2 restart_at = "* * * * *" }\n' +
		'pool "other" { workers = 1 restart_at = "0 0 29 feb *" }\n' +
		'listen "main" { address = "127.0.0.1:@PORT@" }' });
	const before = (await h.workers()).map((w) => w.pid);
	const now = Date.now();
	const due = (Math.floor(now / MINUTE) + 1) * MINUTE;
	const restart = within(new Promise((resolve) => {
		h.on('log', () => /it is time to replace all workers/.test(
		    h.log) && resolve());
	}), 'restart', MINUTE + 20_000);

	// All the time until then would only be in the way of others.
	await Promise.race([restart, new Promise((resolve) =>
	    setTimeout(resolve, due - BEFORE - now))]);
	const load = new Load(h, { clients: 2 });

	await restart;
	assert.ok(Date.now() >= due);
	const [other, a, b] = await h.workersSatisfy((ws) => ws.length === 3 &&
	    ws.slice(1).every((w) => w.state === 'ready' &&
		!before.includes(w.pid)), 'new workers');

	assert.deepEqual([a, b].map((w) => [w.pool, w.generation, w.restarts]),
	    [['web', 1, 0], ['web', 1, 0]]);
	assert.ok(before.includes(other.pid));
	await load.more(20);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.equal(h.log.match(/it is time to replace/g).length, 1);

	await t.test('a mistake in it is told with its place', async () => {
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace('"* * * * *"', '"* * * * mon-"'));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		assert.match(r.stderr,
		    /hostd\.conf:\d+: restart_at "\* \* \* \* mon-": "mon-" is no weekday/);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// A worker that dies again and again is errored: said once with the cause,
// shown, and tried at the longest pause only, until something is changed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startLife } from './lib/life.mjs';

test('more than max_restarts', async (t) => {
	const h = await startLife(t, { keys: 'bomb = "@DIR@/bomb"',
		conf: 'pool "web" { workers = 2 max_restarts = 2 }' });
	const bomb = path.join(h.dir, 'bomb');
	const [victim, other] = await h.workers();

	fs.writeFileSync(bomb, '');
	process.kill(victim.pid, 'SIGKILL');
	// That one was killed from outside and does not count.
	await h.logged(/worker web\.0 of generation 1 has died 3 times without staying up for 30000 ms \(max_restarts, min_uptime\): errored, tried again every 15 s only; the last time: SIGABRT in plugin life, create/);
	await h.logged(/died: SIGABRT in plugin life, create; restarting in 15000 ms/);
	const ws = await h.workersSatisfy((list) =>
	    list[0].state === 'errored', 'an errored worker');

	assert.equal(ws[0].cause, 'SIGABRT in plugin life, create');
	assert.equal(ws[0].restarts, 4);
	assert.ok(ws[0].retry_in_ms > 0);
	assert.equal(ws[1].pid, other.pid);
	assert.match((await h.hostctl('list')).stdout, /^web\.0 .* errored /m);
	assert.equal(h.log.match(/: errored/g).length, 1);

	await t.test('a reload makes it good', async () => {
		fs.rmSync(bomb);
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		const now = await h.workersSatisfy((list) => list.every((w) =>
		    w.generation === 2 && w.state === 'ready'), 'new workers');

		assert.equal(now.length, 2);
	});
});

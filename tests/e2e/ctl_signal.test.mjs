// SPDX-License-Identifier: BSD-2-Clause
// hostctl signal reaches our workers, and nobody else.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startLife } from './lib/life.mjs';

test('by name, number and pid', async (t) => {
	const h = await startLife(t);
	let [first, second] = await h.workers();

	for (const [sig, name] of [['KILL', 'KILL'], ['SIGKILL', 'KILL'],
		['9', 'KILL'], ['abrt', 'ABRT']]) {
		const r = await h.hostctl('signal', sig,
		    sig === '9' ? String(first.pid) : 'web.0');

		assert.equal(r.code, 0, r.stderr);
		assert.equal(r.stdout, `SIG${name} sent to 1 process\n`);
		await h.logged(`worker web.0 (pid ${first.pid}, generation 1) ` +
		    `died: SIG${name}`);
		[first] = await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws[0].state === 'ready' && ws[0].pid !== first.pid,
		    'a new worker');
	}
	assert.equal((await h.workers())[1].pid, second.pid);
});

test('a whole pool', async (t) => {
	const h = await startLife(t);
	const before = await h.workers();
	const r = await h.hostctl('signal', 'KILL', 'web', '--json');

	assert.deepEqual(JSON.parse(r.stdout), { ok: true, signalled: 2 });
	for (const w of before)
		await h.logged(`(pid ${w.pid}, generation 1) has been sent ` +
		    'signal 9 (SIGKILL) by hostctl');
});

test('others are not reached', async (t) => {
	const h = await startLife(t);

	for (const name of [String(process.pid), String(h.child.pid), '1', '0',
		'-1', 'wbe']) {
		const r = await h.hostctl('signal', 'KILL', name);

		assert.equal(r.code, 1, name);
		assert.match(r.stderr, /there is no (pool|worker) /);
	}
	for (const sig of ['NONSENSE', '0', '-9', '65', '4000'])
		assert.equal((await h.hostctl('signal', sig, 'web')).code, 2, sig);
	assert.equal((await h.hostctl('signal', 'KILL')).code, 2);
	assert.equal((await h.workers()).length, 2);
});

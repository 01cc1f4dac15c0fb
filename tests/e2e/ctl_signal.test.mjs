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

test('one for real time', async (t) => {
	const h = await startLife(t);
	let [{ pid }] = await h.workers();

	for (const [sig, name] of [['RTMIN', 'SIGRTMIN'],
		['sigrtmin+3', 'SIGRTMIN+3'], ['RTMAX-1', 'SIGRTMIN+29'],
		['64', 'SIGRTMIN+30']]) {
		const r = await h.hostctl('signal', sig, 'web.0');

		assert.equal(r.code, 0, r.stderr);
		assert.equal(r.stdout, `${name} sent to 1 process\n`);
		await h.logged(new RegExp(
		    `pid ${pid}, generation 1\\) has been ` +
		    `sent signal \\d+ \\(${name.replace('+', '\\+')}\\) by hostctl`));
		await h.logged(`worker web.0 (pid ${pid}, generation 1) ` +
		    `died: ${name};`);
		[{ pid }] = await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws[0].state === 'ready' && ws[0].pid !== pid,
		    'a new worker');
	}
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
	for (const sig of ['NONSENSE', '0', '-9', '32', '33', '65', '4000',
		'RTMIN+31', 'RTMIN-1', 'RTMAX+1', 'RTMIN+', 'RTMAX-x', 'SIG',
		    '']) {
		const r = await h.hostctl('signal', sig, 'web');

		assert.equal(r.code, 2, sig);
		assert.equal(r.stderr,
		    `hostctl: "${sig}" is not a signal that ` +
		    'can be sent, such as TERM, 15 or RTMIN+3; see kill -l\n');
	}
	assert.equal((await h.hostctl('signal', 'KILL')).code, 2);
	assert.equal((await h.workers()).length, 2);
});

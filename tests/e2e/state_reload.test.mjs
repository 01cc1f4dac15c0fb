// SPDX-License-Identifier: BSD-2-Clause
// What a plugin remembers goes to its successor, slot by slot, instance by
// instance, to newer and older versions; a worker that dies takes it along.
import assert from 'node:assert/strict';
import test from 'node:test';
import { count, countConf, countTo, putCount, reload, startCount } from
	'./lib/count.mjs';
import { descriptors, descriptorsAtMost, rewrite } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

test('reloads one after the other', async (t) => {
	const h = await startCount(t);

	await countTo(h, 7, 'a');
	await countTo(h, 3, 'b');
	await reload(h);
	assert.equal(await count(h, 'a'), 8);
	const before = descriptors(h.child.pid);

	for (let i = 2; i <= 5; i++) {
		await reload(h);
		assert.equal(await count(h, 'a'), 7 + i);
		assert.equal(await count(h, 'b'), 2 + i);
	}
	await descriptorsAtMost(h.child.pid, before);
	assert.match(h.log, /web\.0 gen 2 .*plugin b: goes on with the state of/);
});

test('while requests come', async (t) => {
	const h = await startCount(t);
	const load = new Load(h, { kind: 'new', path: '/a' });
	let before = 0;

	for (let i = 1; i <= 5; i++) {
		await load.more(50);
		const n = await count(h);

		assert.ok(n > before, `${n} after ${before}`);
		await reload(h);
		before = await count(h);
		assert.ok(before > n, `${before} after a reload, ${n} before`);
	}
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.equal((h.log.match(/plugin a: goes on with/g)).length, 5);
});

test('versions: newer, and back', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4);
	await putCount(t, h, 2);
	await reload(h);
	assert.equal(await count(h), 5);
	await putCount(t, h, 1);
	await reload(h);
	await h.logged(new RegExp('plugin a: load refused the state of its ' +
	    'predecessor \\(version 2, 16 bytes; this one saves version 1\\) ' +
	    'with code -5; it starts cold'));
	assert.equal(await count(h), 1);
});

test('each slot hands to its own successor', async (t) => {
	const h = await startCount(t, { workers: 3 });
	const n = 30;
	const seen = [];

	for (let i = 0; i < n; i++)
		seen.push(await count(h));
	await reload(h);
	for (let i = 0; i < n; i++)
		seen.push(await count(h));
	// Three that count on: each number at most three times, none starts
	// anew.
	for (const one of new Set(seen))
		assert.ok(seen.filter((s) => s === one).length <= 3, `${seen}`);
	assert.equal((h.log.match(/plugin a: goes on with/g)).length, 3);
});

test('an instance of another name, or of another plugin', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4, 'a');
	await countTo(h, 2, 'b');
	rewrite(h, 'conf.d/count.conf', countConf()
	    .replaceAll('plugin "b"', 'plugin "c"')
	    .replace('plugin = "b"', 'plugin = "c"'));
	await reload(h);
	assert.equal(await count(h, 'a'), 5);
	assert.equal(await count(h, 'b'), 1);
});

test('a restart, and a reload back', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4);
	assert.equal((await h.hostctl('restart', 'web')).code, 0);
	assert.equal(await count(h), 5);
	assert.equal((await h.workers()).find((w) => w.state === 'ready')
	    .generation, 1);
	await reload(h);
	assert.equal(await count(h), 6);
	assert.equal((await h.hostctl('rollback')).code, 0);
	assert.equal(await count(h), 7);
});

test('a slot that is scaled away leaves nothing', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4);
	assert.equal((await h.hostctl('scale', 'web', '2')).code, 0);
	assert.equal((await h.hostctl('scale', 'web', '1')).code, 0);
	await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
	assert.equal(await count(h), 5);
	assert.doesNotMatch(h.log, /goes on with the state/);
});

test('a worker that is killed', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4);
	const [w] = await h.workers();

	process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 1 && ws[0].pid !== w.pid &&
	    ws[0].state === 'ready', 'another worker');
	assert.equal(await count(h), 1);
});

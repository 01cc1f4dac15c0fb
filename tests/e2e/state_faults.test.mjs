// SPDX-License-Identifier: BSD-2-Clause
// State that can't be had costs no more than itself: the reload goes on, or it
// is refused and the old worker goes on with what it had.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { configure, count, countTo, reload, startCount } from
	'./lib/count.mjs';

// b's save goes wrong; a's goes well.
for (const [how, said] of [
	['fail', /plugin b: save failed with code -7; its successor starts cold/],
	['none', /plugin a: goes on with/],
	['big', new RegExp('plugin b: its state is larger than max_state ' +
	    '\\(65536 bytes\\); its successor starts cold')],
	['crash', /worker web\.0 .* died: SIGABRT in plugin b, save;/],
])
	test(`save: ${how}`, async (t) => {
		const h = await startCount(t, { keys: { b: `save = ${how}` },
			top: 'max_state = 64k\nstate_timeout = 60s' });

		await countTo(h, 4, 'a');
		await countTo(h, 4, 'b');
		await reload(h);
		await h.logged(said);
		assert.equal(await count(h, 'a'), 5);
		assert.equal(await count(h, 'b'), 1);
		if (how === 'big')
			await h.logged('put 65 parts, then -4');
		if (how === 'none')
			assert.doesNotMatch(h.log, /plugin b.*cold/);
	});

// So much time has gone by, which the master sees.
async function pass(h, clock, s) {
	clock.pass(s);
	await h.status();
}

test('save: hang', async (t) => {
	const clock = await makeClock(t);
	const h = await startCount(t, { clock, keys: { b: 'save = hang' },
		top: 'state_timeout = 1h\nready_timeout = 2h' });

	await countTo(h, 4, 'a');
	await countTo(h, 4, 'b');
	const reloading = reload(h);

	await h.logged('hangs');
	await pass(h, clock, 3601);
	await h.logged(new RegExp(
	    'worker web\\.0 \\(pid \\d+\\): plugin b is ' +
	    'still in save after state_timeout; its successor starts cold'));
	await reloading;
	assert.equal(await count(h, 'a'), 5);
	assert.equal(await count(h, 'b'), 1);
});

test('load: fail', async (t) => {
	const h = await startCount(t);

	await countTo(h, 4, 'a');
	await countTo(h, 4, 'b');
	configure(h, { b: 'load = fail' });
	await reload(h);
	await h.logged(/plugin b: load refused the state of .* with code -7; it/);
	assert.equal(await count(h, 'a'), 5);
	assert.equal(await count(h, 'b'), 1);
});

// The new worker comes to nothing; the old one has saved by then.
for (const [key, why] of [
	['load = crash', /SIGABRT in plugin b, load/],
	['start = fail', /plugin "b" \(count\.so\): start failed with code -7/],
])
	test(key, async (t) => {
		const h = await startCount(t, { top: 'state_timeout = 60s' });

		await countTo(h, 4, 'a');
		configure(h, { b: key });
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		assert.match(r.stderr, why);
		await h.logged('accepting again: our successor came to nothing');
		assert.equal(await count(h, 'a'), 5);
		configure(h);
		await reload(h);
		assert.equal(await count(h, 'a'), 6);
	});

test('load = hang', async (t) => {
	const clock = await makeClock(t);
	const h = await startCount(t, { clock,
		top: 'state_timeout = 1h\nready_timeout = 2h' });

	await countTo(h, 4, 'a');
	configure(h, { b: 'load = hang' });
	const reloading = h.hostctl('reload');

	await h.logged('hangs');
	await pass(h, clock, 3601);
	await h.logged('is not ready after state_timeout');
	await pass(h, clock, 3601);
	const r = await reloading;

	assert.equal(r.code, 1);
	assert.match(r.stderr, /not ready in time: plugin b is still in load/);
	await h.logged('accepting again: our successor came to nothing');
	assert.equal(await count(h, 'a'), 5);
	configure(h);
	await reload(h);
	assert.equal(await count(h, 'a'), 6);
});

test('nobody waits for a load that hangs', async (t) => {
	const clock = await makeClock(t);
	const h = await startCount(t, { clock,
		top: 'state_timeout = 1h\nready_timeout = 2h' });

	await countTo(h, 4, 'a');
	configure(h, { b: 'load = hang' });
	const reloading = h.hostctl('reload');

	await h.logged('hangs');
	await pass(h, clock, 3601);
	await h.logged(new RegExp('worker web\\.0 of generation 2, which has ' +
	    'its predecessor\'s state, is not ready after state_timeout'));
	assert.equal(await count(h, 'a'), 5);
	const next = (await h.workers()).find((w) => w.generation === 2);

	process.kill(next.pid, 'SIGKILL');
	assert.equal((await reloading).code, 1);
	assert.equal(await count(h, 'a'), 6);
});

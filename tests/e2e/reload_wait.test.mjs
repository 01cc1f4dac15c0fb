// SPDX-License-Identifier: BSD-2-Clause
// Who comes while a reload is under way: is refused, waits, takes it back, or,
// as SIGHUP, is remembered.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { bin } from './lib/hostd.mjs';
import { lifeConf, rewrite, startLife } from './lib/life.mjs';
import { Lines } from './lib/lines.mjs';
import { Client, Load } from './lib/load.mjs';

const ctl = (h, ...args) => new Lines(bin('hostctl'), ['-s', h.socket, '--json',
	...args]);

// pass(s) says that so much time goes by for it, which no other limit notices.
async function startClocked(t) {
	const clock = await makeClock(t);
	const h = await startLife(t, { env: clock.env, conf: `
		drain_timeout = 1d
		pool "web" { workers = 2  watchdog = 0 }
		http { idle_timeout = 1d  head_timeout = 1d }` });

	h.pass = async (s) => {
		clock.pass(s);
		// The master has something to do.
		await h.status();
	};
	return h;
}

// A reload that is in its canary, for as long as it is let.
async function canary(h, time = '1d') {
	const r = ctl(h, 'reload', '--canary', '1', '--for', time);

	await r.until((l) => l.step === 'canary');
	return r;
}

async function answer(h) {
	const c = new Client(h.port);
	const { body } = await c.ask('/', true);

	c.destroy();
	return body.trimEnd().split(' ')[1];
}

test('refused, unless it waits', async (t) => {
	const h = await startClocked(t);
	const load = new Load(h);
	const first = await canary(h, '1h');

	for (const args of [['reload'], ['scale', 'web', '3'],
		['rollback', '1']]) {
		const r = await h.hostctl(...args);

		assert.equal(r.code, 1, r.stdout);
		assert.match(r.stderr,
		    /a reload or a change of scale is under way; try again/);
	}
	const second = ctl(h, 'reload', '--wait');
	const third = ctl(h, 'reload', '--wait');
	const leaves = ctl(h, 'reload', '--wait');

	for (const w of [second, third, leaves])
		assert.match((await w.until((l) => 'progress' in l)).progress,
		    /^waiting for what is under way to end$/);
	leaves.kill();
	await leaves.ended;
	await h.pass(3601);
	assert.equal(await first.ended, 0);
	assert.equal(await second.ended, 0);
	assert.equal(await third.ended, 0);
	assert.deepEqual([first, second, third].map((r) =>
	    r.all.at(-1).generation).sort(), [2, 3, 4]);
	assert.equal((await h.status()).generation, 4);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

// It kept whoever had come after it waiting for ever.
test('one that waits and is refused makes room for the next', async (t) => {
	const h = await startLife(t);
	const first = await canary(h);
	const refused = ctl(h, 'rollback', '--wait', '99');

	await refused.until((l) => 'progress' in l);
	const next = ctl(h, 'reload', '--wait');

	await next.until((l) => 'progress' in l);
	assert.equal((await h.hostctl('rollback')).code, 0);
	assert.equal(await first.ended, 4);
	assert.equal(await refused.ended, 1);
	assert.match(refused.all.find((l) => 'error' in l).error,
	    /^there is no generation 99 any more/);
	assert.equal(await next.ended, 0);
	assert.equal(next.all.at(-1).generation, 3);
});

test('rollback takes back what is under way', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);

	rewrite(h, 'conf.d/life.conf', lifeConf('text = "two"'));
	const first = await canary(h);
	const r = await h.hostctl('rollback', '--json');
	const lines = r.stdout.trimEnd().split('\n').map((l) => JSON.parse(l));

	assert.equal(r.code, 0, r.stdout);
	assert.deepEqual(lines.at(-1), { ok: true, generation: 1,
		outcome: 'rolled back' });
	assert.equal(await first.ended, 4);
	assert.equal((await first.until((l) => 'error' in l)).error,
	    'taken back by hostctl rollback');
	assert.equal(await answer(h), 'one');
	assert.deepEqual((await h.workersSatisfy((ws) => ws.length === 2,
	    'end of the canary')).map((w) => [w.generation, w.state]),
	    [[1, 'ready'], [1, 'ready']]);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

// The second one went back from the generation that had just come back.
test('rollback of what goes back already', async (t) => {
	const h = await startLife(t);

	assert.equal((await h.hostctl('reload')).code, 0);
	const first = await canary(h);
	const stopped = (await h.workers()).find((w) => w.generation === 3);

	// Whoever replaces it waits for it to yield.
	process.kill(stopped.pid, 'SIGSTOP');
	const one = ctl(h, 'rollback');

	await one.until((l) => l.step === 'back');
	const two = ctl(h, 'rollback', '--wait');

	assert.equal(await first.ended, 4);
	for (const r of [one, two]) {
		assert.equal(await r.ended, 0);
		assert.deepEqual(r.all.at(-1), { ok: true, generation: 2,
			outcome: 'rolled back' });
	}
	assert.equal((await h.status()).generation, 2);
	process.kill(stopped.pid, 'SIGCONT');
});

test('also while plugins are tried', async (t) => {
	const h = await startLife(t, { conf: 'ready_timeout = 1h' });

	rewrite(h, 'conf.d/life.conf', lifeConf('create = hang'));
	const first = ctl(h, 'reload');

	await first.until((l) => l.step === 'build');
	const r = await h.hostctl('rollback');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await first.ended, 1);
	assert.match((await first.until((l) => 'error' in l)).error,
	    /taken back by hostctl rollback/);
	assert.equal((await h.status()).generation, 1);
});

test('SIGHUP comes after it', async (t) => {
	const h = await startClocked(t);
	const first = await canary(h, '1h');

	// Too late for the first one.
	rewrite(h, 'conf.d/life.conf', lifeConf('text = "two"'));
	h.child.kill('SIGHUP');
	await h.logged('SIGHUP: the next reload follows the one under way');
	h.child.kill('SIGHUP');
	await h.pass(3601);
	assert.equal(await first.ended, 0);
	await h.logged('serving generation 3');
	assert.equal(await answer(h), 'two');
});

test('a stop does not wait for it', async (t) => {
	const h = await startLife(t);
	const first = await canary(h);
	const second = ctl(h, 'reload', '--wait');
	const third = ctl(h, 'reload', '--wait');

	for (const r of [second, third])
		await r.until((l) => 'progress' in l);
	assert.equal((await h.hostctl('stop')).code, 0);
	for (const r of [first, second, third]) {
		assert.equal(await r.ended, 1);
		assert.match(r.all.find((l) => 'error' in l).error,
		    /^hostd is stopping$/);
	}
});

test('several workers at a time', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 6 }' });
	const load = new Load(h, { clients: 6 });
	const fresh = new Load(h, { kind: 'new' });
	const r = await h.hostctl('reload', '--parallel', '4');

	assert.equal(r.code, 0, r.stderr);
	const ws = await h.workersSatisfy((all) => all.length === 6,
	    'end of the old workers');

	assert.ok(ws.every((w) => w.generation === 2 && w.state === 'ready'));

	await t.test('of which some fail', async () => {
		rewrite(h, 'conf.d/life.conf',
		    lifeConf('bomb = "@DIR@/token" create = once'));
		const s = await h.hostctl('reload', '--parallel', '4');

		// Whether one was ready before another has failed is chance.
		assert.ok(s.code === 1 || s.code === 4, s.stdout);
		assert.match(s.stderr,
		    /generation 3 did not get ready: .*start failed/);
		const back = await h.workersSatisfy((all) => all.length === 6 &&
		    all.every((w) => w.state === 'ready'), 'all workers');

		assert.ok(back.every((w) => w.generation === 2));
	});
	for (const l of [load, fresh]) {
		await l.more(10);
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
});

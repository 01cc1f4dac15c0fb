// SPDX-License-Identifier: BSD-2-Clause
// hostd ends when it is told to, after what is in flight or at once, and
// leaves nothing behind.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, within } from './lib/hostd.mjs';
import { held, lifeConf, rewrite, startLife, successor } from './lib/life.mjs';
import { Lines } from './lib/lines.mjs';
import { Client } from './lib/load.mjs';

const ended = (h) => within(h.ended, 'end of hostd');

// What may be left: the lock, which the next one takes.
function assertClean(h) {
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run')), ['lock']);
	assert.ok(!fs.existsSync(path.join(h.dir, 'web.sock')));
	assert.ok(!fs.existsSync(path.join(h.dir, 'pid')));
}

const options = {
	keys: 'gate = "@DIR@/gate"',
	conf: 'pid_file = "@DIR@/pid"\n' +
	    'listen "main" { address = "127.0.0.1:@PORT@" }\n' +
	    'listen "unix" { address = "unix:@DIR@/web.sock" }',
};

for (const signal of ['SIGTERM', 'SIGINT']) {
	test(`${signal} finishes what is in flight`, async (t) => {
		const h = await startLife(t, options);
		const c = await held(h);

		h.child.kill(signal);
		await h.logged('draining, ');
		// Nobody is let in any more, even now.
		const late = new Client(h.port);

		assert.match(await late.ended,
		    /ECONNREFUSED|ECONNRESET|closed/);
		fs.writeFileSync(path.join(h.dir, 'gate'), '');
		const a = await c.answer();

		assert.equal(a.status, 200);
		assert.equal(a.close, true);
		assert.deepEqual(await ended(h), { code: 0, signal: null });
		assertClean(h);
	});

	test(`${signal} twice ends at once`, async (t) => {
		const h = await startLife(t, options);
		const c = await held(h);

		h.child.kill(signal);
		await h.logged('draining, ');
		h.child.kill(signal);
		await h.logged('stopping at once');
		await c.ended;
		assert.equal(c.answered, 1);
		assert.deepEqual(await ended(h), { code: 0, signal: null });
		assertClean(h);
	});
}

for (const before of [undefined, 'SIGTERM'])
	test(`SIGQUIT ends at once${before ? `, also after ${before}` : ''}`,
	    async (t) => {
		const h = await startLife(t, options);
		const c = await held(h);

		if (before) {
			h.child.kill(before);
			await h.logged('draining, ');
		}
		h.child.kill('SIGQUIT');
		await c.ended;
		assert.equal(c.answered, 1);
		assert.deepEqual(await ended(h), { code: 0, signal: null });
		assertClean(h);
	});

test('hostctl stop waits for what is in flight', async (t) => {
	const h = await startLife(t, options);
	const c = await held(h);
	const stop = h.hostctl('stop');

	await h.logged('draining, ');
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	assert.equal((await c.answer()).status, 200);
	const r = await stop;

	assert.equal(r.code, 0, r.stderr);
	// It has ended when hostctl says so: another one can start.
	assertClean(h);
	await successor(t, h);
});

// The second one cut what the first one waited for.
test('so do two of them', async (t) => {
	const h = await startLife(t, options);
	const c = await held(h);
	const stops = [h.hostctl('stop')];

	await h.logged('draining, ');
	const second = new Lines(bin('hostctl'), ['-s', h.socket, '--json',
		'stop']);

	await second.until((l) => 'progress' in l);
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	assert.equal((await c.answer()).status, 200);
	assert.equal((await stops[0]).code, 0);
	assert.equal(await second.ended, 0);
	assert.ok(!h.log.includes('at once'), h.log);
	assertClean(h);
});

// Each signal gave it another second.
test('a worker that is stuck, and signals again and again', async (t) => {
	const h = await startLife(t, options);
	const [w] = await h.workers();
	const on = async () => {
		do
			h.child.kill('SIGTERM');
		while ((await h.hostctl('version')).code === 0);
	};

	process.kill(w.pid, 'SIGSTOP');
	await within(on(), 'end of hostd');
	assert.deepEqual(await ended(h), { code: 0, signal: null });
	assert.equal(h.log.split(`(pid ${w.pid}) has not ended in time`).length,
	    3);
});

test('hostctl stop --now does not wait', async (t) => {
	const h = await startLife(t, options);
	const c = await held(h);
	const r = await h.hostctl('stop', '--now');

	assert.equal(r.code, 0, r.stderr);
	await c.ended;
	assert.equal(c.answered, 1);
	assert.deepEqual(await ended(h), { code: 0, signal: null });
	assertClean(h);
});

test('connections that are idle hold nothing up', async (t) => {
	const h = await startLife(t, { conf: 'drain_timeout = 0' });
	const c = new Client(h.port);

	await c.ask();
	const r = await h.hostctl('stop');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await c.ended, 'closed');
});

test('drain_timeout bounds a stop', async (t) => {
	const h = await startLife(t,
	    { ...options, conf: `${options.conf}\ndrain_timeout = 200ms` });
	const c = await held(h);

	h.child.kill('SIGTERM');
	await c.ended;
	assert.equal(c.answered, 1);
	assert.deepEqual(await ended(h), { code: 0, signal: null });
	assertClean(h);
});

test('old workers do not hold up a stop', async (t) => {
	const h = await startLife(t, { conf: 'drain_timeout = 0' });
	const c = new Client(h.port);

	await c.ask();
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal((await h.hostctl('scale', 'web', '1')).code, 0);
	assert.equal((await h.hostctl('stop')).code, 0);
	assert.equal(await c.ended, 'closed');
});

for (let i = 0; i < 3; i++)
	test(`a stop during a reload, ${i}`, async (t) => {
		const h = await startLife(t, options);

		// So that it is under way for as long as that takes.
		rewrite(h, 'conf.d/life.conf', lifeConf('create = "hang"'));
		const reload = h.hostctl('reload');

		await h.logged('reloading, as generation');
		h.child.kill('SIGTERM');
		const r = await reload;

		assert.deepEqual(await ended(h), { code: 0, signal: null });
		assert.equal(r.code, 1);
		assert.match(r.stderr, /hostctl: hostd is stopping/);
		assertClean(h);
	});

test('a signal that comes last changes nothing', async (t) => {
	const h = await startLife(t, options);

	await h.hostctl('stop');
	h.child.kill('SIGTERM');
	assert.deepEqual(await ended(h), { code: 0, signal: null });
});

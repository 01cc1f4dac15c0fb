// SPDX-License-Identifier: BSD-2-Clause
// hostctl plugin call, when workers, hostctl or the master do not last.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { pidsOf, startCommands } from './lib/command.mjs';
import { atEnd, bin } from './lib/hostd.mjs';
import { descriptorsAtMost, descriptors } from './lib/life.mjs';
import { Program, upgraded } from './lib/upgrade.mjs';

const count = (h) => h.log.split('never, left').length - 1;

// Until so many more workers have begun with it.
const begun = async (h, n) => {
	while (count(h) < n)
		await h.logged('never, left', h.log.lastIndexOf('never, left') +
		    1);
};

test('a worker that is killed in the middle', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const [first, second] = await pidsOf(h, 'web');
	const all = h.callJson('near', 'every_never', `${second}`);

	await begun(h, 1);
	process.kill(second, 'SIGKILL');
	const r = await all;

	assert.deepEqual([r.code, r.ok], [1, false]);
	assert.deepEqual(r.workers.map((w) => [w.worker, w.pid, w.ok,
		w.result ?? w.error]), [['web.0', first, true, 'done'],
		['web.1', second, false,
			'the worker has ended before it answered']]);
});

test('a worker that stands still is named, the others answer', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const [, second] = await pidsOf(h, 'web');

	process.kill(second, 'SIGSTOP');
	atEnd(t, () => {
		try { process.kill(second, 'SIGCONT'); } catch { /* gone */ }
	});
	const r = await h.call('--timeout', '1s', 'near', 'every_hello');

	assert.deepEqual([r.code, r.stdout, r.stderr], [1, 'hello\n',
		'hostctl: web.1: the worker has not answered in time\n']);
	// Any one will do: one that can is found.
	assert.equal((await h.call('near', 'hello')).stdout, 'hello\n');
	process.kill(second, 'SIGCONT');
	const again = await h.call('near', 'every_hello');

	assert.deepEqual([again.code, again.stdout], [0, 'hello\n']);
});

test('a reload in the middle, before and behind it', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const old = await pidsOf(h, 'web');
	const call = h.callJson('near', 'every_never');

	await begun(h, 2);
	assert.equal((await h.hostctl('reload')).code, 0);
	const r = await call;

	assert.equal(r.code, 1);
	assert.deepEqual(r.workers.map((w) => w.pid).sort(), old.sort());
	assert.ok(r.workers.every((w) => w.status === -3), JSON.stringify(r));
	const now = await h.callJson('near', 'every_pid');

	assert.equal(now.code, 0);
	assert.deepEqual(now.workers.map((w) => w.pid).sort(),
	    (await pidsOf(h, 'web')).sort());
});

test('nothing waits for a command that runs', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const slow = h.call('--timeout', '30s', 'near', 'every_never');

	await begun(h, 2);
	assert.equal((await h.hostctl('scale', 'web', '3')).code, 0);
	assert.equal((await h.call('near', 'hello')).stdout, 'hello\n');
	assert.equal(await (await fetch(h.url)).text().then(Number) > 0, true);
	assert.equal((await h.hostctl('restart', 'web')).code, 0);
	assert.equal((await slow).code, 1);
});

test('hostctl that is killed in the middle', async (t) => {
	const h = await startCommands(t, { web: 2 });

	await h.call('near', 'hello');
	const before = descriptors(h.child.pid);
	const ctl = spawn(bin('hostctl'), ['-s', h.socket, 'plugin', 'call',
		'near', 'every_never'], { stdio: 'ignore' });

	await begun(h, 2);
	ctl.kill('SIGKILL');
	await descriptorsAtMost(h.child.pid, before);
	assert.equal((await h.call('near', 'every_hello')).stdout, 'hello\n');
});

test('a master that stands still keeps no worker', async (t) => {
	const h = await startCommands(t, { web: 1 });
	const n = 1 << 20;	// more than there is room for on its way
	const call = h.call('--timeout', '60s', 'near', 'later', '200', `${n}`);

	await h.logged('begun');
	h.child.kill('SIGSTOP');
	atEnd(t, () => h.child.kill('SIGCONT'));
	await h.logged('completed: 0');
	for (let i = 0; i < 10; i++)
		assert.equal((await fetch(h.url)).status, 200);
	h.child.kill('SIGCONT');
	const r = await call;

	assert.deepEqual([r.code, r.stderr, r.stdout.length], [0, '', n + 1]);
});

test('hostd that ends in the middle', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const call = h.call('near', 'every_never');

	await begun(h, 2);
	await h.stop('SIGQUIT');
	assert.equal((await call).code, 1);
});

test('an upgrade in the middle', async (t) => {
	const program = new Program(t);
	const h = await startCommands(t, { web: 2, program: program.path });
	const call = h.call('--timeout', '60s', 'near', 'every_never');

	await begun(h, 2);
	await upgraded(h, '--keep-workers');
	const r = await call;

	assert.equal(r.code, 1);
	assert.match(r.stderr, /upgraded while the command ran/);
	assert.equal((await h.call('near', 'every_hello')).stdout, 'hello\n');
	await upgraded(h);
	assert.equal((await h.call('near', 'every_hello')).stdout, 'hello\n');
});

test('many at a time', async (t) => {
	const h = await startCommands(t, { web: 2 });
	const all = await Promise.all(Array.from({ length: 24 }, (_, i) =>
	    h.call(i % 2 ? 'near' : 'far', 'big', `${20000 + i}`)));

	assert.deepEqual(all.map((r) => r.stdout.length),
	    all.map((_, i) => 20001 + i));
});

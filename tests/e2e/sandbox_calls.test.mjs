// SPDX-License-Identifier: BSD-2-Clause
// sandbox = on: system calls, and programs.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bin, command, startHostd } from './lib/hostd.mjs';
import { attempt, below, startSandbox, stopped } from './lib/sandbox.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

for (const [name, start] of [['as it was started', startHostd],
	['as a user', startUnprivileged]])
	test(`calls that servers do not need, ${name}`, async (t) => {
		const h = await startSandbox(t, { start });

		await stopped(h, '/trace', 'on_headers: ptrace');
		await stopped(h, '/kill', 'on_headers: kill');
		await stopped(h, '/limit', 'on_headers: prlimit64');
		await stopped(h, '/owner', 'on_headers: fcntl');
		await stopped(h, '/socket', 'on_headers: socket');
		await stopped(h, '/run/bin/true', 'on_headers: a system call ' +
		    'with SIGSYS blocked, as for executing a program');
		assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
	});

for (const [name, start] of [['as it was started', startHostd],
	['as a user', startUnprivileged]])
	test(`a worker does not command its master, ${name}`, async (t) => {
		const h = await startSandbox(t, { start, mode: 'off' });
		const [{ pid }] = await h.workers();

		assert.equal(await attempt(h, `/control${h.socket}`), 'EPIPE');
		await h.logged(`web.0 (pid ${pid}) has connected to the ` +
		    'control socket, and is not heard');
		assert.equal((await h.hostctl('status')).code, 0);
	});

test('calls that are granted', async (t) => {
	const h = await startSandbox(t, {
		conf: 'sandbox_calls = {"ptrace", "kill"}' });

	assert.equal(await attempt(h, '/kill'), 'ok');
	// The kernel has its own opinion.
	assert.equal(await attempt(h, '/trace'), 'EPERM');
	await stopped(h, '/socket', 'on_headers: socket');
});

test('a call that there is not', async (t) => {
	const h = await startSandbox(t, { ready: false,
		conf: 'sandbox_calls = {"open_sesame"}' });

	await h.logged(/hostd\.conf:\d+: "sandbox_calls": there is no system call "open_sesame"/);
	assert.equal((await h.ended).code, 1);
});

test('programs, where the plugin says so', async (t) => {
	const h = await startSandbox(t, { flags: ['-DDECLARES'] });
	const inspect = async (...args) => (await command(bin('hostctl'),
	    ['plugin', 'inspect', ...args, below(h, 'sandboxed.so')])).stdout;

	assert.equal(await attempt(h, '/run/bin/true'), 'ok');
	assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
	// In the same sandbox, where nobody can be told.
	assert.equal(await attempt(h, '/read/etc/shadow'), 'EACCES');
	assert.equal(await attempt(h, '/trace'), 'EPERM');
	assert.deepEqual(JSON.parse(await inspect('--json')).sandbox, {
		exec: true, reads: ['/etc/passwd'], writes: [], calls: [] });
	assert.match(await inspect(),
	    /^sandbox +executes programs\n +reads \/etc\/passwd$/m);
});

test('programs, where the operator says so', async (t) => {
	const h = await startSandbox(t, {
		conf: 'sandbox_calls = {"exec"}' });

	assert.equal(await attempt(h, '/run/bin/true'), 'ok');
});

// SPDX-License-Identifier: BSD-2-Clause
// sandbox = on: system calls, and programs.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHostd } from './lib/hostd.mjs';
import { attempt, startSandbox, stopped } from './lib/sandbox.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

for (const [name, start] of [['as it was started', startHostd],
	['as a user', startUnprivileged]])
	test(`calls that servers do not need, ${name}`, async (t) => {
		const h = await startSandbox(t, { start });

		await stopped(h, '/trace', 'on_headers: ptrace');
		await stopped(h, '/kill', 'on_headers: kill');
		await stopped(h, '/socket', 'on_headers: socket');
		await stopped(h, '/run/bin/true', 'on_headers: a system call ' +
		    'with SIGSYS blocked, as for executing a program');
		assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
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

	assert.equal(await attempt(h, '/run/bin/true'), 'ok');
	assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
	// In the same sandbox, where nobody can be told.
	assert.equal(await attempt(h, '/read/etc/shadow'), 'EACCES');
	assert.equal(await attempt(h, '/trace'), 'EPERM');
});

test('programs, where the operator says so', async (t) => {
	const h = await startSandbox(t, {
		conf: 'sandbox_calls = {"exec"}' });

	assert.equal(await attempt(h, '/run/bin/true'), 'ok');
});

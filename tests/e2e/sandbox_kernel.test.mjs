// SPDX-License-Identifier: BSD-2-Clause
// A kernel that does not have what a sandbox is made of.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, tempDir, top } from './lib/hostd.mjs';
import { attempt, startSandbox } from './lib/sandbox.mjs';

const MISSING = /sandbox = on needs landlock, which this kernel does not have, or not switched on \(Function not implemented\): Linux 5\.13 or newer, with "landlock" among its lsm=; or say sandbox = log or off/;

async function startWithout(t, call, mode) {
	const program = path.join(tempDir(t), 'absent_call');
	const cc = await command(process.env.CC ?? 'gcc', [`-DCALL=${call}`,
		'-o', program,
		path.join(top, 'tests/programs/absent_call/absent_call.c')]);

	assert.equal(cc.code, 0, cc.stderr);
	const h = await startSandbox(t, { mode, start: prepareHostd });

	h.through = [program];
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	return h;
}

test('sandbox = on is refused without landlock', async (t) => {
	const h = await startWithout(t, 'SYS_landlock_create_ruleset', 'on');

	await h.logged(MISSING);
	assert.equal((await h.ended).code, 1);
});

test('by a reload as well', async (t) => {
	const h = await startWithout(t, 'SYS_landlock_create_ruleset', 'off');

	await h.logged(/serving generation 1/);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('sandbox = off', 'sandbox = on'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, MISSING);
	assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
});

test('sandbox = log does not need it', async (t) => {
	const h = await startWithout(t, 'SYS_landlock_create_ruleset', 'log');

	await h.logged(/serving generation 1/);
	assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
	await h.logged('the sandbox would forbid plugin prisoner, on_headers: ' +
	    'openat of /etc/passwd for reading');
});

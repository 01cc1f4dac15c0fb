// SPDX-License-Identifier: BSD-2-Clause
// sandbox = log: nothing is forbidden, and all that would be is told, once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { startHostd } from './lib/hostd.mjs';
import { attempt, below, startSandbox } from './lib/sandbox.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

async function log(t, start) {
	const h = await startSandbox(t, { mode: 'log', start,
		files: { 'secret/key': 'x', 'given/key': 'x' },
		keys: 'reads = "@DIR@/given"' });
	const would = (text) => h.logged(`the sandbox would forbid ${text}`);
	const by = 'plugin prisoner, on_headers: ';

	assert.equal(await attempt(h, `/read${below(h, 'given/key')}`), 'ok');
	for (let i = 0; i < 3; i++)
		assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
	await would(`${by}openat of /etc/passwd for reading`);
	assert.equal(await attempt(h, `/write${below(h, 'secret/new')}`), 'ok');
	await would(`${by}openat of ${below(h, 'secret/new')} for writing`);
	assert.ok(fs.existsSync(below(h, 'secret/new')));
	assert.equal(await attempt(h, '/kill'), 'ok');
	await would(`${by}kill`);
	assert.equal(await attempt(h, '/run/bin/true'), 'ok');
	await would('a thread or a program: execve of /bin/true');
	assert.equal(await attempt(h, '/write/dev/null'), 'ok');
	assert.equal(h.log.match(/forbid.*\/etc\/passwd/g).length, 1);
	assert.doesNotMatch(h.log, /forbid.*(given|null)/);
	assert.doesNotMatch(h.log, /forbid hostd/);
}

test('as it was started', (t) => log(t, startHostd));
test('as a user', (t) => log(t, startUnprivileged));

// SPDX-License-Identifier: BSD-2-Clause
// sandbox = on: what is named by keys can be reached; a plugin that opens
// something else is stopped, and named.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { attempt, below, startSandbox, stopped } from './lib/sandbox.mjs';
import { startHostd } from './lib/hostd.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

const files = { 'secret/key': 'x', 'given/a/file': 'x', 'given/b/file': 'x',
	'made/.keep': '', 'beside/file': 'x', 'more/file': 'x' };

async function paths(t, start) {
	const h = await startSandbox(t, { start, files,
		keys: `reads = "@DIR@/given" file = "@DIR@/beside/new"
			dir = "@DIR@/made"`,
		conf: 'sandbox_paths = {"rw:@DIR@/more"}' });
	const at = (verb, ...names) => `/${verb}${below(h, ...names)}`;

	for (const [what, result] of [
		['/read/etc/hosts', 'ok'],
		['/read/etc/nothing', 'ENOENT'],
		['/read/usr/lib/os-release', 'ok'],
		['/write/dev/null', 'ok'],
		['/work/etc/hosts', 'ok'],
		[at('read', 'given/a/file'), 'ok'],
		[at('read', 'given/b/../a/file'), 'ok'],
		[at('write', 'beside/new'), 'ok'],
		[at('remove', 'beside/new'), 'ok'],
		[at('write', 'made/one'), 'ok'],
		[at('write', 'more/one'), 'ok'],
		[at('remove', 'more/file'), 'ok'],
		[at('write', 'state/plugins/prisoner/own'), 'ok'],
	])
		assert.equal(await attempt(h, what), result, what);
	await stopped(h, '/read/etc/passwd',
	    'on_headers: openat of /etc/passwd for reading');
	await stopped(h, at('read', 'secret/key'), 'on_headers: openat of ' +
	    `${below(h, 'secret/key')} for reading`);
	await stopped(h, at('read', 'given/../secret/key'),
	    `on_headers: openat of ${below(h, 'secret/key')} for reading`);
	await stopped(h, at('write', 'given/a/file'), 'on_headers: openat of ' +
	    `${below(h, 'given/a/file')} for writing`);
	await stopped(h, at('write', 'given/new'), 'on_headers: openat of ' +
	    `${below(h, 'given/new')} for writing`);
	await stopped(h, at('remove', 'secret/key'), 'on_headers: unlink of ' +
	    `${below(h, 'secret/key')} for writing`);
	await stopped(h, `/work${below(h, 'secret/key')}`,
	    'work on a thread: ' +
	    `openat of ${below(h, 'secret/key')} for reading`);
	assert.equal(fs.readFileSync(below(h, 'secret/key'), 'utf8'), 'x');
	assert.ok(!fs.existsSync(below(h, 'given/new')));
}

test('as it was started', (t) => paths(t, startHostd));
test('as a user', (t) => paths(t, startUnprivileged));

test('a link leads nowhere else', async (t) => {
	const h = await startSandbox(t, { files,
		keys: 'reads = "@DIR@/given"' });

	fs.symlinkSync(below(h, 'secret/key'), below(h, 'given/link'));
	await stopped(h, `/read${below(h, 'given/link')}`, 'on_headers: ' +
	    `openat of ${below(h, 'secret/key')} for reading`);
});

test('a directory that is a link is turned', async (t) => {
	const h = await startSandbox(t, { ready: true, files,
		keys: 'reads = "@DIR@/given/a"' });

	// A file is read from the one beside it only if the key is a link.
	await stopped(h, `/read${below(h, 'given/b/file')}`,
	    'on_headers: openat of');
	fs.symlinkSync(below(h, 'given/a'), below(h, 'current'));
	fs.writeFileSync(below(h, 'conf.d/sandboxed.conf'),
	    fs.readFileSync(below(h, 'conf.d/sandboxed.conf'), 'utf8')
	    .replace('given/a', 'current'));
	assert.equal((await h.hostctl('reload')).code, 0);
	const read = () => attempt(h, `/read${below(h, 'current/file')}`);

	assert.equal(await read(), 'ok');
	fs.rmSync(below(h, 'current'));
	fs.symlinkSync(below(h, 'given/b'), below(h, 'current'));
	assert.equal(await read(), 'ok');
});

test('files that are opened while a plugin is tried', async (t) => {
	const h = await startSandbox(t, { files });
	const conf = below(h, 'conf.d/sandboxed.conf');

	fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8')
	    .replace(/(sandboxed.so")/, '$1 early = "/etc/passwd"'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, new RegExp('sandboxed\\.conf:2: plugin ' +
	    '"prisoner": .*trying it failed: stopped by the sandbox in plugin ' +
	    'prisoner, create: openat of /etc/passwd for reading'));
	assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
});

test('and by its constructor', async (t) => {
	const h = await startSandbox(t, { ready: false,
		flags: ['-DCONSTRUCTOR="/etc/passwd"'] });

	await h.logged(/stopped by the sandbox in plugin prisoner, dlopen: openat of \/etc\/passwd for reading/);
	assert.equal((await h.ended).code, 1);
});

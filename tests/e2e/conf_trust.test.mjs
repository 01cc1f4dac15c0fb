// SPDX-License-Identifier: BSD-2-Clause
// Files that others may change are not trusted, and who runs is checked.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prepareHostd, sbin, startHostd } from './lib/hostd.mjs';
import { lifeConf, lifePlugin } from './lib/life.mjs';

const root = process.getuid() === 0;
const NOBODY = 65534;

const check = (h) => command(sbin('hostd'), ['-t', '-c', h.confFile]);

async function prepared(t) {
	const so = fs.readFileSync(await lifePlugin());

	return prepareHostd(t, { files: { 'life.so': so, 'more/x.so': so },
		confd: { 'life.conf': lifeConf(),
			'x.conf': 'plugin "x" { module = "@DIR@/more/x.so" }\n' +
			    'route "/x" { plugin = "x" }\n' } });
}

for (const [file, mode] of [['hostd.conf', 0o666], ['hostd.conf', 0o620],
	['conf.d/life.conf', 0o606], ['life.so', 0o757], ['life.so', 0o775],
	['conf.d', 0o777], ['conf.d', 0o770], ['more', 0o777]])
	test(`${file} of mode ${mode.toString(8)}`, async (t) => {
		const h = await prepared(t);
		const name = path.join(h.dir, file);

		assert.equal((await check(h)).code, 0);
		fs.chmodSync(name, mode);
		const r = await check(h);

		assert.equal(r.code, 1);
		assert.ok(r.stderr.includes(
		    `${name} may be written by others; ` +
		    `chmod go-w ${name}`), r.stderr);
		fs.chmodSync(name, fs.statSync(name).mode & ~0o022);
		assert.equal((await check(h)).code, 0);
	});

test('a directory with the sticky bit is fine', async (t) => {
	const h = await prepared(t);

	fs.chmodSync(path.join(h.dir, 'more'), 0o1777);
	const r = await check(h);

	assert.equal(r.code, 0, r.stderr);
});

test('a link is judged by what it leads to', async (t) => {
	const h = await prepared(t);
	const so = path.join(h.dir, 'life.so');

	fs.renameSync(so, path.join(h.dir, 'real.so'));
	fs.symlinkSync('real.so', so);
	assert.equal((await check(h)).code, 0);
	fs.chmodSync(so, 0o666);
	const r = await check(h);

	assert.equal(r.code, 1);
	assert.ok(r.stderr.includes(`${so} may be written by others`),
	    r.stderr);
});

for (const file of ['hostd.conf', 'conf.d/life.conf', 'life.so', 'conf.d'])
	test(`${file} of somebody else`, { skip: !root && 'needs root' },
	    async (t) => {
		const h = await prepared(t);
		const name = path.join(h.dir, file);

		fs.chownSync(name, NOBODY, NOBODY);
		const r = await check(h);

		assert.equal(r.code, 1);
		assert.ok(r.stderr.includes(
		    `${name} belongs to user ${NOBODY}`), r.stderr);
	});

test('a user or group that does not exist', { skip: !root && 'needs root' },
    async (t) => {
	for (const [user, conf, what] of [
		['no-such-user', '', /user "no-such-user": not known/],
		['nobody', 'group = "no-such-group"',
			/group "no-such-group": not known/],
	]) {
		const h = await prepareHostd(t, { user, conf });

		for (const args of [['-t'], []]) {
			const r = await command(sbin('hostd'),
			    ['-c', h.confFile, ...args]);

			assert.equal(r.code, 1, r.stdout);
			assert.match(r.stderr, what);
		}
	}
});

test('a run_dir that others may write', async (t) => {
	const h = await prepareHostd(t, {});
	const run = path.join(h.dir, 'run');

	fs.mkdirSync(run);
	fs.chmodSync(run, 0o777);
	const r = await command(sbin('hostd'), ['-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.equal(r.stderr,
	    `hostd: ${run}: can be written by others; chmod go-w it\n`);
	fs.rmdirSync(run);
	fs.symlinkSync('/tmp', run);
	assert.match((await command(sbin('hostd'), ['-c', h.confFile])).stderr,
	    new RegExp(`^hostd: ${run}: not a directory$`, 'm'));
});

test('the control socket is for its owner alone', async (t) => {
	const h = await startHostd(t, {});

	assert.equal(fs.statSync(h.socket).mode & 0o777, 0o600);
	if (!root)
		return;
	// Even when somebody opens the way to it.
	fs.chmodSync(h.socket, 0o666);
	const r = await command('setpriv', ['--reuid', String(NOBODY),
		'--clear-groups', bin('hostctl'), '-s', h.socket, 'status']);

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, /does not let this user in/);
});

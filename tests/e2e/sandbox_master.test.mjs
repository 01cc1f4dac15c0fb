// SPDX-License-Identifier: BSD-2-Clause
// What is left to master and workers with sandbox = on, and core and chroot.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prefix, prepareHostd } from './lib/hostd.mjs';
import { attempt, below, field, startSandbox } from './lib/sandbox.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

const asRoot = { skip: process.getuid() !== 0 && 'needs root' };
const CAPS = { CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, KILL: 5, SETGID: 6,
	SETUID: 7, SETPCAP: 8, NET_BIND_SERVICE: 10, SYS_CHROOT: 18,
	SYS_NICE: 23, SYS_RESOURCE: 24 };
const MASTERS = Object.values(CAPS).reduce((a, n) => a | 1n << BigInt(n), 0n);
const caps = (pid, name) => BigInt(`0x${field(pid, name)}`);

function assertKept(pid) {
	for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
		assert.equal(caps(pid, set) & ~MASTERS, 0n, set);
	assert.ok(caps(pid, 'CapEff') & 1n << 10n);
}

function assertConfined(pid) {
	for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
		assert.equal(caps(pid, set), 0n, set);
	assert.equal(field(pid, 'Seccomp'), '2');
	assert.equal(field(pid, 'NoNewPrivs'), '1');
}

for (const user of ['nobody', 'root'])
	test(`capabilities, workers being ${user}`, asRoot, async (t) => {
		const h = await startSandbox(t, { user });

		assertKept(h.child.pid);
		assertConfined((await h.workers())[0].pid);
		assert.equal(field(h.child.pid, 'Seccomp'), '0');
		const r = await h.hostctl('upgrade');

		assert.equal(r.code, 0, r.stderr);
		assertKept(h.child.pid);
		assertConfined((await h.workersSatisfy((ws) => ws.length === 1,
		    'one worker'))[0].pid);
		assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
	});

test('none, for who asks plugins what they need', asRoot, async (t) => {
	const h = await startSandbox(t, { user: 'root',
		flags: ['-DDECLARES=is_plain()'] });

	assert.equal(await attempt(h, '/read/etc/passwd'), 'ok');
});

// Whoever has copied something onto it as root has changed its mode.
test('no /dev/null for who asks plugins what they need', asRoot, async (t) => {
	if ((await command('unshare', ['-m', 'true'])).code !== 0) {
		t.skip('nothing may be mounted here');
		return;
	}
	const h = await startSandbox(t, { user: 'nobody',
		start: prepareHostd });
	const at = below(h, 'null');

	h.through = ['unshare', '-m', 'sh', '-c', `mknod ${at} c 1 3 &&
		chmod 644 ${at} && mount --bind ${at} /dev/null && exec "$@"`,
		'sh'];
	h.spawn();
	await h.logged(/plugins can't be asked what they need of the sandbox, and get no files by it: \/dev\/null: Permission denied/);
	assert.equal((await h.ended).code, 1);
});

test('those that the unit leaves it are enough', asRoot, async (t) => {
	const unit = fs.readFileSync(
	    path.join(prefix, 'systemd/hostd.service'), 'utf8');
	const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)[1].split(' ')
	    .map((name) => name.replace('CAP_', ''));

	assert.deepEqual(names.toSorted(), Object.keys(CAPS).toSorted());
	const h = await startSandbox(t,
	    { user: 'nobody', start: prepareHostd });

	h.through = ['setpriv', '--bounding-set', ['-all',
		...names.map((name) => `+${name.toLowerCase()}`)].join(',')];
	h.spawn();
	atEnd(t, () => h.stop('SIGQUIT'));
	await h.logged(/serving generation 1/);
	assertConfined((await h.workers())[0].pid);
	assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
	const r = await h.hostctl('upgrade');

	assert.equal(r.code, 0, r.stderr);
});

test('switched on and off by a reload', async (t) => {
	const h = await startSandbox(t, { mode: 'off' });
	const turn = async (from, to) => {
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace(`sandbox = ${from}`, `sandbox = ${to}`));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		const [w] = await h.workersSatisfy((ws) => ws.length === 1 &&
		    ws[0].state === 'ready', 'one worker');

		assert.equal(w.sandbox, to);
		assert.match((await h.hostctl('describe', 'web.0')).stdout,
		    new RegExp(`^sandbox +${to}$`, 'm'));
		return w.pid;
	};

	assert.equal(field((await h.workers())[0].pid, 'Seccomp'), '0');
	assert.equal(field(await turn('off', 'on'), 'Seccomp'), '2');
	assert.equal(field(await turn('on', 'off'), 'Seccomp'), '0');
});

test('core files', async (t) => {
	const limit = async (core) => {
		const h = await startSandbox(t, { mode: 'off', conf: core });
		const [{ pid }] = await h.workers();

		return /^Max core file size\s+(\S+)\s+(\S+)/m.exec(
		    fs.readFileSync(`/proc/${pid}/limits`, 'utf8')).slice(1);
	};

	assert.deepEqual(await limit('core = off'), ['0', '0']);
	if (process.getuid() === 0) {
		assert.deepEqual(await limit('core = "64m"'),
		    [String(64 << 20), String(64 << 20)]);
		assert.deepEqual(await limit('core = on'),
		    ['unlimited', 'unlimited']);
	}
});

test('a core that is no size', async (t) => {
	const h = await startSandbox(t,
	    { ready: false, conf: 'core = "many"' });

	await h.logged(/hostd\.conf:\d+: "core": "many" is not "on", "off" or a size/);
	assert.equal((await h.ended).code, 1);
});

const jail = { mode: 'off', user: 'nobody', conf: 'chroot = "@DIR@/jail"',
	files: { 'jail/.keep': '' } };

test('a root directory in which nothing is', asRoot, async (t) => {
	const h = await startSandbox(t, { ...jail, ready: false });

	await h.logged(/hostd\.conf:\d+: "chroot": .*\/run in .*\/jail: No such file or directory; bind-mount the run_dir there/);
	assert.equal((await h.ended).code, 1);
});

// A directory is in the jail by the same path.
function bind(t, h, dir) {
	const at = below(h, 'jail', dir);

	fs.mkdirSync(dir, { recursive: true });
	fs.mkdirSync(at, { recursive: true });
	execFileSync('mount', ['--bind', dir, at]);
	atEnd(t, () => execFileSync('umount', [at]));
}

test('a root directory of its own', asRoot, async (t) => {
	const h = await startSandbox(t, { ...jail, start: prepareHostd });

	for (const dir of ['/usr', '/etc', '/dev', below(h, 'run'),
		below(h, 'state')])
		bind(t, h, dir);
	for (const name of ['/lib', '/lib64'])
		fs.symlinkSync(`usr${name}`, below(h, 'jail', name));
	h.spawn();
	atEnd(t, () => h.stop('SIGQUIT'));
	await h.logged(/serving generation 1/);
	const [{ pid }] = await h.workers();

	assert.equal(fs.readlinkSync(`/proc/${pid}/root`), below(h, 'jail'));
	assert.equal(await attempt(h, '/read/etc/hosts'), 'ok');
});

test('a user has no root directory to give', async (t) => {
	const h = await startSandbox(t, { mode: 'off', ready: false,
		conf: 'chroot = "@DIR@"', start: async (tt, o) =>
		    startUnprivileged(tt, o).catch(() => null) });

	assert.equal(h, null);
});

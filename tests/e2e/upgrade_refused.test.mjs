// SPDX-License-Identifier: BSD-2-Clause
// A program that can't take the master's place does not get it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { descriptors, descriptorsAtMost, startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';
import { Program, runningVersion, upgraded, VERSION, versionOf } from
    './lib/upgrade.mjs';

const elf = () => {
	const b = Buffer.alloc(4096);

	b.write('\x7fELF\x02\x01\x01');
	return b;
};

// What is put in its place, and what is said of it.
const broken = {
	'it is not there': [(p) => fs.rmSync(p.path), /No such file/],
	'it is not executable': [(p) => p.put('nothing', 0o644),
		/it can't be executed: Permission denied/],
	'it is garbage': [(p) => p.put(elf()),
		/it can't be executed: Exec format error/],
	'it exits 1': [(p) => p.script('exit 1'), /runs: exit status 1$/m],
	'it says why it does not run': [(p) => p.script(
	    'echo "libnothing.so.1: not found" >&2; exit 127'),
		/runs: libnothing\.so\.1: not found$/m],
	'it is another program': [(p) => p.script('echo "nginx 1.2.3"'),
		/that is no hostd that runs: nginx 1\.2\.3$/m],
	'it crashes': [(p) => p.script('kill -SEGV $$'), /runs: SIGSEGV$/m],
	'it knows no upgrades': [(p) => p.script(
	    'case $1 in --version) exec $REAL "$@";; ' +
	    '*) echo "hostd: what is \\"$2\\"?"; exit 2;; esac'),
		/it can't go on in our place: hostd: what is/],
	'it crashes on the state': [(p) => p.script(
	    'case $1 in --check*) kill -SEGV $$;; esac; exec $REAL "$@"'),
		/it can't go on in our place: SIGSEGV$/m],
	'it never ends': [(p) => p.script(
	    'case $1 in --check*) sleep 1000; exit 0;; esac; exec $REAL "$@"'),
		/it can't go on in our place: it did not end within 10 s/],
	'others may write to it': [(p) => {
		p.version(7);
		fs.chmodSync(p.path, 0o777);
	}, /hostd may be written by others/],
};

test('broken programs', async (t) => {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path });
	const master = h.child.pid;
	const before = (await h.workers()).map((w) => w.pid);
	const load = new Load(h, { kind: 'new' });
	let fds;

	for (const [name, [put, said]] of Object.entries(broken))
		await t.test(name, async () => {
			put(program);
			const r = await h.hostctl('upgrade');

			assert.equal(r.code, 1, r.stdout);
			assert.match(r.stderr, said);
			assert.equal((await runningVersion(h)).hostd, VERSION);
			assert.deepEqual((await h.workers()).map((w) => w.pid),
			    before);
			await load.more(10);
			fds ??= descriptors(master);
			await descriptorsAtMost(master, fds);
			assert.equal(h.pids().length, 3);
		});

	await t.test('and then one that works', async () => {
		program.version(7);
		await upgraded(h);
		assert.equal((await runningVersion(h)).hostd, versionOf(7));
		await load.more(10);
		await load.stop();
		assert.deepEqual(load.failures, []);
	});
});

test('--json', async (t) => {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path });
	const last = (r) => JSON.parse(r.stdout.trim().split('\n').at(-1));

	program.version(7);
	const good = await h.hostctl('--json', 'upgrade');

	assert.equal(good.code, 0);
	assert.deepEqual(last(good), { ok: true, from: VERSION,
		to: versionOf(7), upgraded: true, generation: 2 });
	program.script('exit 1');
	const bad = await h.hostctl('upgrade', '--json');

	assert.equal(bad.code, 1);
	assert.deepEqual(last(bad), { ok: false, from: versionOf(7), to: '',
		upgraded: false, generation: 2 });
});

test('workers that do not get ready: the old ones stay', async (t) => {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path });
	const before = (await h.workers()).map((w) => w.pid);

	program.version(7);
	fs.appendFileSync(h.confFile, 'nonsense\n');
	const r = await h.hostctl('upgrade');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /hostd\.conf:\d+/);
	assert.match(r.stderr, new RegExp(`^hostctl: hostd ${versionOf(7)
	    .replaceAll('.', '\\.')} runs, but its workers were not replaced; ` +
	    'those of generation 1 go on serving$', 'm'));
	assert.deepEqual((await h.workers()).map((w) => w.pid), before);
	assert.equal((await runningVersion(h)).hostd, versionOf(7));
});

// A program that was fine when it was tried, and is not when it has become the
// master: the one before is executed again.
const library = {
	'that is wrong about the state': ['json_loadb',
		'return 0;', /the state can't be read/],
	'that aborts': ['json_loadb', 'abort();',
		/the new hostd aborted while taking over/],
	'that crashes': ['json_loadb', '*(volatile int *)0 = 0; return 0;',
		/the new hostd crashed while taking over/],
	'that ends': ['json_loadb', 'exit(0);',
		/the new hostd ended while taking over/],
	'that hangs': ['json_loadb', 'for (;;) pause();',
		/the new hostd took too long to take over/],
};

async function saboteur(dir, name, body) {
	const file = path.join(dir, 'saboteur.c'), so = `${file}.so`;

	fs.writeFileSync(file, `
		#include <stdlib.h>
		#include <unistd.h>
		__attribute__((constructor)) static void
		start(void) { unsetenv("LD_PRELOAD"); }
		void *${name}(void);
		void *${name}(void) { ${body} }`);
	const r = await command(process.env.CC ?? 'gcc',
	    ['-shared', '-fPIC', '-O0', '-o', so, file]);

	assert.equal(r.code, 0, r.stderr);
	return so;
}

test('what is wrong only after the exec', async (t) => {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path });
	const master = h.child.pid;
	const before = (await h.workers()).map((w) => w.pid);
	const load = new Load(h, { kind: 'new' });
	let fds;

	for (const [name, [symbol, body, said]] of Object.entries(library))
		await t.test(name, async () => {
			const so = await saboteur(program.dir, symbol, body);

			program.script(`if [ -n "$HOSTD_UPGRADE" ]; then
				ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
				LD_PRELOAD=${so}
				export LD_PRELOAD ASAN_OPTIONS
			fi
			exec $REAL "$@"`);
			const r = await h.hostctl('upgrade');

			assert.equal(r.code, 1, r.stdout + h.log);
			assert.match(r.stderr, said);
			assert.match(r.stderr,
			    /^hostctl: not upgraded; hostd \S+ goes on$/m);
			assert.equal(h.child.pid, master);
			assert.deepEqual((await h.workers()).map((w) => w.pid),
			    before);
			await load.more(10);
			fds ??= descriptors(master);
			await descriptorsAtMost(master, fds);
		});

	await t.test('and then one that works', async () => {
		program.version(7);
		await upgraded(h);
		assert.equal((await runningVersion(h)).hostd, versionOf(7));
		assert.equal(fs.readlinkSync(`/proc/${master}/exe`),
		    program.path);
		assert.equal(fs.readFileSync(`/proc/${master}/comm`, 'utf8'),
		    'hostd\n');
		await load.more(10);
		await load.stop();
		assert.deepEqual(load.failures, []);
	});
});

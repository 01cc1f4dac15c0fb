// SPDX-License-Identifier: BSD-2-Clause
// A reload that can't be written down is refused, leaves nothing half done, and
// what is running does not notice.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd } from './lib/hostd.mjs';
import { lifeConf, lifePlugin } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

// hostd below another program, with its socket where everybody can see it.
async function start(t, through) {
	const so = fs.readFileSync(await lifePlugin());
	const h = await prepareHostd(t, {
		conf: 'control = "@DIR@/control.sock"',
		files: { 'life.so': so },
		confd: { 'life.conf': lifeConf() },
	});

	h.socket = path.join(h.dir, 'control.sock');
	h.through = through(h, so.length);
	fs.mkdirSync(path.join(h.dir, 'run'));
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged('serving generation 1');
	return h;
}

const may = async (...args) => (await command(args[0], args.slice(1))
    .catch(() => ({ code: 1 }))).code === 0;

// Another plugin, a little larger.
const grow = (h, by) => fs.appendFileSync(path.join(h.dir, 'life.so'),
    Buffer.alloc(by, '\n'));

async function refused(h, run, why) {
	const load = new Load(h);
	const before = await h.workers();
	const plugins = fs.readdirSync(path.join(run, 'plugins'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, why);
	assert.match(r.stderr, /^hostctl: not reloaded; generation 1 goes on serving$/m);
	assert.deepEqual(fs.readdirSync(path.join(run, 'gen')), ['1']);
	assert.deepEqual(fs.readdirSync(path.join(run, 'plugins')), plugins);
	await load.more(20);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.deepEqual((await h.workers()).map((w) => w.pid),
	    before.map((w) => w.pid));
	// A worker that dies comes back all the same.
	process.kill(before[0].pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready' && w.pid !== before[0].pid),
	    'the worker back');
}

async function works(h, generation) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await h.status()).generation, generation);
}

test('a full disk', async (t) => {
	if (!await may('unshare', '-m', 'true')) {
		t.skip('nothing may be mounted here');
		return;
	}
	const h = await start(t, ({ dir }, size) => ['unshare', '-m', 'sh',
	    '-c',
		`mount -t tmpfs -o mode=0755,size=${2 * size + (256 << 10)} none ` +
		`${dir}/run && exec "$@"`, 'sh']);
	const run = path.join(`/proc/${h.child.pid}/root`, h.dir, 'run');
	const filler = path.join(run, 'filler');

	await t.test('a plugin that does not fit', async () => {
		grow(h, 1);
		const fd = fs.openSync(filler, 'w');

		assert.throws(() => {
			for (;;)
				fs.writeSync(fd, Buffer.alloc(4096));
		}, { code: 'ENOSPC' });
		// Configuration does, the plugin does not.
		fs.ftruncateSync(fd, fs.fstatSync(fd).size - (24 << 10));
		fs.closeSync(fd);
		await refused(h, run, new RegExp('^hostctl: .*plugin "life": ' +
		    `${h.dir}/life\\.so: copying to ${h.dir}/run/plugins: No ` +
		    'space left on device; make room there', 'm'));
	});

	await t.test('nothing fits', async () => {
		const fd = fs.openSync(filler, 'a');

		assert.throws(() => {
			for (;;)
				fs.writeSync(fd, Buffer.alloc(4096));
		}, { code: 'ENOSPC' });
		fs.closeSync(fd);
		await refused(h, run, /^hostctl: .*No space left on device/m);
	});

	fs.rmSync(filler);
	await works(h, 4);
});

test('a limit on the size of files', async (t) => {
	if (!await may('prlimit', '--version')) {
		t.skip('there is no prlimit');
		return;
	}
	const h = await start(t, () => []);
	const run = path.join(h.dir, 'run');
	const { size } = fs.statSync(path.join(h.dir, 'life.so'));

	grow(h, 4096);
	assert.ok(await may('prlimit', '--pid', String(h.child.pid),
	    `--fsize=${size + 100}:`));
	await refused(h, run, /life\.so: copying to .*: File too large; the limit/);
	assert.ok(await may('prlimit', '--pid', String(h.child.pid),
	    '--fsize=unlimited:'));
	await works(h, 3);
});

test('a run directory that can\'t be written', async (t) => {
	const drop = ['setpriv', '--bounding-set', '-dac_override'];

	// Root may write anywhere.
	if (process.getuid() === 0 && !await may(...drop, 'true')) {
		t.skip('root can\'t be kept from writing');
		return;
	}
	const h = await start(t, () => process.getuid() === 0 ? drop : []);
	const run = path.join(h.dir, 'run');
	const fix = (name, mode) => fs.chmodSync(path.join(run, name), mode);

	grow(h, 1);
	fix('plugins', 0o555);
	await refused(h, run, /life\.so: copying to .*\/run\/plugins: Permission denied; hostd must be able to write there/);
	fix('plugins', 0o755);
	fix('gen', 0o500);
	await refused(h, run, /cannot make directory .*\/run\/gen\/3: Permission denied/);
	fix('gen', 0o700);
	await works(h, 4);
});

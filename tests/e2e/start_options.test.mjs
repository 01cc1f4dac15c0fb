// SPDX-License-Identifier: BSD-2-Clause
// What hostd can be told on its command line.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { atEnd, bin, command, freePort, Hostd, prefix, prepareHostd, sbin,
	tempDir, within, writeFiles } from './lib/hostd.mjs';
import { Client } from './lib/load.mjs';

const hostd = (...args) => command(sbin('hostd'), args);

test('-V and --version', async () => {
	for (const o of ['-V', '--version']) {
		const r = await hostd(o);

		assert.equal(r.code, 0);
		assert.match(r.stdout, /^hostd \d+\.\d+\.\d+\S*\n$/);
		assert.equal(r.stderr, '');
	}
});

test('-h and --help', async () => {
	for (const o of ['-h', '--help']) {
		const r = await hostd(o);

		assert.equal(r.code, 0);
		for (const option of ['-c', '-p', '-t', '--daemon', '-V'])
			assert.ok(r.stdout.includes(option), option);
	}
});

test('unknown options and words', async () => {
	for (const args of [['--wrong'], ['-x'], ['-c'], ['-p'], ['start'],
		['-t', 'x'], ['--json']]) {
		const r = await hostd(...args);

		assert.equal(r.code, 2, `${args}`);
		assert.match(r.stderr, /Try hostd -h\.$/m);
		assert.equal(r.stdout, '');
	}
	assert.match((await hostd('start')).stderr,
	    /^hostd: what is "start"\?$/m);
});

test('-t', async (t) => {
	const h = await prepareHostd(t, {});
	const tmp = tempDir(t);
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile],
	    { env: { ...process.env, TMPDIR: tmp } });

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout, `hostd: ${h.confFile}: configuration ok\n`);
	assert.equal(r.stderr, '');

	await t.test('hostctl test is the same', async () => {
		assert.deepEqual(await h.hostctl('test', '-c', h.confFile), r);
	});

	await t.test('as JSON', async () => {
		const j = await h.hostctl('--json', 'test', '-c', h.confFile);

		assert.equal(j.code, 0, j.stderr);
		assert.equal(j.stderr, '');
		assert.deepEqual(JSON.parse(j.stdout),
		    { ok: true, conf_file: h.confFile, errors: [] });
	});

	await t.test('makes nothing', () => {
		assert.deepEqual(fs.readdirSync(tmp), []);
		assert.deepEqual(fs.readdirSync(h.dir).sort(),
		    ['conf.d', 'hostd.conf']);
	});

	await t.test('a file that is not there', async () => {
		const no = await hostd('-t', '-c', '/absent/hostd.conf');

		assert.equal(no.code, 1);
		assert.match(no.stderr,
		    /^hostd: \/absent\/hostd\.conf: No such file or directory$/m);
	});

	await t.test('beside one that runs', async () => {
		h.spawn();
		await h.logged('serving generation 1');
		assert.equal((await hostd('-t', '-c', h.confFile)).code, 0);
		assert.equal((await h.status()).generation, 1);
		await h.stop();
	});
});

test('a relative -c', async (t) => {
	const h = await prepareHostd(t, {});
	const r = await command(sbin('hostd'), ['-t', '-c', 'hostd.conf'],
	    { cwd: h.dir });

	assert.equal(r.code, 0, r.stderr);
	assert.ok(r.stdout.startsWith(`hostd: ${h.dir}/hostd.conf: `),
	    r.stdout);
});

test('-p moves everything below a prefix', async (t) => {
	const dir = tempDir(t);
	const port = await freePort();

	writeFiles(dir, {
		'etc/hostd/hostd.conf': `user = "${os.userInfo().username}"\n` +
		    'pool "web" { workers = 1 }\n' +
		    `listen "main" { address = "127.0.0.1:${port}" }\n`,
		'etc/hostd/conf.d/x.conf':
		    'plugin "x" { module = "answer.so"  body = "moved" }\n' +
		    'route "/" { plugin = "x" }\n',
	});
	fs.mkdirSync(path.join(dir, 'lib/hostd/plugins'), { recursive: true });
	fs.copyFileSync(path.join(prefix, 'lib/hostd/plugins/http_respond.so'),
	    path.join(dir, 'lib/hostd/plugins/answer.so'));
	assert.equal((await hostd('-t', '-p', dir)).code, 0);

	const h = new Hostd(dir, port);

	h.confFile = path.join(dir, 'etc/hostd/hostd.conf');
	h.spawnArgs(['-p', `${dir}/`]);
	atEnd(t, () => h.stop());
	await h.logged('serving generation 1');
	const c = new Client(port);

	assert.equal((await c.ask('/', true)).body, 'moved');
	const ctl = (...args) => command(bin('hostctl'), ['-p', dir, ...args]);
	const st = JSON.parse((await ctl('status', '--json')).stdout);

	assert.equal(st.run_dir, `${dir}/var/run/hostd`);
	assert.equal(st.conf_file, h.confFile);
	// A worker that comes back has not forgotten it.
	assert.equal((await ctl('reload')).code, 0);
	assert.equal((await ctl('stop')).code, 0);
	assert.deepEqual(await within(h.ended, 'end of hostd'),
	    { code: 0, signal: null });
});

// SPDX-License-Identifier: BSD-2-Clause
// What systemd, logrotate and systemd-tmpfiles are given is what they read, and
// does what it says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, prefix, startHostd, tempDir } from './lib/hostd.mjs';

const installed = (...p) =>
    fs.readFileSync(path.join(prefix, ...p), 'utf8');

test('the unit', async (t) => {
	const file = path.join(tempDir(t), 'hostd.service');
	const verify = async (text) => {
		fs.writeFileSync(file, text);
		return command('systemd-analyze', ['verify', '--man=no', file]);
	};
	const unit = installed('systemd/hostd.service');
	const r = await verify(unit);

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stderr, '');
	assert.match(unit, /^ExecReload=.*hostctl reload$/m);
	assert.match((await verify(unit.replace('KillMode=', 'KilMode=')))
	    .stderr, /KilMode/);
});

test('rotated logs lose no line', async (t) => {
	const h = await startHostd(t, { conf: `
		access_log "main" { path = "@DIR@/log/access.log"
			format = "$request_uri" }
		plugin "r" { module = "http_respond.so"  body = "x" }
		route "/" { plugin = "r" }`, files: { 'log/.keep': '' } });
	const file = path.join(tempDir(t), 'logrotate.conf');
	const log = path.join(h.dir, 'log/access.log');
	const lines = (f) => fs.readFileSync(f, 'utf8').split('\n').slice(0,
	    -1);
	const ask = async (n) => {
		for (let i = 0; i < 20; i++)
			await (await fetch(`${h.url}/${n}-${i}`)).text();
	};

	fs.writeFileSync(file, installed('etc/logrotate.d/hostd')
	    .replaceAll(path.join(prefix, 'var/log/hostd'),
	    path.join(h.dir, 'log'))
	    .replaceAll(path.join(prefix, 'var/run/hostd/control.sock'),
	    h.socket).replaceAll('/bin/hostctl', `$& -s ${h.socket}`),
	    { mode: 0o644 });
	await ask('before');
	const r = await command('logrotate', ['--force', '-s',
		path.join(h.dir, 'state'), file]);

	assert.equal(r.code, 0, r.stderr);
	await ask('after');
	await h.stop();
	const of = (n) => Array.from({ length: 20 }, (_, i) => `/${n}-${i}`);

	assert.deepEqual(lines(`${log}.1`).sort(), of('before').sort());
	assert.deepEqual(lines(log).sort(), of('after').sort());
});

test('directories', async (t) => {
	const root = tempDir(t);
	const file = path.join(root, 'hostd.conf');
	const below = (p) => fs.statSync(path.join(root, prefix, p));

	fs.mkdirSync(path.join(root, 'etc'));
	fs.writeFileSync(path.join(root, 'etc/passwd'),
	    'root:x:0:0::/:/bin/sh\n');
	fs.writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nadm:x:4:\n');
	fs.writeFileSync(file, installed('lib/tmpfiles.d/hostd.conf'));
	const r = await command('systemd-tmpfiles', ['--create',
		`--root=${root}`, file]);

	assert.equal(r.code, 0, r.stderr);
	assert.equal(below('var/run/hostd').mode & 0o777, 0o755);
	assert.equal(below('var/lib/hostd').mode & 0o777, 0o755);
	assert.equal(below('var/log/hostd').mode & 0o777, 0o750);
});

// SPDX-License-Identifier: BSD-2-Clause
// What is in the way of a start is named, and a start that fails changes
// nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, sbin } from './lib/hostd.mjs';
import { lifeConf, startLife } from './lib/life.mjs';

async function refused(h, ...args) {
	const r = await command(sbin('hostd'), ['-c', h.confFile, ...args]);

	assert.equal(r.code, 1, r.stderr);
	return r.stderr.split('\n').filter((l) => l.startsWith('hostd: '));
}

test('a second one with the same run_dir', async (t) => {
	const h = await startLife(t);

	assert.deepEqual(await refused(h), ['hostd: another hostd (pid ' +
	    `${h.child.pid}) is running in ${h.dir}/run`]);
	assert.equal((await h.status()).pid, h.child.pid);
});

test('a second one with the same control socket', async (t) => {
	const h = await startLife(t);
	const other = await prepareHostd(t,
	    { conf: `control = "${h.socket}"` });

	assert.deepEqual(await refused(other), ['hostd: another hostd is ' +
	    `running: it answers on ${h.socket}`]);
	assert.equal((await h.status()).pid, h.child.pid);
	assert.deepEqual(fs.readdirSync(path.join(other.dir, 'run')),
	    ['lock']);
});

test('an address in use', async (t) => {
	const s = net.createServer();

	await new Promise((resolve) => s.listen(0, '127.0.0.1', resolve));
	atEnd(t, () => s.close());
	const { port } = s.address();
	const h = await prepareHostd(t, { port });

	assert.deepEqual(await refused(h), [`hostd: ${h.confFile}:4: listen ` +
	    `"main": address 127.0.0.1:${port}: Address already in use; ` +
	    'another program listens there']);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run')), ['lock']);
});

test('an address in use by another hostd', async (t) => {
	const h = await startLife(t);
	const other = await prepareHostd(t, { port: h.port });
	const [line] = await refused(other);

	assert.match(line, /another program listens there$/);
	assert.equal((await fetch(h.url)).status, 200);
});

test('a unix socket that somebody answers on, and a file', async (t) => {
	const h = await prepareHostd(t, {
		conf: 'listen "u" { address = "unix:@DIR@/web.sock" }' });
	const where = path.join(h.dir, 'web.sock');
	const s = net.createServer();

	await new Promise((resolve) => s.listen(where, resolve));
	assert.match((await refused(h))[0],
	    /:5: listen "u": .*another program listens there$/);
	await new Promise((resolve) => s.close(resolve));
	fs.writeFileSync(where, 'mine');
	assert.match((await refused(h))[0],
	    /:5: listen "u": .*the path is there and is no socket$/);
	assert.equal(fs.readFileSync(where, 'utf8'), 'mine');
});

test('a plugin that crashes', async (t) => {
	const h = await startLife(t, { ready: false,
		keys: 'create = crash' });

	await h.ended;
	assert.match(h.log, /^hostd: .*life\.conf:1: plugin "life": .*SIGABRT in plugin life, create$/m);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run')), ['lock']);
});

test('workers that do not start', async (t) => {
	const h = await startLife(t, { ready: false,
		keys: 'create = once bomb = "@DIR@/hostd.conf"' });

	assert.deepEqual(await h.ended, { code: 1, signal: null });
	assert.match(h.log, /^hostd: worker web\.[01] of generation 1 did not get ready: .*start failed/m);
});

test('a directory that can\'t be made, a log that can\'t be opened',
    async (t) => {
	for (const [conf, line] of [
		['run_dir = "/proc/absent/run"',
			/cannot make directory \/proc\/absent: /],
		['error_log = "/absent/error.log"',
			/error_log \/absent\/error\.log: No such file/],
		['pid_file = "/absent/pid"', /pid_file \/absent\/pid: No such/],
	]) {
		const h = await prepareHostd(t, {});
		const text = fs.readFileSync(h.confFile, 'utf8');

		fs.writeFileSync(h.confFile, `${conf}\n` +
		    (conf.startsWith('run')
		    ? text.replace(/^run_dir.*$/m, '') : text));
		const lines = await refused(h);

		assert.equal(lines.length, 1, lines.join('\n'));
		assert.match(lines[0], line);
	}
});

test('the plugin\'s block is in another directory\'s file', async (t) => {
	// conf_dir is relative to the main file, wherever hostd is started.
	const h = await startLife(t, { confd: { 'life.conf': '' },
		conf: 'conf_dir = "more"',
		files: { 'more/life.conf': lifeConf() } });

	assert.deepEqual((await h.status()).plugins, ['life']);
});

// SPDX-License-Identifier: BSD-2-Clause
// hostd --daemon, its pid file, and what it tells a service manager.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, sbin, tempDir } from
    './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';
import { notifySocket } from './lib/notify.mjs';

const read = (h, name) => fs.readFileSync(path.join(h.dir, name), 'utf8');

test('--daemon returns when it serves', async (t) => {
	const h = await prepareHostd(t, {
		conf: 'pid_file = "@DIR@/pid"\nerror_log = "@DIR@/log"' });
	const r = await command(sbin('hostd'), ['-c', h.confFile, '--daemon']);

	atEnd(t, () => h.hostctl('stop', '--now'));
	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout + r.stderr, '');
	assert.match(read(h, 'log'), /serving generation 1$/m);
	const pid = Number(read(h, 'pid'));

	assert.equal((await h.status()).pid, pid);
	assert.equal(fs.statSync(path.join(h.dir, 'pid')).mode & 0o777, 0o644);

	await t.test('in a session of its own, with nothing of ours', () => {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		const [, ppid, , session] = stat.slice(
		    stat.lastIndexOf(')') + 2).split(' ');

		assert.equal(Number(session), pid);
		assert.notEqual(Number(ppid), process.pid);
		for (const fd of [0, 1, 2])
			assert.equal(fs.readlinkSync(`/proc/${pid}/fd/${fd}`),
			    '/dev/null');
	});

	await t.test('it serves, reloads and stops', async () => {
		const c = new Client(h.port);

		assert.equal((await c.ask('/', true)).status, 404);
		assert.equal((await h.hostctl('reload')).code, 0);
		assert.match(read(h, 'log'), /serving generation 2$/m);
		assert.equal((await h.hostctl('stop')).code, 0);
		assert.ok(!fs.existsSync(path.join(h.dir, 'pid')));
	});
});

test('--daemon fails where a start fails', async (t) => {
	for (const [conf, why] of [
		['error_log = "@DIR@/log"\nplugin "x" { module = "x.so" }',
			/x\.so: No such file/],
		['', /set error_log to a file/],
		['error_log = "@DIR@/log"\npid_file = "/absent/pid"',
			/pid_file \/absent\/pid/],
	]) {
		const h = await prepareHostd(t, { conf });
		const r = await command(sbin('hostd'),
		    ['-c', h.confFile, '--daemon']);

		assert.equal(r.code, 1, conf);
		assert.match(r.stderr, why);
		assert.equal((await h.hostctl('status')).code, 3);
	}
});

test('a pid file that is another\'s stays', async (t) => {
	const h = await startLife(t, { conf: 'pid_file = "@DIR@/pid"' });

	// Written when it answers, if not before.
	await h.status();
	assert.equal(read(h, 'pid'), `${h.child.pid}\n`);
	fs.writeFileSync(path.join(h.dir, 'pid'), '1\n');
	await h.stop();
	assert.equal(read(h, 'pid'), '1\n');
});

for (const kind of ['path', 'abstract'])
	test(`a service manager is told, ${kind}`, async (t) => {
		const where = `${kind === 'path' ? '' : '@'}` +
		    `${tempDir(t)}/notify`;
		const next = await notifySocket(t, where);
		const h = await startLife(t, { env: { NOTIFY_SOCKET: where } });

		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 1']);
		// It is the master's affair: workers do not have it.
		for (const w of await h.workers())
			assert.ok(!fs.readFileSync(`/proc/${w.pid}/environ`,
			    'utf8').includes('NOTIFY_SOCKET'));

		assert.equal((await h.hostctl('reload')).code, 0);
		const [reloading, usec, status] = await next();

		assert.equal(reloading, 'RELOADING=1');
		assert.match(usec, /^MONOTONIC_USEC=\d+$/);
		assert.equal(status, 'STATUS=reloading');
		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 2']);

		// A reload that fails ends as well.
		fs.writeFileSync(path.join(h.dir, 'conf.d/x.conf'), 'x');
		assert.equal((await h.hostctl('reload')).code, 1);
		assert.equal((await next())[0], 'RELOADING=1');
		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 2']);

		h.child.kill('SIGTERM');
		assert.deepEqual(await next(),
		    ['STOPPING=1', 'STATUS=draining']);
		await h.ended;
	});

test('a start that fails does not say that it is ready', async (t) => {
	const dir = tempDir(t);
	const next = await notifySocket(t, `${dir}/notify`);
	const h = await prepareHostd(t,
	    { conf: 'plugin "x" { module = "x.so" }' });
	const r = await command(sbin('hostd'), ['-c', h.confFile],
	    { env: { ...process.env, NOTIFY_SOCKET: `${dir}/notify` } });

	assert.equal(r.code, 1);
	assert.deepEqual(await next(), ['STOPPING=1', 'STATUS=draining']);
});

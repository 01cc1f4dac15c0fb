// SPDX-License-Identifier: BSD-2-Clause
// An upgrade of a daemon, and of what a service manager has started.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, tempDir } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';
import { notifySocket } from './lib/notify.mjs';
import { Program, runningVersion, upgraded, versionOf } from
    './lib/upgrade.mjs';

test('--daemon', async (t) => {
	const program = new Program(t);
	const h = await prepareHostd(t, {
		conf: 'pid_file = "@DIR@/pid"\nerror_log = "@DIR@/log"' });
	const read = (name) => fs.readFileSync(path.join(h.dir, name), 'utf8');
	const r = await command(program.path, ['-c', h.confFile, '--daemon']);

	atEnd(t, () => h.hostctl('stop', '--now'));
	assert.equal(r.code, 0, r.stderr);
	const pid = Number(read('pid'));

	program.version(7);
	await upgraded(h);
	program.version(8);
	await upgraded(h, '--keep-workers');
	assert.equal((await runningVersion(h)).hostd, versionOf(8));
	assert.equal((await h.status()).pid, pid);
	assert.equal(Number(read('pid')), pid);
	assert.deepEqual(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')
	    .split('\0').slice(1, 4), ['-c', h.confFile, '--daemon']);
	assert.ok(!fs.readFileSync(`/proc/${pid}/environ`, 'utf8')
	    .split('\0').some((v) => v.startsWith('HOSTD_UPGRADE_WHY=')));
	for (const fd of [0, 1, 2])
		assert.equal(fs.readlinkSync(`/proc/${pid}/fd/${fd}`),
		    '/dev/null');
	const c = new Client(h.port);

	assert.equal((await c.ask('/', true)).status, 404);
	assert.match(read('log'), /goes on in the place of/);
	assert.equal((await h.hostctl('stop')).code, 0);
	assert.ok(!fs.existsSync(path.join(h.dir, 'pid')));
});

test('a service manager is told', async (t) => {
	const program = new Program(t);
	const where = `${tempDir(t)}/notify`;
	const next = await notifySocket(t, where);
	const h = await startLife(t, { program: program.path,
		env: { NOTIFY_SOCKET: where } });
	const reloading = async (generation) => {
		assert.equal((await next())[0], 'RELOADING=1');
		assert.deepEqual(await next(),
		    ['READY=1', `STATUS=serving generation ${generation}`]);
	};

	await next();
	await upgraded(h, '--keep-workers');
	await reloading(1);
	await upgraded(h);
	await reloading(1);
	await reloading(2);
	// Workers know nothing of it.
	const all = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.generation === 2), 'end of the old workers');

	for (const w of all) {
		const env = fs.readFileSync(`/proc/${w.pid}/environ`, 'utf8');

		assert.ok(!env.includes('NOTIFY_SOCKET'));
		assert.ok(!env.includes('HOSTD_UPGRADE'));
	}
	h.child.kill('SIGTERM');
	assert.deepEqual(await next(), ['STOPPING=1', 'STATUS=draining']);
	await h.ended;
});

// SPDX-License-Identifier: BSD-2-Clause
// A master that is killed: its workers end, and a new one starts over what it
// has left.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, sbin, until, within } from './lib/hostd.mjs';
import { held, startLife, successor } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const isAlive = (pid) => {
	try {
		return !/^State:\s+Z/m.test(
		    fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

const gone = (pids) => until(() => !pids.some(isAlive), `end of ${pids}`);

test('kill -9 of the master', async (t) => {
	const conf = 'pid_file = "@DIR@/pid"\n' +
	    'listen "main" { address = "127.0.0.1:@PORT@" }\n' +
	    'listen "unix" { address = "unix:@DIR@/web.sock" }';
	const h = await startLife(t, { keys: 'gate = "@DIR@/gate"', conf });
	const workers = (await h.workers()).map((w) => w.pid);
	const c = await held(h);

	h.child.kill('SIGKILL');
	await h.logged(new RegExp(`pid ${c.pid}\\] the master has gone`));

	// What was in flight is finished, then they end.
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	const a = await c.answer();

	assert.equal(a.status, 200);
	assert.equal(a.close, true);
	await within(h.ended, 'end of the master and its log');
	await gone(workers);

	const left = fs.readdirSync(path.join(h.dir, 'run'));

	assert.ok(left.includes('control.sock'));
	assert.equal(fs.readFileSync(path.join(h.dir, 'pid'), 'utf8'),
	    `${h.child.pid}\n`);
	assert.equal((await h.hostctl('status')).code, 3);
	const next = await successor(t, h);

	assert.equal((await next.workers()).length, 2);
	const d = new Client(next.port);

	assert.equal((await d.ask('/', true)).status, 200);
	assert.equal(fs.readFileSync(path.join(h.dir, 'pid'), 'utf8'),
	    `${next.child.pid}\n`);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run/gen')), ['1']);
});

test('a new master does not wait for the old workers\' requests', async (t) => {
	const h = await startLife(t, { keys: 'gate = "@DIR@/gate"' });
	const workers = (await h.workers()).map((w) => w.pid);
	const c = await held(h);

	h.child.kill('SIGKILL');
	const next = await successor(t, h);
	const d = new Client(next.port);

	await d.ask('/', true);
	assert.ok(!workers.includes(d.pid));
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	assert.equal((await c.answer()).status, 200);
	await gone(workers);
});

test('kill -9 of the master and of all workers', async (t) => {
	const h = await startLife(t);
	const workers = (await h.workers()).map((w) => w.pid);

	for (const pid of [h.child.pid, ...workers])
		process.kill(pid, 'SIGKILL');
	await within(h.ended, 'end of hostd');
	await successor(t, h);
});

test('a start that fails does not touch the running one', async (t) => {
	const h = await startLife(t);
	const before = await h.workers();
	const r = await command(sbin('hostd'), ['-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.deepEqual((await h.workers()).map((w) => w.pid),
	    before.map((w) => w.pid));
});

// SPDX-License-Identifier: BSD-2-Clause
// Started as root, workers are somebody else and can't become root again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const options = { skip: process.getuid() !== 0 && 'needs root' };

const field = (pid, name) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1].split(/\s+/);

const idOf = (name, column, file = '/etc/passwd') =>
	fs.readFileSync(file, 'utf8').split('\n').map((l) => l.split(':'))
	    .find((l) => l[0] === name)[column];

function assertDropped(pid, uid, gid) {
	assert.deepEqual(field(pid, 'Uid'), [uid, uid, uid, uid]);
	assert.deepEqual(field(pid, 'Gid'), [gid, gid, gid, gid]);
	for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
		assert.match(field(pid, set)[0], /^0+$/, set);
	assert.deepEqual(field(pid, 'NoNewPrivs'), ['1']);
	assert.ok(!field(pid, 'Groups').includes('0'));
}

test('workers are the configured user', options, async (t) => {
	const h = await startLife(t, { user: 'nobody' });
	const uid = idOf('nobody', 2), gid = idOf('nobody', 3);

	for (const w of await h.workers())
		assertDropped(w.pid, uid, gid);
	assert.deepEqual(field(h.child.pid, 'Uid'), ['0', '0', '0', '0']);
	const c = new Client(h.port);

	assert.equal((await c.ask('/', true)).status, 200);

	await t.test('also those that come back', async () => {
		const [{ pid }] = await h.workers();

		process.kill(pid, 'SIGKILL');
		const ws = await h.workersSatisfy((list) => list.length === 2 &&
		    list.every((w) => w.state === 'ready' && w.pid !== pid),
		    'a new worker');

		for (const w of ws)
			assertDropped(w.pid, uid, gid);
	});

	await t.test('also those of the next generation', async () => {
		assert.equal((await h.hostctl('reload')).code, 0);
		const ws = await h.workersSatisfy((list) => list.length === 2 &&
		    list.every((w) => w.generation === 2),
		    'the end of the old workers');

		for (const w of ws)
			assertDropped(w.pid, uid, gid);
	});
});

test('and the configured group', options, async (t) => {
	const h = await startLife(t, { user: 'nobody',
		conf: 'group = "daemon"' });
	const gid = idOf('daemon', 2, '/etc/group');

	for (const w of await h.workers())
		assertDropped(w.pid, idOf('nobody', 2), gid);
});

test('without a user they are nobody', options, async (t) => {
	const h = await startLife(t);
	// The standard head names one.
	const conf = fs.readFileSync(h.confFile, 'utf8')
	    .replace(/^user.*\n/m, '');

	fs.writeFileSync(h.confFile, conf);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	for (const w of await h.workersSatisfy((ws) => ws.length === 2,
	    'end of the old workers'))
		assertDropped(w.pid, idOf('nobody', 2), idOf('nobody', 3));
});

test('root may stay root, when it is said so', options, async (t) => {
	const h = await startLife(t, { user: 'root' });

	for (const w of await h.workers()) {
		assert.deepEqual(field(w.pid, 'Uid'), ['0', '0', '0', '0']);
		assert.deepEqual(field(w.pid, 'NoNewPrivs'), ['1']);
	}
});

test('workers read only what is theirs', options, async (t) => {
	const h = await startLife(t, { user: 'nobody',
		conf: 'access_log "main" { path = "@DIR@/access.log" }' });
	const c = new Client(h.port);

	// The master opens it: nobody may write here.
	assert.equal((await c.ask('/', true)).status, 200);
	await h.stop();
	const log = path.join(h.dir, 'access.log');

	assert.equal(fs.statSync(log).uid, 0);
	assert.match(fs.readFileSync(log, 'utf8'), /"GET \/ HTTP\/1\.1" 200 /);
	assert.equal(fs.statSync(log).mode & 0o777, 0o640);
});

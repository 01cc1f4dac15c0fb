// SPDX-License-Identifier: BSD-2-Clause
// What the master is denied: processes, or its directory.  It says so, serves
// on, and does it when it may.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { lifePlugin, lifeConf } from './lib/life.mjs';
import { Client } from './lib/load.mjs';
import { limit, prepareUnprivileged, startUnprivileged }
	from './lib/unprivileged.mjs';

const options = async (more) => ({
	files: { 'life.so': fs.readFileSync(await lifePlugin()) },
	confd: { 'life.conf': lifeConf() }, ...more });

// Who else is the same user would count, too.
test('no more processes', { skip: process.getuid() !== 0 && 'needs root' },
    async (t) => {
	const h = await startUnprivileged(t, await options());
	const [victim, other] = await h.workers();

	limit([h.child.pid], 'nproc=1:', h.through);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /starting the probe: fork: Resource temporarily unavailable$/m);
	process.kill(victim.pid, 'SIGKILL');
	await h.logged(/worker web\.0 can't be started: fork: Resource temporarily unavailable; next try in \d+ ms/);
	assert.match((await h.hostctl('list')).stdout, /^web\.0 .* waiting /m);
	// The other one serves all, also who comes to the sockets of the first.
	for (let i = 0; i < 16; i++) {
		const c = new Client(h.port);

		await c.ask('/', true);
		assert.equal(c.pid, other.pid);
		c.destroy();
	}
	limit([h.child.pid], 'nproc=1000:', h.through);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'the worker');
});

test('a directory that is not for us', async (t) => {
	const h = await startUnprivileged(t, await options());
	const gen = path.join(h.dir, 'run/gen');
	const before = (await h.workers()).map((w) => w.pid);

	fs.chmodSync(gen, 0o500);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /run\/gen\/2: Permission denied$/m);
	assert.match(r.stderr, /generation 1 goes on serving$/m);
	assert.equal((await fetch(h.url)).status, 200);
	assert.deepEqual((await h.workers()).map((w) => w.pid), before);
	fs.chmodSync(gen, 0o700);
	assert.equal((await h.hostctl('reload')).code, 0);
});

test('one that never was', async (t) => {
	const h = await prepareUnprivileged(t, await options());

	fs.mkdirSync(path.join(h.dir, 'run'));
	if (h.uid !== process.getuid())
		fs.chownSync(path.join(h.dir, 'run'), h.uid, h.uid);
	fs.chmodSync(path.join(h.dir, 'run'), 0o500);
	h.spawn();
	const { code } = await within(h.ended, 'end of hostd');

	assert.equal(code, 1);
	assert.match(h.log, new RegExp(
	    `^hostd: ${h.dir}/run.*: Permission denied`, 'm'));
});

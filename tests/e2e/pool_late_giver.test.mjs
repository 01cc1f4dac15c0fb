// SPDX-License-Identifier: BSD-2-Clause
// A worker is stopped when it has given connections to another pool, and before
// it could know that they were taken: they are the taker's, and nobody else's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { atEnd, freePort, until } from './lib/hostd.mjs';
import { Client, get, post } from './lib/http1.mjs';
import { pidsOf, servePools, sumsSatisfy } from './lib/pools.mjs';

const LEASE_MS = 1500;		// after which a giver takes back

async function connect(t, where) {
	const c = await Client.connect(where);

	atEnd(t, () => c.destroy());
	return c;
}

async function ask(c, request) {
	await c.send(request);
	return c.next();
}

const state = (pid) => /^State:\s+(\w)/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

const untilStopped = (pid) => until(() => state(pid) === 'T', `stop of ${pid}`);

async function stop(pid) {
	process.kill(pid, 'SIGSTOP');
	await untilStopped(pid);
}

const go = (pid) => process.kill(pid, 'SIGCONT');

// One worker each; "socket" has a listening socket of its own as well.
async function start(t) {
	const port = await freePort();
	const h = await servePools(t, { web: 'workers = 1 watchdog = 0',
		socket: 'workers = 1 watchdog = 0  queue_timeout = 1h', conf: `
		listen "main" { address = "127.0.0.1:@PORT@" pool = "web" }
		listen "far" { address = "127.0.0.1:${port}" pool = "socket" }` });

	[h.nearPid] = await pidsOf(h, 'web');
	[h.farPid] = await pidsOf(h, 'socket');
	h.farPort = port;
	atEnd(t, () => {
		for (const pid of [h.nearPid, h.farPid])
			try { go(pid); } catch { /* it has ended */ }
	});
	return h;
}

test('the taker answers and closes', async (t) => {
	const h = await start(t);
	const all = await Promise.all(Array.from({ length: 20 },
	    () => connect(t, h)));
	const last = await connect(t, h);

	await stop(h.nearPid);
	for (const c of all)
		await c.send(get('/far', 'Connection: close'));
	await last.send(get('/stop'));
	go(h.nearPid);
	await untilStopped(h.nearPid);
	for (const c of all) {
		assert.equal((await c.next()).status, 200);
		assert.equal(await c.end(), '');
		assert.equal(c.error, undefined);
		c.finish();
	}
	// Connections that come now have their memory, and none of their
	// events.
	for (let i = 0; i < 20; i++)
		assert.equal((await ask(await connect(t, h.farPort),
		    get('/far'))).status, 200);
	go(h.nearPid);
	assert.equal((await last.next()).status, 200);
});

test('the channel between them is full', async (t) => {
	const h = await start(t);
	const back = await Promise.all(Array.from({ length: 30 },
	    () => connect(t, h)));
	const there = await Promise.all(Array.from({ length: 5 },
	    () => connect(t, h)));
	const near = await connect(t, h), far = await connect(t, h.farPort);

	for (const c of back)
		assert.equal((await ask(c, get('/far'))).status, 200);
	await stop(h.farPid);
	for (const c of back)
		await c.send(post('/', 'x'.repeat(60000)));
	for (const c of there)
		await c.send(get('/far'));
	// Those before it have been given away then.
	await ask(near, get('/'));
	const given = performance.now();

	await stop(h.nearPid);
	go(h.farPid);
	await ask(far, get('/far'));
	await stop(h.farPid);
	await until(() => performance.now() >= given + 2 * LEASE_MS,
	    'end of the lease');
	go(h.nearPid);
	await ask(near, get('/'));
	await ask(near, get('/'));
	go(h.farPid);
	for (const c of [...back, ...there])
		assert.equal((await c.next()).status, 200);
	// And once more, for what should not come.
	for (const c of there)
		assert.equal((await ask(c, get('/far'))).status, 200);
	for (const c of [...back, ...there])
		assert.equal(c.unread, '');
	await sumsSatisfy(h, (s) => s.socket.requests === 30 + 1 + 5 + 5,
	    'each counted once');
});

// SPDX-License-Identifier: BSD-2-Clause
// A pool whose workers are not there, are killed, or are stuck: requests for it
// wait for a while, then they are 503.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, until } from './lib/hostd.mjs';
import { Client, get } from './lib/http1.mjs';
import { Load } from './lib/load.mjs';
import { pidsOf, poolOf, servePools, sumsSatisfy }
	from './lib/pools.mjs';

const name = (r) => r.body.trim().split(' ')[1];

async function client(t, h) {
	const c = await Client.connect(h.port);

	atEnd(t, () => c.destroy());
	return c;
}

async function ask(c, target) {
	await c.send(get(target));
	return c.next();
}

// The workers of the pool end, and no other gets ready before the file is gone.
async function down(h) {
	fs.writeFileSync(path.join(h.dir, 'bomb'), '');
	for (const pid of await pidsOf(h, 'socket'))
		process.kill(pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.every((w) => w.pool !== 'socket' ||
	    w.state !== 'ready'), 'end of the pool');
}

/*
 * With one worker in web.  h.over(): for what is waiting its time is over.  It
 * has been read when one that was sent later is answered.
 */
async function serveClocked(t, { socket, conf = '', http = '', ...more }) {
	const clock = await makeClock(t);
	const h = await servePools(t, { ...more, env: clock.env,
		web: 'workers = 1  watchdog = 0',
		socket: `${socket}  queue_timeout = 1h  watchdog = 0`,
		conf: `http { idle_timeout = 1d  head_timeout = 1d ${http} }
		${conf}` });
	// Of a new connection: those that wait to be accepted come before it.
	const near = async () => {
		const c = await client(t, h);

		assert.equal(name(await ask(c, '/')), 'near');
		c.destroy();
	};

	h.over = async () => {
		await near();
		clock.pass(3601);
		await near();
	};
	return h;
}

// One that nobody takes in time.
async function askLate(h, c, target) {
	await c.send(get(target));
	await h.over();
	return c.next();
}

const up = (h) => fs.unlinkSync(path.join(h.dir, 'bomb'));
const bomb = 'bomb = "@DIR@/bomb"';

test('nobody is there', async (t) => {
	const h = await serveClocked(t, { keys: bomb,
		socket: 'workers = 2  max_restarts = 0',
		conf: 'access_log "all" { path = "@DIR@/access.log"\n' +
		    'format = "$uri $status $bytes_sent" }' });
	const c = await client(t, h);

	await down(h);
	await t.test('503, and the connection goes on', async () => {
		assert.equal(name(await ask(c, '/')), 'near');
		const r = await askLate(h, c, '/far');

		assert.equal(r.status, 503);
		assert.deepEqual(r.headers['retry-after'], ['3600']);
		assert.equal(r.headers.connection, undefined);
		assert.equal(name(await ask(c, '/')), 'near');
	});
	await t.test('with a body', async () => {
		await c.send('POST /far HTTP/1.1\r\nHost: a\r\n' +
		    'Content-Length: 5\r\n\r\nhello' + get('/'));
		await h.over();
		assert.equal((await c.next()).status, 503);
		assert.equal(name(await c.next()), 'near');
	});
	await t.test('many at once', async () => {
		const all = await Promise.all(Array.from({ length: 300 },
		    () => client(t, h)));
		for (const o of all)
			await o.send(get('/far'));
		await h.over();
		for (const o of all)
			assert.equal((await o.next()).status, 503);
		// Who asks for something else is not kept waiting.
		assert.equal(name(await ask(c, '/')), 'near');
		all.forEach((o) => o.destroy());
	});
	await t.test('clients that leave meanwhile', async () => {
		for (let i = 0; i < 20; i++) {
			const o = await client(t, h);

			await o.send(get('/far/left'));
			o.socket.resetAndDestroy();
		}
		await h.workersSatisfy((ws) => ws.reduce((n, w) =>
		    n + (w.active ?? 0), 0) === 1, 'end of those connections');
	});
	await t.test('it is logged', async () => {
		await until(() => fs.readFileSync(path.join(h.dir,
		    'access.log'), 'utf8').split('\n').filter((l) =>
		    l.startsWith('/far 503')).length === 302, '302 lines');
		assert.match(h.log,
		    /warn .*no worker of pool "socket" has taken/);
	});
	await t.test('and when they are back', async () => {
		up(h);
		await h.workersSatisfy((ws) => ws.some((w) =>
		    w.pool === 'socket' && w.state === 'ready'), 'a worker');
		assert.equal(name(await ask(c, '/far')), 'far');
	});
});

test('whoever waits long enough is answered', async (t) => {
	const h = await servePools(t, { keys: bomb,
		socket: 'workers = 1  queue_timeout = 1h  max_restarts = 0' });
	const c = await client(t, h);

	await down(h);
	await c.send(get('/') + get('/far') + get('/far') + get('/'));
	assert.equal(name(await c.next()), 'near');
	up(h);
	for (const want of ['far', 'far', 'near'])
		assert.equal(name(await c.next()), want);
});

test('at the end of it all nobody is waited for', async (t) => {
	const h = await servePools(t, { keys: bomb,
		socket: 'workers = 1  queue_timeout = 1h  max_restarts = 0' });
	const c = await client(t, h);

	await down(h);
	await c.send(get('/') + get('/far'));
	assert.equal(name(await c.next()), 'near');
	h.child.kill('SIGTERM');
	const r = await c.next();

	assert.equal(r.status, 503);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	await h.ended;
});

test('workers of the pool are killed', async (t) => {
	const h = await servePools(t,
	    { socket: 'workers = 2  queue_timeout = 1h  max_restarts = 0' });
	const pools = await poolOf(h);
	const load = new Load(h, { clients: 8, kind: 'new', path: '/far' });
	let killed = [];

	for (let i = 0; i < 6; i++) {
		await load.more(100);
		const pid = (await h.workersSatisfy((ws) => ws.some((w) =>
		    w.pool === 'socket' && w.state === 'ready'), 'a worker'))
		    .find((w) => w.pool === 'socket' &&
		    w.state === 'ready').pid;

		process.kill(pid, 'SIGKILL');
		killed = [...killed, pid];
		await h.logged(`pid ${pid}, generation 1) died`);
	}
	await load.more(100);
	await load.stop();
	// Those that the dead had are lost, and no others: no 503, and none
	// that was on its way.
	assert.ok(load.failures.length <= 8 * killed.length,
	    `${load.failures.length} failures`);
	for (const f of load.failures)
		assert.match(f.why, /^(ECONNRESET|closed)$/);
	for (const pid of load.byPid.keys())
		assert.notEqual(pools.get(pid), 'web');
	assert.equal((await ask(await client(t, h), '/')).status, 200);
});

test('one of the pool is stuck', async (t) => {
	const h = await servePools(t, {
		web: 'workers = 1', socket: 'workers = 2  watchdog = 0' });
	const [stuck, other] = await pidsOf(h, 'socket');

	process.kill(stuck, 'SIGSTOP');
	atEnd(t, () => process.kill(stuck, 'SIGCONT'));
	const all = await Promise.all(Array.from({ length: 20 },
	    () => client(t, h)));
	const got = await Promise.all(all.map((c) => ask(c, '/far')));

	// The one that is not stuck has answered all of them, some later.
	for (const r of got)
		assert.equal(Number.parseInt(r.body, 10), other);
	process.kill(stuck, 'SIGCONT');
	// What it finds in its channel is not its any more; when it takes one
	// again, it has seen all that came before.
	let more = 0;

	await until(async () => {
		const c = await client(t, h);
		const r = await ask(c, '/far');

		c.destroy();
		more++;
		return Number.parseInt(r.body, 10) === stuck;
	}, 'one that it takes');
	await sumsSatisfy(h, (s) => s.socket.requests === 20 + more,
	    'each counted once');
	for (const c of all)
		assert.equal(Number.parseInt((await ask(c, '/far')).body, 10),
		    other);
});

test('all of the pool are stuck', async (t) => {
	const h = await serveClocked(t, { socket: 'workers = 1' });
	const [stuck] = await pidsOf(h, 'socket');
	const c = await client(t, h);

	process.kill(stuck, 'SIGSTOP');
	atEnd(t, () => process.kill(stuck, 'SIGCONT'));
	assert.equal((await askLate(h, c, '/far')).status, 503);
	assert.equal(name(await ask(c, '/')), 'near');
	process.kill(stuck, 'SIGCONT');
	assert.equal(name(await ask(c, '/far')), 'far');
	await sumsSatisfy(h, (s) => s.socket.requests === 1, 'one request');
});

test('all of the pool are full', async (t) => {
	const h = await serveClocked(t, { socket: 'workers = 1',
		http: 'max_connections = 3  over_limit = "503"' });
	const all = [];

	for (let i = 0; i < 3; i++) {
		all.push(await client(t, h));
		assert.equal(name(await ask(all[i], '/far')), 'far');
	}
	const c = await client(t, h);

	assert.equal((await askLate(h, c, '/far')).status, 503);
	assert.equal(name(await ask(c, '/')), 'near');
	await c.send(get('/far'));
	// One that goes home makes room.
	assert.equal(name(await ask(all[0], '/')), 'near');
	assert.equal(name(await c.next()), 'far');
	await sumsSatisfy(h, (s) => s.socket.active === 3, 'three in socket');
});

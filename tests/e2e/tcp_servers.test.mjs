// SPDX-License-Identifier: BSD-2-Clause
// Streams and the servers of a group: shares, failures, backups, limits.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import test from 'node:test';
import { command, freePort, until, within } from './lib/hostd.mjs';
import { blackHole, listen } from './lib/net.mjs';
import { connect, echo, first, recorder, servers, startGroup } from
    './lib/tcp.mjs';

const HARD = 999;

const spread = async (t, h, n) => {
	const seen = {};

	for (let i = 0; i < n; i++) {
		const name = await first(t, h.port, 1);

		seen[name] = (seen[name] ?? 0) + 1;
	}
	return seen;
};

test('by weight', async (t) => {
	const [a, b] = [await echo(t, 'a'), await echo(t, 'b')];
	const h = await startGroup(t, [a.port,
		`server "127.0.0.1:${b.port}" { weight = 3 }`]);

	assert.deepEqual(await spread(t, h, 20), { a: 5, b: 15 });
});

test('one that refuses is passed over, and left alone', async (t) => {
	const a = await echo(t, 'a');
	const dead = await freePort();
	const h = await startGroup(t, [dead, a.port], {
		group: 'fail_timeout = 1h' });

	assert.deepEqual(await spread(t, h, 10), { a: 10 });
	const [{ servers: [one, two] }] = await servers(h);

	assert.equal(one.state, 'failed');
	assert.match(one.reason, /connecting: Connection refused/);
	assert.equal(one.requests, 1);
	assert.equal(one.failures, 1);
	assert.equal(two.requests, 10);
});

test('one that does not answer costs connect_timeout, once', async (t) => {
	const a = await echo(t, 'a');
	const hole = await blackHole(t);
	const h = await startGroup(t, [hole.port ?? hole, a.port], {
		group: 'fail_timeout = 1h connect_timeout = 300ms' });

	assert.deepEqual(await spread(t, h, 6), { a: 6 });
	const [{ servers: [one] }] = await servers(h);

	assert.equal(one.state, 'failed');
	assert.equal(one.requests, 1);
});

test('a server is killed under load: all others go on', async (t) => {
	const a = await echo(t, 'a');
	const b = await echo(t, 'b');
	const h = await startGroup(t, [a.port, b.port], {
		group: 'fail_timeout = 1h' });
	const open = [];

	for (let i = 0; i < 10; i++) {
		const c = await connect(t, h.port);

		open.push([await c.bytes(1), c]);
	}
	b.server.close();
	for (const s of b.sockets)
		s.resetAndDestroy();
	for (const [name, c] of open) {
		if (name === 'b') {
			await c.end();
			assert.equal(c.error, 'ECONNRESET');
			continue;
		}
		await c.send('still here');
		assert.equal(await c.bytes(11), 'astill here');
	}
	assert.deepEqual(await spread(t, h, 10), { a: 10 });
	for (const [, c] of open)
		c.destroy();
});

test('a backup serves when no other is up', async (t) => {
	const a = await echo(t, 'a');
	const [x, y] = [await freePort(), await freePort()];
	const h = await startGroup(t, [x, y,
		`server "127.0.0.1:${a.port}" { backup = on }`], {
		group: 'fail_timeout = 1h' });

	assert.deepEqual(await spread(t, h, 5), { a: 5 });
});

test('all down: closed at once, and told now and then', async (t) => {
	const [x, y] = [await freePort(), await freePort()];
	const h = await startGroup(t, [x, y], { group: 'fail_timeout = 1h' });

	const began = performance.now();

	for (let i = 0; i < 20; i++) {
		const c = await connect(t, h.port);

		assert.equal(await c.end(), '');
	}
	const took = performance.now() - began;

	await h.logged(/turned away: no server of upstream "app" could be connected to; the last: .*Connection refused/);
	// Once in 5 s.
	assert.ok(h.log.split('is turned away').length <= 3 + took / 5000);
	await until(async () => (await h.status()).connections.active === 0,
	    'end of all');
});

test('up again', async (t) => {
	const dead = await freePort();
	const spare = await freePort();
	const h = await startGroup(t, [dead, spare], {
		group: 'fail_timeout = 100ms' });

	assert.equal(await first(t, h.port, 1), '');
	const a = await echo(t, 'a', { host: '127.0.0.1', port: dead });

	await within((async () => {
		while (await first(t, h.port, 1) !== 'a')
			;
	})(), 'server');
	// It is known to be well before its connection ends.
	const c = await connect(t, h.port);

	await c.bytes(1);
	await h.logged(/127.0.0.1:\d+ is up again/);
	assert.equal(a.sockets.size >= 1, true);
});

test('max_conns', async (t) => {
	const [a, b] = [await echo(t, 'a'), await echo(t, 'b')];
	const h = await startGroup(t, [
		`server "127.0.0.1:${a.port}" { max_conns = 1 }`,
		`server "127.0.0.1:${b.port}" { max_conns = 2 }`]);
	const open = [];

	for (let i = 0; i < 3; i++) {
		open.push(await connect(t, h.port));
		await open[i].bytes(1);
	}
	assert.deepEqual(open.map((c) => c.unread).sort(), ['a', 'b', 'b']);
	assert.equal(await first(t, h.port, 1), '');
	await h.logged('no server of upstream "app" takes more (max_conns)');
	const one = open.find((c) => c.unread === 'a');

	one.finish();
	await one.end();
	await within((async () => {
		while (await first(t, h.port, 1) !== 'a')
			;
	})(), 'room');
});

test('a client that leaves before there is a server', async (t) => {
	const hole = await blackHole(t);
	const h = await startGroup(t, [hole.port ?? hole], {
		group: 'connect_timeout = 1h' });

	for (let i = 0; i < 5; i++) {
		const c = await connect(t, h.port);

		await c.send('hello');
		c.socket.resetAndDestroy();
	}
	const one = await until(async () => {
		const [{ servers: [s] }] = await servers(h);

		return s.requests === 5 && s.inflight === 0 && s;
	}, 'end of all');

	assert.equal(one.failures, 0);
});

test('what a client has said meanwhile is not lost', async (t) => {
	const dead = await freePort();
	const server = await recorder(t);
	const h = await startGroup(t, [dead, server.port]);
	const c = await connect(t, h.port);

	await c.send('early words');
	c.finish();
	assert.equal((await server.heard((s) => s.ended)).text, 'early words');
});

test('a server that closes at once', async (t) => {
	const server = await listen(t, (s) => s.end());
	const h = await startGroup(t, [server.port]);

	for (let i = 0; i < 5; i++) {
		const c = await connect(t, h.port);

		assert.equal(await c.end(), '');
		c.finish();
		await once(c.socket, 'close');
	}
	const [{ servers: [one] }] = await servers(h);

	assert.equal(one.failures, 0);
	assert.equal(one.requests, 5);
});

test('out of descriptors: that is not the fault of servers', async (t) => {
	const [a, b] = [await echo(t, 'x'), await echo(t, 'x')];
	const h = await startGroup(t, [a.port, b.port], { group:
	    'fail_timeout = 1h' });
	const [w] = await h.workers();
	const used = fs.readdirSync(`/proc/${w.pid}/fd`).map(Number);
	// Where the hard limit is higher, each word of the master has the
	// worker set its own again.
	const limit = async (n) => assert.equal((await command('prlimit', [
		'--pid', String(w.pid), `--nofile=${n}:${HARD}`])).code, 0);
	const clients = [];

	// Each takes two: an odd number of free ones, so that the last is taken
	// by a client for whom there is no way to a server then.
	let most = Math.max(...used) + 10;

	most += (most - used.length + 1) % 2;
	await limit(most);
	for (let i = 0; i < most; i++)
		clients.push(await connect(t, h.port));
	await h.logged(/could be connected to; the last: .*Too many open files/);
	for (const c of clients)
		c.destroy();
	await limit(HARD);
	await within((async () => {
		while (await first(t, h.port, 1) !== 'x')
			;
	})(), 'room');
	const [{ servers: both }] = await servers(h);

	assert.deepEqual(both.map((s) => [s.state, s.failures]),
	    [['up', 0], ['up', 0]]);
});

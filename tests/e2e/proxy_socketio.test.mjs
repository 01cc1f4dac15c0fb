// SPDX-License-Identifier: BSD-2-Clause
// Two Socket.IO servers behind the proxy: the requests of one session go to one
// of them, over polling, WebSocket, and from the one to the other.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { upstreamConf } from './lib/backend.mjs';
import { atEnd, startHostd, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const { Server } = npm('socket.io');
const { io } = npm('socket.io-client');

async function application(t, name) {
	// It closes no connection as it is used again.
	const server = http.createServer({ keepAliveTimeout: 0 });
	const ioServer = new Server(server);

	ioServer.on('connection', (s) => {
		s.emit('who', name);
		s.on('echo', (v, done) => done(v));
		s.on('join', (room, done) => { s.join(room); done(); });
		s.on('say', (room, v) => ioServer.to(room).emit('said', v));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	atEnd(t, () => ioServer.close());
	return { name, port: server.address().port, io: ioServer };
}

const sticky = `
	plugin "stick" { module = "sticky_cookie.so"
		secret = "of sixteen bytes or more" }`;

async function start(t, balancer, conf = '') {
	const apps = [await application(t, 'one'), await application(t, 'two')];
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 }
		${conf}
		${upstreamConf(apps, `balancer = "${balancer}"`)}` });

	return { h, apps };
}

// A client; who is the name of its server.
async function join(t, h, transports, options = {}) {
	const s = io(h.url, { transports, forceNew: true, reconnection: false,
		withCredentials: true, ...options });

	atEnd(t, () => s.disconnect());
	const who = new Promise((resolve, reject) => {
		s.once('who', resolve);
		s.once('connect_error', reject);
		s.once('disconnect', (why) => reject(new Error(why)));
	});

	s.who = await within(who, 'welcome of a server');
	return s;
}

const sizes = [0, 1, 1000, 100_000];

async function talk(s) {
	for (const n of sizes) {
		const text = 'ü'.repeat(n);

		assert.equal(await s.timeout(20_000).emitWithAck('echo', text),
		    text);
	}
	const bytes = Buffer.alloc(70_000, 7);
	const back = await s.timeout(20_000).emitWithAck('echo', bytes);

	assert.ok(bytes.equals(back));
}

async function upgraded(s) {
	if (s.io.engine.transport.name !== 'websocket')
		await within(once(s.io.engine, 'upgrade'), 'upgrade');
}

const ways = [['polling'], ['websocket'], ['polling', 'websocket']];

async function tryOut(t, h, options) {
	const seen = new Set();

	for (const transports of ways)
		for (let i = 0; i < 4; i++) {
			const s = await join(t, h, transports, options?.(i));

			seen.add(s.who);
			if (transports.length > 1)
				await upgraded(s);
			await talk(s);
			assert.equal(s.io.engine.transport.name,
			    transports.at(-1));
		}
	return seen;
}

test('sticky_cookie', async (t) => {
	const { h } = await start(t, 'stick', sticky);
	const seen = await tryOut(t, h);

	// Both have had some.
	assert.deepEqual([...seen].sort(), ['one', 'two']);
});

test('ip_hash', async (t) => {
	const { h } = await start(t, 'ip_hash');
	const seen = await tryOut(t, h);

	// One client address, one server.
	assert.equal(seen.size, 1);
	const others = await tryOut(t, h, (i) => ({ agent:
	    new http.Agent({ localAddress: `127.0.${i + 1}.1`,
	    keepAlive: true }) }));

	assert.deepEqual([...others].sort(), ['one', 'two']);
});

test('rooms of clients of both kinds', async (t) => {
	const { h, apps } = await start(t, 'stick', sticky);
	const all = [];

	for (let i = 0; i < 12; i++)
		all.push(await join(t, h, ways[i % ways.length]));
	for (const app of apps) {
		const mine = all.filter((s) => s.who === app.name);

		assert.ok(mine.length > 0);
		for (const s of mine)
			await s.timeout(20_000).emitWithAck('join', 'room');
		const said = mine.map((s) => within(once(s, 'said'),
		    'message'));

		mine[0].emit('say', 'room', { from: app.name });
		for (const p of said)
			assert.deepEqual(await p, [{ from: app.name }]);
	}
});

test('a server that goes takes its clients, who find the other one',
    async (t) => {
	const { h, apps } = await start(t, 'stick', sticky);
	const s = await join(t, h, ['polling', 'websocket'],
	    { reconnection: true, reconnectionDelay: 1 });

	// A poll that was under way would leave a connection, over which the
	// one that goes could be asked once more.
	await upgraded(s);
	const gone = apps.find((a) => a.name === s.who);
	const other = apps.find((a) => a !== gone);
	const again = within(once(s, 'who'), 'welcome of the other one');

	s.removeAllListeners('disconnect');
	await gone.io.close();
	assert.deepEqual(await again, [other.name]);
	await talk(s);
});

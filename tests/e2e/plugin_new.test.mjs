// SPDX-License-Identifier: BSD-2-Clause
// Plugins as `hostctl plugin new` makes them do what they say: a room, a
// backend that carries what is said there to another node by way of a relay, a
// balancer, a store of sessions, a Socket.IO application.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, bin, command, prefix, startHostd, tempDir, within }
	from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { npm } from './lib/npm.mjs';
import { httpServer } from './lib/servers.mjs';
import { get, set, Visitor } from './lib/session.mjs';
import { call, callAll, connect, heard, next } from './lib/sio.mjs';

const { WebSocket } = npm('ws');

// The .so of a new plugin.
async function make(t, kind, name) {
	const dir = path.join(tempDir(t), name);
	const made = await command(bin('hostctl'),
	    ['plugin', 'new', kind, name, path.dirname(dir)]);

	assert.equal(made.code, 0, made.stderr);
	const asan = process.env.HOSTD_BUILD === 'asan' ?
	    ['CFLAGS=-g -fsanitize=address,undefined'] : [];
	const built = await command('make', ['-C', dir, ...asan,
		`PKG_CONFIG_PATH=${prefix}/lib/pkgconfig`]);

	assert.equal(built.code, 0, built.stdout + built.stderr);
	return path.join(dir, `${name}.so`);
}

// What its clients say comes in order; wait until it has come.
class Guest {
	heard = [];

	static async open(t, h) {
		const g = new Guest();

		g.socket = new WebSocket(`ws://127.0.0.1:${h.port}/parlour`);
		atEnd(t, () => g.socket.terminate());
		g.socket.on('message', (data) => {
			g.heard.push(data.toString());
			g.look?.();
		});
		g.closed = new Promise((resolve) =>
		    g.socket.once('close', (code) => resolve(code)));
		await g.hears('welcome to parlour');
		return g;
	}

	async hears(what) {
		await within(new Promise((resolve) => {
			this.look = () => this.heard.includes(what) &&
			    resolve();
			this.look();
		}), what);
	}
}

// The server that new_backend's protocol is made for.
class Relay {
	clients = new Map();
	#waiting = [];

	static async start(t) {
		const r = new Relay();

		r.server = net.createServer((s) => r.#come(s));
		atEnd(t, () => {
			r.server.close();
			r.cut();
		});
		await new Promise((resolve) =>
		    r.server.listen(0, '127.0.0.1', resolve));
		r.port = r.server.address().port;
		return r;
	}

	cut() {
		for (const s of this.clients.keys())
			s.destroy();
		this.clients.clear();
	}

	#come(s) {
		let all = Buffer.alloc(0);

		this.clients.set(s, new Set());
		s.on('error', () => {});
		s.on('close', () => this.clients.delete(s));
		s.on('data', (data) => {
			all = Buffer.concat([all, data]);
			while (all.length >= 4 &&
			    all.length >= 4 + all.readUInt32BE(0)) {
				const end = 4 + all.readUInt32BE(0);

				this.#take(s, all.subarray(0, end));
				all = all.subarray(end);
			}
		});
	}

	#take(from, frame) {
		const channel = frame.toString('utf8', 6, 6 + frame[5]);

		switch (String.fromCharCode(frame[4])) {
		case '+':
			this.clients.get(from).add(channel);
			this.#waiting.forEach((f) => f());
			break;
		case '-':
			this.clients.get(from).delete(channel);
			break;
		default:
			for (const [to, channels] of this.clients)
				if (to !== from && channels.has(channel))
					to.write(frame);
		}
	}

	// Until so many clients are subscribed.
	async subscribed(channel, n) {
		await within(new Promise((resolve) => {
			const look = () => [...this.clients.values()].filter(
			    (c) => c.has(channel)).length >= n && resolve();

			this.#waiting.push(look);
			look();
		}), `${n} subscribed to ${channel}`);
	}
}

test('a new ws_handler is a room', async (t) => {
	const so = await make(t, 'ws_handler', 'parlour');
	const h = await startHostd(t, { conf: `
		plugin "parlour" { module = "${so}" }
		route "/parlour" { plugin = "parlour" }` });
	const a = await Guest.open(t, h);
	const b = await Guest.open(t, h);

	a.socket.send('hello, everybody');
	await b.hears('hello, everybody');
	b.socket.send('hello, a');
	await a.hears('hello, a');
	assert.deepEqual(a.heard, ['welcome to parlour', 'hello, a']);
	a.socket.send(Buffer.from([1, 2, 3]));
	assert.equal(await within(a.closed, 'a close'), 1003);
});

test('a new balancer chooses servers', async (t) => {
	const so = await make(t, 'balancer', 'chooser');
	const servers = [];

	for (const name of ['a', 'b'])
		servers.push(await httpServer(t, (req, res) => res.end(name)));
	const h = await startHostd(t, { conf: `
		plugin "chooser" { module = "${so}" }
		plugin "proxy" { module = "http_proxy.so" }
		upstream "app" { balancer = "chooser"
			server "127.0.0.1:${servers[0].port}" { weight = 3 }
			server "127.0.0.1:${servers[1].port}" { } }
		route "/" { plugin = "proxy"  upstream = "app" }` });
	const counts = { a: 0, b: 0 };

	for (let i = 0; i < 200; i++)
		counts[await (await fetch(h.url)).text()]++;
	assert.ok(counts.a > counts.b && counts.b > 10, JSON.stringify(counts));
});

test('a new pubsub_backend joins two nodes', async (t) => {
	const so = await make(t, 'ws_handler', 'parlour');
	const backend = await make(t, 'pubsub_backend', 'pipe');
	const relay = await Relay.start(t);
	const start = () => startHostd(t, { conf: `
		plugin "parlour" { module = "${so}" }
		route "/parlour" { plugin = "parlour" }
		plugin "pipe" {
			module = "${backend}"
			port = ${relay.port}
			retry = 50ms
		}
		pubsub { backend = "pipe" }` });
	const one = await start(), two = await start();
	const a = await Guest.open(t, one), b = await Guest.open(t, two);

	await relay.subscribed('parlour', 2);
	a.socket.send('from one to two');
	await b.hears('from one to two');
	const large = 'x'.repeat(500_000);

	b.socket.send(large);
	await a.hears(large);

	// The relay goes, and comes back.
	const before = [one.log.length, two.log.length];

	relay.cut();
	await one.logged('pipe is up', before[0]);
	await two.logged('pipe is up', before[1]);
	await relay.subscribed('parlour', 2);
	b.socket.send('here again');
	await a.hears('here again');
	assert.equal(b.heard.filter((s) => s === 'here again').length, 0);
});

test('a new session_store keeps sessions', async (t) => {
	const so = await make(t, 'session_store', 'shelf');
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		plugin "shelf" { module = "${so}"  max_sessions = 2 }
		plugin "s" { module = "${await plugin('session_route')}" }
		session "main" { store = "shelf"  secret = "keyboard cat" }
		route "/s" { plugin = "s" }` });
	const [a, b, c] = [0, 1, 2].map(() => new Visitor(h));

	await a.do(set('name', 'a'));
	await b.do(set('name', 'b'));
	assert.equal(await a.get(get('name')), 'a');
	assert.equal(await b.get(get('name')), 'b');
	// There is no room; then there is.
	assert.equal((await c.visit(set('name', 'c'))).status, 503);
	await a.do('destroy');
	assert.deepEqual(await a.do(get('name')), [['OK']]);
	await c.do(set('name', 'c'));
	assert.equal(await c.get(get('name')), 'c');
});

test('a Socket.IO application', async (t) => {
	const so = await make(t, 'sio_handler', 'salon');
	const h = await startHostd(t, { conf: `
		plugin "io" { module = "socketio.so" }
		plugin "salon" { module = "${so}" }
		route "/socket.io/" { plugin = "io" }` });
	const a = await connect(t, h, 'websocket');
	const b = await connect(t, h, 'polling');

	for (const s of [a, b])
		assert.equal(await call(s, 'join', 'room'), true);
	assert.deepEqual(heard(a, 'welcome'), [['welcome to salon']]);
	const said = next(b, 'said');

	assert.equal(await call(a, 'say', 'room', { text: 'hello' }), 1);
	assert.deepEqual(await said, [{ text: 'hello' }]);
	assert.equal(await call(a, 'join', ''), false);
	assert.deepEqual(await callAll(a, 'say'), [null]);
});

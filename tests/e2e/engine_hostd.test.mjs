// SPDX-License-Identifier: BSD-2-Clause
// Sessions of Engine.IO belong to one worker of one machine; requests may come
// to any, and nothing in front needs to know.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Polling, request, target, unknownSession, webSocket, works } from
    './lib/eio.mjs';
import { atEnd, startHostd, tempDir, until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { buildSioApp } from './lib/plugin.mjs';
import { startRedis } from './lib/redis.mjs';
import { call, connect, eachMode, onWebSocket, startOurs } from
    './lib/sio.mjs';

const slotOf = (sid) => Buffer.from(sid, 'base64url').readUInt16BE(3) >> 4;
const nodeOf = (sid) => sid.slice(0, 4);

// A connection that stays, and what is asked on it.
async function keptAlive(t, where) {
	const client = await Client.connect(where.port);

	atEnd(t, () => client.destroy());
	return async (query, body) => {
		const head = body === undefined ? 'GET' : 'POST';
		const length = body === undefined ? '' :
		    `Content-Length: ${Buffer.byteLength(body)}\r\n`;

		await client.send(`${head} ${target({ EIO: 4,
		    transport: 'polling', ...query })} HTTP/1.1\r\nHost: a\r\n${
		    length}\r\n${body ?? ''}`);
		return client.next();
	};
}

// New sessions until there is one of each slot.
async function sessions(t, where, workers) {
	const of = [];

	await until(async () => {
		const p = await Polling.connect(t, where);

		of[slotOf(p.sid)] ??= p;
		return Object.keys(of).length === workers;
	}, 'a session of each worker');
	return of;
}

test('a request goes to the worker that has its session', async (t) => {
	const where = await startOurs(t, {}, { workers: 2 });
	const of = await sessions(t, where, 2);
	const ask = await keptAlive(t, where);
	const opened = async () => slotOf(JSON.parse((await ask()).body
	    .slice(1)).sid);

	// The connection is with one worker, then with the other, and back.
	for (const slot of [1 - await opened(), await opened()]) {
		const { sid } = of[slot];
		const body = `42["echo","${'x'.repeat(100000)}"]`;

		assert.equal((await ask({ sid }, body)).body, 'ok');
		assert.equal((await ask({ sid })).body, body);
		assert.equal(await opened(), slot);
		// A WebSocket of its own connection finds it, too.
		const s = await webSocket(t, where, sid);

		await s.say('2probe');
		assert.equal((await s.expect(1)).toString(), '3probe');
		await s.say('5');
		await works(s);
	}
});

test('the sessions of a worker that was killed are over', async (t) => {
	const where = await startOurs(t, {}, { workers: 2 });
	const of = await sessions(t, where, 2);
	const held = async () => (await where.workers()).map((w) => w.active);

	await until(async () => (await held()).every((n) => n === 0),
	    'no connection');
	const waiting = await of[0].request();

	// Nobody else has its connection any more.
	await until(async () => `${await held()}` === '1,0', 'the poll is there');
	const [{ pid }] = await where.workers();

	process.kill(pid, 'SIGKILL');
	await assert.rejects(waiting.answer, /closed/);
	await where.logged(/generation 1\) is ready[^]*is ready[^]*is ready/);
	unknownSession(await of[0].ask());
	await of[1].works();
});

// A balancer in front of them that gives one request to this, one to that.
async function startMachines(t) {
	const redis = await startRedis(t);
	const so = await buildSioApp(tempDir(t));
	const one = () => startHostd(t, { conf: `
		upstream "machines" { any_server = on }
		plugin "io" { module = "socketio.so"
			internal_address = "127.0.0.1:@PORT@"
			upstream = "machines" }
		plugin "nodes" { module = "socketio_redis.so"
			url = "${redis.url}" }
		plugin "app" { module = "${so}" }
		route "/socket.io/" { plugin = "io" }` });
	const [a, b] = await Promise.all([one(), one()]);
	const front = await startHostd(t, { conf: `
		upstream "io" { balancer = "round_robin"
			server "127.0.0.1:${a.port}" {}
			server "127.0.0.1:${b.port}" {} }
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy"  upstream = "io" }` });

	return { a, b, front };
}

test('two machines behind a balancer that knows nothing', async (t) => {
	const { a, b, front } = await startMachines(t);
	const p = await Polling.connect(t, a);
	const other = await Polling.connect(t, b);

	assert.notEqual(nodeOf(p.sid), nodeOf(other.sid));
	await until(async () => {
		const r = await (await request(t, b, { query: p.query,
			method: 'POST', body: '42["echo",1]' })).answer;

		return r.status === 200;
	}, 'they know of each other');
	await eachMode(t, async (st, mode) => {
		const s = await connect(st, front, mode);

		if (mode === 'upgrade')
			await onWebSocket(s);
		for (let i = 0; i < 20; i++)
			assert.equal(await call(s, 'back', i), i);
		assert.equal(await call(s, 'back', 'x'.repeat(200000)),
		    'x'.repeat(200000));
	});
	// Nobody is asked twice for what is not there.
	unknownSession(await (await request(t, a, { query: { ...other.query,
		sid: `${nodeOf(other.sid)}${'A'.repeat(20)}` } })).answer);
});

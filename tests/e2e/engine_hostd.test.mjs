// SPDX-License-Identifier: BSD-2-Clause
// Sessions of Engine.IO belong to one worker of one machine; requests may come
// to any, and nothing in front needs to know.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Polling, request, target, unknownSession, webSocket, works } from
    './lib/eio.mjs';
import { atEnd, freePort, startHostd, tempDir, until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { buildSioApp } from './lib/plugin.mjs';
import { startRedis } from './lib/redis.mjs';
import { call, connect, eachMode, onWebSocket, startOurs } from
    './lib/sio.mjs';
import { authority, certificate } from './lib/tls.mjs';

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
	await until(async () => `${await held()}` === '1,0',
	    'the poll is there');
	const [{ pid }] = await where.workers();

	process.kill(pid, 'SIGKILL');
	await assert.rejects(waiting.answer, /closed/);
	await where.logged(/generation 1\) is ready[^]*is ready[^]*is ready/);
	unknownSession(await of[0].ask());
	await of[1].works();
});

// Machines that reach each other at their port; or, by TLS, at another one, and
// then each has a certificate by one of the authorities, and trusts the first.
async function startMachines(t, { redis, authorities = [], more = '' } = {}) {
	const { url } = redis ?? await startRedis(t);
	const so = await buildSioApp(tempDir(t));
	const [first] = authorities;
	const secure = async (ca, at) => {
		const { cert, key } = await certificate(t, { ca });

		return `
		certificate "own" { file = "${cert}"  key = "${key}" }
		tls "own" { certificates = { "own" }  client_ca = "${first.cert}"
			client_certificates = required }
		listen "front" { address = "127.0.0.1:@PORT@" }
		listen "internal" { address = "${at}"  tls = "own" }
		upstream "machines" { any_server = on  tls = on
			tls_ca = "${first.cert}"
			tls_certificate = "${cert}"  tls_key = "${key}" }`;
	};
	const one = async (ca) => {
		const at = `127.0.0.1:${ca ? await freePort() : '@PORT@'}`;
		const conf = ca ? await secure(ca, at) :
		    'upstream "machines" { any_server = on }';

		return startHostd(t, { conf: `
		${conf}
		plugin "io" { module = "socketio.so"
			internal_address = "${at}"  upstream = "machines" }
		plugin "nodes" { module = "socketio_redis.so"
			url = "${url}" }
		plugin "app" { module = "${so}" }
		route "/socket.io/" { plugin = "io" }
		${more}` });
	};

	return Promise.all([one(first), one(authorities.at(-1))]);
}

// A balancer in front of them that gives one request to this, one to that.
const startFront = (t, [a, b]) => startHostd(t, { conf: `
	upstream "io" { balancer = "round_robin"
		server "127.0.0.1:${a.port}" {}
		server "127.0.0.1:${b.port}" {} }
	plugin "proxy" { module = "http_proxy.so" }
	route "/" { plugin = "proxy"  upstream = "io" }` });

// A session of a, and one of b, when b knows of a; b is asked about the former.
async function introduce(t, [a, b]) {
	const p = await Polling.connect(t, a);
	const other = await Polling.connect(t, b);

	assert.notEqual(nodeOf(p.sid), nodeOf(other.sid));
	await until(async () => (await (await request(t, b, { query: p.query,
		method: 'POST', body: '42["echo",1]' })).answer).status === 200,
	    'they know of each other');
	return [p, other];
}

async function talkThrough(t, front) {
	await eachMode(t, async (st, mode) => {
		const s = await connect(st, front, mode);

		if (mode === 'upgrade')
			await onWebSocket(s);
		for (let i = 0; i < 20; i++)
			assert.equal(await call(s, 'back', i), i);
		assert.equal(await call(s, 'back', 'x'.repeat(200000)),
		    'x'.repeat(200000));
	});
}

test('two machines behind a balancer that knows nothing', async (t) => {
	const [a, b] = await startMachines(t);
	const [, other] = await introduce(t, [a, b]);

	await talkThrough(t, await startFront(t, [a, b]));
	// Nobody is asked twice for what is not there.
	unknownSession(await (await request(t, a, { query: { ...other.query,
		sid: `${nodeOf(other.sid)}${'A'.repeat(20)}` } })).answer);
});

test('a request that ends while its machine is looked up', async (t) => {
	const redis = await startRedis(t);
	const machines = await startMachines(t, { redis,
		more: `route "/brief/" { plugin = "io"
			defer_timeout = 1500ms }` });
	const [a] = machines;
	const [, { query }] = await introduce(t, machines);
	const lost = { ...query, sid: `zzzz${'A'.repeat(20)}` };

	redis.pause();
	assert.equal((await (await request(t, a, { path: '/brief/',
		query: lost })).answer).status, 504);
	// What is said of the former is not of the next, in its place.
	const { answer } = await request(t, a, { query, method: 'POST',
		body: '42["echo",1]' });

	redis.resume();
	assert.equal((await answer).text, 'ok');
});

test('two machines that know each other by certificates', async (t) => {
	const machines = await startMachines(t,
	    { authorities: [await authority(t)] });

	await introduce(t, machines);
	await talkThrough(t, await startFront(t, machines));
});

test('a machine whose certificate is another authority\'s', async (t) => {
	const [a, b] = await startMachines(t, { authorities: [
		await authority(t), await authority(t, 'Other CA')] });
	const p = await Polling.connect(t, b);

	await until(async () => {
		unknownSession(await (await request(t, a, { query: p.query }))
		    .answer);
		return /internal_address does not answer: .*certificate/
		    .test(a.log);
	}, 'why it is not asked');
	await p.works();
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: clients that want too much of a worker, and those who come and go
// faster than anybody means to.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { ask, failed, packet, Polling, target, unknownSession, webSocket,
    webSocketConnected, works } from './lib/eio.mjs';
import { atEnd, until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { call, connect, heard, startOurs, watch } from './lib/sio.mjs';
import { text } from './lib/websocket.mjs';

const endings = [];
const file = { after: (fn) => endings.push(fn) };
const conf = `
	log_level = "debug"
	plugin "metrics" { module = "http_metrics.so" }
	route "/metrics" { plugin = "metrics" }
	route "/few/" { plugin = "io"  limit_req = "few" }
	limit_req "few" { rate = "1/m"  burst = 3  nodelay = on }`;
const where = await startOurs(file, {}, { workers: 1, conf, more: `
	max_output = 64k  max_rooms = 10  max_handshakes = 20` });

after(async () => {
	for (const fn of endings)
		await fn();
});

// The counters are these, or become so.
async function shows(...want) {
	let got;

	await until(async () => {
		got = await (await fetch(`${where.url}/metrics`)).text();
		return want.every((l) => got.includes(`hostd_socketio_${l}\n`));
	}, want.join('\n')).catch((e) => {
		throw new Error(`${e.message} in\n${got.split('\n')
		    .filter((l) => l.includes('socketio')).join('\n')}`);
	});
}

const nobody = () => shows('sessions{plugin="io",transport="polling"} 0',
    'sessions{plugin="io",transport="websocket"} 0',
    'sockets{plugin="io",namespace="/"} 0');
const namespaces = async () => (await where.hostctl('sio', 'list', '--json'))
    .stdout;

test('namespaces that come and go, and who may not be in them', async (t) => {
	const s = await webSocketConnected(t, where);
	const auth = (n) => JSON.stringify({ a: 'x'.repeat(n) });
	const all = [];

	for (let i = 0; i < 500; i++)
		all.push(`40/dyn-${i},`, `41/dyn-${i},`);
	await s.say(...all);
	for (let i = 0; i < 500; i++)
		assert.match(await packet(s), new RegExp(`^40/dyn-${i},`));
	// What is said to get there is kept, but no more of it than one packet
	// has.
	await s.say(`40/dyn-a,${auth(600000)}`, `40/dyn-b,${auth(600000)}`,
	    `40/dyn-c,${auth(6)}`);
	assert.match(await packet(s), /^40\/dyn-a,/);
	assert.equal(await packet(s), '44/dyn-b,{"message":"Too much auth"}');
	assert.match(await packet(s), /^40\/dyn-c,/);
	assert.deepEqual((await namespaces()).match(/\/dyn-\w+/g).sort(),
	    ['/dyn-a', '/dyn-c']);
	s.destroy();
	await nobody();
	assert.doesNotMatch(await namespaces(), /dyn/);
});

test('rooms', async (t) => {
	const s = await connect(t, where, 'websocket');

	for (let i = 0; i < 100; i++)
		s.emit('join', `${i}`);
	assert.equal((await call(s, 'rooms')).length, 11);
	await call(s, 'leave', '3');
	await call(s, 'join', ['a', 'b', s.id]);
	const rooms = await call(s, 'rooms');

	assert.deepEqual(['3', 'a', 'b'].map((r) => rooms.includes(r)),
	    [false, true, false]);
});

test('sessions that never go on', async (t) => {
	const old = await Polling.open(t, where);
	const flood = await Promise.all(Array.from({ length: 20 },
	    () => Polling.open(t, where)));

	// The oldest has made room, and is not kept for another poll.
	await old.isOver();
	await where.logged(/127\.0\.0\.1: it is closed: .*max_handshakes/);
	await Promise.all(flood.map((p) => p.join()));
	const more = [];

	// Those who are in a namespace do not count.
	for (let i = 0; i < 20; i++)
		more.push(await webSocket(t, where));
	await flood[0].works();
	await more[0].say('40');
	assert.match(await packet(more[0]), /^40/);
	for (const p of flood)
		await p.post('1');
	for (const s of more)
		s.destroy();
	await nobody();
});

test('a route that has a limit', async (t) => {
	const query = { EIO: 4, transport: 'polling' };
	const answers = await Promise.all(Array.from({ length: 10 },
	    () => ask(t, where, { path: '/few/', query })));

	const opened = answers.filter((r) => r.status === 200);

	assert.equal(opened.length, 4);
	assert.equal(answers.filter((r) => r.status === 429).length, 6);
	for (const r of opened)
		await new Polling(t, where, r).post('1');
	await nobody();
});

test('who never polls', async (t) => {
	const w = await watch(t, where);
	const big = await Polling.connect(t, where);
	const small = await Polling.connect(t, where);

	await big.post(`42["many",100,"${'x'.repeat(1000)}"]`);
	// What they take is more than what they say.
	await small.post('42["many",1000]');
	for (const p of [big, small]) {
		assert.equal((await w.gone(p.id)).reason, 'forced close');
		await p.isOver();
	}
	await where.logged(/127\.0\.0\.1: it is closed: .*max_output/);
});

test('who reads nothing, and those in its room', async (t) => {
	const w = await watch(t, where);
	const slow = await webSocketConnected(t, where);
	const other = await connect(t, where, 'websocket');
	const text = 'x'.repeat(50000);
	const isGone = () => w.all('gone').some(({ id }) => id === slow.id);
	let n = 0;

	await slow.say('42["join","tea"]');
	await slow.roundtrip();
	slow.socket.pause();
	await call(other, 'join', 'tea');
	for (; !isGone(); n++)
		await call(other, 'say', 'tea', text);
	assert.equal((await w.gone(slow.id)).reason, 'forced close');
	assert.equal(heard(other, 'said').length, n);
	slow.destroy();
});

test('an end and an upgrade at the same time', async (t) => {
	const busy = await webSocketConnected(t, where);
	const client = await Client.connect(where.port);

	atEnd(t, () => client.destroy());
	for (let i = 0; i < 20; i++) {
		const p = await Polling.connect(t, where);
		const s = await webSocket(t, where, p.sid);

		await s.say('2probe');
		assert.equal(await packet(s), '3probe');
		// Both wait for the worker when it looks again.
		await Promise.all(
		    [busy.say(`42["nobody",${'1,'.repeat(2e5)}1]`),
			client.send([`POST ${target(p.query)} HTTP/1.1`,
				'Host: a', 'Content-Length: 1', '', '1']
				.join('\r\n')), s.say('5')]);
		assert.ok([200, 400].includes((await client.next()).status));
		s.destroy();
	}
	busy.destroy();
	await nobody();
});

test('two upgrades at the same time', async (t) => {
	const p = await Polling.connect(t, where);
	const both = await Promise.all([1, 2, 3].map(() =>
	    webSocket(t, where, p.sid)));
	const said = await Promise.all(both.map(async (s) => {
		await s.say('2probe');
		return packet(s).catch(() => 'closed');
	}));

	assert.deepEqual(said.toSorted(), ['3probe', 'closed', 'closed']);
	const s = both[said.indexOf('3probe')];

	await s.say('5');
	await works(s);
	failed(await p.ask(), 3, 'Bad request');
});

// All namespaces are told, and then it closes.
async function closes(s) {
	for (let k = 0; k < 50; k++)
		assert.match(await packet(s), /^41/);
	await s.closing();
}

test('a thousand sockets end at once', async (t) => {
	const w = await watch(t, where);
	const clients = [];

	for (let i = 0; i < 20; i++) {
		const s = await webSocketConnected(t, where);

		for (let k = 0; k < 49; k++)
			await s.say(`40/dyn-${k},`);
		for (let k = 0; k < 49; k++)
			await packet(s);
		await s.say('42["join","all"]');
		clients.push(s);
	}
	await clients[0].roundtrip();
	await call(await connect(t, where, 'websocket'), 'kick', 'all', true);
	await Promise.all(clients.map(closes));
	await until(() => w.all('gone').length >= 1000, 'all are gone');
	assert.doesNotMatch(await namespaces(), /dyn/);
});

test('sessions that nobody has', async (t) => {
	const sid = 'x'.repeat(24);
	const query = { EIO: 4, transport: 'polling' };

	for (const id of [sid, 'x'.repeat(1000), '%00'.repeat(24), '../'])
		unknownSession(await ask(t, where, { query:
		    `?EIO=4&transport=polling&sid=${id}` }));
	unknownSession(await ask(t, where, { method: 'POST',
		query: { ...query, sid }, body: '40' }));
});

test('JSON that is deep, with an attachment at its end', async (t) => {
	const s = await webSocketConnected(t, where);
	const place = '{"_placeholder":true,"num":0}';
	const deep = `${'{"a":'.repeat(60)}[${'1,'.repeat(400000)}${place}]` +
	    '}'.repeat(60);

	for (let i = 0; i < 10; i++)
		await s.send(text(`451-["nobody",${deep}]`),
		    Buffer.from([0x82, 0x80, 0, 0, 0, 0]));
	await works(s);
});

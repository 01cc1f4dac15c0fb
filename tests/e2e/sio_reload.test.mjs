// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO over reloads: clients stay who they are, and nothing that is said
// to them or by them is lost, comes twice or in another order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { packet, Polling, webSocket, webSocketConnected, works } from
    './lib/eio.mjs';
import { until, within } from './lib/hostd.mjs';
import { call, client, connect, connected, heard, onHostd, settled, startOurs }
    from './lib/sio.mjs';
import { CLOSE, frame, PING, PONG } from './lib/websocket.mjs';

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

// A client that says numbers, up to 4 ahead of their echo and acknowledgement,
// until it is stopped.
class Counter {
	said = 0;
	echoed = 0;
	acked = 0;

	constructor(s) {
		this.s = s;
		this.done = new Promise((resolve, reject) => {
			this.resolve = resolve;
			this.reject = reject;
		});
		this.done.catch(() => {});
		s.on('disconnect', (why) => this.fail(`disconnected: ${why}`));
		s.on('echo', (i) => this.next('echoed', i));
		this.say();
	}

	fail(why) {
		this.reject(new Error(`${why}, of ${this.said} said, ${
		    this.echoed} echoed, ${this.acked} acknowledged`));
	}

	next(what, i) {
		if (i !== this[what])
			this.fail(`${what} ${i}`);
		this[what]++;
		if (!this.stopping)
			this.say();
		else if (this.echoed === this.said && this.acked === this.said)
			this.resolve();
	}

	say() {
		while (this.said < Math.min(this.echoed, this.acked) + 4)
			this.s.emit('echo', this.said++,
			    (i) => this.next('acked', i));
	}

	stop() {
		this.stopping = true;
		return within(this.done, `the rest of ${this.said - this.echoed
		} echoes and ${this.said - this.acked} acknowledgements`);
	}
}

const kinds = ['websocket', 'polling', 'upgrade'];

onHostd('what clients say, and what they are answered', async (t, h) => {
	const sockets = await Promise.all(Array.from({ length: 24 },
	    (_, i) => connect(t, h, kinds[i % 3])));
	const all = sockets.map((s) => new Counter(s));

	for (let i = 0; i < 4; i++) {
		const before = all.map((c) => c.echoed);

		await Promise.race([until(() => all.every((c, k) =>
		    c.echoed > before[k] + 3), 'echoes'),
			...all.map((c) => c.done)]);
		await reload(h);
	}
	for (const c of all)
		await c.stop();
});

onHostd('what is said to all, by many', async (t, h) => {
	const listeners = await Promise.all(Array.from({ length: 12 },
	    (_, i) => connect(t, h, kinds[i % 3])));
	const speakers = await Promise.all([0, 1, 2].map(
	    (i) => connect(t, h, kinds[i])));
	const said = speakers.map(() => 0);
	let stopping = false;

	for (const s of listeners)
		await call(s, 'join', 'room');
	const talk = speakers.map(async (s, i) => {
		while (!stopping)
			await call(s, 'say', 'room', i, said[i]++);
	});
	for (let i = 0; i < 4; i++) {
		const before = [...said];

		await until(() => said.every((n, k) => n > before[k] + 10),
		    'more words');
		await reload(h);
	}
	stopping = true;
	await Promise.all(talk);
	// Nothing is in order across workers.
	for (const s of speakers)
		await settled(s, ...listeners);
	for (const s of listeners)
		speakers.forEach((_, i) => {
			const got = heard(s, 'said').filter(([k]) => k === i);

			assert.deepEqual(got.map(([, n]) => n),
			    Array.from({ length: said[i] }, (_, n) => n));
		});
});

onHostd('who they are', async (t, h) => {
	for (const mode of kinds) {
		const s = await connect(t, h, mode, { nsp: '/chat',
			auth: { name: mode } });
		const { id } = s;

		await call(s, 'join', ['one', 'two']);
		await call(s, 'setdata', { mode });
		await reload(h);
		const me = await call(s, 'whoami');

		assert.equal(me.id, id);
		assert.deepEqual(me.auth, { name: mode });
		assert.deepEqual((await call(s, 'rooms')).sort(),
		    ['one', 'two', id].sort());
		const [found] = await call(s, 'fetch', 'one');

		assert.equal(found.id, id);
		assert.deepEqual(found.data, { x: { mode } });
		s.close();
	}
});

// An upgrade that a reload falls into ends well, or the client stays on
// polling.
onHostd('in the middle of an upgrade', async (t, h) => {
	const sockets = Array.from({ length: 12 },
	    () => client(t, h, 'upgrade'));
	const counters = [];

	for (const s of sockets)
		s.once('connect', () => counters.push(new Counter(s)));
	await reload(h);
	await Promise.all(sockets.map(connected));
	await until(() => counters.length === sockets.length, 'connections');
	for (const c of counters)
		await c.stop();
});

test('the heartbeat', async (t) => {
	const clock = await makeClock(t);
	const h = await startOurs(t, { pingInterval: 300,
		pingTimeout: 3_600_000 }, { clock });
	const s = await webSocketConnected(t, h);
	const beat = async () => {
		assert.equal(await packet(s), '2');
		await s.say('3');
	};

	await beat();
	await reload(h);
	for (let i = 0; i < 3; i++)
		await beat();
	// One that is not answered, neither here nor there.
	assert.equal(await packet(s), '2');
	await reload(h);
	// Where it comes to, it has the whole time again.
	await until(() => h.log.match(/generation 2\) has ended/g)
	    ?.length === 2, 'the end of those it has left');
	// It has come there.
	await s.send(frame(PING));
	await s.expect(PONG);
	await clock.passFor(h, 3601);
	// That its worker has something to do.
	await s.send(frame(PING));
	for (let f; f?.opcode !== CLOSE; f = await s.next())
		assert.ok([undefined, PONG].includes(f?.opcode));
});

// It has been told to stop polling: nothing but this WebSocket is left to it.
onHostd('what a client says by polling before it upgrades', async (t, h) => {
	const p = await Polling.connect(t, h);
	const s = await webSocket(t, h, p.sid);
	const said = '42["echo","late"]';

	await s.say('2probe');
	assert.equal(await packet(s), '3probe');
	const r = await p.request({ method: 'POST', body: said.slice(0, 4),
		headers: { 'Content-Length': said.length } });
	await reload(h);
	await r.client.send(said.slice(4));
	assert.equal((await r.answer).text, 'ok');
	await s.say('5');
	assert.equal(await packet(s), said);
	await until(() => h.log.match(/has ended/g)?.length === 2, 'their end');
	await works(s);
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: from polling to a WebSocket while messages go both ways: none is
// lost, none comes twice, and all are in order.
import assert from 'node:assert/strict';
import { call, client, connect, connected, heard, next, onServers, onWebSocket,
    settled } from './lib/sio.mjs';

const N = 10;			// clients at a time
const BEHIND = 50;		// messages behind the upgrade
const what = (i) => i % 5 === 4 ? Buffer.from(`${i}`) : i;

// Emits one after the other, a few in each turn of the loop, until it is
// upgraded and then some more.  How many.
async function pour(s) {
	let i = 0, left = BEHIND;

	while (left > 0) {
		for (let n = i % 3; n >= 0; n--)
			s.emit('echo', what(i++));
		left -= s.io.engine.transport.name === 'websocket';
		await new Promise(setImmediate);
	}
	await call(s, 'back');
	return i;
}

onServers('messages of both sides', async (t, where) => {
	await Promise.all(Array.from({ length: N }, async () => {
		const s = client(t, where, 'upgrade');

		s.emit('many', 300, 'x'.repeat(20));
		await connected(s);
		const n = await pour(s);

		assert.deepEqual(heard(s, 'echo'),
		    Array.from({ length: n }, (_, i) => [what(i)]));
		assert.deepEqual(heard(s, 'item').map(([i]) => i),
		    Array.from({ length: 300 }, (_, i) => i));
	}));
});

onServers('what others say meanwhile', async (t, where) => {
	const speaker = await connect(t, where, 'websocket');
	const all = Array.from({ length: N }, () =>
	    client(t, where, 'upgrade'));
	let said = 0, over = false;

	await Promise.all(all.map(connected));
	const speech = (async () => {
		while (!over) {
			await call(speaker, 'say', [], said, what(said));
			said++;
		}
	})();

	await Promise.all(all.map(onWebSocket));
	over = true;
	await speech;
	await settled(speaker, ...all);
	for (const s of all) {
		const got = heard(s, 'said');

		// From the first that it heard on, all of them.
		assert.deepEqual(got, Array.from({ length: got.length },
		    (_, i) => said - got.length + i).map((i) => [i, what(i)]));
		assert.ok(got.length > 0);
	}
});

onServers('a WebSocket that fails before it takes over', async (t, where) => {
	const s = client(t, where, 'upgrade');
	const { engine } = s.io, make = engine.createTransport.bind(engine);
	const failed = next(engine, 'upgradeError');

	engine.createTransport = (name) => {
		const transport = make(name);

		if (name === 'websocket')
			transport.on('open', () => transport.ws.terminate());
		return transport;
	};
	const acks = Array.from({ length: 50 }, (_, i) => call(s, 'back', i));

	await connected(s);
	await failed;
	assert.deepEqual(await Promise.all(acks), [...acks.keys()]);
	assert.equal(await call(s, 'back', 'x'), 'x');
	assert.equal(engine.transport.name, 'polling');
});

onServers('acknowledgements and pings of a long session', async (t, where) => {
	const s = client(t, where, 'upgrade');
	const acks = Array.from({ length: 100 }, (_, i) => call(s, 'back', i));

	await connected(s);
	const more = Array.from({ length: 100 }, (_, i) => call(s, 'back', i));

	await onWebSocket(s);
	assert.deepEqual(await Promise.all([...acks, ...more]),
	    [...acks.keys(), ...more.keys()]);
	await next(s.io.engine, 'ping');
	await next(s.io.engine, 'ping');
	assert.equal(await call(s, 'back', 1), 1);
}, { pingInterval: 100, pingTimeout: 20_000 });

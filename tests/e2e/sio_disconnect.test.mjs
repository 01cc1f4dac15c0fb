// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: every way in which a connection ends, and what both sides are
// told.
import assert from 'node:assert/strict';
import http from 'node:http';
import { also, call, connect, connected, eachMode, gone, heard, hour, next,
    onServers, watch } from './lib/sio.mjs';

// Node says the one or the other for the same.
const FORCED = ['forced close', 'forced server close'];

/*
 * A client of two namespaces; cut(s) ends it.  `ours` is what both of its
 * sockets are told, `theirs` what the server's are: one reason, or a list of
 * those that may be.
 */
async function ends(t, where, mode, { cut, ours, theirs, options = {} }) {
	const w = await watch(t, where);
	const s = await connect(t, where, mode, options);
	const b = await connected(also(t, s, '/chat'));
	const ids = [s.id, b.id];
	const told = Promise.all([s, b].map(gone));

	await call(s, 'join', ['r1', 'r2']);
	await call(b, 'join', 'r3');
	await cut(s, b, w);
	for (const why of await told)
		assert.ok([ours].flat().includes(why), why);
	for (const [i, rooms] of [['r1', 'r2'], ['r3']].entries()) {
		const { reason, ...rest } = await w.gone(ids[i]);

		assert.ok([theirs].flat().includes(reason), reason);
		assert.deepEqual(rest, { id: ids[i], nsp: ['/', '/chat'][i],
			rooms });
	}
	assert.deepEqual(await Promise.all(ids.map((id) =>
	    call(w.socket, 'back', w.all('gone').filter((v) => v.id === id)
		.length))), [1, 1], 'each is told once');
}

const ways = {
	'the client leaves': {
		cut: (s, b) => { b.disconnect(); s.disconnect(); },
		ours: 'io client disconnect',
		theirs: 'client namespace disconnect',
	},
	'the server ends the connection': {
		cut: (s) => s.emit('bye', true),
		ours: 'io server disconnect',
		theirs: 'server namespace disconnect',
	},
	'the server ends each': {
		cut: (s, b) => { s.emit('bye', false); b.emit('bye', false); },
		ours: 'io server disconnect',
		theirs: 'server namespace disconnect',
	},
	'a room is ended': {
		cut: (s) => s.emit('kick', 'r2', true),
		ours: 'io server disconnect',
		theirs: 'server namespace disconnect',
	},
	'the engine is closed': {
		cut: (s) => s.io.engine.close(),
		ours: 'forced close',
		theirs: 'transport close',
	},
	'no ping comes': {
		cut: ({ io: { engine } }) => {
			engine._pingInterval = engine._pingTimeout = 20;
			engine._resetPingTimeout();
		},
		ours: 'ping timeout',
		theirs: 'transport close',
	},
	'an event that is none': {
		cut: (s) => s.io.engine.write('2{}'),
		ours: 'transport close',
		theirs: FORCED,
	},
	'an event for a namespace that was not joined': {
		cut: (s) => s.io.engine.write('2/dyn-5,["back"]'),
		ours: 'transport close',
		theirs: FORCED,
	},
	'a second connect': {
		cut: (s) => s.io.engine.write('0'),
		ours: 'transport close',
		theirs: FORCED,
	},
};

for (const [name, how] of Object.entries(ways))
	onServers(name, (t, where) => eachMode(t, (st, mode) =>
	    ends(st, where, mode, how)));

onServers('a packet that is none', (t, where) => eachMode(t, (st, mode) =>
    ends(st, where, mode, {
	cut: ({ io: { engine: { transport } } }) => transport.ws ?
	    transport.ws.send('zz') : transport.doWrite('zz', () => {}),
	// A 400 and the end of its poll: which it hears of first, it tells.
	ours: mode === 'polling' && !where.node ?
	    ['transport close', 'transport error'] : 'transport close',
	theirs: 'parse error',
})));

onServers('the connection is lost', (t, where) => eachMode(t, (st, mode) => {
	const agent = new http.Agent();
	const polling = mode === 'polling';

	return ends(st, where, mode, { options: { agent },
		cut: (s) => polling ? agent.destroy() :
		    s.io.engine.transport.ws.terminate(),
		ours: polling ? 'transport error' : 'transport close',
		// Over polling, the client says goodbye behind what it lost.
		theirs: ['transport close', ...polling ? ['transport error'] :
		    []] });
}));

onServers('no pong comes', (t, where) => eachMode(t, (st, mode) =>
    ends(st, where, mode, {
	cut: async ({ io: { engine } }, b, w) => {
		const send = engine._sendPacket;

		engine._sendPacket = (type, ...rest) => type === 'pong' ||
		    send.call(engine, type, ...rest);
		const ping = next(engine, 'ping');

		await hour(where, w);
		await ping;
		await call(b, 'back');
		// Its poll waits when it ends.
		await hour(where, w, () => call(b, 'back'));
	},
	ours: 'transport close',
	theirs: 'ping timeout',
})), { pingInterval: 3_600_000, pingTimeout: 3_600_000 }, { clock: true });

onServers('an idle one stays', async (t, where) => {
	const all = await Promise.all(['polling', 'websocket', 'upgrade']
	    .map((mode) => connect(t, where, mode)));
	const pings = all.map((s) => new Promise((resolve) => {
		let n = 0;

		s.io.engine.on('ping', () => ++n === 5 && resolve());
	}));

	await Promise.all(pings);
	assert.deepEqual(await Promise.all(all.map((s, i) =>
	    call(s, 'back', i))), [0, 1, 2]);
}, { pingInterval: 50, pingTimeout: 20_000 });

onServers('what was emitted before the end comes', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);
	const end = gone(s);

	s.emit('many', 200, 'x');
	s.emit('bye', true);
	assert.equal(await end, 'io server disconnect');
	assert.equal(heard(s, 'item').length, 200);
}));

// It has no application left that could tell.
onServers('the server stops', async (t, where) => {
	const all = await Promise.all(['websocket', 'upgrade', 'polling']
	    .map((mode) => connect(t, where, mode)));
	const told = Promise.all(all.map(gone));

	await where.stop();
	const [ws, upgraded, polling] = await told;

	assert.deepEqual([ws, upgraded],
	    ['transport close', 'transport close']);
	// Its poll might have been on the way.
	assert.match(polling, /^transport (close|error)$/);
}, {}, { alone: true });

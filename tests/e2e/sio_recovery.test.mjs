// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: connection state recovery; who was lost for a while is who it was,
// and gets what it has missed.
import assert from 'node:assert/strict';
import { also, call, connect, connected, eachMode, gone, heard, modes,
    onServers, settled, watch } from './lib/sio.mjs';

const MINUTE = { requestsTimeout: 20_000, connectionStateRecovery: {
	maxDisconnectionDuration: 60_000 } };
const bin = Buffer.from([9, 0, 255]);

// Who was told something before: without that, it has no offset.
async function start(t, where, mode, options) {
	const s = await connect(t, where, mode, options);

	await call(s, 'echo', 'first');
	await call(s, 'back');
	assert.equal(typeof heard(s, 'echo')[0][1], 'string', 'an offset');
	return s;
}

// Its connection is lost; the server knows.
async function lose(s, w) {
	const { id } = s, end = gone(s);

	s.io.engine.close();
	await end;
	assert.equal((await w.gone(id)).reason, 'transport close');
	s.heard = [];
	return id;
}

async function again(s) {
	s.connect();
	await connected(s);
	await call(s, 'back');
}

// Without offsets.
const said = (s) => heard(s, 'said').map((args) => args.slice(0, -1));

onServers('what was missed', (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const other = await connect(st, where, 'websocket');
	const s = await start(st, where, mode);

	await call(s, 'join', ['in', 'too']);
	await call(s, 'setdata', { a: 1 });
	const id = await lose(s, w);

	await call(other, 'say', 'in', 1);
	await call(other, 'say', ['in', 'too'], { n: 2 }, bin);
	await call(other, 'say', 'out', 'not for it');
	await call(other, 'except', [], 'too', 'not for it');
	await call(other, 'say', [], 3);
	await call(other, 'say', id, 4);
	await call(other, 'volatile', 'in', 'not kept');
	await again(s);
	assert.equal(s.recovered, true);
	assert.equal(s.id, id);
	assert.deepEqual(said(s), [[1], [{ n: 2 }, bin], [3], [4]]);
	assert.equal((await call(s, 'whoami')).recovered, true);
	assert.deepEqual(await call(s, 'rooms'), ['in', 'too', id].sort());
	assert.deepEqual((await call(s, 'fetch', 'in')),
	    [{ id, rooms: ['in', 'too', id].sort(), data: { x: { a: 1 } } }]);
	assert.deepEqual([await w.came(id), await w.came(id)]
	    .map((v) => v.recovered), [false, true]);

	// Again, and over another transport; what it has is not sent again.
	await lose(s, w);
	await call(other, 'say', 'in', 5);
	s.io.opts.transports = modes[mode === 'polling' ? 'websocket' :
	    'polling'];
	await again(s);
	assert.equal(s.id, id);
	await call(other, 'say', 'in', 6);
	await settled(other, s);
	assert.deepEqual(said(s), [[5], [6]]);
}), MINUTE);

onServers('who is somebody new', (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const all = {
		'left by itself': async (s) => {
			const { id } = s;

			s.disconnect();
			await w.gone(id);
		},
		'was sent away': async (s) => {
			const end = gone(s);

			s.emit('bye', true);
			await end;
		},
		'has another key': async (s) => {
			await lose(s, w);
			s._pid = `${s._pid.slice(0, -1)}!`;
		},
		'has heard of something that was not said': async (s) => {
			await lose(s, w);
			s._lastOffset = 'nothing';
		},
		'has heard of nothing': async (s) => {
			await lose(s, w);
			s._lastOffset = undefined;
		},
	};

	for (const [name, leave] of Object.entries(all)) {
		const s = await start(st, where, mode);
		const { id } = s;

		await call(s, 'join', 'r');
		await leave(s);
		await again(s);
		assert.equal(s.recovered, false, name);
		assert.notEqual(s.id, id, name);
		assert.deepEqual(await call(s, 'rooms'), [s.id], name);
	}
}), MINUTE);

onServers('what has an offset, and what has none', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await start(st, where, mode);

	s.on('question', (...got) => got.pop()(got.length));
	assert.deepEqual(await call(s, 'ask', 1), null);
	await call(s, 'volatile', s.id, 'v');
	await call(s, 'say', s.id, 'kept');
	await call(s, 'say', s.id, bin);
	await call(s, 'back');
	const got = heard(s, 'said').filter(([v]) => v !== 'v');

	assert.deepEqual(got.map(([v]) => v), ['kept', bin]);
	for (const [, offset] of got)
		assert.equal(typeof offset, 'string');
	assert.equal(new Set(got.map(([, offset]) => offset)).size, 2);
	for (const v of heard(s, 'said').filter(([v]) => v === 'v'))
		assert.equal(v.length, 1);
}), MINUTE);

onServers('a guard does not ask again, and each namespace is recovered',
    (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const s = await start(st, where, mode,
	    { nsp: '/private', auth: { token: 'secret' } });
	const b = await connected(also(st, s, '/chat'));
	const ids = [s.id, b.id];

	await call(b, 'echo', 1);
	await call(b, 'back');
	await lose(s, w);
	s.auth = {};
	b.connect();
	await connected(b);
	await again(s);
	assert.deepEqual([s.id, b.id], ids);
}), MINUTE);

onServers('too late', async (t, where) => {
	const w = await watch(t, where);
	const s = await start(t, where, 'websocket');
	const id = await lose(s, w);

	// What it was is kept for so long.
	await new Promise((r) => setTimeout(r, 60));
	await again(s);
	assert.equal(s.recovered, false);
	assert.notEqual(s.id, id);
}, { connectionStateRecovery: { maxDisconnectionDuration: 30 } });

onServers('off', async (t, where) => {
	const w = await watch(t, where);
	const s = await connect(t, where, 'websocket');

	assert.deepEqual(await call(s, 'echo', 'first'), 'first');
	assert.deepEqual(heard(s, 'echo'), [['first']]);
	const id = await lose(s, w);

	await again(s);
	assert.notEqual(s.id, id);
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO's connection state recovery where there is more than one process:
// who comes back comes to another worker, or to the next one of a reload.
import assert from 'node:assert/strict';
import { call, connect, connected, gone, heard, onHostd, settled, watch } from
    './lib/sio.mjs';

const MINUTE = { requestsTimeout: 20_000, connectionStateRecovery:
    { maxDisconnectionDuration: 60_000 } };

async function start(t, h) {
	const s = await connect(t, h, 'websocket');

	await call(s, 'echo', 'first');
	await call(s, 'back');
	await call(s, 'join', 'room');
	return s;
}

async function lose(s, w) {
	const { id } = s, end = gone(s);

	s.io.engine.close();
	await end;
	await w.gone(id);
	s.heard = [];
	return id;
}

async function again(s, id) {
	s.connect();
	await connected(s);
	assert.equal(s.recovered, true);
	assert.equal(s.id, id);
	await call(s, 'back');
}

const said = (s) => heard(s, 'said').map(([v]) => v);

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

onHostd('another worker, again and again', async (t, h) => {
	const w = await watch(t, h);
	const other = await connect(t, h, 'websocket');
	const s = await start(t, h);
	let n = 0;

	for (let i = 0; i < 12; i++) {
		const id = await lose(s, w);
		const from = n;

		for (let k = 0; k < 3; k++)
			await call(other, 'say', 'room', n++);
		await again(s, id);
		await call(other, 'say', 'room', n++);
		await settled(other, s);
		assert.deepEqual(said(s), [0, 1, 2, 3].map((k) => from + k));
		w.socket.heard = [];
	}
}, MINUTE, { workers: 3 });

onHostd('a reload between', async (t, h) => {
	const w = await watch(t, h);
	const other = await connect(t, h, 'websocket');
	const s = await start(t, h);
	const id = await lose(s, w);

	await call(other, 'say', 'room', 1);
	await reload(h);
	await call(other, 'say', 'room', 2);
	await reload(h);
	await call(other, 'say', 'room', 3);
	await again(s, id);
	await settled(other, s);
	assert.deepEqual(said(s), [1, 2, 3]);
}, MINUTE);

// A worker that is killed takes with it what it kept; others are new there.
onHostd('a worker that is killed', async (t, h) => {
	const s = await start(t, h);
	const { id } = s;
	const end = gone(s);

	for (const worker of await h.workers())
		process.kill(worker.pid, 'SIGKILL');
	await end;
	s.connect();
	await connected(s);
	assert.equal(s.recovered, false);
	assert.notEqual(s.id, id);
}, MINUTE);

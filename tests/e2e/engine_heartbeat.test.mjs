// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO: pings of the server, and who does not answer them.
import assert from 'node:assert/strict';
import { packet, Polling, webSocketConnected, works } from './lib/eio.mjs';
import { onServers, watch } from './lib/sio.mjs';

const QUICK = { pingInterval: 100, pingTimeout: 150 };

onServers('over a WebSocket', async (t, where) => {
	const w = await watch(t, where);
	const s = await webSocketConnected(t, where);

	for (let i = 0; i < 4; i++) {
		assert.equal(await packet(s), '2');
		await s.say('3');
	}
	// Another packet is no answer.
	assert.equal(await packet(s), '2');
	await works(s);
	await s.closing();
	assert.equal((await w.gone(s.id)).reason, 'ping timeout');
}, QUICK);

onServers('over polling', async (t, where) => {
	const w = await watch(t, where);
	const p = await Polling.connect(t, where);

	for (let i = 0; i < 4; i++) {
		assert.deepEqual(await p.get(), ['2']);
		await p.post('3');
	}
	// It is asked, and says other things.
	assert.deepEqual(await p.get(), ['2']);
	await p.post('42["nobody"]');
	assert.deepEqual(await p.get(), ['1']);
	assert.equal((await w.gone(p.id)).reason, 'ping timeout');
	await p.isOver();
	// And one that never polls.
	const q = await Polling.connect(t, where);

	assert.equal((await w.gone(q.id)).reason, 'ping timeout');
	await q.isOver();
}, QUICK);

onServers('the next ping counts from the pong', async (t, where) => {
	const s = await webSocketConnected(t, where);

	assert.equal(await packet(s), '2');
	// What comes meanwhile does not put it off.
	const from = performance.now();

	await s.say('3');
	for (let i = 0; i < 5; i++)
		await works(s, `${i}`);
	assert.equal(await packet(s), '2');
	assert.ok(performance.now() - from > 95);
}, { pingInterval: 100, pingTimeout: 20_000 });

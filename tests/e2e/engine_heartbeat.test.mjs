// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO: pings of the server, and who does not answer them.
import assert from 'node:assert/strict';
import { packet, Polling, webSocketConnected, works } from './lib/eio.mjs';
import { hour, onServers, watch } from './lib/sio.mjs';

async function overWebSocket(t, where, w) {
	const s = await webSocketConnected(t, where);

	for (let i = 0; i < 3; i++) {
		await hour(where, w);
		assert.equal(await packet(s), '2');
		await s.say('3');
		await works(s);
	}
	// Another packet is no answer.
	await hour(where, w);
	assert.equal(await packet(s), '2');
	await works(s);
	await hour(where, w);
	await s.closing();
	assert.equal((await w.gone(s.id)).reason, 'ping timeout');
}

async function overPolling(t, where, w) {
	const p = await Polling.connect(t, where);

	for (let i = 0; i < 3; i++) {
		await hour(where, w);
		assert.deepEqual(await p.get(), ['2']);
		await p.post('3');
	}
	// It is asked, and says other things.
	await hour(where, w);
	assert.deepEqual(await p.get(), ['2']);
	await p.post('42["nobody"]');
	const last = await hour(where, w, () => p.request());

	assert.equal((await last.answer).text, '1');
	assert.equal((await w.gone(p.id)).reason, 'ping timeout');
	await p.isOver();
}

async function notPolling(t, where, w) {
	const p = await Polling.connect(t, where);

	await hour(where, w);
	await hour(where, w);
	assert.equal((await w.gone(p.id)).reason, 'ping timeout');
	await p.isOver();
}

onServers('who does not answer', async (t, where) => {
	const w = await watch(t, where);

	for (const f of [overWebSocket, overPolling, notPolling])
		await f(t, where, w);
}, { pingInterval: 3_600_000, pingTimeout: 3_600_000 }, { clock: true });

onServers('the next ping counts from the pong', async (t, where) => {
	const s = await webSocketConnected(t, where);

	assert.equal(await packet(s), '2');
	// What comes meanwhile does not put it off.
	const from = performance.now();

	await s.say('3', '42["many",5]');
	for (let i = 0; i < 5; i++)
		assert.equal(await packet(s), `42["item",${i}]`);
	assert.equal(await packet(s), '2');
	assert.ok(performance.now() - from > 295);
}, { pingInterval: 300, pingTimeout: 20_000 });

// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO: from polling to a WebSocket, step by step, and what may go wrong
// at each.
import assert from 'node:assert/strict';
import { ask101, failed, packet, Polling, webSocket, works } from
    './lib/eio.mjs';
import { onServers, watch } from './lib/sio.mjs';
import { binary, frame, text } from './lib/websocket.mjs';

// A session over polling, and a WebSocket that has asked.
async function probed(t, where) {
	const p = await Polling.connect(t, where);
	const s = await webSocket(t, where, p.sid);

	await s.say('2probe');
	assert.equal(await packet(s), '3probe');
	return { p, s };
}

async function upgraded(t, where) {
	const { p, s } = await probed(t, where);

	await s.say('5');
	await works(s);
	return { p, s };
}

onServers('as the client does it', async (t, where) => {
	const p = await Polling.connect(t, where);
	const poll = await p.request();
	const s = await webSocket(t, where, p.sid);

	await s.say('2probe');
	assert.equal(await packet(s), '3probe');
	assert.equal((await poll.answer).text, '6');
	// One that comes later is ended, too.
	assert.deepEqual(await p.get(), ['6']);
	await s.say('5', '42["echo",1]');
	assert.equal(await packet(s), '42["echo",1]');
});

onServers('what is said meanwhile', async (t, where) => {
	const { p, s } = await probed(t, where);
	const event = '451-["echo",{"_placeholder":true,"num":0}]';
	const got = [];

	await p.post('42["echo",1]', event, 'bAQI=');
	await p.post('42["echo",2]');
	await s.say('5', '42["echo",3]');
	for (let f; got.at(-1) !== '42["echo",3]'; got.push(f)) {
		const { opcode, payload } = await s.next();

		f = opcode === 1 ? payload.toString() : payload;
	}
	assert.deepEqual(got, ['42["echo",1]', event, Buffer.from([1, 2]),
		'42["echo",2]', '42["echo",3]']);
});

onServers('without asking', async (t, where) => {
	const p = await Polling.connect(t, where);
	const s = await webSocket(t, where, p.sid);

	await p.post('42["echo","queued"]');
	await s.say('5');
	assert.equal(await packet(s), '42["echo","queued"]');
	await works(s);
});

onServers('a poll that still waits', async (t, where) => {
	const p = await Polling.connect(t, where);
	const poll = await p.request();
	const s = await webSocket(t, where, p.sid);

	await s.say('5');
	await works(s);
	assert.match((await poll.answer).text, /^[16]$|Bad request/);
});

onServers('polls of a session that has left', async (t, where) => {
	const { p, s } = await upgraded(t, where);

	failed(await p.ask(), 3, 'Bad request');
	failed(await p.send('42["echo",1]'), 3, 'Bad request');
	await works(s);
});

onServers('another WebSocket', async (t, where) => {
	const { p, s } = await probed(t, where);
	const second = await webSocket(t, where, p.sid);

	await second.closing();
	await s.say('5');
	await works(s);
	const third = await webSocket(t, where, p.sid);

	await third.closing();
	await works(s);
});

const wrong = { 'a ping': text('2'), 'a message': text('42["echo",1]'),
	'nothing': text(''), 'no packet': text('zz'), 'a close': frame(8),
	'binary': binary('x'), 'another word': text('2prob') };

onServers('a WebSocket that says something else', async (t, where) => {
	for (const [name, bytes] of Object.entries(wrong)) {
		const p = await Polling.connect(t, where);
		const s = await webSocket(t, where, p.sid);

		await s.send(bytes);
		await s.closing().catch((e) => {
			throw new Error(`${name}: ${e.message}`);
		});
		await p.works(name);
	}
	for (const bytes of [text('42["echo",1]'), text('3')]) {
		const { p, s } = await probed(t, where);

		await s.send(bytes);
		await s.closing();
		await p.post('42["echo","on"]');
		assert.ok((await p.get()).includes('42["echo","on"]'));
	}
});

onServers('a WebSocket that goes, and another one', async (t, where) => {
	const { p, s } = await probed(t, where);

	s.destroy();
	// Until the first one's end has been noticed, the next is turned away.
	for (let done = false; !done;) {
		const next = await webSocket(t, where, p.sid);

		await next.say('2probe');
		done = await packet(next).then((v) => v === '3probe',
		    () => false);
		if (done) {
			await next.say('5');
			await works(next);
		}
	}
});

onServers('one that does not go on', async (t, where) => {
	const { p, s } = await probed(t, where);

	await where.pass(3601);
	await s.closing();
	await p.post('42["echo","on"]');
	let all = [];

	while (!all.includes('42["echo","on"]'))
		all = await p.get();
	await p.works();
}, { upgradeTimeout: 3_600_000, pingInterval: 86_400_000 }, { clock: true });

onServers('the session ends meanwhile', async (t, where) => {
	const w = await watch(t, where);
	const { p, s } = await probed(t, where);

	await p.post('1');
	await s.closing();
	assert.equal((await w.gone(p.id)).reason, 'transport close');
	await p.isOver();
});

onServers('none is allowed', async (t, where) => {
	const p = await Polling.connect(t, where);

	assert.deepEqual(p.opened.upgrades, []);
	// Node says yes and lets it hang; no is better.
	if (!where.node) {
		const { s, r } = await ask101(t, where, { EIO: 4,
			transport: 'websocket', sid: p.sid });

		if (r.status === 101)
			await s.closing();
	}
	await p.works();
}, { allowUpgrades: false });

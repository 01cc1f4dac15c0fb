// SPDX-License-Identifier: BSD-2-Clause
// Revision 3 of Engine.IO, as it is on the wire.
import assert from 'node:assert/strict';
import { ask, ask101, failed, packet, Polling, unknownSession, webSocket } from
    './lib/eio.mjs';
import { onHostd, onServers } from './lib/sio.mjs';
import { BINARY, binary, CLOSE } from './lib/websocket.mjs';

const on3 = (title, fn) => onServers(title, fn, { allowEIO3: true });
const bytes = (...list) => Buffer.concat(list.map((v) => Buffer.from(
    typeof v === 'number' ? [v] : v)));
const TEXT_TYPE = 'text/plain;charset=UTF-8';
const BYTES_TYPE = 'application/octet-stream';
const EVENT = '451-["echo",{"_placeholder":true,"num":0}]';

// Its packets, each with its length before it.
const payload = (...packets) =>
	packets.map((p) => `${p.length}:${p}`).join('');

class Polling3 {
	constructor(t, where, sid) {
		Object.assign(this, { t, where, sid });
	}

	static async open(t, where, query = {}) {
		const r = await ask(t, where, { query: { EIO: 3,
			transport: 'polling', ...query } });
		const [, n, open] = /^(\d+):0(.*)$/.exec(r.text);
		const opened = JSON.parse(open);
		const p = new Polling3(t, where, opened.sid);

		assert.equal(Number(n), open.length + 1);
		assert.deepEqual(opened.upgrades, ['websocket']);
		assert.equal(await p.get(), '2:40');
		return p;
	}

	ask(what, query = {}) {
		return ask(this.t, this.where, { query: { EIO: 3,
			transport: 'polling', sid: this.sid, ...query },
			...what });
	}

	// The next body.
	async get(type = 'text/plain; charset=UTF-8') {
		const r = await this.ask();

		assert.equal(r.status, 200, r.text);
		assert.deepEqual(r.headers['content-type'], [type]);
		return type === BYTES_TYPE ? Buffer.from(r.body, 'latin1') :
		    r.text;
	}

	async post(body, type = TEXT_TYPE) {
		const r = await this.ask({ method: 'POST', body,
			headers: { 'Content-Type': type } });

		assert.deepEqual([r.status, r.text], [200, 'ok']);
	}

	async isOver() {
		unknownSession(await this.ask());
	}
}

on3('bodies of text', async (t, where) => {
	const p = await Polling3.open(t, where, { b64: 1 });
	const said = ['42["echo","ä€😀😀"]', '42["echo",":"]'];

	await p.post(payload(...said));
	assert.equal(await p.get(), payload(...said));
	await p.post(payload('', said[1], '6', '5', '0'));
	assert.equal(await p.get(), payload(said[1]));
	await p.post(payload(EVENT, 'b4AP9/+w=='));
	assert.equal(await p.get(), payload(EVENT, 'b4AP9/+w=='));
	await p.post(payload(EVENT));
	await p.post(payload('b4'));
	assert.equal(await p.get(), payload(EVENT, 'b4'));
	await p.post(payload('2'));
	assert.equal(await p.get(), payload('3'));
});

on3('bodies of bytes', async (t, where) => {
	const p = await Polling3.open(t, where);
	const say = '42["echo","ä€"]';	// 18 bytes
	const text = [0, 1, 8, 255, say];
	const event = [0, 4, 2, 255, EVENT];
	const data = [1, 4, 255, 4, 0, 255, 127];

	await p.post(bytes(...text), BYTES_TYPE);
	assert.equal(await p.get(), payload(say));
	await p.post(bytes(...event, ...data, ...text), BYTES_TYPE);
	assert.deepEqual(await p.get(BYTES_TYPE),
	    bytes(...event, ...data, ...text));
	// The same, that was said in a text.
	await p.post(payload(EVENT, 'b4AP9/'));
	assert.deepEqual(await p.get(BYTES_TYPE), bytes(...event, ...data));
	await p.post(bytes(...event, 1, 1, 255, 4), BYTES_TYPE);
	assert.deepEqual(await p.get(BYTES_TYPE),
	    bytes(...event, 1, 1, 255, 4));
	await p.post(bytes(0, 1, 255, '2'), BYTES_TYPE);
	assert.equal(await p.get(), payload('3'));
});

on3('bodies that are none', async (t, where) => {
	for (const body of ['', '4', ':', 'x:4', '2:3', '1:61', '-1:2',
	    '1:x', '1:😀', '1:9', '1:3']) {
		const p = await Polling3.open(t, where);

		await p.post(body);
		await p.isOver();
	}
	for (const body of [bytes(0, 255), bytes(0, 9), bytes(0, 1, 255, 'x'),
	    bytes(0, 2, 255, '4', 0xff), bytes(...Array(400).fill(1))]) {
		const p = await Polling3.open(t, where);

		await p.post(body, BYTES_TYPE);
		await p.isOver();
	}
});

on3('revisions are not mixed', async (t, where) => {
	const p = await Polling3.open(t, where);
	const now = await Polling.open(t, where);

	failed(await p.ask({}, { EIO: 4 }), 3, 'Bad request');
	failed(await p.ask({}, { sid: now.sid }), 3, 'Bad request');
	const { r } = await ask101(t, where, { EIO: 4, transport: 'websocket',
		sid: p.sid });

	assert.equal(r.status, 400);
	await p.post(payload('42["echo"]'));
	assert.equal(await p.get(), payload('42["echo"]'));
});

on3('WebSocket', async (t, where) => {
	const s = await webSocket(t, where, null, { EIO: 3 });

	assert.equal(await packet(s), '40');
	await s.say('42["echo","€"]');
	assert.equal(await packet(s), '42["echo","€"]');
	await s.say('2');
	assert.equal(await packet(s), '3');
	await s.say(EVENT);
	await s.send(binary(bytes(4, 0, 255)));
	assert.equal(await packet(s), EVENT);
	assert.deepEqual(await s.expect(BINARY), bytes(4, 0, 255));
	await s.say(EVENT, 'b4AP8=');
	assert.equal(await packet(s), EVENT);
	assert.deepEqual(await s.expect(BINARY), bytes(4, 0, 255));

	const b64 = await webSocket(t, where, null, { EIO: 3, b64: 1 });

	assert.equal(await packet(b64), '40');
	await b64.say(EVENT);
	await b64.send(binary(bytes(4, 0, 255)));
	assert.equal(await packet(b64), EVENT);
	assert.equal(await packet(b64), 'b4AP8=');
});

on3('a namespace that is entered again', async (t, where) => {
	const s = await webSocket(t, where, null, { EIO: 3 });

	assert.equal(await packet(s), '40');
	for (let i = 0; i < 2; i++) {
		await s.say('40/chat?a=1');
		assert.equal(await packet(s), '40/chat,');
		await s.say('42/chat,["echo",1]');
		assert.equal(await packet(s), '42/chat,["echo",1]');
		await s.say('41/chat,', '42["echo"]');
		assert.equal(await packet(s), '42["echo"]');
	}
});

// Node's server takes it for packets that mean nothing.
onHostd('binary data without its type', async (t, where) => {
	for (const data of [bytes(), bytes(5), bytes(0x34, 1)]) {
		const s = await webSocket(t, where, null, { EIO: 3 });

		assert.equal(await packet(s), '40');
		await s.say(EVENT);
		await s.send(binary(data));
		await s.expect(CLOSE);
	}
}, { allowEIO3: true });

on3('upgrade', async (t, where) => {
	const p = await Polling3.open(t, where);
	const s = await webSocket(t, where, p.sid, { EIO: 3 });

	await s.say('2probe');
	assert.equal(await packet(s), '3probe');
	assert.equal(await p.get(), '1:6');
	await s.say('5', '42["echo",1]');
	assert.equal(await packet(s), '42["echo",1]');
});

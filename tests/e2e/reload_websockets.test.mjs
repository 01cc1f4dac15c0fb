// SPDX-License-Identifier: BSD-2-Clause
// Open WebSockets stay open over a reload, and go on in the next worker:
// nothing that is said to them or by them is lost, comes twice or in another
// order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, startHostd, until, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { Member, oneOnEach, startRooms } from './lib/rooms.mjs';

const { WebSocket } = npm('ws');

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

// A client that says numbers, up to 8 ahead of their echo, until it is stopped.
class Counter {
	said = 0;
	heard = 0;

	constructor(t, url, options, size) {
		this.size = size;
		this.socket = new WebSocket(url, options);
		atEnd(t, () => this.socket.terminate());
		this.ended = new Promise((resolve, reject) => {
			this.socket.on('open', () => this.say());
			this.socket.on('error', reject);
			this.socket.on('close', (code) => reject(
			    new Error(`closed: ${code} after ${this.heard}`)));
			this.socket.on('message', (data) => {
				const got = data.toString();

				if (got !== this.text(this.heard))
					reject(new Error(`not ${this.heard}: ${
					    got.slice(0, 60)}`));
				this.heard++;
				if (!this.stopping)
					this.say();
				else if (this.heard === this.said)
					resolve(this.heard);
			});
		});
		this.ended.catch(() => {});
	}

	text(i) {
		return `${i} ${'lorem ipsum '.repeat(this.size)}${i % 7}`;
	}

	say() {
		while (this.said < this.heard + 8)
			this.socket.send(this.text(this.said++));
	}

	stop() {
		this.stopping = true;
		return within(this.ended, 'the rest of the echoes');
	}
}

async function echoes(t, keys, options, size) {
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 }
		plugin "echo" { module = "ws_echo.so" }
		route "/echo" { plugin = "echo" websocket { ${keys} } }` });
	const all = [];

	for (let i = 0; i < 40; i++)
		all.push(new Counter(t, `ws://127.0.0.1:${h.port}/echo`,
		    options, size));
	for (let i = 0; i < 5; i++) {
		const before = all.map((c) => c.heard);

		await Promise.race([until(() => all.every((c, k) =>
		    c.heard > before[k] + 3), 'echoes'),
			...all.map((c) => c.ended)]);
		await reload(h);
	}
	for (const c of all)
		assert.ok(await c.stop() > 15);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.reduce((n, w) => n + w.websockets, 0) === 40,
	    'all in new workers');
	assert.doesNotMatch(h.log, /drain deadline|can't move/);
}

test('echoes', (t) => echoes(t, '', { perMessageDeflate: false }, 1));
test('long ones', (t) => echoes(t, '', { perMessageDeflate: false }, 3000));
test('compressed', (t) => echoes(t, 'deflate = on', {}, 20));
test('compressed, with windows that are kept', (t) => echoes(t,
    'deflate = on deflate_server_takeover = on deflate_client_takeover = on',
    {}, 20));

test('what a plugin knows of them, their rooms and labels', async (t) => {
	const h = await startRooms(t, 2);
	const [a, b] = await oneOnEach(t, h, 2);

	for (const m of [a, b]) {
		await m.do('join red');
		await m.do('label one');
		assert.deepEqual(await m.ask('next'), ['1']);
	}
	for (let i = 2; i < 5; i++) {
		await reload(h);
		for (const m of [a, b])
			await within((async () => {
				let pid;

				while (([pid] = await m.ask('who x'),
				    Number(pid) === m.pid))
					;
				m.pid = Number(pid);
			})(), 'another worker');
		for (const m of [a, b]) {
			assert.deepEqual(await m.ask('next'), [String(i)]);
			assert.deepEqual(await m.ask('count red'), ['0', '2']);
			assert.deepEqual(await m.ask('list red'),
			    ['0', 'one', 'one']);
		}
		await a.do(`pub red ${i}`);
		assert.deepEqual(await a.hears(1), [String(i)]);
		assert.deepEqual(await b.hears(1), [String(i)]);
	}
	await a.do('leave red');
	assert.deepEqual(await b.ask('count red'), ['0', '1']);
});

// Each says numbers to the room as fast as it is answered.
async function talk(m, name, until) {
	let i = 0;

	while (!until())
		await m.do(`pub red ${name} ${i++}`);
	return i;
}

test('messages of a room: all of them, once, in order', async (t) => {
	const h = await startRooms(t, 3);
	const all = await oneOnEach(t, h, 3);
	let done = false;

	for (let i = 0; i < 12; i++)
		all.push(await Member.open(t, h));
	for (const m of all)
		await m.do('join red');
	const talks = Promise.all(all.slice(0, 6).map((m, k) =>
	    talk(m, k, () => done)));

	talks.catch(() => {});
	for (let i = 0; i < 5; i++)
		await reload(h);
	done = true;
	const said = await talks;
	const total = said.reduce((x, y) => x + y);

	for (const m of all) {
		const next = said.map(() => 0);

		for (const text of await m.hears(total)) {
			const [k, i] = text.split(' ').map(Number);

			assert.equal(i, next[k]++, `${k} says ${i}`);
		}
		await m.ask('who x');
		assert.deepEqual(m.heard, []);
		assert.deepEqual(next, said);
	}
});

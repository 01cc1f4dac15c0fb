// SPDX-License-Identifier: BSD-2-Clause
// Clients that send and do not read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { until, within } from './lib/hostd.mjs';
import { pattern } from './lib/static.mjs';
import { BINARY, binary, CLOSE, closing, frame, open, PING, PONG, same,
    serveEcho, TEXT, text, untilWebsockets } from './lib/websocket.mjs';

const SIZE = 20_000;
const filler = pattern(SIZE);

// Of memory; AddressSanitizer keeps what was freed for a while.
const BOUND = process.env.HOSTD_BUILD === 'asan' ? 4 << 20 : 1 << 20;

// Numbered messages.
function numbered(i) {
	const b = Buffer.from(filler);

	b.writeUInt32BE(i);
	return b;
}

const peak = (pid) => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// Send until no more is taken, though the worker has answered others meanwhile.
// How many messages that were.
async function fill(s, pace) {
	let n = 0;

	for (let still = 0; still < 50; still++) {
		while (s.socket.writableLength === 0) {
			assert.ok(n < 5000, 'there is an end to what is taken');
			s.socket.write(binary(numbered(n++)));
			still = 0;
		}
		await pace.roundtrip();
	}
	return n;
}

// Send until some were dropped.  How many messages that were.
async function sendUntilDropped(h, s) {
	let n = 0;

	while ((await h.status()).websockets.messages_dropped === 0) {
		assert.ok(n < 5000, 'there is an end to what is kept');
		for (let i = 0; i < 20; i++)
			await s.send(binary(numbered(n++)));
	}
	return n;
}

// All of them, in order.
async function comes(s, n) {
	for (let i = 0; i < n; i++) {
		const m = await s.message();

		assert.equal(m.opcode, BINARY);
		same(m.data, numbered(i));
	}
}

test('is not read from, and costs a bounded amount', async (t) => {
	const h = await serveEcho(t, { routes: { '/echo':
		'high_water = 64k  max_output = 256k  max_message = 64k' } });
	const [{ pid }] = await h.workers();
	const pace = await open(t, h);
	const all = [];

	for (let i = 0; i < 4; i++) {
		all.push(await open(t, h));
		await all[i].echo(BINARY, filler);
		all[i].socket.pause();
	}
	const before = peak(pid);
	const counts = await Promise.all(all.map((s) => fill(s, pace)));
	const each = (peak(pid) - before) / all.length;

	assert.ok(each < BOUND, `${each} bytes for each`);
	await pace.echo(TEXT, 'others are served');
	for (const [i, s] of all.entries()) {
		s.socket.resume();
		await comes(s, counts[i]);
		await s.echo(TEXT, 'and on it goes');
	}
});

const CLOSING = 'high_water = 24k  max_output = 24k  max_message = 64k';

test('slow_peer = "close": 1013', async (t) => {
	const h = await serveEcho(t, { routes: { '/echo': CLOSING } });
	const pace = await open(t, h);
	const s = await open(t, h);

	s.socket.pause();
	const sent = await sendUntilDropped(h, s);

	s.socket.resume();
	// All up to the one that there was no room for.
	for (let i = 0; ; i++) {
		const f = await s.next();

		if (f.opcode === CLOSE) {
			assert.ok(i < sent);
			assert.deepEqual(f.payload, Buffer.from([3, 245]));
			break;
		}
		same(f.payload, numbered(i));
	}
	// It is not over before we have answered.
	await s.send(text('not sent back'));
	await pace.echo(TEXT, 'others go on');
	assert.equal(s.closed, false);
	await s.send(closing(1013));
	await s.end();
});

test('slow_peer = "drop": later messages are lost', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': `${CLOSING}  slow_peer = "drop"` } });
	const s = await open(t, h);

	s.socket.pause();
	const sent = await sendUntilDropped(h, s);

	await until(async () =>
	    (await h.status()).websockets.messages_in >= sent,
	    'end of what was sent');
	s.socket.resume();
	await s.send(frame(PING));
	let got = 0, next = 0;

	for (;;) {
		const f = await s.next();

		if (f.opcode === PONG)
			break;
		const i = f.payload.readUInt32BE();

		assert.ok(i >= next, `${i} comes after ${next - 1}`);
		same(f.payload, numbered(i));
		next = i + 1;
		got++;
	}
	assert.ok(got < sent, 'some were lost');
	assert.ok(got > 0, 'but not all');
	await s.echo(TEXT, 'and on it goes');
	const { websockets } = await h.status();

	assert.equal(websockets.messages_dropped, sent - got);
});

test('one that takes nothing for send_timeout is cut off', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env,
		routes: { '/echo': 'high_water = 64k  message_timeout = 10h' },
		conf: `pool "web" { workers = 1  watchdog = 0 }
		http { send_timeout = 1h }` });
	const s = await open(t, h);
	const pace = await open(t, h);

	s.socket.pause();
	await fill(s, pace);
	clock.pass(3601);
	await pace.roundtrip();
	pace.destroy();
	await untilWebsockets(h, 0);
});

test('one that takes a little now and then stays', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env, routes: {
		'/echo': 'high_water = 64m  max_output = 64m  ' +
		    'message_timeout = 1d  ping_interval = 0' },
	    conf: `pool "web" { workers = 1  watchdog = 0 }
		http { send_timeout = 1h }` });
	const pace = await open(t, h);
	const s = await open(t, h);
	const sent = 2000;
	let taken = 0;

	// While it sends it takes a little, too, however long that is.
	const sending = (async () => {
		for (let i = 0; i < sent; i++)
			await s.send(binary(numbered(i)));
	})();

	s.socket.on('data', (d) => { taken += d.length; });
	// An hour and a half; the kernel holds back a quarter of it at most.
	for (let i = 0; i < 36; i++) {
		const enough = taken + 1_000_000;

		s.socket.resume();
		while (taken < enough)
			await within(once(s.socket, 'data'), 'a little');
		s.socket.pause();
		await pace.roundtrip();
		clock.pass(150);
		await pace.roundtrip();
	}
	s.socket.resume();
	await sending;
	await comes(s, sent);
	await s.echo(TEXT, 'fine');
});

// SPDX-License-Identifier: BSD-2-Clause
// Output that is still moving after a close.
// Bug: it was cut at close_timeout, however well the client took it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { within } from './lib/hostd.mjs';
import { pattern } from './lib/static.mjs';
import { binary, BINARY, closing, open, same, serveEcho,
    untilWebsockets } from './lib/websocket.mjs';

const SIZE = 20_000;
const filler = pattern(SIZE);

// One that has sent so many messages and then a close, and has read nothing.
async function full(t, h, sent) {
	const s = await open(t, h);

	s.socket.pause();
	for (let i = 0; i < sent; i++)
		await s.send(binary(filler));
	await s.send(closing(1000));
	return s;
}

// Read so much, and then no more.
async function take(s, size) {
	let taken = 0;
	const count = (d) => { taken += d.length; };

	s.socket.on('data', count);
	s.socket.resume();
	while (taken < size && !s.closed)
		await within(once(s.socket, 'data'), 'a little');
	s.socket.pause();
	s.socket.off('data', count);
}

test('a client that takes a little now and then gets all', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env,
		// Until it has read the close, others of its limits hold.
		conf: `pool "web" { workers = 1  watchdog = 0 }
			http { send_timeout = 1d }`,
		routes: { '/echo': 'close_timeout = 1h  message_timeout = 1d ' +
		    'ping_interval = 0  high_water = 64m  max_output = 64m' } });
	const pace = await open(t, h);
	const sent = 2500;
	const s = await full(t, h, sent);

	// An hour and a half; the kernel holds back a quarter of it at most, and
	// what is read at once is a little more than that.
	for (let i = 0; i < 36; i++) {
		await take(s, 1_000_000);
		await pace.roundtrip();
		clock.pass(150);
		await pace.roundtrip();
	}
	s.socket.resume();
	for (let i = 0; i < sent; i++) {
		const m = await s.message();

		assert.equal(m.opcode, BINARY);
		same(m.data, filler);
	}
	await s.closedWith(1000);
});

test('one that takes nothing is cut', async (t) => {
	const h = await serveEcho(t,
	    { routes: { '/echo': 'close_timeout = 1s  ' +
		'high_water = 64m  max_output = 64m' } });

	await full(t, h, 1500);
	await untilWebsockets(h, 0);
});

// SPDX-License-Identifier: BSD-2-Clause
// Pings that each came in two pieces, one behind the other, used to be taken
// for a message that takes too long: 1008.
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { frame, open, PING, PONG, serveEcho, TEXT } from './lib/websocket.mjs';

test('pings cut in two are no slow message', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env,
		conf: 'pool "web" { workers = 1  watchdog = 0 }',
		routes: { '/echo': 'message_timeout = 1000s' } });
	const pace = await open(t, h);
	const s = await open(t, h);
	const ping = frame(PING, 'abcd');

	await s.send(ping.subarray(0, 4));
	for (let i = 0; i < 5; i++) {
		// The end of one and the start of another.
		await s.send(ping.subarray(4), ping.subarray(0, 4));
		await s.expect(PONG);
		clock.pass(600);
		await pace.roundtrip();
	}
	await s.send(ping.subarray(4));
	await s.expect(PONG);
	await s.echo(TEXT, 'fine');
});

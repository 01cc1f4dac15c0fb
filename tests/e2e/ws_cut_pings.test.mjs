// SPDX-License-Identifier: BSD-2-Clause
// Pings that each came in two pieces, one behind the other, used to be taken
// for a message that takes too long: 1008.
import test from 'node:test';
import { frame, open, PING, PONG, serveEcho, TEXT } from './lib/websocket.mjs';

const MS = 400;

test('pings cut in two are no slow message', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': '', '/time': `message_timeout = ${MS}ms` } });
	const pace = await open(t, h);
	const s = await open(t, h, '/time');
	const ping = frame(PING, 'abcd');
	const until = performance.now() + 3 * MS;

	await s.send(ping.subarray(0, 4));
	while (performance.now() < until) {
		// The end of one and the start of another.
		await s.send(ping.subarray(4), ping.subarray(0, 4));
		await s.expect(PONG);
		await pace.roundtrip();
	}
	await s.send(ping.subarray(4));
	await s.expect(PONG);
	await s.echo(TEXT, 'fine');
});

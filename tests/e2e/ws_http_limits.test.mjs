// SPDX-License-Identifier: BSD-2-Clause
// What limits of HTTP mean for a WebSocket.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { closing, open, serveEcho, Socket, TEXT, upgrade } from
    './lib/websocket.mjs';

// Until it has that many.
const connections = (h, n) => h.workersSatisfy((ws) => ws[0].active === n,
    `${n} connections`);

test('its time limits and sizes end with the 101', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env,
		routes: { '/echo': 'ping_interval = 0' },
		conf: `pool "web" { workers = 1  watchdog = 0 }
		http { head_timeout = 1000s
		idle_timeout = 1000s  body_timeout = 1000s  send_timeout = 1000s
		keepalive_requests = 1  max_body = 1 }` });
	const s = await open(t, h);

	// Those who say nothing are sent away meanwhile, one after the other.
	for (let i = 0; i < 2; i++) {
		await connections(h, 1);
		const silent = await Socket.connect(t, h);

		await connections(h, 2);
		clock.pass(1001);
		await s.roundtrip();
		await silent.end();
		silent.destroy();
	}
	await s.echo(TEXT, 'still there');
});

test('it counts as one of max_connections until it is gone', async (t) => {
	const h = await serveEcho(t, {
		conf: 'http { max_connections = 2  over_limit = "503" }' });

	await connections(h, 0);
	const a = await open(t, h), b = await open(t, h);
	const { s, r } = await upgrade(t, h);

	assert.equal(r.status, 503);
	s.destroy();
	await a.send(closing(1000));
	await a.closedWith(1000);
	a.finish();
	await connections(h, 1);
	await (await open(t, h)).echo(TEXT, 'in its place');
	await b.echo(TEXT, 'still there');
});

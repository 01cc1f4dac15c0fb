// SPDX-License-Identifier: BSD-2-Clause
// What limits of HTTP mean for a WebSocket.
import assert from 'node:assert/strict';
import test from 'node:test';
import { closing, open, serveEcho, Socket, TEXT, upgrade } from
    './lib/websocket.mjs';

test('its time limits and sizes end with the 101', async (t) => {
	const h = await serveEcho(t, { conf: `http { head_timeout = 300ms
		idle_timeout = 300ms  body_timeout = 300ms  send_timeout = 300ms
		keepalive_requests = 1  max_body = 1 }` });
	const s = await open(t, h);

	// Those who say nothing are sent away meanwhile, one after the other.
	for (let i = 0; i < 2; i++)
		await (await Socket.connect(t, h)).end();
	await s.echo(TEXT, 'still there');
});

test('it counts as one of max_connections until it is gone', async (t) => {
	const h = await serveEcho(t, {
		conf: 'http { max_connections = 2  over_limit = "503" }' });
	const active = (n) => h.workersSatisfy((ws) => ws[0].active === n,
	    `${n} connections`);

	await active(0);
	const a = await open(t, h), b = await open(t, h);
	const { s, r } = await upgrade(t, h);

	assert.equal(r.status, 503);
	s.destroy();
	await a.send(closing(1000));
	await a.closedWith(1000);
	a.finish();
	await active(1);
	await (await open(t, h)).echo(TEXT, 'in its place');
	await b.echo(TEXT, 'still there');
});

// SPDX-License-Identifier: BSD-2-Clause
// Pings of the server, and of clients.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { frame, open, piecewise, PING, PONG, same, serveEcho, TEXT, text }
    from './lib/websocket.mjs';
import { pattern } from './lib/static.mjs';

const routes = {
	'/echo': 'ping_interval = 0',
	'/ping': `ping_interval = 1000s  pong_timeout = 1000s
		message_timeout = 10h`,
	'/patient': 'ping_interval = 1000s  pong_timeout = 10h',
};

test('pings of the server', async (t) => {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { routes, env: clock.env,
		conf: 'pool "web" { workers = 1  watchdog = 0 }' });
	const pace = await open(t, h);
	const turns = async () => {
		await pace.roundtrip();
		await pace.roundtrip();
	};
	// The worker has read what was sent before, and then has seen that so
	// many seconds are over.
	const pass = async (s) => {
		await turns();
		clock.pass(s);
		await turns();
	};

	await t.test('who answers them stays', async (t) => {
		const s = await open(t, h, '/ping');

		for (let i = 0; i < 3; i++) {
			await pass(1001);
			await s.send(frame(PONG, await s.expect(PING)));
		}
		await pass(999);
		await s.echo(TEXT, 'still there');
	});
	await t.test('who does not is cut off', async (t) => {
		const s = await open(t, h, '/ping');

		await pass(1001);
		await s.expect(PING);
		await pass(990);
		assert.equal(s.closed, false);
		await pass(11);
		await s.end();
	});
	await t.test('any bytes are as good as a pong', async (t) => {
		const s = await open(t, h, '/ping');

		await pass(1001);
		await s.expect(PING);
		await s.echo(TEXT, 'here');
		await pass(1001);
		await s.expect(PING);
		await s.send(text('ha', { fin: false }));
		await pass(1001);
		await s.expect(PING);
		await s.send(frame(PING, 'me too'));
		assert.equal((await s.expect(PONG)).toString(), 'me too');
		await pass(1001);
		await s.expect(PING);
		await s.send(frame(PONG, 'of another ping'));
		await pass(1001);
		await s.expect(PING);
		await pass(1001);
		await s.end();
	});
	await t.test('who talks is not asked', async (t) => {
		const s = await open(t, h, '/ping');

		for (let i = 0; i < 5; i++) {
			await s.roundtrip();
			await pass(600);
		}
		await s.echo(TEXT, 'no ping before this');
	});
	await t.test('the next one waits for an answer', async (t) => {
		const s = await open(t, h, '/patient');

		await pass(1001);
		await s.expect(PING);
		for (let i = 0; i < 3; i++)
			await pass(1001);
		await s.echo(TEXT, 'no ping before this');
	});
	await t.test('ping_interval = 0: never', async (t) => {
		const s = await open(t, h);

		for (let i = 0; i < 3; i++)
			await pass(1001);
		await s.echo(TEXT, 'no ping before this');
	});
});

test('pings of clients', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);
	const data = pattern(125);

	await t.test('each payload of 0 to 125 bytes comes back', async () => {
		for (let n = 0; n <= 125; n++) {
			await s.send(frame(PING, data.subarray(0, n)));
			same(await s.expect(PONG), data.subarray(0, n));
		}
	});
	await t.test('all at once', async () => {
		await s.send(...Array.from({ length: 126 }, (_, n) =>
		    frame(PING, data.subarray(0, n))));
		for (let n = 0; n <= 125; n++)
			same(await s.expect(PONG), data.subarray(0, n));
	});
	await t.test('byte by byte', async (t) => {
		const pace = await open(t, h);

		await piecewise(s, frame(PING, data), pace);
		same(await s.expect(PONG), data);
	});
	await t.test('pongs that nobody has asked for', async () => {
		for (const n of [0, 1, 125])
			await s.send(frame(PONG, data.subarray(0, n)));
		await s.echo(TEXT, 'nothing before this');
	});
});

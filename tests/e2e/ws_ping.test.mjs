// SPDX-License-Identifier: BSD-2-Clause
// Pings of the server, and of clients.
import assert from 'node:assert/strict';
import test from 'node:test';
import { frame, open, piecewise, PING, PONG, same, serveEcho, TEXT, text }
    from './lib/websocket.mjs';
import { pattern } from './lib/static.mjs';

const MS = 300;
const routes = {
	'/echo': 'ping_interval = 0',
	'/ping': `ping_interval = ${MS}ms  pong_timeout = ${MS}ms`,
	'/patient': `ping_interval = ${MS}ms  pong_timeout = 60s`,
};

test('pings of the server', async (t) => {
	const h = await serveEcho(t, { routes });

	await t.test('who answers them stays', async (t) => {
		const s = await open(t, h, '/ping');

		for (let i = 0; i < 3; i++)
			await s.send(frame(PONG, await s.expect(PING)));
		await s.echo(TEXT, 'still there');
	});
	await t.test('who does not is cut off', async (t) => {
		const s = await open(t, h, '/ping');
		const from = performance.now();

		await s.expect(PING);
		await s.end();
		// Rounded by a coarse clock.
		assert.ok(performance.now() - from > 1.5 * MS);
	});
	await t.test('any bytes are as good as a pong', async (t) => {
		const s = await open(t, h, '/ping');

		await s.expect(PING);
		await s.echo(TEXT, 'here');
		await s.expect(PING);
		await s.send(text('ha', { fin: false }));
		await s.expect(PING);
		await s.send(frame(PING, 'me too'));
		assert.equal((await s.expect(PONG)).toString(), 'me too');
		await s.expect(PING);
		await s.send(frame(PONG, 'of another ping'));
		await s.expect(PING);
		await s.end();
	});
	await t.test('who talks is not asked', async (t) => {
		const s = await open(t, h, '/patient');
		const until = performance.now() + 4 * MS;
		let last = performance.now();

		while (performance.now() < until) {
			const mark = frame(PING, 'x');
			const silent = performance.now() - last;

			last = performance.now();
			await s.send(mark);
			const f = await s.next();

			if (f.opcode === PONG)
				continue;
			// Then it was a machine that stood still.
			assert.ok(silent > MS / 2, `asked after ${silent} ms`);
			await s.expect(PONG);
		}
	});
	await t.test('the next one waits for an answer', async (t) => {
		const s = await open(t, h, '/patient');
		const other = await open(t, h, '/ping');

		await s.expect(PING);
		for (let i = 0; i < 3; i++)
			await other.send(frame(PONG, await other.expect(PING)));
		await s.echo(TEXT, 'no ping before this');
	});
	await t.test('ping_interval = 0: never', async (t) => {
		const s = await open(t, h);
		const other = await open(t, h, '/ping');

		for (let i = 0; i < 3; i++)
			await other.send(frame(PONG, await other.expect(PING)));
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

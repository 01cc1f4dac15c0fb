// SPDX-License-Identifier: BSD-2-Clause
// Bug: a client whose message is not read, because its handler has paused it or
// its output is in the way, was closed for taking too long to send it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { serveTurns } from './lib/turns.mjs';
import { BINARY, open, text, TEXT }
    from './lib/websocket.mjs';

const POLICY = 1008;
const keys = 'ping_interval = 0  message_timeout = 1000s  ' +
    'close_timeout = 1h  max_output = 16m';

test('messages that are not read', async (t) => {
	const clock = await makeClock(t);
	const h = await serveTurns(t, keys, 'http { send_timeout = 1h }',
	    clock);
	const by = await open(t, h, '/turns');
	const pass = async (s) => {
		// What was sent before has been read.
		await by.roundtrip();
		await by.roundtrip();
		clock.pass(s);
		await by.roundtrip();
	};
	const message = text('in two parts');
	const half = message.length / 2;

	await t.test('while the handler has paused', async (t) => {
		const s = await open(t, h, '/turns');

		await s.send(text('pause'), message.subarray(0, half));
		await pass(1500);
		await by.echo(TEXT, 'go');
		await pass(500);
		await s.send(message.subarray(half));
		assert.equal((await s.message()).data.toString(),
		    'in two parts');
		await t.test('and then are not ended', async () => {
			await s.send(text('pause'), message.subarray(0, half));
			await pass(1500);
			await by.echo(TEXT, 'go');
			await pass(1001);
			await s.closedWith(POLICY);
		});
	});
	await t.test('while what was sent is not', async (t) => {
		const s = await open(t, h, '/turns');

		s.socket.pause();
		await s.send(text('fill 8000000'), message.subarray(0, half));
		await pass(1500);
		// Time that it takes to read all this is its own.
		await s.send(message.subarray(half));
		s.socket.resume();
		assert.equal((await s.message()).opcode, BINARY);
		assert.equal((await s.message()).data.toString(),
		    'in two parts');
		await s.send(message.subarray(0, half));
		await pass(1001);
		await s.closedWith(POLICY);
	});
});

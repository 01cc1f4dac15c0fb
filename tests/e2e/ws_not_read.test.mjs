// SPDX-License-Identifier: BSD-2-Clause
// Bug: a client whose message is not read, because its handler has paused it or
// its output is in the way, was closed for taking too long to send it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serveTurns } from './lib/turns.mjs';
import { BINARY, open, text, TEXT }
    from './lib/websocket.mjs';

const POLICY = 1008;
const keys = 'ping_interval = 0  message_timeout = 500ms  max_output = 16m';

// Another client that begins a message now has been closed for it.
async function timeoutPasses(t, h) {
	const s = await open(t, h, '/turns');

	await s.send(text('beginning', { fin: false }));
	await s.closedWith(POLICY);
	s.destroy();
}

test('messages that are not read', async (t) => {
	const h = await serveTurns(t, keys);
	const by = await open(t, h, '/turns');
	const message = text('in two parts');
	const half = message.length / 2;

	await t.test('while the handler has paused', async (t) => {
		const s = await open(t, h, '/turns');

		await s.send(text('pause'), message.subarray(0, half));
		await timeoutPasses(t, h);
		await timeoutPasses(t, h);
		await by.echo(TEXT, 'go');
		await s.send(message.subarray(half));
		assert.equal((await s.message()).data.toString(),
		    'in two parts');
		await t.test('and then are not ended', async () => {
			await s.send(text('pause'), message.subarray(0, half));
			await timeoutPasses(t, h);
			await by.echo(TEXT, 'go');
			await s.closedWith(POLICY);
		});
	});
	await t.test('while what was sent is not', async (t) => {
		const s = await open(t, h, '/turns');

		s.socket.pause();
		await s.send(text('fill 8000000'), message.subarray(0, half));
		await timeoutPasses(t, h);
		await timeoutPasses(t, h);
		// Time that it takes to read all this is its own.
		await s.send(message.subarray(half));
		s.socket.resume();
		assert.equal((await s.message()).opcode, BINARY);
		assert.equal((await s.message()).data.toString(),
		    'in two parts');
		await s.send(message.subarray(0, half));
		await s.closedWith(POLICY);
	});
});

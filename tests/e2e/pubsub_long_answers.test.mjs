// SPDX-License-Identifier: BSD-2-Clause
// Bug: what another worker remembers was left out altogether when it was too
// much for one answer.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, startRooms } from './lib/rooms.mjs';

const N = 900, SIZE = 6000, LIMIT = 4 << 20;

test('a long history of another worker', async (t) => {
	const h = await startRooms(t, 2, { keys: 'max_output = 64m' });
	const [a, b] = await oneOnEach(t, h, 2);

	await a.do('keep red 1000 60000');
	await a.do(`flood red ${N} ${SIZE}`);
	const numbers = (await b.replay('red')).map(
	    ({ text }) => Number(text.slice(0, 14)));

	// The newest, in order.
	assert.ok(numbers.length > 0.9 * LIMIT / SIZE, `${numbers.length}`);
	assert.ok(numbers.length < N);
	assert.deepEqual(numbers, [...Array(N).keys()].slice(-numbers.length));
	assert.deepEqual((await a.replay('red')).map(
	    ({ text }) => Number(text.slice(0, 14))), numbers);
});

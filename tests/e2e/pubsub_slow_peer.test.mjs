// SPDX-License-Identifier: BSD-2-Clause
// Bug: many small messages to a socket that does not read took as many small
// pieces of memory, together forty times max_output.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Member, startRooms } from './lib/rooms.mjs';

const LIMIT = 1 << 20, N = 1_000_000;
// A sanitizer keeps what was freed for a while: memory is judged without one.
const MOST = process.env.HOSTD_BUILD === 'asan' ? Infinity : 3 * LIMIT;

const peak = (pid) => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

test('small messages to one that does not read', async (t) => {
	const h = await startRooms(t, 1, { keys:
	    'max_output = 1m  close_timeout = 1h' });
	const a = await Member.open(t, h);
	const slow = await Member.open(t, h);

	await slow.do('join red');
	await a.do('flood red 10 1');
	await slow.hears(10);
	slow.socket.pause();
	const before = peak(a.pid);

	await a.do(`flood red ${N} 1`);
	const { messages_dropped: dropped } = (await h.status()).websockets;

	assert.ok(dropped > 0 && dropped < N, `${dropped} dropped`);
	const grown = peak(a.pid) - before;

	assert.ok(grown < MOST, `${grown} bytes`);
	slow.socket.resume();
	// All up to the one that there was no room for, in order.
	await slow.until(() => false, 'its end').catch(() => {});
	assert.equal(slow.closed, 1013);
	assert.deepEqual(slow.heard.map((s) => Number(s.slice(0, 14))),
	    [...slow.heard.keys()]);
	assert.ok(slow.heard.length > LIMIT / 20, `${slow.heard.length} heard`);
});

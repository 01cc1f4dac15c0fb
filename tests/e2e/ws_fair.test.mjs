// SPDX-License-Identifier: BSD-2-Clause
// A client whose few bytes become many has no more than its turn.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { serveTurns } from './lib/turns.mjs';
import { open, TEXT } from './lib/websocket.mjs';

const MESSAGES = 300, MIB = 1 << 20;

// A kilobyte that is a mebibyte.
function bomb() {
	const packed = zlib.deflateRawSync(Buffer.alloc(MIB, 'a'), { level: 9,
		finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
	const head = Buffer.alloc(8);

	// One frame of text, compressed; a mask of zeros.
	head[0] = 0xc1;
	head[1] = 0xfe;
	head.writeUInt16BE(packed.length, 2);
	return Buffer.concat([head, packed]);
}

test('others have their turn while one inflates', async (t) => {
	const h = await serveTurns(t, 'deflate = on  max_output = 1m');
	const good = await open(t, h, '/turns');
	const bad = await open(t, h, '/turns', {
		extensions: 'permessage-deflate' });

	await good.echo(TEXT, `watch ${MESSAGES}`);
	bad.socket.write(Buffer.concat(Array(MESSAGES).fill(bomb())));
	const [, most] = await h.logged(/turns: at most (\d+)/);

	// It used to have 64 of them in a turn.
	assert.ok(most < 16, `${most} in a turn`);
});

// SPDX-License-Identifier: BSD-2-Clause
// A client whose few bytes become many has no more than its turn.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { startHostd } from './lib/hostd.mjs';
import { open, text } from './lib/websocket.mjs';

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

test('others talk while one inflates', async (t) => {
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		plugin "echo" { module = "ws_echo.so" }
		route "/plain" { plugin = "echo" }
		route "/packed" {
			plugin = "echo"
			websocket { deflate = on  max_output = 1m }
		}` });
	const good = await open(t, h, '/plain');
	const bad = await open(t, h, '/packed', {
		extensions: 'permessage-deflate' });
	let trips = 0;
	const told = async () => (await h.status()).websockets.messages_in;
	const before = await told();

	bad.socket.resume();
	bad.socket.write(Buffer.concat(Array(MESSAGES).fill(bomb())));
	while (await told() - before - trips < MESSAGES) {
		await good.send(text('x'));
		assert.equal((await good.message()).data.toString(), 'x');
		trips++;
	}
	// It used to have 64 of them in a turn.
	assert.ok(trips > MESSAGES / 16, `${trips} round trips`);
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO applications that are plugins of others: what is hostd's own.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir, top } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { npm } from './lib/npm.mjs';
import { atEnd, within } from './lib/hostd.mjs';
import { once } from 'node:events';

const { io } = npm('socket.io-client');

function client(t, h, transports, nsp = '') {
	const s = io(h.url + nsp, { transports, forceNew: true,
		reconnection: false });

	atEnd(t, () => s.disconnect());
	return s;
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']])
	test(`the example is a chat by ${transports}`, async (t) => {
		const so = await buildPlugin(tempDir(t), 'sio_chat', path.join(top,
		    'examples/plugins/sio_chat/sio_chat.c'));
		const h = await startHostd(t, { conf: `
			pool "web" { workers = 1 }
			plugin "io" { module = "socketio.so" }
			plugin "chat" { module = "${so}" }
			route "/socket.io/" { plugin = "io" }` });
		const a = client(t, h, transports), b = client(t, h, transports);
		await within(Promise.all([once(a, 'connect'), once(b, 'connect')]), 'connects');
		assert.equal(await a.timeout(2000).emitWithAck('joinRoom', 'x'), null);
		assert.equal(await b.timeout(2000).emitWithAck('joinRoom', 'x'), null);
		const heard = once(b, 'message');
		await a.timeout(2000).emitWithAck('sendMessage', 'x', { hi: 'wörld' });
		assert.deepEqual(await within(heard, 'message'), ['x', { hi: 'wörld' }]);
		assert.equal(await a.timeout(2000).emitWithAck('whoami'), a.id);
	});

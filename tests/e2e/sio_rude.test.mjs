// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: what <hostd/socketio.h> promises a handler, at any moment of a
// socket's life.  sio_rude.c looks at it, and aborts where it is not so.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { packet, webSocket } from './lib/eio.mjs';
import { startHostd, tempDir, top, until } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { also, call, connect, connected, gone, modes, next } from
    './lib/sio.mjs';

const E_STATE = -9;

async function serve(t) {
	const so = await buildPlugin(tempDir(t), 'rude',
	    path.join(top, 'tests/e2e/sio_rude.c'));
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		plugin "io" { module = "socketio.so" }
		plugin "rude" { module = "${so}" }
		route "/socket.io/" { plugin = "io" }` });

	return Object.assign(h, { url: `http://127.0.0.1:${h.port}` });
}

const unharmed = (h) => assert.doesNotMatch(h.log, / died: |broken promise/);

test('whatever it calls, and whenever', async (t) => {
	const h = await serve(t);

	for (const mode of Object.keys(modes)) {
		const one = await connect(t, h, mode);
		const two = await connect(t, h, mode);
		const room = also(t, one, '/rude-1');

		await connected(room);
		room.emit('wait', () => {});
		room.emit('end', false);
		assert.equal(await gone(room), 'io server disconnect');
		room.connect();
		await connected(room);
		// From one namespace, and from another one in the midst of it.
		one.emit('ask');
		room.emit('end', true);
		await Promise.all([gone(one), gone(room)]);
		two.emit('ask');
		await next(two, 'question');
		two.disconnect();
	}
	const s = await connect(t, h, 'websocket');

	assert.equal(await call(s, 'others'), E_STATE);
	unharmed(h);
});

test('all at once', async (t) => {
	const h = await serve(t);
	const all = await Promise.all(Array.from({ length: 20 },
	    async (_, i) => {
		const s = await webSocket(t, h);

		await s.say('40', '40/rude-1,');
		if (i % 2)
			await s.say('42["ask"]', '420["wait"]',
			    '42/rude-1,["ask"]');
		return s;
	}));
	const s = await connect(t, h, 'polling');

	await call(s, 'others');
	for (const other of all)
		while (await packet(other).catch(() => null) !== null)
			;
	assert.equal(await call(s, 'others'), E_STATE);
	unharmed(h);
});

test('over a reload, and at the end', async (t) => {
	const h = await serve(t);
	const clients = await Promise.all(Object.keys(modes)
	    .map((mode) => connect(t, h, mode)));

	for (const s of clients) {
		s.emit('ask');
		await next(s, 'question');
	}
	assert.equal((await h.hostctl('reload')).code, 0);
	for (const s of clients) {
		s.emit('ask');
		await next(s, 'question');
		assert.ok(s.connected);
	}
	await until(async () => (await h.workers()).length === 1,
	    'the end of the old one');
	await h.stop();
	unharmed(h);
});

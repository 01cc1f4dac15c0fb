// SPDX-License-Identifier: BSD-2-Clause
// A worker that ends does not wait for handshakes that do not.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, until, within } from './lib/hostd.mjs';
import { secure, startTls } from './lib/tls.mjs';

// The beginning of a hello, without its end.
const HELLO = Buffer.from('16030100c8010000c40303', 'hex');

async function plain(t, h, said) {
	const socket = net.connect(h.port, '127.0.0.1');
	const ended = new Promise((resolve) => socket.on('close', resolve));

	atEnd(t, () => socket.destroy());
	socket.on('error', () => {});
	await new Promise((resolve) => socket.once('connect', resolve));
	if (said)
		socket.write(said);
	return ended;
}

const start = (t) => startTls(t, { tls: 'handshake_timeout = 1h', conf: `
	drain_timeout = 1h
	pool "web" { workers = 1 }
	plugin "hi" { module = "http_respond.so"  body = "hi" }
	route "/" { plugin = "hi" }` });

test('a reload', async (t) => {
	const h = await start(t);
	const ended = [plain(t, h), plain(t, h, HELLO)];
	const c = await secure(t, h);

	await until(async () => (await h.status()).connections.active >= 3,
	    'connections');
	assert.equal((await h.hostctl('reload')).code, 0);
	await within(Promise.all(ended), 'their ends');
	// Nobody waits for the old worker, and others go on.
	await h.workersSatisfy((all) => all.every((w) => w.generation === 2),
	    'end of the old worker');
	c.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
	await c.next(/200 OK[^]*hi/);
});

test('a stop', async (t) => {
	const h = await start(t);
	const ended = [plain(t, h), plain(t, h, HELLO)];

	await until(async () => (await h.status()).connections.active >= 2,
	    'connections');
	assert.equal((await h.stop()).code, 0);
	await Promise.all(ended);
});

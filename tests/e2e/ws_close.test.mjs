// SPDX-License-Identifier: BSD-2-Clause
// The closing handshake (RFC 6455 section 7).
import assert from 'node:assert/strict';
import test from 'node:test';
import { CLOSE, closePayload, closing, frame, open, PING, serveEcho, TEXT, text,
    untilWebsockets } from './lib/websocket.mjs';

const routes = { '/echo': '', '/brief': 'close_timeout = 300ms' };

const allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
	1013, 1014, 3000, 3001, 3999, 4000, 4242, 4998, 4999];
const refused = [0, 1, 2, 125, 126, 256, 500, 999, 1004, 1005, 1006, 1015, 1016,
	1017, 1100, 1999, 2000, 2500, 2998, 2999, 5000, 5001, 9999, 32768,
	65535];

test('codes', async (t) => {
	const h = await serveEcho(t, { routes });

	for (const code of allowed)
		await t.test(`${code} is echoed`, async (t) => {
			const s = await open(t, h);

			await s.send(closing(code));
			await s.closedWith(code);
		});
	for (const code of refused)
		await t.test(`${code}: 1002`, async (t) => {
			const s = await open(t, h);

			await s.send(closing(code));
			await s.closedWith(1002);
		});
	for (const code of [1005, 2999])
		await t.test(`${code} with a reason: 1002`, async (t) => {
			const s = await open(t, h);

			await s.send(closing(code, 'why'));
			await s.closedWith(1002);
		});
});

const reasons = [
	['a reason', closePayload(1000, 'bye'), 1000],
	['a reason of 123 bytes', closePayload(1000, 'x'.repeat(123)), 1000],
	['a reason of 123 bytes that are 41 characters',
		closePayload(4000, '…'.repeat(41)), 4000],
	['no code', '', 1005],
	['half a code', Buffer.from([3]), 1002],
	['half a code, zero', Buffer.from([0]), 1002],
	['a reason that is not UTF-8',
		closePayload(1000, Buffer.from([0xff])), 1007],
	['a reason that ends inside a character',
		closePayload(1000, Buffer.from('…').subarray(0, 2)), 1007],
	['a reason with a surrogate',
		closePayload(1000, Buffer.from('eda080', 'hex')), 1007],
	['a reason of 123 bytes, the last wrong', closePayload(3000,
		Buffer.concat([Buffer.alloc(122, 'x'), Buffer.from([0xc3])])),
		1007],
];

test('reasons', async (t) => {
	const h = await serveEcho(t, { routes });

	for (const [name, payload, code] of reasons)
		await t.test(`${name}: ${code}`, async (t) => {
			const s = await open(t, h);

			await s.send(frame(CLOSE, payload));
			await s.closedWith(code);
		});
});

test('what is around a close', async (t) => {
	const h = await serveEcho(t, { routes });
	const pace = await open(t, h);

	await t.test('half a code, and half behind the frame: 1002',
	    async (t) => {
		const s = await open(t, h);

		await s.send(frame(CLOSE, Buffer.from([3])),
		    Buffer.from([0xe8, 0, 0, 0, 0, 0]));
		await s.closedWith(1002);
	});
	await t.test('messages before it come back first', async (t) => {
		const s = await open(t, h);

		await s.send(...Array.from({ length: 200 }, (_, i) =>
		    text(`${i}`)), closing(1000));
		for (let i = 0; i < 200; i++)
			assert.equal((await s.message()).data.toString(),
			    `${i}`);
		await s.closedWith(1000);
	});
	await t.test('what comes behind it is ignored', async (t) => {
		const s = await open(t, h);

		await s.send(closing(1001), text('late'), frame(PING, 'late'),
		    closing(1000), frame(3, 'bad'), text('x', { key: null }));
		await s.closedWith(1001);
	});
	await t.test('much behind it is read, not reset', async (t) => {
		const s = await open(t, h);

		await s.send(closing(1000), Buffer.alloc(4 << 20));
		await s.closedWith(1000);
		s.finish();
	});
	await t.test('what comes later is ignored, too', async (t) => {
		const s = await open(t, h);

		await s.send(closing(1000));
		await s.closedWith(1000);
		await s.send(text('late'));
		await pace.roundtrip();
		assert.equal(s.error, undefined);
	});
	await t.test('and so it is behind an error', async (t) => {
		const s = await open(t, h);

		await s.send(frame(3, 'bad'), Buffer.alloc(4 << 20));
		await s.closedWith(1002);
		await s.send(text('late'));
		await pace.roundtrip();
		assert.equal(s.error, undefined);
	});
	await t.test('the server closes the connection first', async (t) => {
		const s = await open(t, h);

		// Our side of it stays open.
		await s.send(closing(1000));
		await s.closedWith(1000);
		assert.equal(s.socket.writable, true);
	});
	await t.test('a FIN without a close', async (t) => {
		const s = await open(t, h);

		s.finish();
		await s.end();
		assert.equal(s.error, undefined);
	});
	await t.test('a FIN in the middle of a frame', async (t) => {
		const s = await open(t, h);

		await s.send(text('hello', { length: 100 }));
		s.finish();
		await s.end();
	});
	await t.test('a FIN behind messages', async (t) => {
		const s = await open(t, h);

		await s.send(text('one'), text('two'));
		s.finish();
		assert.equal((await s.message()).data.toString(), 'one');
		assert.equal((await s.message()).data.toString(), 'two');
		await s.end();
	});
	await t.test('a reset', async (t) => {
		const s = await open(t, h);

		await s.echo(TEXT, 'x');
		s.socket.resetAndDestroy();
		await pace.roundtrip();
	});
	pace.destroy();
	await t.test('nothing is left of them', () => untilWebsockets(h, 0));
});

test('a client that does not close its side', async (t) => {
	const h = await serveEcho(t, { routes });

	await t.test('after a close of its own', async (t) => {
		const s = await open(t, h, '/brief');

		await s.send(closing(1000));
		await s.closedWith(1000);
		await untilWebsockets(h, 0);
	});
	await t.test('after an error', async (t) => {
		const s = await open(t, h, '/brief');

		await s.send(frame(3, 'bad'));
		await s.closedWith(1002);
		await untilWebsockets(h, 0);
	});
	await t.test('and goes on talking', async (t) => {
		const s = await open(t, h, '/brief');

		await s.send(closing(1000));
		await s.closedWith(1000);
		// Its bytes are no reason to wait for more.
		const talk = setInterval(() => s.socket.write(text('x')), 10);

		try {
			await untilWebsockets(h, 0);
		} finally {
			clearInterval(talk);
		}
	});
});

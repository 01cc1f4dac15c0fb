// SPDX-License-Identifier: BSD-2-Clause
// How much a client may send, how often, and how slowly.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { BINARY, binary, CONT, fragments, frame, open, pass, piecewise, PING,
    PONG, serveEcho, TEXT, text } from './lib/websocket.mjs';
import { pattern } from './lib/static.mjs';
import { within } from './lib/hostd.mjs';

const announced = (n) => binary('', { length: n });

test('max_message', async (t) => {
	const h = await serveEcho(t, { routes: { '/echo': 'max_message = 1000',
		'/large': 'max_message = 512m  max_output = 1g' } });
	const data = pattern(1001);
	const refused = (name, bytes) => t.test(`${name}: 1009`, async (t) => {
		const s = await open(t, h);

		await s.send(text('before'), bytes, text('behind'));
		assert.equal((await s.message()).data.toString(), 'before');
		await s.closedWith(1009);
	});

	await t.test('as large as may be', async (t) => {
		const s = await open(t, h);

		for (let i = 0; i < 3; i++) {
			await s.echo(BINARY, data.subarray(0, 1000));
			await s.echo(TEXT, 'x'.repeat(1000));
		}
	});
	await t.test('as large as may be, in fragments', async (t) => {
		const s = await open(t, h);

		for (const parts of [[500, 500], [1000, 0], [0, 1000], [1, 999],
			Array(1000).fill(1)]) {
			await s.send(fragments(BINARY,
			    parts.map((n) => Buffer.alloc(n, 'x')),
			    {}, {}), frame(PING, 'x'.repeat(125)));
			assert.equal((await s.message()).data.toString(),
			    'x'.repeat(1000));
			await s.expect(PONG);
		}
	});
	await t.test('pings between fragments do not count', async (t) => {
		const s = await open(t, h);
		const ping = frame(PING, 'x'.repeat(125));

		await s.send(text('x'.repeat(999), { fin: false }), ping, ping,
		    frame(PONG, 'x'.repeat(125)), frame(CONT, 'x'));
		await s.expect(PONG);
		await s.expect(PONG);
		assert.equal((await s.message()).data.length, 1000);
	});
	await refused('a byte more', binary(data));
	await refused('a byte more of text', text('x'.repeat(1001)));
	await refused('as a header only', announced(1001));
	await refused('65535 bytes announced', announced(65535));
	await refused('4 GB announced', announced(2n ** 32n));
	await refused('2^62 bytes announced', announced(2n ** 62n));
	await refused('2^63 - 1 bytes announced', announced(2n ** 63n - 1n));
	await refused('two fragments', fragments(BINARY,
	    [data.subarray(0, 500), data.subarray(500)]));
	await refused('a byte in the last fragment', fragments(BINARY,
	    [data.subarray(0, 1000), data.subarray(1000)]));
	await refused('a fragment that is only announced', Buffer.concat([
		text('x', { fin: false }), frame(CONT, '', { length: 1000 })]));
	await refused('a fragment of 2^63 - 1 bytes', Buffer.concat([
		text('x', { fin: false }),
		frame(CONT, '', { length: 2n ** 63n - 1n })]));
	await refused('1001 fragments', fragments(BINARY,
	    [...data].map((b) => Buffer.from([b]))));
	await t.test('who announces much gets no memory for it', async (t) => {
		const [{ pid }] = await h.workers();
		// Of all that it has asked for, used or not.
		const peak = () => 1024 * Number(/^VmPeak:\s+(\d+) kB$/m.exec(
		    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
		const all = [];

		for (let i = 0; i < 20; i++)
			all.push(await open(t, h, '/large'));
		const before = peak();

		for (const s of all)
			await s.send(binary('x'.repeat(100),
			    { length: 400 << 20 }));
		const pace = await open(t, h);

		await pace.roundtrip();
		for (const s of all)
			await s.send(Buffer.alloc(20_000));
		await pace.roundtrip();
		assert.ok(peak() - before < 40 << 20,
		    `${peak() - before} bytes`);
	});
});

test('message_rate', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': '',
		'/rate': 'message_rate = 10',
		'/burst': 'message_rate = 1  message_burst = 5',
		'/quick': 'message_rate = 50  message_burst = 1',
		'/two': 'message_rate = 100  message_burst = 2',
	} });
	const clock = await open(t, h);
	const words = (n) => Array.from({ length: n }, (_, i) => text(`${i}`));
	const comes = async (s, n) => {
		for (let i = 0; i < n; i++)
			assert.equal((await s.message()).data.toString(),
			    `${i}`);
	};

	for (const [path, n] of [['/rate', 10], ['/burst', 5]]) {
		await t.test(`${path}: ${n} at once`, async (t) => {
			const s = await open(t, h, path);

			await s.send(...words(n));
			await comes(s, n);
			await s.roundtrip();
		});
		await t.test(`${path}: one more: 1008`, async (t) => {
			const s = await open(t, h, path);

			await s.send(...words(n + 1));
			await comes(s, n);
			await s.closedWith(1008);
		});
	}
	await t.test('a message counts once, however many its fragments',
	    async (t) => {
		const s = await open(t, h, '/burst');

		const one = fragments(TEXT, [...'abcdefghij']);

		// At once, as time gives the right to more of them.
		await s.send(one, one, one, one, one,
		    text('x', { fin: false }), frame(CONT, 'y'));
		for (let i = 0; i < 5; i++)
			assert.equal((await s.message()).data.toString(),
			    'abcdefghij');
		await s.closedWith(1008);
	});
	await t.test('pings are no messages', async (t) => {
		const s = await open(t, h, '/burst');

		for (let i = 0; i < 50; i++)
			await s.roundtrip();
		await s.send(...words(5));
		await comes(s, 5);
	});
	await t.test('who keeps to it may go on', async (t) => {
		const s = await open(t, h, '/quick');

		for (let i = 0; i < 8; i++) {
			await s.echo(TEXT, `${i}`);
			await pass(clock, 25);
		}
	});
	await t.test('silence earns no more than a burst', async (t) => {
		const s = await open(t, h, '/two');

		await s.echo(TEXT, 'the clock runs from here');
		await pass(clock, 100);
		await s.send(...words(3));
		await comes(s, 2);
		await s.closedWith(1008);
	});
	await t.test('each has its own', async (t) => {
		for (let i = 0; i < 5; i++) {
			const s = await open(t, h, '/burst');

			await s.send(...words(5));
			await comes(s, 5);
		}
	});
});

test('message_timeout', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': '', '/time': 'message_timeout = 400ms' } });
	const pace = await open(t, h);
	const slow = (name, ...parts) => t.test(`${name}: 1008`, async (t) => {
		const s = await open(t, h, '/time');

		await s.echo(TEXT, 'quick');
		await s.send(...parts);
		await s.closedWith(1008);
	});

	await slow('a fragment, and no more', text('x', { fin: false }));
	await slow('half a frame', text('hello', { length: 100 }));
	await slow('a header, and no more', text('', { length: 5 }));
	await slow('half a header', text('', { length: 1000 }).subarray(0, 3));
	await slow('one byte', text('hello').subarray(0, 1));
	await t.test('behind a whole message, in one segment: 1008',
	    async (t) => {
		const s = await open(t, h, '/time');

		await s.send(text('whole'), text('x', { fin: false }));
		assert.equal((await s.message()).data.toString(), 'whole');
		await s.closedWith(1008);
	});
	await t.test('byte by byte: 1008', async (t) => {
		const s = await open(t, h, '/time');

		await s.echo(TEXT, 'quick');
		await piecewise(s, binary(Buffer.alloc(1 << 20)), pace);
		await s.closedWith(1008);
	});
	await t.test('fragment by fragment, and pings: 1008', async (t) => {
		const s = await open(t, h, '/time');
		const all = (async () => {
			await s.send(text('x', { fin: false }));
			while (!s.closed) {
				await s.send(frame(CONT, 'x', { fin: false }),
				    frame(PONG));
				await pace.roundtrip();
			}
		})();

		await s.closedWith(1008);
		await all;
	});
	await t.test('many whole ones, one after the other, are fine',
	    async (t) => {
		const s = await open(t, h, '/time');
		const until = performance.now() + 1000;

		while (performance.now() < until)
			await s.echo(TEXT, 'quick');
	});
	await t.test('silence between them is fine', async (t) => {
		const s = await open(t, h, '/time');

		await s.echo(TEXT, 'quick');
		await s.send(fragments(TEXT, ['in', ' parts']));
		assert.equal((await s.message()).data.toString(), 'in parts');
		// As long as another takes to be sent away.
		const other = await open(t, h, '/time');

		await other.send(text('x', { fin: false }));
		await within(other.closedWith(1008), 'end of the other');
		await s.echo(TEXT, 'still there');
	});
});

// A connection s to a worker whose time is the test's: minutes(n) pass.
async function serveTimed(t) {
	const clock = await makeClock(t);
	const h = await serveEcho(t, { env: clock.env,
		conf: 'pool "web" { workers = 1  watchdog = 0 }',
		routes: { '/echo': 'message_timeout = 1000s' } });
	const pace = await open(t, h);

	return { s: await open(t, h), minutes: async (n) => {
		clock.pass(60 * n);
		await pace.roundtrip();
	} };
}

test('many messages, each cut in two, are none that takes too long',
    async (t) => {
	const { s, minutes } = await serveTimed(t);
	const bytes = text('in two');

	await s.send(bytes.subarray(0, 5));
	for (let i = 0; i < 5; i++) {
		// The end of one and the start of another.
		await s.send(bytes.subarray(5), bytes.subarray(0, 5));
		assert.equal((await s.message()).data.toString(), 'in two');
		await minutes(10);
	}
	// But the last one is, sooner or later.
	await minutes(10);
	await s.closedWith(1008);
});

test('pings that are cut in two are none either', async (t) => {
	const { s, minutes } = await serveTimed(t);
	const ping = frame(PING, 'abcd');

	await s.send(ping.subarray(0, 4));
	for (let i = 0; i < 5; i++) {
		await s.send(ping.subarray(4), ping.subarray(0, 4));
		await s.expect(PONG);
		await minutes(10);
	}
	await s.send(ping.subarray(4));
	await s.expect(PONG);
	await s.echo(TEXT, 'fine');
});

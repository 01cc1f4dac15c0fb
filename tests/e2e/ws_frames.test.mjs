// SPDX-License-Identifier: BSD-2-Clause
// Frames that clients may send, and those they may not (RFC 6455 section 5).
import assert from 'node:assert/strict';
import test from 'node:test';
import { BINARY, binary, CLOSE, closePayload, closing, CONT, fragments, frame,
    open, piecewise, PING, PONG, same, serveEcho, TEXT, text } from
    './lib/websocket.mjs';
import { pattern } from './lib/static.mjs';

const MAX = 64 << 10;
const routes = { '/echo': 'max_message = 64k' };

test('sizes', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);

	for (const n of [0, 1, 2, 3, 7, 124, 125, 126, 127, 128, 1000, 4095,
		4096, 16383, 16384, 65534, 65535, 65536]) {
		await t.test(`${n} bytes of text`, () =>
		    s.echo(TEXT, 'x'.repeat(n)));
		await t.test(`${n} bytes, binary`, () =>
		    s.echo(BINARY, pattern(n, n)));
	}
});

test('masks', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);
	const data = pattern(1000);

	for (const key of ['00000000', 'ffffffff', '00ff00ff', '01020304',
		'80000000', '00000001'])
		await t.test(key, async () => {
			for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31,
				1000]) {
				await s.send(binary(data.subarray(0, n),
				    { key: Buffer.from(key, 'hex') }));
				same((await s.message()).data,
				    data.subarray(0, n));
			}
		});
	await t.test('another one for each fragment', async () => {
		await s.send(...[0, 1, 2, 3, 4].map((i) =>
		    frame(i === 0 ? BINARY : CONT,
		    data.subarray(200 * i, 200 * i + 200), { fin: i === 4,
			key: Buffer.from([i, 2 * i, 77, 255 - i]) })));
		same((await s.message()).data, data);
	});
});

// What is behind the header is not sent where the header is enough.
const head = (opcode, length, options) =>
	frame(opcode, '', { length, ...options });
const bare = { key: null };
const bad = [
	['text without a mask', text('hello', bare)],
	['an empty text without a mask', text('', bare)],
	['binary without a mask', binary('hello', bare)],
	['a ping without a mask', frame(PING, 'x', bare)],
	['a pong without a mask', frame(PONG, 'x', bare)],
	['a close without a mask', closing(1000, '', bare)],
	['a close without a mask, and empty', frame(CLOSE, '', bare)],
	['a continuation without a mask', Buffer.concat([
		text('a', { fin: false }), frame(CONT, 'b', bare)])],
	...[4, 2, 1, 7].flatMap((rsv) => [
		[`RSV bits ${rsv} in text`, text('x', { rsv })],
		[`RSV bits ${rsv} in binary`, binary('x', { rsv })],
		[`RSV bits ${rsv} in a ping`, frame(PING, 'x', { rsv })],
		[`RSV bits ${rsv} in a pong`, frame(PONG, 'x', { rsv })],
		[`RSV bits ${rsv} in a close`, closing(1000, '', { rsv })],
		[`RSV bits ${rsv} in a continuation`,
			fragments(TEXT, ['a', 'b'], {}, { rsv })],
	]),
	...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
		[`opcode ${opcode}`, frame(opcode, 'x')],
		[`opcode ${opcode}, empty`, frame(opcode, '')],
		[`opcode ${opcode} inside a message`, Buffer.concat([
			text('a', { fin: false }), frame(opcode, 'x')])],
	]),
	['0 written as 16 bits', head(TEXT, 0, { size: 2 })],
	['125 written as 16 bits', head(TEXT, 125, { size: 2 })],
	['0 written as 64 bits', head(TEXT, 0, { size: 8 })],
	['126 written as 64 bits', head(BINARY, 126, { size: 8 })],
	['65535 written as 64 bits', head(BINARY, 65535, { size: 8 })],
	['a length of 64 bits', head(BINARY, 2n ** 63n, { size: 8 })],
	['the largest length of 64 bits', head(BINARY, 2n ** 64n - 1n,
		{ size: 8 })],
	...[['ping', PING], ['pong', PONG], ['close', CLOSE]]
	    .flatMap(([name, opcode]) => [
		[`a ${name} of 126 bytes`, head(opcode, 126)],
		[`a ${name} of 126 bytes, all of it`,
			frame(opcode, closePayload(1000, 'x'.repeat(124)))],
		[`a ${name} of 65536 bytes`, head(opcode, 65536)],
		[`a ${name} of 5 bytes written as 16 bits`,
			head(opcode, 5, { size: 2 })],
		[`a ${name} in fragments`, frame(opcode,
			closePayload(1000), { fin: false })],
		[`a ${name} in fragments inside a message`, Buffer.concat([
			text('a', { fin: false }),
			frame(opcode, closePayload(1000), { fin: false })])],
	]),
	['a continuation of nothing', frame(CONT, 'x')],
	['a continuation of nothing that goes on',
		frame(CONT, 'x', { fin: false })],
	['text inside a text', Buffer.concat([
		text('a', { fin: false }), text('b')])],
	['binary inside a text', Buffer.concat([
		text('a', { fin: false }), binary('b')])],
	['text inside a binary message', Buffer.concat([
		binary('a', { fin: false }), text('b', { fin: false })])],
	['text inside a text, after a ping of no account', Buffer.concat([
		text('a', { fin: false }), frame(PONG), text('b')])],
];

test('what is not allowed: 1002', async (t) => {
	const h = await serveEcho(t, { routes });

	for (const [name, bytes] of bad)
		await t.test(name, async (t) => {
			const s = await open(t, h);

			await s.send(bytes);
			await s.closedWith(1002);
		});
	await t.test('a continuation of a message that has ended',
	    async (t) => {
		const s = await open(t, h);

		await s.send(fragments(TEXT, ['a', 'b']), frame(CONT, 'c'));
		assert.equal((await s.message()).data.toString(), 'ab');
		await s.closedWith(1002);
	});
	await t.test('what came before it counts, what comes after does not',
	    async (t) => {
		const s = await open(t, h);

		await s.send(text('one'), frame(PING, 'two'), frame(3, 'x'),
		    text('three'), closing(1000));
		assert.equal((await s.expect(TEXT)).toString(), 'one');
		assert.equal((await s.expect(PONG)).toString(), 'two');
		await s.closedWith(1002);
	});
	await t.test('others go on', async (t) => {
		await (await open(t, h)).echo(TEXT, 'fine');
	});
});

// As parts of a message; 'xyz' is what comes of it.
const split = [
	['two', ['x', 'yz']],
	['three', ['x', 'y', 'z']],
	['an empty first', ['', 'xyz']],
	['an empty last', ['xyz', '']],
	['an empty one in the middle', ['x', '', 'yz']],
	['many empty ones', ['', '', 'x', '', '', '', 'y', '', 'z', '', '']],
];

test('fragments', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);
	const is = async (opcode, data) => {
		const m = await s.message();

		assert.equal(m.opcode, opcode);
		same(m.data, Buffer.from(data));
	};

	for (const [name, parts] of split)
		await t.test(name, async () => {
			for (const opcode of [TEXT, BINARY]) {
				await s.send(fragments(opcode, parts));
				await is(opcode, 'xyz');
			}
		});
	await t.test('nothing but empty ones', async () => {
		for (const opcode of [TEXT, BINARY]) {
			await s.send(fragments(opcode, ['', '', '']));
			await is(opcode, '');
		}
	});
	await t.test('a byte each', async () => {
		const data = pattern(3000);

		await s.send(fragments(BINARY, [...data].map((b) =>
		    Buffer.from([b]))));
		await is(BINARY, data);
	});
	await t.test('sizes of all kinds', async () => {
		const data = pattern(MAX);
		const cuts = [0, 1, 126, 300, 66, 20000, 25000, 65535];

		cuts.sort((a, b) => a - b);
		await s.send(fragments(BINARY, cuts.map((at, i) =>
		    data.subarray(at, cuts[i + 1]))));
		await is(BINARY, data);
	});
	await t.test('pings between them are answered at once', async (t) => {
		const pace = await open(t, h);

		await s.send(text('x', { fin: false }));
		await pace.roundtrip();
		await s.send(frame(PING, 'a'));
		assert.equal((await s.expect(PONG)).toString(), 'a');
		await s.send(frame(CONT, 'y', { fin: false }),
		    frame(PING, 'b'), frame(PONG, 'c'), frame(PING),
		    frame(CONT, 'z'));
		assert.equal((await s.expect(PONG)).toString(), 'b');
		assert.equal((await s.expect(PONG)).toString(), '');
		await is(TEXT, 'xyz');
	});
	await t.test('each in a segment of its own', async (t) => {
		const pace = await open(t, h);

		for (const [i, c] of [...'xyz'].entries()) {
			await s.send(frame(i === 0 ? TEXT : CONT, c,
			    { fin: i === 2 }));
			await pace.roundtrip();
		}
		await is(TEXT, 'xyz');
	});
	await t.test('a close between them', async (t) => {
		const c = await open(t, h);

		await c.send(text('x', { fin: false }), closing(1001));
		await c.closedWith(1001);
	});
	await t.test('they end with the connection', async (t) => {
		const c = await open(t, h);

		await c.send(text('x', { fin: false }));
		await c.roundtrip();
		c.finish();
		await c.end();
	});
});

test('bytes in pieces', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);
	const pace = await open(t, h);

	for (const n of [0, 5, 125, 126, 300])
		await t.test(`one at a time: a message of ${n}`, async () => {
			const data = pattern(n, n);

			await piecewise(s, binary(data), pace);
			same((await s.message()).data, data);
		});
	await t.test('one at a time: a header of 14 bytes', async () => {
		const data = pattern(MAX);
		const bytes = binary(data);

		await piecewise(s, bytes.subarray(0, 20), pace);
		await s.send(bytes.subarray(20));
		same((await s.message()).data, data);
	});
	await t.test('one at a time: control frames', async () => {
		await piecewise(s, Buffer.concat([frame(PING, 'ping'),
		    frame(PONG, 'pong'), frame(PING)]), pace);
		assert.equal((await s.expect(PONG)).toString(), 'ping');
		assert.equal((await s.expect(PONG)).toString(), '');
	});
	await t.test('one at a time: a ping inside a message', async () => {
		await piecewise(s, Buffer.concat([text('he', { fin: false }),
		    frame(PING, 'ping'), frame(CONT, 'llo')]), pace);
		assert.equal((await s.expect(PONG)).toString(), 'ping');
		assert.equal((await s.message()).data.toString(), 'hello');
	});
	await t.test('one at a time: a close', async (t) => {
		const c = await open(t, h);

		await piecewise(c, closing(3000, 'bye'), pace);
		await c.closedWith(3000);
	});
	await t.test('one at a time: an error', async (t) => {
		const c = await open(t, h);

		await piecewise(c, head(BINARY, 65535, { size: 8 }), pace);
		await c.closedWith(1002);
	});
	await t.test('a large one in reads of 1000', async () => {
		const data = pattern(MAX, 9);

		await piecewise(s, binary(data), pace, 1000);
		same((await s.message()).data, data);
	});
	await t.test('500 frames in one segment', async () => {
		await s.send(...Array.from({ length: 500 }, (_, i) =>
		    text(`${i}`)));
		for (let i = 0; i < 500; i++)
			assert.equal((await s.message()).data.toString(),
			    `${i}`);
	});
	await t.test('500 pings in one segment', async () => {
		await s.send(...Array.from({ length: 500 }, (_, i) =>
		    frame(PING, `${i}`)));
		for (let i = 0; i < 500; i++)
			assert.equal((await s.expect(PONG)).toString(), `${i}`);
	});
});

test('large messages', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': 'max_message = 3m' } });
	const s = await open(t, h);
	const pace = await open(t, h);

	for (const n of [65537, 73728, 100001, 1000003, 3 << 20]) {
		await t.test(`${n} bytes`, () => s.echo(BINARY, pattern(n)));
		await t.test(`${n} bytes of text`, () =>
		    s.echo(TEXT, `${'x'.repeat(n % 3)}${'…'.repeat(n / 3)}`));
	}
	await t.test('in fragments, with pings', async () => {
		const data = pattern(2_500_000);
		const cuts = [0, 1, 70_001, 70_002, 900_003, 1_900_000];

		await s.send(...cuts.flatMap((at, i) => [
			frame(i === 0 ? BINARY : CONT,
			    data.subarray(at, cuts[i + 1]),
			    { fin: i === cuts.length - 1 }),
			frame(PING, `${i}`)]));
		for (let i = 0; i < cuts.length - 1; i++)
			assert.equal((await s.expect(PONG)).toString(), `${i}`);
		same((await s.message()).data, data);
		await s.expect(PONG);
	});
	await t.test('in reads of all sizes', async () => {
		const data = pattern(400_000);
		const bytes = Buffer.concat([binary(data), text('x')]);
		const sizes = [3, 20_001, 7, 8191, 8192, 8193, 100_000, 1];

		for (let at = 0, i = 0; at < bytes.length; i++) {
			const n = sizes[i % sizes.length];

			await s.send(bytes.subarray(at, at + n));
			await pace.roundtrip();
			at += n;
		}
		same((await s.message()).data, data);
		assert.equal((await s.message()).data.toString(), 'x');
	});
	await t.test('a byte more: 1009', async (t) => {
		const c = await open(t, h);

		await c.send(binary('', { length: (3 << 20) + 1 }));
		await c.closedWith(1009);
	});
});

// A generator of numbers below n that is the same each time.
function numbers(seed) {
	let x = seed >>> 0;

	return (n) => {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		return (x >>> 8) % n;
	};
}

// Messages and control frames as they may come: bytes, and what is to come
// back.
function mixture(seed, count) {
	const rnd = numbers(seed), bytes = [], back = [];

	for (let i = 0; i < count; i++) {
		const data = pattern(rnd(10) === 0 ? rnd(20000) : rnd(300), i);
		const cuts = [0, ...Array.from({ length: rnd(5) }, () =>
		    rnd(data.length + 1)).sort((a, b) => a - b)];

		cuts.forEach((at, k) => {
			if (rnd(4) === 0) {
				bytes.push(frame(PING, `${i}.${k}`));
				back.push([PONG, Buffer.from(`${i}.${k}`)]);
			}
			bytes.push(frame(k === 0 ? BINARY : CONT,
			    data.subarray(at, cuts[k + 1]),
			    { fin: k === cuts.length - 1 }));
		});
		back.push([BINARY, data]);
	}
	return { bytes: Buffer.concat(bytes), back };
}

test('a mixture, cut anywhere', async (t) => {
	const h = await serveEcho(t, { routes });
	const pace = await open(t, h);

	for (const seed of [1, 2, 3, 4])
		await t.test(`seed ${seed}`, async (t) => {
			const s = await open(t, h);
			const { bytes, back } = mixture(seed, 100);
			const rnd = numbers(seed);
			const sending = (async () => {
				for (let i = 0, n; i < bytes.length; i += n) {
					n = 1 + rnd(rnd(5) === 0 ? 5000 : 400);
					await s.send(bytes.subarray(i, i + n));
					await pace.roundtrip();
				}
			})();

			for (const [opcode, data] of back)
				same(opcode === PONG ? await s.expect(PONG) :
				    (await s.message()).data, data);
			await sending;
			assert.equal(s.unread, 0);
		});
});

// SPDX-License-Identifier: BSD-2-Clause
// Compressed messages (RFC 7692 section 7.2).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';
import { pattern } from './lib/static.mjs';
import { BINARY, binary, closing, CONT, fragments, frame, open, piecewise, PING,
    PONG, same, serveEcho, TEXT, text } from './lib/websocket.mjs';

const NAME = 'permessage-deflate';
const RSV1 = { rsv: 4 };
const on = 'deflate = on  deflate_min = 0  max_message = 64k';
const kept = `${on}  deflate_server_takeover = on
	deflate_client_takeover = on`;
const routes = { '/echo': on, '/kept': kept, '/off': 'max_message = 64k',
	'/min': 'deflate = on  deflate_min = 100',
	'/large': 'deflate = on  max_message = 3m' };

const hex = (s) => Buffer.from(s.replaceAll(' ', ''), 'hex');
// A message that is compressed, in a frame.
const packed = (s, opcode, data, options) =>
	frame(opcode, s.deflater.deflate(Buffer.from(data)),
	    { ...RSV1, ...options });

// Send a message compressed and get it back; what of it was sent back.
async function roundtrip(s, opcode, data) {
	await s.send(packed(s, opcode, data));
	const m = await s.message();

	assert.equal(m.opcode, opcode);
	same(m.data, Buffer.from(data));
	return m;
}

const json = (n) => JSON.stringify(Array.from({ length: n }, (_, i) =>
    ({ id: i, name: `user ${i}`, online: i % 3 === 0 })));

test('messages', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h, '/echo', { extensions: NAME });
	const back = async (opcode, data) => {
		const m = await s.message();

		assert.equal(m.opcode, opcode);
		same(m.data, Buffer.from(data));
		return m;
	};

	for (const n of [0, 1, 2, 10, 125, 126, 1000, 16384, 65535, 65536]) {
		await t.test(`${n} bytes that compress`, () =>
		    roundtrip(s, TEXT, 'abc '.repeat(n / 4 + 1).slice(0, n)));
		await t.test(`${n} bytes that do not`, () =>
		    roundtrip(s, BINARY, pattern(n, n)));
	}
	for (const n of [70_000, 1_000_003, 3 << 20])
		await t.test(`${n} bytes`, async (t) => {
			const l = await open(t, h, '/large',
			    { extensions: NAME });

			await roundtrip(l, BINARY, pattern(n));
			await roundtrip(l, BINARY, Buffer.alloc(n, 'abc'));
		});
	await t.test('they get smaller', async () => {
		const data = json(500);
		const m = await roundtrip(s, TEXT, data);

		assert.ok(m.packed < data.length / 4, `${m.packed} bytes`);
	});
	await t.test('the examples of RFC 7692', async () => {
		for (const bytes of ['f2 48 cd c9 c9 07 00',
			'00 05 00 fa ff 48 65 6c 6c 6f 00',
			'f3 48 cd c9 c9 07 00 00',
			'f2 48 05 00 00 00 ff ff ca c9 c9 07 00']) {
			await s.send(frame(TEXT, hex(bytes), RSV1));
			await back(TEXT, 'Hello');
		}
		await s.send(fragments(TEXT, [hex('f2 48 cd'),
		    hex('c9 c9 07 00')], RSV1));
		await back(TEXT, 'Hello');
	});
	await t.test('an empty one', async () => {
		for (const opcode of [TEXT, BINARY]) {
			await s.send(frame(opcode, hex('00'), RSV1));
			await back(opcode, '');
			await s.send(frame(opcode, hex('02 00'), RSV1));
			await back(opcode, '');
		}
	});
	await t.test('each strategy and level of zlib', async () => {
		const data = Buffer.concat([Buffer.from(json(100)),
			pattern(2000)]);
		const finishFlush = zlib.constants.Z_SYNC_FLUSH;

		for (const level of [0, 1, 6, 9])
			for (let strategy = 0; strategy <= 4; strategy++) {
				const bytes = zlib.deflateRawSync(data,
				    { level, strategy, finishFlush })
				    .subarray(0, -4);

				await s.send(frame(BINARY, bytes, RSV1));
				await back(BINARY, data);
			}
	});
	await t.test('blocks that end the stream', async () => {
		// RFC 7692 section 7.2.3.4: what zlib ends it with, and a block
		// that the tail belongs to.
		const bytes = Buffer.concat([zlib.deflateRawSync(json(20)),
			hex('00')]);

		await s.send(frame(TEXT, bytes, RSV1));
		await back(TEXT, json(20));
		await roundtrip(s, TEXT, 'and the next');
	});
	await t.test('uncompressed ones among them', async () => {
		for (let i = 0; i < 3; i++) {
			await s.send(text('plain'), packed(s, TEXT, 'packed'),
			    fragments(BINARY, ['pl', 'ain']));
			await back(TEXT, 'plain');
			await back(TEXT, 'packed');
			await back(BINARY, 'plain');
		}
	});
	await t.test('fragments cut at every byte', async () => {
		const bytes = new (s.deflater.constructor)(s.extension)
		    .deflate(Buffer.from(json(3)));

		for (let i = 0; i <= bytes.length; i++) {
			await s.send(fragments(TEXT,
			    [bytes.subarray(0, i), bytes.subarray(i)], RSV1));
			await back(TEXT, json(3));
		}
	});
	await t.test('a fragment a byte, with pings', async () => {
		const bytes = s.deflater.deflate(Buffer.from(json(5)));

		await s.send(...[...bytes].flatMap((b, i) => [
			frame(i === 0 ? TEXT : CONT, Buffer.from([b]),
			    { rsv: i === 0 ? 4 : 0, fin: false }),
			...(i % 10 === 0 ? [frame(PING, `${i}`)] : [])]),
		    frame(CONT));
		for (let i = 0; i < bytes.length; i += 10)
			assert.equal((await s.expect(PONG)).toString(), `${i}`);
		await back(TEXT, json(5));
	});
	await t.test('byte by byte', async (t) => {
		const pace = await open(t, h);

		await piecewise(s, packed(s, TEXT, json(3)), pace);
		await back(TEXT, json(3));
	});
	await t.test('many in one segment', async () => {
		await s.send(...Array.from({ length: 300 }, (_, i) =>
		    packed(s, TEXT, `message ${i}`)));
		for (let i = 0; i < 300; i++)
			await back(TEXT, `message ${i}`);
	});
	await t.test('a character split between fragments', async () => {
		const data = 'κόσμε…𝄞';
		const bytes = s.deflater.deflate(Buffer.from(data));

		await s.send(fragments(TEXT, [...bytes].map((b) =>
		    Buffer.from([b])), RSV1));
		await back(TEXT, data);
	});
	await t.test('deflate_min: short ones come as they are', async (t) => {
		const m = await open(t, h, '/min', { extensions: NAME });

		const short = await roundtrip(m, TEXT, 'x'.repeat(99));
		const long = await roundtrip(m, TEXT, 'x'.repeat(100));

		assert.equal(short.packed, undefined);
		assert.ok(long.packed < 99);
	});
});

test('what is not allowed', async (t) => {
	const h = await serveEcho(t, { routes });
	const refused = (name, code, path, bytes) =>
		t.test(`${name}: ${code}`, async (t) => {
			const s = await open(t, h, path, { extensions: NAME });

			await s.send(...[bytes(s)].flat());
			await s.closedWith(code);
		});
	const raw = (s) => () => frame(BINARY, hex(s), RSV1);

	await refused('RSV1 where nothing was agreed on', 1002, '/off',
	    () => text('x', RSV1));
	await refused('RSV1 in a continuation', 1002, '/echo', (s) =>
	    fragments(TEXT, ['\xf2', 'x'].map((c) => Buffer.from(c, 'latin1')),
		RSV1, RSV1));
	await refused('RSV1 in a continuation of a plain message', 1002,
	    '/echo', () => fragments(TEXT, ['a', 'b'], {}, RSV1));
	for (const opcode of [PING, PONG])
		await refused(`RSV1 in opcode ${opcode}`, 1002, '/echo',
		    () => frame(opcode, 'x', RSV1));
	await refused('RSV1 in a close', 1002, '/echo',
	    () => closing(1000, '', RSV1));
	for (const rsv of [1, 2, 3, 5, 6, 7])
		await refused(`RSV bits ${rsv}`, 1002, '/echo',
		    () => frame(TEXT, hex('00'), { rsv }));

	await refused('a block of the reserved type', 1007, '/echo', raw('07'));
	await refused('a block of the reserved type behind others', 1007,
	    '/echo', raw('f2 48 cd c9 c9 07 00 00 00 ff ff 06'));
	await refused('a stored block whose length is wrong', 1007, '/echo',
	    raw('00 05 00 fa fe 48 65 6c 6c 6f 00'));
	await refused('a distance that goes back too far', 1007, '/echo',
	    raw('02 13 00 00'));
	await refused('codes of too many bits', 1007, '/echo',
	    raw('fd ff ff ff ff ff ff ff'));
	await refused('noise', 1007, '/echo',
	    () => binary(Buffer.alloc(1000, 0xff), RSV1));
	await refused('bad data in the second fragment', 1007, '/echo', () => [
		frame(BINARY, hex('f2 48 05 00 00 00 ff ff'),
		    { ...RSV1, fin: false }),
		frame(CONT, hex('06'), { fin: false })]);
	await t.test('a reference to the message before, though it is not ' +
	    'kept: 1007', async (t) => {
		const s = await open(t, h, '/echo', { extensions: NAME });

		await roundtrip(s, TEXT, 'Hello');
		await s.send(frame(TEXT, hex('f2 00 11 00 00'), RSV1));
		await s.closedWith(1007);
	});
	for (const left of [1, 2, 10, 100])
		await refused(`a message without its last ${left} bytes`, 1007,
		    '/echo', (s) => frame(BINARY, s.deflater.deflate(
			Buffer.from(json(20))).subarray(0, -left), RSV1));
	await refused('text that is not UTF-8', 1007, '/echo',
	    (s) => packed(s, TEXT, hex('41 ff 42')));
	await refused('text that ends inside a character', 1007, '/echo',
	    (s) => packed(s, TEXT, hex('41 e2 82')));
	await refused('text that is not UTF-8, before it ends', 1007, '/echo',
	    (s) => packed(s, TEXT, hex('41 ff 42'), { fin: false }));
	await t.test('others go on', async (t) => {
		const s = await open(t, h, '/echo', { extensions: NAME });

		await roundtrip(s, TEXT, json(10));
	});
});

test('max_message is that of the decompressed message', async (t) => {
	const h = await serveEcho(t, { routes });
	const [{ pid }] = await h.workers();
	const refused = (name, bytes) => t.test(`${name}: 1009`, async (t) => {
		const s = await open(t, h, '/echo', { extensions: NAME });

		await s.send(...[bytes(s)].flat());
		await s.closedWith(1009);
	});
	const peak = () => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(
	    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

	await refused('a byte more', (s) =>
	    packed(s, TEXT, 'x'.repeat(65537)));
	await refused('a byte more, in fragments', (s) => {
		const b = s.deflater.deflate(Buffer.alloc(65537));

		return fragments(BINARY, [b.subarray(0, 20), b.subarray(20)],
		    RSV1);
	});
	await refused('a message that is no smaller for it', (s) =>
	    packed(s, BINARY, pattern(65537)));
	await t.test('a bomb: 1009', async (t) => {
		const bomb = zlib.deflateRawSync(Buffer.alloc(256 << 20),
		    { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH });
		const before = peak();

		for (let i = 0; i < 10; i++) {
			const s = await open(t, h, '/echo',
			    { extensions: NAME });

			// All but its end: it is not waited for.
			await s.send(binary(bomb.subarray(0, -4),
			    { ...RSV1, fin: false }));
			await s.closedWith(1009);
			s.destroy();
		}
		assert.ok(peak() - before < 8 << 20,
		    `${peak() - before} bytes more`);
	});
});

// Half of each message is that of the one before, twice; far apart, too.
const related = (i) => Buffer.concat([pattern(700, i), pattern(700, i + 1),
	pattern(700, i), Buffer.from(json(20))]);

test('windows', async (t) => {
	const h = await serveEcho(t, { routes: Object.fromEntries(
	    [9, 10, 11, 12, 13, 14, 15].flatMap((n) => [
		[`/kept/${n}`, `${kept}  deflate_server_bits = ${n}
			deflate_client_bits = ${n}`],
		[`/fresh/${n}`, `${on}  deflate_server_bits = ${n}
			deflate_client_bits = ${n}`]])) });

	for (const n of [9, 10, 11, 12, 13, 14, 15]) {
		// What does not fit is noticed by our decompressor.
		await t.test(`of ${n} bits, kept`, async (t) => {
			const s = await open(t, h, `/kept/${n}`,
			    { extensions: `${NAME}; client_max_window_bits` });
			const sizes = [];

			for (let i = 0; i < 5; i++)
				sizes.push((await roundtrip(s, BINARY,
				    related(i))).packed);
			// All of it is within the smallest window.
			for (let i = 0; i < 3; i++)
				sizes.push((await roundtrip(s, BINARY,
				    pattern(100, 77))).packed);
			assert.ok(sizes.at(-3) > 100, `${sizes}`);
			assert.ok(sizes.at(-2) < 20, `${sizes}`);
			assert.ok(sizes.at(-1) < 20, `${sizes}`);
		});
		await t.test(`of ${n} bits, fresh for each`, async (t) => {
			const s = await open(t, h, `/fresh/${n}`,
			    { extensions: `${NAME}; client_max_window_bits` });
			const sizes = [];

			for (let i = 0; i < 5; i++)
				await roundtrip(s, BINARY, related(i));
			for (let i = 0; i < 3; i++)
				sizes.push((await roundtrip(s, TEXT,
				    json(3))).packed);
			assert.equal(sizes[0], sizes[2]);
		});
		await t.test(`of ${n} bits, as the client asks`, async (t) => {
			const s = await open(t, h, '/kept/15', { extensions:
			    `${NAME}; server_max_window_bits=${n}; ` +
			    `client_max_window_bits=${n}` });

			for (let i = 0; i < 5; i++)
				await roundtrip(s, BINARY, related(i));
		});
	}
	await t.test('ours kept, theirs not', async (t) => {
		const s = await open(t, h, '/kept/15', { extensions:
		    `${NAME}; client_no_context_takeover` });
		const first = await roundtrip(s, TEXT, json(3));

		assert.ok((await roundtrip(s, TEXT, json(3))).packed <
		    first.packed / 2);
		// As without takeover, so it may not refer to the last one.
		await s.send(frame(TEXT, hex('f2 00 11 00 00'), RSV1));
		await s.closedWith(1007);
	});
	await t.test('theirs kept, ours not', async (t) => {
		const s = await open(t, h, '/kept/15', { extensions:
		    `${NAME}; server_no_context_takeover` });
		const first = await roundtrip(s, TEXT, 'Hello');

		// The example of RFC 7692 section 7.2.3.2.
		await s.send(frame(TEXT, hex('f2 00 11 00 00'), RSV1));
		const m = await s.message();

		assert.equal(m.data.toString(), 'Hello');
		assert.equal(m.packed, first.packed);
	});
	await t.test('uncompressed messages are not in them', async (t) => {
		const s = await open(t, h, '/kept/15', { extensions: NAME });

		await roundtrip(s, TEXT, 'Hello');
		await s.echo(TEXT, 'World');
		await s.send(frame(TEXT, hex('f2 00 11 00 00'), RSV1));
		assert.equal((await s.message()).data.toString(), 'Hello');
	});
	await t.test('empty ones do not disturb them', async (t) => {
		const s = await open(t, h, '/kept/15', { extensions: NAME });

		for (const data of ['Hello', '', 'Hello', '', json(3), '',
			json(3)])
			await roundtrip(s, TEXT, data);
	});
	await t.test('more than a window, and back', async (t) => {
		const s = await open(t, h, '/kept/9',
		    { extensions: `${NAME}; client_max_window_bits` });

		for (const data of [json(300), json(3), json(600), json(3)])
			await roundtrip(s, TEXT, data);
	});
});

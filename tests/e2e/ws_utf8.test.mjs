// SPDX-License-Identifier: BSD-2-Clause
// Text is UTF-8 (RFC 3629), and what is not is refused where it is not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { BINARY, closing, CONT, fragments, frame, open, piecewise, PING, PONG,
    same, serveEcho, TEXT, text } from './lib/websocket.mjs';

const routes = { '/echo': 'max_message = 64k', '/large': 'max_message = 1m' };
const hex = (s) => Buffer.from(s.replaceAll(' ', ''), 'hex');

const valid = [
	['ASCII', hex('48 65 6c 6c 6f')],
	['NUL and DEL', hex('00 7f')],
	['the least and most of two bytes', hex('c2 80 df bf')],
	['the least and most of three bytes', hex('e0 a0 80 ef bf bf')],
	['the neighbours of surrogates', hex('ed 9f bf ee 80 80')],
	['the least and most of four bytes', hex('f0 90 80 80 f4 8f bf bf')],
	['no characters, but code points',
		hex('ef b7 90 ef bf be f0 9f bf bf')],
	['a byte order mark', hex('ef bb bf 41')],
	['Greek', Buffer.from('κόσμε')],
	['all sorts', Buffer.from('a©…𝄞ñ漢字👩‍👩‍👧‍👦z')],
];

test('valid', async (t) => {
	const h = await serveEcho(t, { routes });
	const s = await open(t, h);
	const is = async (data) => {
		const m = await s.message();

		assert.equal(m.opcode, TEXT);
		same(m.data, data);
	};

	for (const [name, data] of valid)
		await t.test(name, async () => {
			await s.echo(TEXT, data);
			// Fragments cut at every byte: two, and one for each.
			for (let i = 0; i <= data.length; i++) {
				await s.send(fragments(TEXT,
				    [data.subarray(0, i), data.subarray(i)]));
				await is(data);
			}
			await s.send(fragments(TEXT,
			    [...data].map((b) => Buffer.from([b]))));
			await is(data);
		});
	await t.test('pings between the bytes of a character', async () => {
		const data = Buffer.from('𝄞');

		for (const [i, b] of data.entries())
			await s.send(frame(i === 0 ? TEXT : CONT,
			    Buffer.from([b]), { fin: i === 3 }),
			    frame(PING, 'p'));
		for (let i = 0; i < 3; i++)
			await s.expect(PONG);
		await is(data);
		await s.expect(PONG);
	});
	await t.test('byte by byte', async (t) => {
		const pace = await open(t, h);
		const data = Buffer.from('a©…𝄞z');

		await piecewise(s, text(data), pace);
		await is(data);
	});
	await t.test('a large one', async () => {
		await s.echo(TEXT, '…'.repeat(21845));
	});
	await t.test('binary may be anything', async () => {
		await s.echo(BINARY, hex('ff fe c0 80 ed a0 80'));
		await s.send(fragments(BINARY, [hex('c3'), hex('28')]));
		assert.deepEqual((await s.message()).data, hex('c3 28'));
	});
	await t.test('and pings may', async () => {
		await s.send(frame(PING, hex('ff c0 80')));
		assert.deepEqual(await s.expect(PONG), hex('ff c0 80'));
	});
});

// Name, bytes, and the place of the first that can't be where it is.
const invalid = [
	['a continuation byte alone', '80', 0],
	['another', 'bf', 0],
	['one behind a whole character', '41 c3 a9 80', 3],
	['C0: NUL written as two bytes', 'c0 80', 0],
	['C1: DEL written as two bytes', 'c1 bf', 0],
	['E0 80: two bytes as three', 'e0 80 80', 1],
	['E0 9F: two bytes as three', 'e0 9f bf', 1],
	['F0 80: three bytes as four', 'f0 80 80 80', 1],
	['F0 8F: three bytes as four', 'f0 8f bf bf', 1],
	['ED A0: the first surrogate', 'ed a0 80', 1],
	['ED BF: the last surrogate', 'ed bf bf', 1],
	['a pair of surrogates', 'ed a0 bd ed b8 80', 1],
	['F4 90: above U+10FFFF', 'f4 90 80 80', 1],
	['F5', 'f5 80 80 80', 0],
	['F8: five bytes', 'f8 88 80 80 80', 0],
	['FC: six bytes', 'fc 84 80 80 80 80', 0],
	['FE', 'fe', 0],
	['FF', '41 42 43 ff', 3],
	['two bytes of which one is ASCII', 'c3 28', 1],
	['three bytes of which the last is ASCII', 'e2 82 28', 2],
	['three bytes of which two are', 'e2 28 a1', 1],
	['four bytes of which the last is ASCII', 'f0 9f 98 28', 3],
	['four bytes of which a new one starts', 'f0 9f f0 9f 98 80', 2],
	['behind much ASCII', `${'41'.repeat(100)} ff`, 100],
	['between words of ASCII',
		`${'41'.repeat(61)} c0 80 ${'41'.repeat(70)}`, 61],
	['behind much else', `${'c3a9'.repeat(100)} ed a0 80`, 201],
];

test('invalid: 1007', async (t) => {
	const h = await serveEcho(t, { routes });
	const refused = async (t, ...bytes) => {
		const s = await open(t, h);

		await s.send(...bytes);
		await s.closedWith(1007);
		s.destroy();
	};

	for (const [name, bytes, at] of invalid)
		await t.test(name, async (t) => {
			const data = hex(bytes);
			const until = data.subarray(0, at + 1);

			await refused(t, text(data));
			for (let i = Math.max(at - 4, 0); i <= at + 1; i++)
				await refused(t, fragments(TEXT,
				    [data.subarray(0, i), data.subarray(i)]));
			// Without its end: in a fragment, in a frame.
			await refused(t, text(until, { fin: false }));
			await refused(t, text(until.subarray(0, at),
			    { fin: false }), frame(CONT, until.subarray(at),
			    { fin: false, length: 1000 }));
			await refused(t, text(until, { length: 60000 }));
		});
	for (const [name, bytes] of [['two', 'c3'], ['three', 'e2 82'],
		['four', '41 f0 9f 98']])
		await t.test(`an end inside ${name} bytes`, async (t) => {
			const s = await open(t, h);

			await refused(t, text(hex(bytes)));
			await refused(t, fragments(TEXT, [hex(bytes), '']));
			// Not before it has ended.
			await s.send(text(hex(bytes), { fin: false }));
			await s.roundtrip();
			await s.send(frame(CONT));
			await s.closedWith(1007);
		});
	await t.test('what came before it comes back', async (t) => {
		const s = await open(t, h);

		await s.send(text('fine'), text(hex('ff')), text('not seen'),
		    closing(1000));
		assert.equal((await s.message()).data.toString(), 'fine');
		await s.closedWith(1007);
	});
	for (const at of [60_000, 66_000, 500_001, 999_999])
		await t.test(`at byte ${at} of a large one`, async (t) => {
			const s = await open(t, h, '/large');
			const data = Buffer.alloc(1_000_000, 'x');

			data[at] = 0xff;
			await s.send(text(data));
			await s.closedWith(1007);
		});
	await t.test('byte by byte', async (t) => {
		const pace = await open(t, h), s = await open(t, h);

		await piecewise(s, text(hex('41 ed a0 80 41 41')), pace);
		await s.closedWith(1007);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// Frames of RFC 6455 section 5: those to send, right or wrong; and those that
// come from a server, which must be right.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';

export const CONT = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

/* -- to send -- */

const sizeOf = (length) => length < 126 ? 0 : length < 65536 ? 2 : 8;

/*
 * A client's frame.  rsv: the three bits as a number; key: 4 bytes, or null
 * for a frame that is not masked; length: the one to announce; size: bytes to
 * write it in, 0 (in the second byte), 2 or 8.
 */
export function frame(opcode, payload = '', options = {}) {
	const data = Buffer.from(payload);
	const { fin = true, rsv = 0, key = randomBytes(4) } = options;
	const length = BigInt(options.length ?? data.length);
	const size = options.size ?? sizeOf(length);
	const head = Buffer.alloc(2 + size);
	const short = { 0: Number(length), 2: 126, 8: 127 }[size];

	head[0] = (fin ? 0x80 : 0) | rsv << 4 | opcode;
	head[1] = (key ? 0x80 : 0) | short;
	if (size === 2)
		head.writeUInt16BE(Number(length), 2);
	if (size === 8)
		head.writeBigUInt64BE(length, 2);
	for (let i = 0; key && i < data.length; i++)
		data[i] ^= key[i & 3];
	return Buffer.concat([head, key ?? Buffer.alloc(0), data]);
}

export const text = (s, options) => frame(TEXT, s, options);
export const binary = (b, options) => frame(BINARY, b, options);

// One message in as many frames as there are parts; first and rest: options of
// the first frame and of the others.
export const fragments = (opcode, parts, first = {}, rest = {}) =>
	Buffer.concat(parts.map((p, i) => frame(i === 0 ? opcode : CONT, p, {
		fin: i === parts.length - 1, ...(i === 0 ? first : rest) })));

export function closePayload(code, reason = '') {
	const b = Buffer.alloc(2);

	b.writeUInt16BE(code);
	return Buffer.concat([b, Buffer.from(reason)]);
}

export const closing = (code, reason, options) =>
	frame(CLOSE, closePayload(code, reason), options);

/* -- from a server -- */

// Codes that may be sent (section 7.4).
const mayClose = (code) => (code >= 1000 && code <= 1003) ||
	(code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

// The first frame in b: { fin, rsv1, opcode, payload, size }, or null when more
// is needed.  Throws for one that no server may send.
export function parseFrame(b) {
	if (b.length < 2)
		return null;
	const [first, second] = b;
	const opcode = first & 15, short = second & 127;
	const size = 2 + (short < 126 ? 0 : short === 126 ? 2 : 8);

	assert.equal(first & 0x30, 0, 'RSV2 and RSV3 are not set');
	assert.ok([CONT, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode),
	    `opcode ${opcode} is known`);
	assert.equal(second & 128, 0, 'a server does not mask');
	assert.ok(opcode < CLOSE || (first & 0x80 && short < 126),
	    'a control frame is short and whole');
	if (b.length < size)
		return null;
	const length = short < 126 ? short : short === 126 ?
	    b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));

	assert.ok(short < 126 || length >= (short === 126 ? 126 : 65536),
	    'a length is as short as it can be');
	if (b.length < size + length)
		return null;
	return { fin: (first & 0x80) !== 0, rsv1: (first & 0x40) !== 0, opcode,
		payload: b.subarray(size, size + length), size: size + length };
}

// What a close says: { code, reason }.
export function parseClose(payload) {
	if (payload.length === 0)
		return { code: 1005, reason: '' };
	assert.ok(payload.length >= 2, 'a close has no code or a whole one');
	const code = payload.readUInt16BE(0), reason = payload.subarray(2);

	assert.ok(mayClose(code), `code ${code} may be sent`);
	assert.ok(isUtf8(reason), 'a reason is UTF-8');
	return { code, reason: reason.toString() };
}

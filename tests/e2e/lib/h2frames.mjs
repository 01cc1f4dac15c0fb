// SPDX-License-Identifier: BSD-2-Clause
// A client of HTTP/2 that sends whatever frames it is told to, and says which
// came back; heads are literals of HPACK, unless bytes are given.
import net from 'node:net';
import { within } from './hostd.mjs';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'latin1');

export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4,
    PUSH_PROMISE = 5, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIO = 32;
export const NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2,
    FLOW_CONTROL_ERROR = 3, STREAM_CLOSED = 5, FRAME_SIZE_ERROR = 6,
    CANCEL = 8, COMPRESSION_ERROR = 9, ENHANCE_YOUR_CALM = 11;

export function frame(type, flags, id, payload = Buffer.alloc(0)) {
	const head = Buffer.alloc(9);

	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(id >>> 0, 5);
	return Buffer.concat([head, payload]);
}

function string(s) {
	const b = Buffer.from(s, 'latin1');

	if (b.length < 127)
		return Buffer.concat([Buffer.from([b.length]), b]);
	const n = [127];
	let left = b.length - 127;

	for (; left >= 128; left = left >>> 7)
		n.push(left % 128 + 128);
	n.push(left);
	return Buffer.concat([Buffer.from(n), b]);
}

// Literal fields without indexing.
export const block = (fields) => Buffer.concat(fields.flatMap(([n, v]) =>
	[Buffer.from([0]), string(n), string(v)]));

export const pseudo = (path = '/', method = 'GET') => [[':method', method],
	[':scheme', 'http'], [':authority', 'a'], [':path', path]];

export const u32 = (...n) => {
	const b = Buffer.alloc(4 * n.length);

	n.forEach((x, i) => b.writeUInt32BE(x >>> 0, 4 * i));
	return b;
};

export const headers = (id, fields, flags = END_HEADERS | END_STREAM) =>
	frame(HEADERS, flags, id, block(fields));
export const get = (id, path, ...more) => headers(id,
    [...pseudo(path), ...more]);
export const setting = (id, value) =>
	Buffer.concat([Buffer.from([id >> 8, id & 255]), u32(value)]);

export class Frames {
	frames = [];
	waiting = [];
	rest = Buffer.alloc(0);
	closed = false;

	constructor(socket) {
		this.socket = socket;
		socket.on('data', (d) => this.feed(d));
		for (const what of ['end', 'close', 'error'])
			socket.on(what, () => {
				this.closed = true;
				this.look();
			});
	}

	static async connect(t, port, { preface = true, settings = [] } = {}) {
		const s = net.connect({ port, host: '127.0.0.1' });

		t.after(() => s.destroy());
		await within(new Promise((resolve, reject) => {
			s.on('connect', resolve);
			s.on('error', reject);
		}), 'connection');
		s.setNoDelay(true);
		const c = new Frames(s);

		if (preface)
			c.send(PREFACE, frame(SETTINGS, 0, 0,
			    Buffer.concat(settings.map((x) => setting(...x)))));
		return c;
	}

	send(...bytes) {
		if (!this.socket.destroyed)
			this.socket.write(Buffer.concat(bytes));
	}

	feed(d) {
		this.rest = Buffer.concat([this.rest, d]);
		while (this.rest.length >= 9) {
			const n = this.rest.readUIntBE(0, 3);

			if (this.rest.length < 9 + n)
				break;
			this.frames.push({ type: this.rest[3],
			    flags: this.rest[4],
				id: this.rest.readUInt32BE(5) & 0x7fffffff,
				payload: this.rest.subarray(9, 9 + n) });
			this.rest = this.rest.subarray(9 + n);
		}
		this.look();
	}

	look() {
		this.waiting = this.waiting.filter(({ fn, resolve }) => {
			const found = this.frames.find(fn);

			if (found === undefined && !this.closed)
				return true;
			resolve(found);
			return false;
		});
	}

	// The first frame so far, or to come, for which fn holds; undefined:
	// the connection has ended without one.
	first(fn, what = 'frame') {
		return within(new Promise((resolve) => {
			this.waiting.push({ fn, resolve });
			this.look();
		}), what);
	}

	frame(type, id) {
		return this.first((f) => f.type === type &&
		    (id === undefined || f.id === id),
		    `frame ${type} of ${id}`);
	}

	ended() {
		return this.closed ? undefined : within(new Promise((resolve) =>
			this.waiting.push({ fn: () => false, resolve })),
			    'close');
	}

	// { reset: code } of a stream, { goaway: code }, { answered: true }, or
	// {} when the connection ends without a word.
	async outcome(id) {
		const f = await this.first((x) => x.type === GOAWAY ||
		    (x.id === id &&
		    (x.type === RST_STREAM || x.type === HEADERS)),
		    `outcome of ${id}`);

		if (f === undefined)
			return {};
		if (f.type === HEADERS)
			return { answered: true };
		return f.type === GOAWAY ?
		    { goaway: f.payload.readUInt32BE(4) } :
		    { reset: f.payload.readUInt32BE(0) };
	}
}

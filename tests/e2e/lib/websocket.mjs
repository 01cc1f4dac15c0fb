// SPDX-License-Identifier: BSD-2-Clause
// hostd with ws_echo, and a WebSocket client that sends any bytes it is told to
// and takes none that RFC 6455 and RFC 7692 do not allow.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { Deflater, Inflater } from './deflate.mjs';
import { atEnd, startHostd, within } from './hostd.mjs';
import { parseAnswer } from './http1.mjs';
import { BINARY, CLOSE, CONT, frame, parseClose, parseFrame, PING, PONG, TEXT }
    from './ws_frame.mjs';

export * from './ws_frame.mjs';

const WAIT_MS = 60_000;	// a hang, not a slow machine
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// The same bytes; says where they begin to differ.
export function same(got, want) {
	if (got.equals(want))
		return;
	const at = want.findIndex((b, i) => got[i] !== b);

	assert.fail(`${got.length} bytes came, not ${want.length}; they ` +
	    `differ at ${at < 0 ? want.length : at}`);
}

/* -- handshakes -- */

export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/*
 * The request of a handshake.  headers: what differs from a good one; undefined
 * leaves it out, a list is as many headers.
 */
export function handshake(path = '/echo', options = {}) {
	const { method = 'GET', version = '1.1', headers = {}, body = '' } =
	    options;
	const all = { Host: '127.0.0.1', Upgrade: 'websocket',
		Connection: 'Upgrade', 'Sec-WebSocket-Key': SAMPLE_KEY,
		'Sec-WebSocket-Version': '13', ...headers };
	const lines = Object.entries(all).flatMap(([name, value]) =>
	    [value ?? []].flat().map((v) => `${name}: ${v}`));

	return [`${method} ${path} HTTP/${version}`, ...lines, '', body]
	    .join('\r\n');
}

export const acceptOf = (key) =>
	createHash('sha1').update(key + GUID).digest('base64');

// Sec-WebSocket-Extensions as [{ name, params: { name: value or true } }].
export const parseExtensions = (value) => value.split(',').map((one) => {
	const [name, ...params] = one.split(';').map((s) => s.trim());

	return { name, params: Object.fromEntries(params.map((p) => {
		const [k, v = true] = p.split('=').map((s) => s.trim());

		return [k, v === true ? v : v.replace(/^"(.*)"$/, '$1')];
	})) };
});

export class Socket {
	closed = false;		// the server's FIN or a reset has come
	error;
	answered;		// the handshake's answer, once it is a 101
	#in = Buffer.alloc(0);
	#frames = [];
	#broken;		// the server broke a rule
	#fragmented = false;
	#closing = false;
	#waiting = new Set();

	static async connect(t, where) {
		const s = new Socket();

		s.socket = net.connect({ port: where.port, host: '127.0.0.1',
			allowHalfOpen: true });
		s.socket.on('data', (d) => {
			s.#in = s.#in.length ? Buffer.concat([s.#in, d]) : d;
			s.#look();
		});
		s.socket.on('end', () => { s.closed = true; s.#look(); });
		s.socket.on('error', (e) => {
			s.closed = true;
			s.error = e.code;
			s.#look();
		});
		atEnd(t, () => s.destroy());
		await within(new Promise((resolve, reject) => {
			s.socket.once('connect', resolve);
			s.socket.once('error', reject);
		}), 'connection');
		s.socket.setNoDelay(true);
		return s;
	}

	#look() {
		try {
			while (this.answered && !this.#broken && this.#take())
				;
		} catch (e) {
			this.#broken = e;
		}
		for (const f of [...this.#waiting])
			f();
	}

	// Rules about what follows what.
	#check(f) {
		assert.ok(!this.#closing, 'nothing comes behind a close');
		this.#closing = f.opcode === CLOSE;
		if (f.opcode === CLOSE)
			parseClose(f.payload);
		if (f.rsv1)
			assert.ok(this.extension &&
			    (f.opcode === TEXT || f.opcode === BINARY),
			    'RSV1 is for messages of compressed sessions');
		if (f.opcode >= CLOSE)
			return;
		assert.equal(f.opcode === CONT, this.#fragmented,
		    'a continuation, and only that, follows a fragment');
		this.#fragmented = !f.fin;
	}

	#take() {
		const f = parseFrame(this.#in);

		if (f) {
			this.#in = this.#in.subarray(f.size);
			this.#check(f);
			this.#frames.push(f);
		}
		return f !== null;
	}

	// Until test() gives something; an error when the server has ended, or
	// has broken a rule, before.
	#until(test, what) {
		return within(new Promise((resolve, reject) => {
			const look = () => {
				let v;

				try {
					v = test();
					if (!v && this.#broken)
						throw this.#broken;
					if (!v && this.closed)
						throw new Error(`${this.error ??
						    'FIN'} before ${what}`);
				} catch (e) {
					this.#waiting.delete(look);
					reject(e);
					return;
				}
				if (!v)
					return;
				this.#waiting.delete(look);
				resolve(v);
			};

			this.#waiting.add(look);
			look();
		}), what, WAIT_MS).catch((e) => {
			e.message += ` (got ${this.unread} frames and ` +
			    `${this.#in.length} bytes: ${JSON.stringify(
			    this.#in.subarray(0, 300).toString('latin1'))})`;
			throw e;
		});
	}

	// Resolves when the kernel, or our queue of the socket, has the bytes.
	send(...bytes) {
		return new Promise((resolve) => {
			this.socket.write(Buffer.concat(bytes.map((b) =>
			    Buffer.from(b))), () => resolve());
		});
	}

	// The next answer of HTTP; frames from a 101 on.
	async answer(options) {
		const r = await this.#until(() => parseAnswer(
		    this.#in.toString('latin1'),
		    { closed: this.closed, ...options }), 'an answer');

		this.#in = this.#in.subarray(r.end);
		if (r.status === 101)
			this.#opened(r);
		return r;
	}

	#opened(r) {
		const value = r.headers['sec-websocket-extensions']?.[0];

		this.answered = r;
		if (value) {
			const [e, ...more] = parseExtensions(value);

			assert.deepEqual([e.name, more],
			    ['permessage-deflate', []]);
			this.extension = e.params;
			this.inflater = new Inflater(e.params);
			this.deflater = new Deflater(e.params);
		}
		this.#look();
	}

	// How many frames have come and were not asked for.
	get unread() {
		return this.#frames.length;
	}

	async next() {
		return this.#until(() => this.#frames.shift(), 'a frame');
	}

	// The payload of the next frame, which has that opcode.
	async expect(opcode) {
		const f = await this.next();

		assert.equal(f.opcode, opcode, `its payload is ${JSON.stringify(
		    f.payload.subarray(0, 40).toString('latin1'))}`);
		return f.payload;
	}

	// The next message, which no control frames interrupt: { opcode, data,
	// packed: its size on the wire if it was compressed }.
	async message() {
		const parts = [await this.next()];
		const [{ opcode, rsv1 }] = parts;

		assert.ok(opcode === TEXT || opcode === BINARY,
		    `a message, not opcode ${opcode}: ${JSON.stringify(
		    parts[0].payload.toString('latin1'))}`);
		while (!parts.at(-1).fin)
			parts.push(await this.next());
		const raw = Buffer.concat(parts.map((p) => p.payload));

		assert.ok(!rsv1 || raw.length > 0,
		    'what is compressed is not empty (RFC 7692, 7.2.3.6)');
		const data = rsv1 ? this.inflater.inflate(raw) : raw;

		assert.ok(opcode === BINARY || isUtf8(data), 'text is UTF-8');
		return { opcode, data, packed: rsv1 ? raw.length : undefined };
	}

	// Until it closes: { code, reason }.
	async closing() {
		return parseClose(await this.expect(CLOSE));
	}

	// Until that many bytes have come, which are not looked at.
	async skip(n) {
		const parts = [];
		let got = 0;

		this.#in = Buffer.alloc(0);
		await within(new Promise((resolve, reject) => {
			const take = (d) => {
				got += d.length;
				if (got >= n)
					resolve(this.socket.off('data', take));
			};

			parts.push(...this.socket.listeners('data'));
			this.socket.removeAllListeners('data').on('data', take);
			this.socket.once('close', () => reject(
			    new Error(`closed after ${got} of ${n} bytes`)));
			this.socket.resume();
		}), `${n} bytes`);
		assert.equal(got, n);
		for (const f of parts)
			this.socket.on('data', f);
	}

	// Until it has closed the connection; nothing was left to read.
	async end() {
		await this.#until(() => this.closed, 'the end');
		if (this.#broken)
			throw this.#broken;
		assert.equal(this.unread, 0, 'no frames before the end');
		assert.equal(this.#in.length, 0, 'no part of one, either');
	}

	// It closes with that code, then the connection, and resets nothing.
	async closedWith(code) {
		const c = await this.closing();

		assert.equal(c.code, code);
		await this.end();
		assert.equal(this.error, undefined);
		return c;
	}

	// When this returns, what was sent before has been read, and what is to
	// come of it has come.
	async roundtrip() {
		const mark = randomBytes(8);

		await this.send(frame(PING, mark));
		assert.deepEqual(await this.expect(PONG), mark);
	}

	// Send a message, as it is, and get it back.
	async echo(opcode, data) {
		await this.send(frame(opcode, data));
		const m = await this.message();

		assert.equal(m.opcode, opcode);
		same(m.data, Buffer.from(data));
		return m;
	}

	// No more from us.
	finish() {
		this.socket.end();
	}

	destroy() {
		this.socket.destroy();
	}
}

/* -- both -- */

// Ask for an upgrade; the socket and the answer.
export async function upgrade(t, where, path, options) {
	const s = await Socket.connect(t, where);

	await s.send(handshake(path, options));
	return { s, r: await s.answer() };
}

// A WebSocket that is open.  extensions: the header of that name.
export async function open(t, where, path = '/echo', options = {}) {
	const { extensions, headers, ...more } = options;
	const { s, r } = await upgrade(t, where, path, { ...more, headers: {
		'Sec-WebSocket-Extensions': extensions, ...headers } });

	assert.equal(r.status, 101, r.body);
	assert.deepEqual(r.headers['sec-websocket-accept'],
	    [acceptOf(SAMPLE_KEY)]);
	return s;
}

/*
 * Send bytes in pieces of that size.  pace is another WebSocket of the same
 * worker: its turn comes between two of ours, so each piece is a read of its
 * own.
 */
export async function piecewise(s, bytes, pace, size = 1) {
	for (let i = 0; i < bytes.length && !s.closed; i += size) {
		await s.send(bytes.subarray(i, i + size));
		await pace.roundtrip();
	}
}

// Until the clock has moved that far; the server is kept talking meanwhile,
// over a WebSocket that is good for nothing else.
export async function pass(s, ms) {
	const until = performance.now() + ms;

	while (performance.now() < until)
		await s.roundtrip();
}

// How many WebSockets the server has, by worker.
export const websockets = async (h) =>
	(await h.workers()).map((w) => w.websockets);

// Until it has that many.
export const untilWebsockets = (h, n) => h.workersSatisfy((ws) =>
	ws.reduce((sum, w) => sum + w.websockets, 0) === n, `${n} WebSockets`);

/*
 * hostd with ws_echo.  routes: { path: keys of its block websocket }; echo:
 * keys of the plugin; conf: more, perhaps a pool (one worker without).  Time
 * limits that none of these name are out of the way.
 */
export function serveEcho(t, options = {}) {
	const { routes = { '/echo': '' }, echo = '', conf = '',
	    module = 'ws_echo.so' } = options;
	const has = (block) => new RegExp(`^\\s*${block} {`, 'm').test(conf);

	return startHostd(t, { ...options, conf: `
		${/^\s*pool /m.test(conf) ? '' : 'pool "web" { workers = 1 }'}
		${has('websocket') ? '' : `websocket { message_timeout = 1h
			ping_interval = 0  close_timeout = 1h }`}
		${has('http') ? '' : `http { head_timeout = 1h
			idle_timeout = 1h  send_timeout = 1h }`}
		plugin "echo" { module = "${module}"  ${echo} }
		${Object.entries(routes).map(([path, keys]) =>
		    `route "${path}" { plugin = "echo"
			websocket { ${keys} } }`).join('\n')}
		${conf}` });
}

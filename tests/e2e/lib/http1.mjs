// SPDX-License-Identifier: BSD-2-Clause
// A client that shows every byte: one connection, answers taken apart one by
// one, in the order they come.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { atEnd, startHostd, within } from './hostd.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

const CRLF = '\r\n';

// { status, version, headers: { lower-case name: [values] } }
function parseHead(text) {
	const [first, ...lines] = text.split(CRLF);
	const m = /^(HTTP\/1\.[01]) (\d{3}) (.*)$/.exec(first);

	if (!m)
		throw new Error(`not a status line: ${JSON.stringify(first)}`);
	const headers = {};

	for (const line of lines) {
		const [, name, value] = /^([^\s:]+): ?(.*)$/.exec(line) ?? [];

		if (name === undefined)
			throw new Error(
			    `not a header: ${JSON.stringify(line)}`);
		(headers[name.toLowerCase()] ??= []).push(value);
	}
	return { version: m[1], status: Number(m[2]), reason: m[3], headers };
}

// Behind the last chunk: { trailers: ["name: value"], end }; null: more.
function parseTrailers(text, from) {
	const trailers = [];

	for (let at = from;;) {
		const eol = text.indexOf(CRLF, at);

		if (eol < 0)
			return null;
		if (eol === at)
			return { trailers, end: at + 2 };
		trailers.push(text.slice(at, eol));
		at = eol + 2;
	}
}

// The decoded body and how many characters it took; null: more is needed, which
// more() is told.
function parseChunks(text, from, more) {
	const parts = [];

	for (let at = from;;) {
		const eol = text.indexOf(CRLF, at);

		if (eol < 0)
			return null;
		const digits = text.slice(at, eol);

		if (!/^[0-9a-f]+$/i.test(digits))
			throw new Error(
			    `not a chunk size: ${JSON.stringify(digits)}`);
		const size = parseInt(digits, 16);

		if (size === 0) {
			const t = parseTrailers(text, eol + 2);

			return t && { body: parts.join(''), chunks: parts,
			    ...t };
		}
		const end = eol + 2 + size;

		if (text.length < end + 2)
			return more(end + 2);
		if (text.slice(end, end + 2) !== CRLF)
			throw new Error('a chunk is longer than it says');
		parts.push(text.slice(eol + 2, end));
		at = end + 2;
	}
}

// The first whole answer in text: { ..., body, end } or null.  more() is told,
// if it is known, how long text has to be before that can be another.
export function parseAnswer(text, { head = false, closed = false,
	more = () => null } = {}) {
	const stop = text.indexOf(CRLF + CRLF);

	if (stop < 0)
		return null;
	const r = parseHead(text.slice(0, stop));
	const from = stop + 4;
	const length = r.headers['content-length']?.[0];

	r.raw = text.slice(0, from);
	if (head || r.status < 200 || r.status === 204 || r.status === 304)
		return { ...r, body: '', end: from };
	if (r.headers['transfer-encoding']) {
		const c = parseChunks(text, from, more);

		return c && { ...r, ...c };
	}
	if (length !== undefined) {
		const end = from + Number(length);

		return text.length < end ? more(end) :
		    { ...r, body: text.slice(from, end), end };
	}
	return closed ? { ...r, body: text.slice(from), end: text.length,
		toClose: true } : more(Infinity);
}

export class Client {
	#parts = [];		// what no answer has taken
	#length = 0;
	#waiting = new Set();
	closed = false;		// the peer's FIN or a reset has come
	error;

	// { port, host } or { path }
	static async connect(where) {
		const options = typeof where === 'number' ?
		    { port: where, host: '127.0.0.1' } : where;
		const c = new Client();

		c.socket = net.connect({ ...options, allowHalfOpen: true });
		c.socket.setEncoding('latin1');
		c.socket.on('data', (d) => {
			c.#parts.push(d);
			c.#length += d.length;
			c.#look();
		});
		c.socket.on('end', () => {
			c.closed = true;
			// A reset right behind data is told as an end, but has
			// no peer; nor has the last one of two ends.
			if (options.port && !c.socket.writableEnded &&
			    c.socket.remotePort === undefined)
				c.error ??= 'ECONNRESET';
			c.#look();
		});
		c.socket.on('error', (e) => {
			c.closed = true;
			c.error = e.code;
			c.#look();
		});
		// We may have left ourselves: nobody needs to wait any more.
		c.socket.on('close', () => {
			c.closed = true;
			c.#look();
		});
		await within(new Promise((resolve, reject) => {
			c.socket.once('connect', resolve);
			c.socket.once('error', reject);
		}), 'connection');
		c.socket.setNoDelay(true);
		return c;
	}

	#look() {
		for (const f of [...this.#waiting])
			f();
	}

	// Until test() gives something true.
	#until(test, what) {
		return within(new Promise((resolve, reject) => {
			const look = () => {
				try {
					const v = test();

					if (!v)
						return;
					resolve(v);
				} catch (e) {
					reject(e);
				}
				this.#waiting.delete(look);
			};

			this.#waiting.add(look);
			look();
		}), what).catch((e) => {
			e.message += ` (got ${JSON.stringify(
			    this.unread.slice(0, 300))})`;
			throw e;
		});
	}

	get unread() {
		if (this.#parts.length > 1)
			this.#parts = [this.#parts.join('')];
		return this.#parts[0] ?? '';
	}

	// Resolves when the kernel, or our queue of the socket, has the bytes.
	send(bytes) {
		return new Promise((resolve) => {
			this.socket.write(Buffer.isBuffer(bytes) ? bytes :
			    Buffer.from(bytes, 'latin1'), () => resolve());
		});
	}

	// The next answer, 1xx included.
	async next({ head = false } = {}) {
		let least = 0;
		const more = (n) => {
			least = n;
			return null;
		};
		const r = await this.#until(() => {
			const a = this.#length < least && !this.closed ? null :
			    parseAnswer(this.unread,
				{ head, closed: this.closed, more });

			if (!a && this.closed)
				throw new Error(
				    `closed (${this.error ?? 'FIN'}) before an answer`);
			return a;
		}, 'answer');

		this.#parts = [this.unread.slice(r.end)];
		this.#length -= r.end;
		return r;
	}

	// Until there are n bytes that no answer has taken.
	async bytes(n) {
		await this.#until(() => this.#length >= n || this.closed,
		    `${n} bytes`);
		return this.unread;
	}

	// Until the peer has closed; what came before it and was not read.
	async end() {
		await this.#until(() => this.closed, 'close');
		return this.unread;
	}

	// No more from us.
	finish() {
		this.socket.end();
	}

	destroy() {
		this.socket.destroy();
	}
}

const built = new Map();

// The path of one of tests/plugins, built once for this file.
export function plugin(name) {
	if (!built.has(name)) {
		const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'plugin-'));

		fs.chmodSync(dir, 0o755);
		process.on('exit', () => fs.rmSync(dir, { recursive: true }));
		built.set(name, buildPlugin(dir, name, testPlugin(name)));
	}
	return built.get(name);
}

const connections = new WeakMap();

/*
 * startHostd, with one worker unless conf has a pool, and conf a function of
 * the plugin's file.  Connections that connect() makes are closed before the
 * server is stopped: it waits for those that are open.
 */
export async function serve(t, name, conf, options = {}) {
	const so = await plugin(name);
	const text = conf(so);
	const all = new Set();

	connections.set(t, all);
	const h = await startHostd(t, { ...options, conf:
	    (/^\s*pool /m.test(text) ? '' : 'pool "web" { workers = 1 }\n') +
	    text });

	atEnd(t, () => {
		for (const c of all)
			c.destroy();
	});
	return h;
}

// show_route on "/", and whatever http says.
export const serveShow = (t, http = '', conf = '', options = {}) =>
	serve(t, 'show_route', (so) => `
		http { ${http} }
		plugin "show" { module = "${so}" }
		route "/" { plugin = "show" }
		${conf}`, options);

// Close it with the others.
export function track(t, c) {
	connections.get(t).add(c);
	return c;
}

export const connect = async (t, where) =>
	track(t, await Client.connect(where));

export const get = (path, ...more) =>
	[`GET ${path} HTTP/1.1`, 'Host: a', ...more, '', ''].join(CRLF);

export const post = (path, body, ...more) =>
	[`POST ${path} HTTP/1.1`, 'Host: a', `Content-Length: ${body.length}`,
		...more, '', body].join(CRLF);

export const chunked = (path, parts, ...more) =>
	[`POST ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked',
		...more, '', ...parts.flatMap((p) => [p.length.toString(16),
		    p]),
		'0', '', ''].join(CRLF);

// One request over a connection of its own; its answer, parsed.
export async function ask(t, where, path, ...headers) {
	const c = await connect(t, where);

	await c.send(get(path, 'Connection: close', ...headers));
	const r = await c.next();

	c.destroy();
	if (r.headers['content-type']?.[0] === 'application/json')
		r.json = JSON.parse(r.body);
	return r;
}

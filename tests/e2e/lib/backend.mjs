// SPDX-License-Identifier: BSD-2-Clause
<<<<<<< HEAD
// A server behind hostd that forgives nothing: it keeps the exact bytes of every
// request, says what is wrong with them, and answers by script.
import { listen } from './net.mjs';
import { within } from './hostd.mjs';

const CRLF = '\r\n';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// What an intermediary must not pass on, or says itself (RFC 9110 7.6.1).
const HOP = ['keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];

// Header lines, as { name: [values] }; what is wrong goes to errors.
function parseLines(lines, errors) {
	const headers = {};

	for (const line of lines) {
		const m = /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(line);

		if (!m || !TOKEN.test(m[1])) {
			errors.push(`not a header: ${JSON.stringify(line)}`);
			continue;
		}
		// eslint-disable-next-line no-control-regex
		if (/[\x00-\x08\x0a-\x1f\x7f]/.test(m[2]))
			errors.push(`not a value: ${JSON.stringify(line)}`);
		(headers[m[1].toLowerCase()] ??= []).push(m[2]);
	}
	return headers;
}

function checkHead(r, errors) {
	const { headers } = r;

	if (!r.method || !TOKEN.test(r.method))
		errors.push(`not a method: ${r.line}`);
	if (!/^\/[!-~]*$/.test(r.target ?? ''))
		errors.push(`not origin-form: ${r.line}`);
	if (headers.host?.length !== 1)
		errors.push(`Host: ${headers.host}`);
	for (const name of ['content-length', 'transfer-encoding'])
		if (headers[name]?.length > 1)
			errors.push(`${name} comes twice`);
	if (headers['content-length'] && headers['transfer-encoding'])
		errors.push('both lengths');
	if (!/^(0|[1-9]\d*)$/.test(headers['content-length']?.[0] ?? '0'))
		errors.push(`Content-Length: ${headers['content-length']}`);
	if ((headers['transfer-encoding']?.[0] ?? 'chunked') !== 'chunked')
		errors.push(`Transfer-Encoding: ${headers['transfer-encoding']}`);
	if (!headers.upgrade)
		for (const name of HOP)
			if (headers[name])
				errors.push(`${name} belongs to a connection`);
}

// The chunks behind from: { parts, trailers, end }; null: not all is there.
function parseChunks(text, from, errors) {
	const parts = [];

	for (let at = from;;) {
		const eol = text.indexOf(CRLF, at);
		const size = text.slice(at, eol);

		if (eol < 0)
			return null;
		if (!/^[0-9a-fA-F]{1,8}$/.test(size)) {
			errors.push(`not a chunk size: ${JSON.stringify(size)}`);
			return { parts, trailers: {}, end: text.length };
		}
		const n = parseInt(size, 16);

		at = eol + 2;
		if (n === 0) {
			const end = text.startsWith(CRLF, at) ? at :
			    text.indexOf(CRLF + CRLF, at) + 2;

			if (end === 1 || text.length < at + 2)
				return null;
			return { parts, end: end + 2, trailers: end === at ? {} :
				parseLines(text.slice(at, end - 2).split(CRLF),
				    errors) };
		}
		if (text.length < at + n + 2)
			return null;
		if (text.slice(at + n, at + n + 2) !== CRLF)
			errors.push('a chunk does not end where it says');
		parts.push(text.slice(at, at + n));
		at += n + 2;
	}
}

/*
 * The first request of text, latin1: { line, method, target, headers, body,
 * trailers, raw, errors }; null: it is not complete.
 */
export function parseRequest(text) {
	const stop = text.indexOf(CRLF + CRLF);

	if (stop < 0)
		return null;
	const errors = [];
	const [line, ...lines] = text.slice(0, stop).split(CRLF);
	const m = /^(\S+) (\S+) HTTP\/1\.[01]$/.exec(line);
	const r = { line, method: m?.[1], target: m?.[2], errors,
		headers: parseLines(lines, errors), trailers: {} };
	let end = stop + 4;

	checkHead(r, errors);
	if (r.headers['transfer-encoding']) {
		const c = parseChunks(text, end, errors);

		if (!c)
			return null;
		r.body = c.parts.join('');
		r.trailers = c.trailers;
		end = c.end;
	} else {
		const n = Number(r.headers['content-length']?.[0] ?? 0) || 0;

		if (text.length < end + n)
			return null;
		r.body = text.slice(end, end + n);
		end += n;
	}
	r.raw = text.slice(0, end);
	return r;
}

export const plain = (body, ...headers) =>
	['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers, '',
		body].join(CRLF);

/*
 * recorder(t, script): script(request, socket) gives the bytes of the answer (a
 * string of latin1), or null when it sends for itself.  What comes of it:
 *   requests   complete ones, in order, each with the number of its connection
 *   cut        what came on connections that ended in the middle of a request
 *   errors     of all of them
 */
export async function recorder(t, script = () => plain('ok'), where) {
	const b = { requests: [], cut: [], connections: 0, script };
	const waiting = new Set();
	const told = () => { for (const f of [...waiting]) f(); };
	const server = await listen(t, (s) => {
		const connection = b.connections++;
		let text = '';

		s.setEncoding('latin1');
		s.on('data', async (d) => {
			text += d;
			for (let r; (r = parseRequest(text)) !== null;) {
				text = text.slice(r.raw.length);
				r.connection = connection;
				b.requests.push(r);
				told();
				const bytes = await b.script(r, s);

				if (bytes !== null && bytes !== undefined)
					s.write(Buffer.from(bytes, 'latin1'));
			}
		});
		s.on('end', () => s.end());
		s.on('close', () => {
			if (text !== '')
				b.cut.push(text);
			told();
		});
	}, where);

	Object.assign(b, { port: server.port, host: server.host, server });
	Object.defineProperty(b, 'errors', { get: () => b.requests.flatMap(
	    (r) => r.errors.map((e) => `${e} in ${JSON.stringify(r.raw)}`)) });
	// Until pred(b) holds.
	b.until = (pred, what) => within(new Promise((resolve) => {
		const look = () => {
			if (!pred(b))
				return;
			waiting.delete(look);
			resolve();
		};

		waiting.add(look);
		look();
	}), what);
	return b;
}

// hostd in front of one server, or of several.
export const upstreamConf = (servers, keys = '', proxy = '') => `
	upstream "app" {
		${[servers].flat().map((s) =>
		    `server "127.0.0.1:${s.port ?? s}" { }`).join('\n')}
		${keys}
	}
	plugin "proxy" { module = "http_proxy.so" ${proxy} }
	route "/" { plugin = "proxy"  upstream = "app" }
`;
=======
// A server to stand behind hostd that shows every byte: requests are taken apart
// as they come, and answers are whatever the test writes.
import net from 'node:net';
import { atEnd } from './hostd.mjs';
import { serve } from './http1.mjs';

const CRLF = '\r\n';

// What a request's head says: { method, target, headers, lines }.
function parseHead(text) {
	const [first, ...lines] = text.split(CRLF);
	const [method, target, version] = first.split(' ');
	const headers = {};

	for (const line of lines) {
		const [, name, value] = /^([^\s:]+): ?(.*)$/.exec(line);

		(headers[name.toLowerCase()] ??= []).push(value);
	}
	return { method, target, version, headers, lines };
}

// Bytes of one connection, in order, to whoever waits for them.
class Reader {
	#text = '';
	#waiting = null;
	closed = false;

	constructor(socket) {
		socket.setEncoding('latin1');
		socket.on('data', (d) => { this.#text += d; this.#waiting?.(); });
		for (const what of ['end', 'close', 'error'])
			socket.on(what, () => {
				this.closed = true;
				this.#waiting?.();
			});
	}

	// What take(text) gives, once it gives { value, used }; null at the end.
	async next(take) {
		for (;;) {
			const got = take(this.#text);

			if (got) {
				this.#text = this.#text.slice(got.used);
				return got.value;
			}
			if (this.closed)
				return null;
			await new Promise((r) => { this.#waiting = r; });
			this.#waiting = null;
		}
	}

	line() {
		return this.next((s) => {
			const at = s.indexOf(CRLF);

			return at < 0 ? null :
			    { value: s.slice(0, at), used: at + 2 };
		});
	}

	bytes(n) {
		return this.next((s) => s.length < n ? null :
		    { value: s.slice(0, n), used: n });
	}

	// Whatever is there, at least one byte.
	some() {
		return this.next((s) => s.length === 0 ? null :
		    { value: s, used: s.length });
	}

	head() {
		return this.next((s) => {
			const at = s.indexOf(CRLF + CRLF);

			return at < 0 ? null :
			    { value: parseHead(s.slice(0, at)), used: at + 4 };
		});
	}
}

// The body of a request: { body, trailers }; null: it was cut short.
async function readBody(reader, headers) {
	const parts = [], trailers = [];

	if (headers['content-length']) {
		const body = await reader.bytes(Number(headers['content-length'][0]));

		return body === null ? null : { body, trailers };
	}
	if (!headers['transfer-encoding'])
		return { body: '', trailers };
	for (;;) {
		const size = parseInt(await reader.line() ?? '', 16);

		if (Number.isNaN(size))
			return null;
		if (size === 0)
			break;
		parts.push(await reader.bytes(size));
		if (await reader.line() !== '')
			return null;
	}
	for (let line; (line = await reader.line()) !== '';) {
		if (line === null)
			return null;
		trailers.push(line);
	}
	return { body: parts.join(''), trailers };
}

/*
 * Start one.  answer(q) is called when a request's head is there, with
 *
 *	q.method, q.target, q.headers, q.lines	of it
 *	q.read()	its body: { body, trailers }, or null
 *	q.reader, q.socket
 *
 * and gives the bytes of the answer, or null: it has written itself.  The body
 * is read before the answer is sent, unless early.
 */
export async function startBackend(t, answer, { early = false } = {}) {
	const sockets = new Set();
	const b = { requests: [], connections: 0, sockets };
	const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
		const reader = new Reader(socket);

		b.connections++;
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
		for (;;) {
			const q = await reader.head();

			if (q === null)
				break;
			let read = null;

			Object.assign(q, { reader, socket,
				read: () => read ??= readBody(reader, q.headers) });
			b.requests.push(q);
			if (!early)
				Object.assign(q, await q.read());
			const bytes = await answer(q, b);

			if (bytes === null)
				return;
			socket.write(bytes, 'latin1');
			await q.read();
		}
		socket.end();
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	b.port = server.address().port;
	b.close = () => new Promise((resolve) => {
		server.close(resolve);
		for (const s of sockets)
			s.destroy();
	});
	atEnd(t, b.close);
	return b;
}

// An answer's bytes; a body has a length unless the headers frame it.
export const reply = (status, body = '', ...headers) =>
	[`HTTP/1.1 ${status} X`, ...headers,
		...headers.some((h) => /^(transfer-encoding|content-length|connection: close)/i
		    .test(h)) ? [] : [`Content-Length: ${body.length}`],
		'', body].join(CRLF);

// What the server got, as an answer that tells it.
export const tell = (q) => reply(200, JSON.stringify({ method: q.method,
	target: q.target, headers: q.headers, body: q.body,
	trailers: q.trailers }), 'Content-Type: application/json');

// http_proxy on "/" (or route) in front of those servers.
export function serveProxy(t, backends, keys = '', { route = '/', group = '',
	http = '', conf = '', options = {} } = {}) {
	const servers = backends.map((b) =>
	    `server "127.0.0.1:${typeof b === 'number' ? b : b.port}" { }`);

	return serve(t, 'show_route', () => `
		http { ${http} }
		upstream "app" { ${group}
			${servers.join('\n')} }
		plugin "proxy" { module = "http_proxy.so"
			${keys} }
		route "${route}" { plugin = "proxy"  upstream = "app" }
		${conf}`, options);
}
>>>>>>> 061433b (http_proxy: its manual, a sample, and tests of heads and errors)

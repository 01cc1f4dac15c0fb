// SPDX-License-Identifier: BSD-2-Clause
// A server to stand behind hostd that shows every byte: requests are taken
// apart as they come, and answers are whatever the test writes.
import { once } from 'node:events';
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
		socket.on('data', (d) => { this.#text += d;
		    this.#waiting?.(); });
		for (const what of ['end', 'close', 'error'])
			socket.on(what, () => {
				this.closed = true;
				this.#waiting?.();
			});
	}

	// What take(text) gives, once it gives { value, used }; null at the
	// end.
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
		const body = await reader.bytes(
		    Number(headers['content-length'][0]));

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
 * is read before the answer is sent, unless early.  where: { host, port }, or {
 * path }.  Requests are kept in b.requests, unless forgetful.
 */
export async function startBackend(t, answer, { early = false, where,
	forgetful = false } = {}) {
	const sockets = new Set();
	const b = { requests: [], connections: 0, sockets };
	const server = net.createServer({ allowHalfOpen: true },
	    async (socket) => {
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
				read: () => read ??= readBody(reader,
				    q.headers) });
			if (!forgetful)
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

	server.listen({ ...(where?.path ? {} : { port: 0, host: '127.0.0.1' }),
		...where });
	await once(server, 'listening');
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
		...headers.some((h) =>
		    /^(transfer-encoding|content-length|connection: close)/i
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

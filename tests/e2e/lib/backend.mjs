// SPDX-License-Identifier: BSD-2-Clause
// A server behind hostd that forgives nothing: it keeps the exact bytes of
// every request, says what is wrong with them, and answers by script.
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
			errors.push(
			    `not a chunk size: ${JSON.stringify(size)}`);
			return { parts, trailers: {}, end: text.length };
		}
		const n = parseInt(size, 16);

		at = eol + 2;
		if (n === 0) {
			const end = text.startsWith(CRLF, at) ? at :
			    text.indexOf(CRLF + CRLF, at) + 2;

			if (end === 1 || text.length < at + 2)
				return null;
			return { parts, end: end + 2, trailers: end === at ?
			    {} :
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

// SPDX-License-Identifier: BSD-2-Clause
// Node's client of HTTP/2, with prior knowledge.
import http2 from 'node:http2';
import { atEnd, within } from './hostd.mjs';
import { serve } from './http1.mjs';

// Answers as flow_route is told to, below /flow/; else "hello".
export const serveFlow = (t, http = '', { conf = '', ...options } = {}) =>
	serve(t, 'flow_route', (so) => `
	${conf}
	http { h2c = on  ${http} }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello" }`, options);

export class Client {
	constructor(session) {
		this.session = session;
		this.goaway = new Promise((r) => session.once('goaway', r));
		this.closed = new Promise((r) => session.once('close', r));
		session.on('error', () => {});
	}

	// A stream, whose answer's head has not come.
	open(path, headers = {}, options = {}) {
		return this.session.request({ ':path': path, ...headers },
		    options);
	}

	// One request to its end: { status, headers, trailers, infos, body }.
	ask(path, headers = {}, body) {
		const s = this.open(path, headers,
		    { endStream: body === undefined });

		if (body !== undefined)
			s.end(body);
		return answerOf(s);
	}
}

export function answerOf(s) {
	const parts = [], a = { infos: [], trailers: {} };

	return within(new Promise((resolve, reject) => {
		s.on('headers', (h) => a.infos.push(h));
		s.on('response', (h) => {
			a.status = h[':status'];
			a.headers = h;
		});
		s.on('trailers', (h) => { a.trailers = { ...h }; });
		s.on('data', (d) => parts.push(d));
		s.on('error', reject);
		s.on('end', () => {
			a.bytes = Buffer.concat(parts);
			a.body = a.bytes.toString('latin1');
		});
		s.on('close', () =>
		    s.rstCode === http2.constants.NGHTTP2_NO_ERROR ?
		    resolve(a) : reject(new Error(`reset: ${s.rstCode}`)));
	}), 'answer');
}

export async function connect(t, h, options = {}) {
	const session = http2.connect(options.url ?? h.url, options);
	const c = new Client(session);

	// The server waits for those that are open when it is stopped.
	atEnd(t, () => session.destroy());
	await within(new Promise((resolve, reject) => {
		session.once('remoteSettings', resolve);
		session.once('error', reject);
	}), 'settings');
	return c;
}

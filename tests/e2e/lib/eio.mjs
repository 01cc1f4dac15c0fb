// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO (revision 4) with nothing between: requests, payloads and frames as
// they are on the wire.
import assert from 'node:assert/strict';
import { atEnd } from './hostd.mjs';
import { Client } from './http1.mjs';
import { handshake, Socket, TEXT, text } from './websocket.mjs';

const CRLF = '\r\n';
const SEPARATOR = '\x1e';
export const PATH = '/socket.io/';

export const target = (query, path = PATH) => path +
    (typeof query === 'string' ? query : `?${new URLSearchParams(query)}`);

const utf8 = (text) => Buffer.from(text, 'latin1').toString();

/*
 * Send a request over a connection of its own: { answer, abort, client }.
 * query: of the target, or all behind the path.  The answer has text, and json
 * where it is that.
 */
export async function request(t, where, { method = 'GET', query = {}, path,
	headers = {}, body } = {}) {
	const client = await Client.connect(where.port);
	const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
	const all = { Host: 'a', Connection: 'close', ...body === undefined ?
	    {} : { 'Content-Length': bytes.length }, ...headers };
	const lines = Object.entries(all).filter(([, v]) => v !== undefined)
	    .map(([k, v]) => `${k}: ${v}`);

	atEnd(t, () => client.destroy());
	await client.send(Buffer.concat([Buffer.from([`${method} ${target(query,
	    path)} HTTP/1.1`, ...lines, '', ''].join(CRLF)), bytes]));
	const answer = client.next({ head: method === 'HEAD' }).then((r) => ({
		...r, text: utf8(r.body),
		json: r.body && r.headers['content-type']?.[0] ===
		    'application/json' ? JSON.parse(r.body) : undefined }));

	// Who asks for it hears of it; others do not mind.
	answer.catch(() => {});
	return { client, answer, abort: () => client.destroy() };
}

export const ask = async (t, where, what) =>
	(await request(t, where, what)).answer;

// The answer is one of these errors.
export function failed(r, code, message, status = 400) {
	assert.equal(r.status, status);
	assert.deepEqual(r.json, { code, message });
}

export const unknownSession = (r) => failed(r, 1, 'Session ID unknown');

// A session over polling.
export class Polling {
	constructor(t, where, r) {
		Object.assign(this, { t, where, opened: JSON.parse(
		    r.text.slice(1)) });
		this.sid = this.opened.sid;
	}

	static async open(t, where, { query = {}, ...what } = {}) {
		const r = await ask(t, where, { query: { EIO: 4,
			transport: 'polling', ...query }, ...what });

		assert.equal(r.status, 200, r.text);
		assert.equal(r.text[0], '0');
		return new Polling(t, where, r);
	}

	// One that is in the main namespace, or that one: its id is p.id.
	static async connect(t, where, nsp = '') {
		const p = await Polling.open(t, where);

		await p.join(nsp);
		return p;
	}

	async join(nsp = '') {
		await this.post(`40${nsp && `${nsp},`}`);
		for (let done = false; !done;)
			for (const v of await this.get()) {
				if (v === '2') {
					await this.post('3');
					continue;
				}
				assert.match(v, /^40/);
				this.id = JSON.parse(/\{.*/.exec(v)[0]).sid;
				done = true;
			}
	}

	get query() {
		return { EIO: 4, transport: 'polling', sid: this.sid };
	}

	request(what = {}) {
		return request(this.t, this.where,
		    { query: this.query, ...what });
	}

	async ask(what) {
		return (await this.request(what)).answer;
	}

	// The packets of the next poll.
	async get() {
		const r = await this.ask();

		assert.equal(r.status, 200, r.text);
		return r.text.split(SEPARATOR);
	}

	// Packets until there are n of them.
	async take(n) {
		const all = [];

		while (all.length < n)
			all.push(...await this.get());
		assert.equal(all.length, n);
		return all;
	}

	send(packets, headers) {
		return this.ask({ method: 'POST', headers: { 'Content-Type':
		    'text/plain;charset=UTF-8', ...headers },
		    body: [packets].flat().join(SEPARATOR) });
	}

	async post(...packets) {
		const r = await this.send(packets);

		assert.deepEqual([r.status, r.text], [200, 'ok']);
	}

	// It works: what is sent comes back.
	async works(v = 'works') {
		await this.post(`42["echo","${v}"]`);
		assert.deepEqual(await this.get(), [`42["echo","${v}"]`]);
	}

	// It has ended.
	async isOver() {
		unknownSession(await this.ask());
	}
}

// The handshake of a WebSocket: { s, r }.
export async function ask101(t, where, query, { headers, path } = {}) {
	const s = await Socket.connect(t, where);

	await s.send(handshake(target(query, path), { headers }));
	return { s, r: await s.answer() };
}

// The next packet that is text.
export const packet = async (s) => (await s.expect(TEXT)).toString();

// A WebSocket of that session, or of a new one: its s.opened.
export async function webSocket(t, where, sid, query = {}) {
	const { s, r } = await ask101(t, where, { EIO: 4,
		transport: 'websocket', ...sid && { sid }, ...query });

	assert.equal(r.status, 101, r.body);
	if (!sid) {
		const open = await packet(s);

		assert.equal(open[0], '0');
		s.opened = JSON.parse(open.slice(1));
	}
	s.say = (...packets) => s.send(...packets.map((p) => text(p)));
	return s;
}

// One that is in the main namespace: its id is s.id.
export async function webSocketConnected(t, where) {
	const s = await webSocket(t, where);

	await s.say('40');
	s.id = JSON.parse((await packet(s)).slice(2)).sid;
	return s;
}

// It works: what is sent comes back.
export async function works(s, v = 'works') {
	await s.say(`42["echo","${v}"]`);
	assert.equal(await packet(s), `42["echo","${v}"]`);
}

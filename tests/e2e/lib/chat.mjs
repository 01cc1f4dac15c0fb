// SPDX-License-Identifier: BSD-2-Clause
// hostd with ws_chat, and people who chat.
import assert from 'node:assert/strict';
import { atEnd, startHostd, within } from './hostd.mjs';
import { npm } from './npm.mjs';

const { WebSocket } = npm('ws');

// keys: of the plugin; route: in the route's block; conf: more.  Unless conf has
// a block pubsub, nobody is left out of an answer for being slow.
export const chatConf = ({ workers = 1, keys = '', route = '', conf = '' }) => `
	pool "web" { workers = ${workers} }
	plugin "chat" { module = "ws_chat.so"  ${keys} }
	route "/chat" { plugin = "chat"  ${route} }
	${/^\s*pubsub \{/m.test(conf) ? '' : 'pubsub { query_timeout = 1h }'}
	${conf}`;

export const startChat = (t, options = {}) =>
	startHostd(t, { ...options, conf: chatConf(options) });

// What is no object is one of type "other".
function parse(data, binary) {
	let m;

	try {
		m = binary ? undefined : JSON.parse(data.toString());
	} catch {
		// Others may publish what they like.
	}
	return typeof m?.type === 'string' ? m :
	    { type: 'other', data, binary };
}

// One connection.  What has come waits until it is asked for.
export class Person {
	unread = [];
	#waiting = new Set();

	static async open(t, where, path = '/chat', headers = {}) {
		const p = new Person();

		p.socket = new WebSocket(`ws://127.0.0.1:${where.port}${path}`,
		    { headers });
		atEnd(t, () => p.socket.terminate());
		p.socket.on('message', (data, binary) => {
			p.unread.push(parse(data, binary));
			p.#look();
		});
		p.socket.on('close', (code) => {
			p.closed = code;
			p.#look();
		});
		p.socket.on('error', () => {});
		p.welcome = await p.next('welcome');
		p.pid = Number(/^\w+\.\d+ pid (\d+)$/.exec(
		    p.welcome.worker)[1]);
		return p;
	}

	#look() {
		for (const f of [...this.#waiting])
			f();
	}

	until(test, what) {
		return within(new Promise((resolve, reject) => {
			const look = () => {
				const v = test();

				if (v === undefined &&
				    this.closed === undefined)
					return;
				this.#waiting.delete(look);
				if (v !== undefined)
					resolve(v);
				else
					reject(new Error(`closed (${this.closed
					    }) before ${what}`));
			};

			this.#waiting.add(look);
			look();
		}), what).catch((e) => {
			e.message += ` (unread: ${JSON.stringify(this.unread)
			    .slice(0, 1000)})`;
			throw e;
		});
	}

	// The first unread message of that type that test() likes.
	next(type, test = () => true) {
		return this.until(() => {
			const i = this.unread.findIndex((m) =>
			    m.type === type && test(m));

			return i < 0 ? undefined : this.unread.splice(i, 1)[0];
		}, `a message of type ${type}`);
	}

	// Until it is closed; the code.
	end() {
		return within(new Promise((resolve) => {
			const look = () => this.closed !== undefined &&
			    resolve(this.closed);

			this.#waiting.add(look);
			look();
		}), 'the end');
	}

	send(type, more = {}) {
		this.socket.send(JSON.stringify({ type, ...more }));
	}

	// Until it is in; the history.
	async join(room, name) {
		this.send('join', { room, name });
		await this.next('joined', (m) => m.room === room &&
		    (name === undefined || m.name === name));
		return (await this.next('history',
		    (m) => m.room === room)).messages;
	}

	// Until it has heard itself.
	async say(room, text) {
		this.send('message', { room, text });
		return this.next('message', (m) => m.room === room &&
		    m.text === text);
	}

	hears(text) {
		return this.next('message', (m) => m.text === text);
	}

	async list(room) {
		this.send('list', { room });
		return (await this.next('members', (m) => m.room === room))
		    .names.sort();
	}

	// A request that is refused; a string or bytes are sent as they are.
	async refused(request) {
		this.socket.send(typeof request === 'string' ||
		    Buffer.isBuffer(request) ? request :
		    JSON.stringify(request));
		const e = await this.next('error');

		assert.equal(typeof e.text, 'string');
		return e.code;
	}

	async close() {
		this.socket.close();
		await this.end();
	}
}

export const texts = (messages) => messages.map((m) => m.text);

// Connections, one to each of n workers.
export async function oneOnEach(t, where, n) {
	const all = new Map();

	await within((async () => {
		while (all.size < n) {
			const p = await Person.open(t, where);

			if (all.has(p.pid))
				p.socket.terminate();
			else
				all.set(p.pid, p);
		}
	})(), `connections to ${n} workers`);
	return [...all.values()];
}

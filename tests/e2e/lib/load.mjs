// SPDX-License-Identifier: BSD-2-Clause
// Clients that ask without a pause and keep a record of what fails.  The
// answers of tests/plugins/life_route say which worker has given them.
import net from 'node:net';
import { within } from './hostd.mjs';

const HEAD_END = '\r\n\r\n';

// One answer with a Content-Length out of text, or undefined.
function parse(text) {
	const end = text.indexOf(HEAD_END);

	if (end === -1)
		return undefined;
	const head = text.slice(0, end);
	const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
	const from = end + HEAD_END.length;

	if (text.length < from + length)
		return undefined;
	return {
		status: Number(head.slice(9, 12)),
		close: /^connection: close$/im.test(head),
		body: text.slice(from, from + length),
		rest: text.slice(from + length),
	};
}

// A connection that is asked one thing at a time.
export class Client {
	answered = 0;	// on this connection
	pid = 0;	// of the worker that has answered last

	constructor(port, host = '127.0.0.1') {
		this.text = '';
		this.socket = net.connect({ port, host });
		this.socket.setEncoding('latin1');
		this.socket.setNoDelay(true);
		this.socket.on('data', (d) => {
			this.text += d;
			this.settle();
		});
		this.socket.on('error', (e) => { this.cause = e.code; });
		this.ended = new Promise((resolve) =>
		    this.socket.on('close', () => {
			this.cause ??= 'closed';
			this.settle();
			resolve(this.cause);
		    }));
		this.connected = new Promise((resolve) => {
			this.socket.once('connect', resolve);
			this.socket.once('close', resolve);
		});
	}

	settle() {
		const a = this.waiter && parse(this.text);

		if (!this.waiter || (!a && !this.cause))
			return;
		const { resolve, reject } = this.waiter;

		this.waiter = undefined;
		if (!a) {
			reject(new Error(this.cause));
			return;
		}
		this.text = a.rest;
		this.answered++;
		this.pid = Number.parseInt(a.body, 10) || this.pid;
		resolve(a);
	}

	send(path = '/', close = false) {
		this.socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n` +
		    `${close ? 'Connection: close\r\n' : ''}\r\n`);
	}

	answer() {
		return within(new Promise((resolve, reject) => {
			this.waiter = { resolve, reject };
			this.settle();
		}), 'answer');
	}

	ask(path = '/', close = false) {
		this.send(path, close);
		return this.answer();
	}

	destroy() {
		this.socket.destroy();
	}
}

/*
 * Ask h from several connections until stop(), which returns what happened:
 * { answers, byPid: Map, failures: [{ pid, answered, why }] }, or until the end
 * of the test.  kind 'keep' asks USES times on a connection unless the server
 * closes it before, 'new' on a new one each time.
 */
const USES = 100;

export class Load {
	running = true;
	answers = 0;
	connections = 0;
	byPid = new Map();
	failures = [];

	constructor(h, { clients = 4, kind = 'keep', path = '/',
	    port = h.port } = {}) {
		this.port = port;
		this.kind = kind;
		this.path = path;
		this.waiting = [];
		this.all = Promise.all(Array.from({ length: clients },
		    () => this.client()));
		h.atEnd(() => this.stop());
	}

	async client() {
		while (this.running)
			await this.connection();
	}

	async connection() {
		const c = new Client(this.port);
		const once = this.kind === 'new';
		let close = false;

		this.connections++;
		try {
			do {
				const a = await c.ask(this.path, once);

				close = once || a.close;
				if (a.status !== 200)
					throw new Error(`status ${a.status}`);
				this.count(c.pid);
			} while (this.running && !close && c.answered < USES);
		} catch (e) {
			this.failures.push({ pid: c.pid, answered: c.answered,
				why: e.message });
		}
		c.destroy();
	}

	count(pid) {
		this.answers++;
		this.byPid.set(pid, (this.byPid.get(pid) ?? 0) + 1);
		this.waiting = this.waiting.filter((w) => !w());
	}

	// Until n more answers have come, or until pred() holds after one.
	more(n) {
		const pred = typeof n === 'function' ? n :
		    ((to) => () => this.answers >= to)(this.answers + n);

		return within(new Promise((resolve) => {
			this.waiting.push(() => {
				const is = pred();

				if (is)
					resolve();
				return is;
			});
		}), 'answers under load');
	}

	async stop() {
		this.running = false;
		await within(this.all, 'end of the load');
		return this;
	}
}

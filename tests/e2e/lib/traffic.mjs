// SPDX-License-Identifier: BSD-2-Clause
// HTTP clients of every kind, who talk to tests/plugins/busy_route without a
// pause and keep a record of what fails.
import assert from 'node:assert/strict';
import http from 'node:http';
import { atEnd, until, within } from './hostd.mjs';
import { Client } from './load.mjs';

const MIB = 1 << 20;
const PIECE = 64 << 10;
const SOURCE = 16 * MIB;

// What a source sends; any part of it is in here.
const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz'.repeat(8192));

const nobody = { pid: 0, version: 0 };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A body, and what busy_route says of it.
function body(size) {
	const bytes = Buffer.alloc(size);
	let sum = 0;

	for (let i = 0; i < size; i++) {
		bytes[i] = i * 7 + size;
		sum = Math.imul(sum, 31) + bytes[i] >>> 0;
	}
	return { bytes, size, sum };
}

const small = Array.from({ length: 16 }, (_, i) => body(i * 97));
const large = body(MIB);
const none = { size: 0, sum: 0 };

// "PID VERSION X SIZE SUM", which is to be of this X and this body.
function said(text, x, of = none) {
	const [pid, version, ...rest] = text.trim().split(' ').map(Number);

	assert.deepEqual(rest, [x, of.size, of.sum], text);
	return { pid, version };
}

// One who asks with Node's http.  The number of its connections is counted.
class Asker {
	connections = 0;
	x = 0;

	constructor(h) {
		this.port = h.port;
		this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	}

	// The answer, its body unread; send(request) has to end the request.
	ask(path, options, send) {
		const { agent, port } = this;

		return new Promise((resolve, reject) => {
			const r = http.request({ agent, port, host: '127.0.0.1',
				path: `/busy/${path}`, ...options }, resolve);

			r.on('socket', (s) => {
				this.connections += s !== this.socket;
				this.socket = s;
			});
			r.on('error', reject);
			send(r);
		});
	}

	async text(...args) {
		const a = await this.ask(...args);
		let text = '';

		for await (const d of a.setEncoding('latin1'))
			text += d;
		assert.equal(a.statusCode, 200, text);
		return text;
	}

	// A body of some size, with its length or chunked.
	async post(of, chunked, send = (r) => r.end(of.bytes)) {
		const headers = chunked ? { 'transfer-encoding': 'chunked' } :
		    { 'content-length': of.size };

		return said(await this.text(`sum?${++this.x}`,
		    { method: 'POST', headers }, send), this.x, of);
	}

	end() {
		this.agent.destroy();
	}
}

class Plain extends Asker {
	async round() {
		if (this.x % 3 === 2)
			return said(await this.text(`now?${++this.x}`, {},
			    (r) => r.end()), this.x);
		return this.post(small[this.x % small.length], this.x % 3);
	}
}

class Upload extends Asker {
	round() {
		return this.post(large, this.x % 2);
	}
}

class SlowUpload extends Asker {
	round() {
		return this.post(large, this.x % 2, async (r) => {
			for (let at = 0; at < MIB; at += PIECE) {
				r.write(large.bytes.subarray(at, at + PIECE));
				await pause(60);
			}
			r.end();
		});
	}
}

class Late extends Asker {
	async round() {
		return said(await this.text('late?800', {}, (r) => r.end()),
		    800);
	}
}

class SlowReader extends Asker {
	async round() {
		const a = await this.ask(`source?${SOURCE}`, {},
		    (r) => r.end());
		const [pid, version] = a.headers['x-worker'].split(' ')
		    .map(Number);
		let at = 0, next = 0;

		for await (const d of a) {
			const from = at % 26;

			assert.ok(d.equals(letters.subarray(from,
			    from + d.length)), `other bytes at ${at}`);
			at += d.length;
			if (at < next)
				continue;
			next = at + SOURCE / 32;
			await pause(40);
		}
		assert.equal(at, SOURCE);
		return { pid, version };
	}
}

// One that writes several requests at once, and some of them in pieces.
class Pipelined {
	connections = 0;
	x = 0;

	constructor(h) {
		this.port = h.port;
	}

	request(x) {
		const of = small[x % small.length];

		if (x % 3 !== 0)
			return Buffer.from(`GET /busy/now?${x} HTTP/1.1\r\n` +
			    'Host: a\r\n\r\n');
		return Buffer.concat([Buffer.from(
		    `POST /busy/sum?${x} HTTP/1.1\r\nHost: a\r\n` +
		    `Content-Length: ${of.size}\r\n\r\n`), of.bytes]);
	}

	async round() {
		if (!this.client) {
			this.client = new Client(this.port);
			this.connections++;
		}
		const { socket } = this.client;
		const from = this.x + 1;
		const all = Buffer.concat(Array.from({ length: 8 },
		    () => this.request(++this.x)));
		const cut = this.x * 37 % all.length;
		let last;

		socket.write(all.subarray(0, cut));
		await new Promise((r) => setImmediate(r));
		socket.write(all.subarray(cut));
		for (let x = from; x <= this.x; x++) {
			const a = await this.client.answer();

			assert.equal(a.status, 200);
			assert.equal(a.close, false);
			last = said(a.body, x, x % 3 === 0 ?
			    small[x % small.length] : none);
		}
		return last;
	}

	end() {
		this.client?.destroy();
		this.client = undefined;
	}
}

// A new connection for each; every second one is closed by the client.
class Fresh {
	x = 0;

	constructor(h) {
		this.port = h.port;
	}

	async round() {
		const c = new Client(this.port);

		try {
			const a = await c.ask(`/busy/now?${++this.x}`,
			    this.x % 2 === 0);

			assert.equal(a.status, 200);
			if (this.x % 2 === 0)
				assert.equal(await c.ended, 'closed');
			return said(a.body, this.x);
		} finally {
			c.destroy();
		}
	}

	end() {}
}

// How many of each at once.  Quick ones have more than one answer while a
// reload goes on, others are in the middle of something then.
const KINDS = [
	{ name: 'keep-alive', make: Plain, n: 8, quick: true },
	{ name: 'pipelined', make: Pipelined, n: 4, quick: true },
	{ name: 'new connections', make: Fresh, n: 4, quick: true },
	{ name: 'uploads', make: Upload, n: 2, quick: true },
	{ name: 'slow uploads', make: SlowUpload, n: 4 },
	{ name: 'slow answers', make: Late, n: 8 },
	{ name: 'slow readers', make: SlowReader, n: 4 },
];

/*
 * Until stop().  failures: [{ kind, pid, version, why }], with what was known of
 * the connection; those clients come again with new ones.
 */
export class Traffic {
	running = true;
	failures = [];
	reloads = 0;		// the caller's count
	least = 0;		// version that a new connection may see
	goesBack = false;	// versions may be lower again
	clients = [];

	// When all have had an answer.
	static async begin(t, h) {
		const traffic = new Traffic(h);

		atEnd(t, () => traffic.end());
		await traffic.settled(() => true);
		return traffic;
	}

	constructor(h) {
		this.kinds = KINDS.map(
		    (k) => ({ ...k, answers: 0, connections: 0,
			crossed: 0 /* reloads */ }));
		this.all = Promise.all(this.kinds.flatMap((kind) =>
		    Array.from({ length: kind.n },
		    () => this.client(kind, h))));
	}

	async client(kind, h) {
		const c = new kind.make(h);

		c.kind = kind;
		c.last = nobody;
		this.clients.push(c);
		while (this.running)
			await this.round(kind, c);
		c.end();
		kind.connections += c.connections ?? 0;
	}

	async round(kind, c) {
		const { reloads, least } = this;
		const atLeast = kind.make === Fresh ? least : c.last.version;

		try {
			const a = await within(c.round(), 'answer');

			assert.ok(a.version >= atLeast || this.goesBack,
			    `version ${a.version} after ${atLeast}`);
			c.last = a;
			kind.answers++;
			kind.crossed += this.reloads - reloads;
		} catch (e) {
			// Of a new connection nobody knows to whom it was.
			const known = kind.make === Fresh ? nobody : c.last;

			this.failures.push({ kind: kind.name, ...known,
				why: `${e.code ?? ''} ${e.message}` });
			c.end();
			c.last = nobody;
		}
	}

	// Answers by kind.
	counts() {
		return Object.fromEntries(this.kinds.filter((k) => k.quick)
		    .map((k) => [k.name, k.answers]));
	}

	// Until the last answer of all that stay connected is as it should be.
	async settled(isRight) {
		await until(() => this.clients.every(
		    (c) => c.kind.make === Fresh ||
		    (c.last.pid !== 0 && isRight(c.last))), 'answers of all');
	}

	// Whatever they are in the middle of.
	end() {
		this.running = false;
		for (const c of this.clients)
			c.end();
	}

	async stop() {
		this.running = false;
		await within(this.all, 'end of the traffic');
	}
}

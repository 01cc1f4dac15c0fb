// SPDX-License-Identifier: BSD-2-Clause
// hostd with rooms_ws, whose sockets do with channels what they are told.
import assert from 'node:assert/strict';
import { plugin } from './http1.mjs';
import { atEnd, startHostd, until, within } from './hostd.mjs';
import { npm } from './npm.mjs';

const { WebSocket } = npm('ws');

// workers in one pool; keys: of the block websocket of the route.  Where all
// are on one machine nobody is left out of an answer for being slow.
export async function startRooms(t, workers = 1, options = {}) {
	const so = await plugin('rooms_ws');
	const { keys = '', conf = '' } = options;

	return startHostd(t, { ...options, conf: `
		pool "web" { workers = ${workers} }
		plugin "rooms" { module = "${so}" }
		route "/rooms" { plugin = "rooms"  websocket { ${keys} } }
		${/pubsub_redis|^\s*pubsub \{/m.test(conf) ? '' :
		    'pubsub { query_timeout = 1h }'}
		${conf}` });
}

// One socket.  What it hears and what it is answered are told apart.
export class Member {
	heard = [];
	#answers = [];
	#past = [];
	#waiting = new Set();

	static async open(t, where) {
		const m = new Member();
		const s = m.socket = new WebSocket(
		    `ws://127.0.0.1:${where.port}/rooms`);

		atEnd(t, () => s.terminate());
		s.on('message', (data) => m.#take(data.toString()));
		s.on('close', (code) => {
			m.closed = code;
			m.#look();
		});
		await within(new Promise((resolve, reject) => {
			s.once('open', resolve);
			s.once('error', reject);
		}), 'a WebSocket');
		m.pid = Number((await m.ask('who x'))[0]);
		return m;
	}

	#take(s) {
		if (s.startsWith('= '))
			this.#answers.push(s.slice(2).split(' '));
		else if (s.startsWith('- '))
			this.#past.push(s.slice(2));
		else
			this.heard.push(s);
		this.#look();
	}

	#look() {
		for (const f of [...this.#waiting])
			f();
	}

	until(test, what) {
		return within(new Promise((resolve, reject) => {
			const look = () => {
				const v = test();

				if (!v && this.closed === undefined)
					return;
				this.#waiting.delete(look);
				if (v)
					resolve(v);
				else
					reject(new Error(`closed (${this.closed
					    }) before ${what}`));
			};

			this.#waiting.add(look);
			look();
		}), what).catch((e) => {
			e.message += ` (heard ${JSON.stringify(
			    this.heard.slice(-5))})`;
			throw e;
		});
	}

	// A command; the words of its answer behind its name.
	async ask(command) {
		const [verb] = command.split(' ');

		this.socket.send(command);
		const a = await this.until(() => this.#answers.shift(),
		    command);

		assert.equal(a[0], verb);
		return a.slice(1);
	}

	// A command that must be answered with that code.
	async do(command, code = 0) {
		assert.deepEqual(await this.ask(command), [String(code)],
		    command);
	}

	// Until it has heard that many messages; they are taken.
	async hears(n) {
		await this.until(() => this.heard.length >= n, `${n} messages`);
		return this.heard.splice(0, n);
	}

	// replay: [{ node, seq, text }]
	async replay(channel, node = 0, seq = 0) {
		await this.do(`replay ${channel} ${node} ${seq}`);
		return this.#past.splice(0).map((s) => {
			const [n, q, ...words] = s.split(' ');

			return { node: n, seq: q, text: words.join(' ') };
		});
	}

	close() {
		this.socket.terminate();
	}
}

// Sockets, one on each of n workers.
export async function oneOnEach(t, where, n) {
	const all = new Map();

	await within((async () => {
		while (all.size < n) {
			const m = await Member.open(t, where);

			if (all.has(m.pid))
				m.close();
			else
				all.set(m.pid, m);
		}
	})(), `sockets on ${n} workers`);
	return [...all.values()];
}

// Until what one publishes is heard by all of the others: word of their
// interest has got around.  What they have heard of it is taken.
export async function untilHeard(from, channel, ...others) {
	const mark = `probe-${Math.random()}`;

	await until(async () => {
		await from.do(`pub ${channel} ${mark}`);
		for (const m of others)
			await m.ask('who x');
		return others.every((m) => m.heard.includes(mark));
	}, `${channel} heard elsewhere`);
	await from.do(`pub ${channel} ${mark}-end`);
	for (const m of [from, ...others]) {
		if (m !== from)
			await m.until(() => m.heard.includes(`${mark}-end`),
			    'the last probe');
		// What was heard in that turn is here with the answer.
		await m.ask('who x');
		m.heard.length = 0;
	}
}

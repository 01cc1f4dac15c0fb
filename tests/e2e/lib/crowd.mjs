// SPDX-License-Identifier: BSD-2-Clause
// Many WebSockets at tests/plugins/busy_route.  Each says numbers and is
// answered; some say numbers to rooms, of which each member must hear all,
// once, and in order.
import assert from 'node:assert/strict';
import { atEnd, within } from './hostd.mjs';
import { npm } from './npm.mjs';

const { WebSocket } = npm('ws');

const ROOM = 25;	// members of a room, of which:
const SPEAKERS = 2;
const AT_ONCE = 3;	// messages

// A client must not be the one that all others wait for, so many sockets say
// less each: so often in a second, all of them together.
const ROUNDS = 3000;

// One who speaks to a room, a few messages at once: the next when all have
// heard those.
class Stream {
	said = 0;
	heard = 0;		// deliveries

	constructor(member, room, name, n) {
		Object.assign(this, { member, room, name, n });
	}

	speak() {
		for (let i = 0; i < AT_ONCE; i++)
			this.member.socket.send(
			    `pub ${this.room} ${this.name} ${this.said++}`);
	}

	delivered() {
		if (++this.heard === this.said * this.n)
			this.member.crowd.later(() => this.speak(), 'speaking');
	}
}

class Member {
	said = 0;
	answered = 0;
	pid = 0;
	version = 0;
	next = new Map();	// of streams

	constructor(crowd, h) {
		this.crowd = crowd;
		this.socket = new WebSocket(`ws://127.0.0.1:${h.port}/busy/ws`,
		    { perMessageDeflate: crowd.members.length % 4 === 0 });
		this.opened = new Promise((resolve, reject) => {
			this.socket.once('open', resolve);
			this.socket.once('error', reject);
		});
		this.socket.on('message', (data) => {
			try {
				this.hear(data.toString());
			} catch (e) {
				crowd.wrong.push(e.message);
			}
		});
		this.socket.on('close', (code) => {
			this.closed = code;
			crowd.closed.push({ pid: this.pid, code });
			crowd.look();
		});
	}

	say() {
		this.socket.send(`say ${++this.said}`);
	}

	hear(text) {
		const words = text.split(' ');

		if (words[0] === '=')
			this.answer(...words.slice(1).map(Number));
		else
			this.told(words[2], Number(words[3]));
		this.crowd.look();
	}

	answer(pid, version, n, x) {
		this.answered++;
		assert.deepEqual([n, x], [this.answered, this.answered],
		    `answers ${n} and ${x} for ${this.answered}`);
		assert.ok(version >= this.version,
		    `version ${version} after ${this.version}`);
		this.pid = pid;
		this.version = version;
		this.crowd.answers++;
		this.crowd.later(() => this.say(), 'talking');
	}

	told(name, i) {
		const stream = this.crowd.streams.get(name);
		const next = this.next.get(name) ?? 0;

		// Go on from there: each mistake is one.
		this.next.set(name, i + 1);
		stream.delivered();
		this.crowd.deliveries++;
		assert.equal(i, next, `${name} says ${i} instead of ${next}`);
	}
}

export class Crowd {
	members = [];
	streams = new Map();
	wrong = [];		// what was not as it must be
	closed = [];		// [{ pid, code }]
	answers = 0;
	deliveries = 0;
	talking = false;
	speaking = false;
	#waiting = new Set();

	// n of them, that talk until stop().
	static async open(t, h, n) {
		const crowd = new Crowd();

		atEnd(t, () => {
			crowd.talking = crowd.speaking = false;
			crowd.members.forEach((m) => m.socket.terminate());
		});
		while (crowd.members.length < n) {
			const some = Array.from({ length:
			    Math.min(50, n - crowd.members.length) }, () => {
				const m = new Member(crowd, h);

				crowd.members.push(m);
				return m;
			});

			await within(Promise.all(some.map((m) => m.opened)),
			    'WebSockets');
		}
		await crowd.#enter();
		return crowd;
	}

	// Everybody is in its room before the first word is said there; a few
	// hear and speak to a room of all.
	async #enter() {
		this.talking = true;
		this.members.forEach((m, i) => {
			m.room = `room${Math.floor(i / ROOM)}`;
			m.socket.send(`join ${m.room}`);
			m.socket.send('join all');
			m.say();
		});
		await this.until(() => this.members.every(
		    (m) => m.answered > 0), 'a first answer to each');
		this.members.forEach((m, i) => {
			const n = this.members.filter((o) =>
			    o.room === m.room).length;

			if (i % ROOM < SPEAKERS)
				this.#stream(m, m.room, `s${i}`, n);
			if (i < 3)
				this.#stream(m, 'all', `a${i}`,
				    this.members.length);
		});
		this.speaking = true;
		for (const s of this.streams.values())
			this.later(() => s.speak(), 'speaking');
	}

	#stream(m, room, name, n) {
		this.streams.set(name, new Stream(m, room, name, n));
	}

	// Unless that has ended meanwhile.
	later(fn, what) {
		setTimeout(() => {
			if (this[what])
				fn();
		}, (0.5 + Math.random()) * this.members.length * 1000 / ROUNDS);
	}

	look() {
		for (const f of [...this.#waiting])
			f();
	}

	until(test, what) {
		return within(new Promise((resolve) => {
			const look = () => {
				if (!test())
					return;
				this.#waiting.delete(look);
				resolve();
			};

			this.#waiting.add(look);
			look();
		}), what);
	}

	counts() {
		return { echoes: this.answers, deliveries: this.deliveries };
	}

	pids() {
		return new Set(this.members.filter(
		    (m) => m.closed === undefined)
		    .map((m) => m.pid));
	}

	// Of those still open: everything that was said has come, and nothing
	// else comes.
	async stop() {
		const open = this.members.filter((m) => m.closed === undefined);
		const streams = [...this.streams.values()];

		this.speaking = false;
		await this.until(() => this.closed.length > 0 ||
		    streams.every((s) => s.heard >= s.said * s.n),
		    'all messages of the rooms').catch((e) => {
			this.wrong.push(`${e.message}: ` + streams.filter((s) =>
			    s.heard < s.said * s.n).map((s) => `${s.name}: ` +
			    `${s.said * s.n - s.heard}`).join(', '));
		});
		this.talking = false;
		await this.until(() =>
		    open.every((m) => m.closed !== undefined ||
		    m.said === m.answered), 'the last answers');
		// What was on its way before is here with one more answer.
		for (const m of open)
			m.say();
		await this.until(() =>
		    open.every((m) => m.closed !== undefined ||
		    m.said === m.answered), 'one more answer to each');
		for (const s of streams)
			for (const m of open.filter((o) => s.room === 'all' ||
			    o.room === s.room))
				if (m.next.get(s.name) !== s.said)
					this.wrong.push(`${s.name} has said ` +
					    `${s.said}, heard up to ` +
					    `${m.next.get(s.name)}`);
	}
}

// SPDX-License-Identifier: BSD-2-Clause
// Servers behind hostd that do what each request asks them to, however wrong
// that is, and look at what comes as they do.
//
// A path is /ROUTE/ID/KIND, or /ROUTE/ID/once-KIND: only the first time, and
// the next one who is asked does well.  ?n= is how much the answer has, u= how
// much the request.  /cached.../KEY is an answer that may be kept.
import { dice } from './dice.mjs';
import { startBackend } from './proxied.mjs';

const CRLF = '\r\n';
const LONGEST = 1 << 21;

const noise = (() => {
	const roll = dice(1), words = [];

	for (let n = 0; n < 2 * LONGEST; n += words.at(-1).length)
		words.push(`${roll(100000).toString(36)}${' \r\n\t'[roll(4)]}`);
	return words.join('');
})();

export function hash(text) {
	let h = 0;

	for (let i = 0; i < text.length; i++)
		h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) + 1 | 0;
	return h >>> 0;
}

// What is said under a name: nobody else's is like it.
export function words(name, n) {
	const from = hash(name) % LONGEST;

	return `${name}:${noise.slice(from, from + n)}`;
}

export const rollFor = (seed, name) => dice(hash(name) ^ seed);

// As rude as can be: a unix socket has no reset.
const reset = (socket) => socket.remotePort === undefined ?
    socket.destroy() : socket.resetAndDestroy();

const moment = (roll) => new Promise((r) => {
	if (roll(3) > 0)
		setImmediate(r);
	else
		setTimeout(r, roll(12));
});

// One answer under way.
class Answer {
	constructor(q, id, roll, body, headers) {
		Object.assign(this, { id, roll, body, headers, socket: q.socket,
			q, isHead: q.method === 'HEAD' });
	}

	say(bytes) {
		if (!this.socket.destroyed)
			this.socket.write(bytes, 'latin1');
	}

	head(...more) {
		const [status, ...lines] = typeof more[0] === 'number' ? more :
		    [200, ...more];

		return [`HTTP/1.1 ${status} X`, `X-Id: ${this.id}`,
			'Content-Type: text/plain', ...this.headers, ...lines,
			'', ''].join(CRLF);
	}

	length(status = 200, body = this.body) {
		return this.head(status, `Content-Length: ${body.length}`) +
		    (this.isHead ? '' : body);
	}

	// The body's parts, not all alike.
	parts() {
		const { body } = this, most = 1 + this.roll(body.length);
		const parts = [];

		for (let at = 0; at < body.length; at += most)
			parts.push(body.slice(at, at + most));
		return parts.length > 50 ? [body] : parts;
	}

	chunked(parts, end = '0\r\n\r\n') {
		return [...parts.flatMap((p) => [p.length.toString(16), p]
		    .map((x) => x + CRLF)), end].join('');
	}

	// As it were sent by somebody who has other things to do.
	async slowly(bytes) {
		const n = 1 + this.roll(8);

		for (let i = 0; i < n; i++) {
			this.say(bytes.slice(Math.floor(bytes.length * i / n),
			    Math.floor(bytes.length * (i + 1) / n)));
			await moment(this.roll);
		}
	}

	// The end, rude or polite.
	leave() {
		if (this.roll(2))
			reset(this.socket);
		else
			this.socket.end();
		return null;
	}

	// Until the other side has left.
	left() {
		return new Promise((r) => {
			if (this.socket.destroyed)
				r();
			this.socket.on('close', r);
			this.socket.on('end', () => {
				this.socket.destroy();
				r();
			});
		});
	}
}

const chunkedHead = (a) => a.head('Transfer-Encoding: chunked');
const part = (a, bytes) => bytes.slice(0, -1 - a.roll(a.body.length - 1));

// What it gives: bytes that end the answer, '' when they were sent, null when
// no more is to come on this connection.
const good = {
	length: (a) => a.length(),
	chunks: (a) => chunkedHead(a) + a.chunked(a.parts()),
	trailers: (a) => a.head('Transfer-Encoding: chunked',
	    'Trailer: X-Sum') + a.chunked(a.parts(), '0\r\nX-Sum: 1\r\n\r\n'),
	empty: (a) => a.head(204),
	async slow(a) {
		await a.slowly(a.roll(2) ? a.length() :
		    chunkedHead(a) + a.chunked(a.parts()));
		return '';
	},
	hints: (a) => 'HTTP/1.1 103 Hint\r\nLink: </a>\r\n\r\n'.repeat(1 +
	    a.roll(3)) + a.length(),
	toclose(a) {
		a.socket.end(a.head('Connection: close') + a.body, 'latin1');
		return null;
	},
	// It has no more to say, and hears the rest.
	half(a) {
		a.socket.end(a.head('Connection: close',
		    `Content-Length: ${a.body.length}`) + a.body, 'latin1');
		return null;
	},
	// A kept connection that is closed without a word.
	closing(a) {
		a.socket.end(a.length(), 'latin1');
		return null;
	},
	toolong: (a) => a.length() + words('surplus', a.roll(3000)),
	// Another answer that nobody has asked for.
	twice: (a) => a.length() + a.length(),
	missing: (a) => a.length(404),
	broken: (a) => a.length(500),
	busy: (a) => a.length(503),
};

// Before a head is complete, or what is none.
const early = {
	reset(a) {
		reset(a.socket);
		return null;
	},
	fin(a) {
		a.socket.end();
		return null;
	},
	cuthead(a) {
		a.say(a.length().slice(0, 9 + a.roll(20)));
		return a.leave();
	},
	hinted(a) {
		a.say('HTTP/1.1 103 Hint\r\nA: b\r\n\r\n');
		return a.leave();
	},
	garbage: (a) => `${['\0\0\0\0garbage', 'SSH-2.0-OpenSSH',
		'HTTP/1.1 200 OK\n\n', 'HTTP/9.9 200 OK',
		'\x16\x03\x01\x02\x00\x01'][a.roll(5)]}\r\n\r\n`,
	hugehead: (a) => `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
	manyheads: () => `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(300)}\r\n`,
	manyhints: () => 'HTTP/1.1 103 Hint\r\nA: b\r\n\r\n'.repeat(200),
	lengths: (a) => a.head(`Content-Length: ${a.body.length}`,
	    'Content-Length: 1') + a.body,
	both: (a) => a.head(`Content-Length: ${a.body.length}`,
	    'Transfer-Encoding: chunked') + a.chunked(a.parts()),
	unasked: () => 'HTTP/1.1 101 Yes\r\nUpgrade: x\r\n' +
	    'Connection: upgrade\r\n\r\n',
};

// Within the body: what has begun can't be asked of another one.
const late = {
	cutlength(a) {
		a.say(part(a, a.length()));
		return a.leave();
	},
	async cutslow(a) {
		await a.slowly(part(a, a.length()));
		return a.leave();
	},
	cutchunks(a) {
		a.say(chunkedHead(a) + a.chunked(a.parts(), ''));
		return a.leave();
	},
	cutclose(a) {
		if (a.socket.remotePort === undefined)
			return late.cutlength(a);
		a.say(a.head('Connection: close') + part(a, a.body));
		reset(a.socket);
		return null;
	},
	badchunk: (a) => chunkedHead(a) + a.chunked(a.parts(), 'zzz\r\n'),
	longchunk: (a) => chunkedHead(a) + `5\r\n${a.body.slice(0, 5)}x\r\n`,
};

// Nothing comes any more: the other side has to leave, or to give up.
const hanging = {
	async hang(a) {
		await a.left();
		return null;
	},
	async hanghead(a) {
		a.say(a.length().slice(0, 9 + a.roll(20)));
		await a.left();
		return null;
	},
	async hangbody(a) {
		a.say(part(a, a.length()));
		await a.left();
		return null;
	},
	// The answer comes when nobody may want it.
	async delayed(a) {
		await new Promise((r) => setTimeout(r, 100 + a.roll(100)));
		return a.length();
	},
};

// Of requests with a body.
const uploads = {
	// Before it was read.
	early: (a) => a.length(),
	// And no more is.
	async earlyclose(a) {
		a.socket.end(a.head('Connection: close',
		    `Content-Length: ${a.body.length}`) + a.body, 'latin1');
		return null;
	},
	async slowread(a) {
		for (let i = a.roll(5); i > 0; i--) {
			a.socket.pause();
			await moment(a.roll);
			a.socket.resume();
			await moment(a.roll);
		}
		await a.q.read();
		return a.length();
	},
	async midreset(a) {
		await moment(a.roll);
		reset(a.socket);
		return null;
	},
};

const changing = (a) => 'HTTP/1.1 101 Switching Protocols\r\n' +
    `X-Id: ${a.id}\r\nUpgrade: soak\r\nConnection: Upgrade\r\n\r\n`;

const upgrades = {
	// Hears all, says all.
	async tunnel(a) {
		const want = words(`up${a.id}`, a.up);
		let got = '';

		a.say(changing(a));
		if (a.roll(2))
			await a.slowly(a.body);
		else
			a.say(a.body);
		for (let s; got.length < want.length &&
		    (s = await a.q.reader.some()) !== null;)
			got += s;
		if (!want.startsWith(got))
			a.wrong(`other bytes in the tunnel of ${a.id}`);
		a.socket.end();
		return null;
	},
	refused: (a) => a.length(403),
	cuttunnel(a) {
		a.say(changing(a) + part(a, a.body));
		return a.leave();
	},
	otherprotocol(a) {
		a.say(changing(a).replace('soak', 'other'));
		return a.leave();
	},
};

export const kinds = { good: Object.keys(good), early: Object.keys(early),
	late: Object.keys(late), hanging: Object.keys(hanging),
	uploads: Object.keys(uploads), upgrades: Object.keys(upgrades) };
const all = { ...good, ...early, ...late, ...hanging, ...uploads,
	...upgrades };

// What it may be that is asked for under a key: most are sound always.
export const isSound = (key) => hash(key) % 10 < 6;

const kept = ['length', 'chunks', 'slow', 'toclose'];
const spoiled = [...kept, 'cutlength', 'cutchunks', 'badchunk', 'reset',
	'garbage', 'broken', 'cuthead'];

/*
 * What several servers have in common: { serve(t, where), wrong: what they have
 * seen that must not be, forget(id) }.
 */
export class Faulty {
	wrong = [];
	seen = new Map();	// how often each was asked
	versions = new Map();	// of what may be kept
	healthy = new Set();	// of those whose health is asked for
	servers = [];

	constructor(seed) {
		this.seed = seed;
	}

	async serve(t, where) {
		const b = await startBackend(t, (q) => this.answer(q, b),
		    { early: true, forgetful: true, where });

		this.servers.push(b);
		return b;
	}

	// No connection is left.
	hangUp() {
		for (const b of this.servers)
			for (const s of b.sockets)
				s.destroy();
	}

	blame(text) {
		if (this.wrong.length < 20)
			this.wrong.push(text);
	}

	answer(q, b) {
		const url = new URL(q.target, 'http://a');
		const [, route, id, word = ''] = url.pathname.split('/');

		if (route === 'healthz')
			return this.healthy.has(b) ? 'HTTP/1.1 200 OK\r\n' +
			    'Content-Length: 2\r\n\r\nok' :
			    'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n';
		this.check(q, id);
		const n = Number(url.searchParams.get('n') ?? 100);

		return route.startsWith('cached') ?
		    this.keep(q, `${route}/${id}`, id, n) :
		    this.obey(q, { id, word, n, route,
			up: Number(url.searchParams.get('u') ?? 0) });
	}

	check(q, id) {
		const from = q.headers['x-from']?.[0];

		if (q.headers['x-asks']?.[0] !== id)
			this.blame(`${q.target} is asked as ` +
			    `${q.headers['x-asks']}`);
		if (q.headers['x-real-ip']?.[0] !== from)
			this.blame(`${id} comes from ${from}, not ` +
			    `${q.headers['x-real-ip']}`);
	}

	async obey(q, { id, word, n, up, route }) {
		const times = (this.seen.get(id) ?? 0) + 1;
		const first = word.startsWith('once-');
		const kind = !first ? word : times > 1 ? 'length' :
		    word.slice(5);
		const a = new Answer(q, id, rollFor(this.seed + times, id),
		    words(id, n), []);

		this.seen.set(id, times);
		Object.assign(a, { up, wrong: (text) => this.blame(text) });
		if (times > 1 && q.method === 'POST' && route !== 'unsafe')
			this.blame(`${id} was sent ${times} times`);
		if (q.method === 'POST') {
			this.verify(q, id, up);
			// Some do not wait for it.
			if (!uploads[kind] && (good[kind] || a.roll(2)) &&
			    await q.read() === null)
				return null;
		}
		return all[kind](a);
	}

	async verify(q, id, up) {
		const got = await q.read();

		if (got !== null && got.body !== words(`up${id}`, up))
			this.blame(`another request's body: ${id}`);
	}

	keep(q, name, key, n) {
		const now = this.versions.get(name) ?? 0;
		const roll = rollFor(this.seed, `${name}.${now}`);
		const age = `Cache-Control: max-age=${roll(3)}` +
		    `${roll(2) ? ', stale-while-revalidate=1' : ''}` +
		    `${roll(2) ? ', stale-if-error=1' : ''}`;

		if (q.headers['if-none-match']?.[0] === `"${now}"` && roll(2))
			return `HTTP/1.1 304 Same\r\nETag: "${now}"\r\n` +
			    `${age}\r\n\r\n`;
		const v = now + 1;
		const set = isSound(key) ? kept : spoiled;
		const a = new Answer(q, key, rollFor(this.seed, `${name}.${v}`),
		    words(`${key}.${v}`, n), [`ETag: "${v}"`,
			`X-Version: ${v}`, age]);

		this.versions.set(name, v);
		return all[set[a.roll(set.length)]](a);
	}
}

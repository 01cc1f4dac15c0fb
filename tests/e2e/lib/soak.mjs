// SPDX-License-Identifier: BSD-2-Clause
// Clients of servers that are faulty by request (faulty.mjs), who know what may
// become of what they ask for, and look at every byte that they get.
import zlib from 'node:zlib';
import { oneOf } from './dice.mjs';
import { hash, isSound, kinds, rollFor, words } from './faulty.mjs';
import { Client, parseAnswer } from './http1.mjs';
import { heard, stream } from './streams.mjs';
import { proxyV1, proxyV2 } from './tcp.mjs';

const CRLF = '\r\n';
const KEYS = 150;

// Bodies are small as a rule.
function size(roll) {
	switch (roll(12)) {
	case 0:
		return 100_000 + roll(200_000);
	case 1:
	case 2:
		return 5_000 + roll(60_000);
	default:
		return 1 + roll(3000);
	}
}

/* -- what is asked -- */

const statusOf = { missing: 404, broken: 500, busy: 503, empty: 204,
	refused: 403 };

function kindFor(roll, { route, leaves, post, upgrade }) {
	if (upgrade)
		return oneOf(roll, kinds.upgrades);
	if (leaves && roll(3) === 0 || route === 'quick' && roll(8) === 0)
		return oneOf(roll, kinds.hanging);
	if (post && roll(3) === 0)
		return oneOf(roll, kinds.uploads);
	return oneOf(roll, roll(2) ? kinds.good :
	    roll(2) ? kinds.early : kinds.late);
}

const inList = (kind) => Object.keys(kinds)
    .find((k) => kinds[k].includes(kind));

// A request: its bytes, and all that is to be known of it.
function makeRequest(roll, x) {
	const { kind } = x;
	const small = ['toolong', 'twice'].includes(kind);

	x.group = inList(kind);
	x.once = x.route !== 'quick' && roll(3) === 0 &&
	    (x.group === 'early' || kind === 'busy');
	x.n = small ? 1 + roll(3000) : size(roll);
	x.up = x.method === 'POST' ? size(roll) : 0;
	x.path = `/${x.route}/${x.id}/${x.once ? 'once-' : ''}${kind}` +
	    `?n=${x.n}&u=${x.up}`;
	x.status = x.once ? 200 : statusOf[kind] ?? 200;
	return x;
}

function makeKept(roll, x) {
	x.id = `k${roll(KEYS)}`;
	x.n = 100 + hash(x.id) % 20_000;
	x.path = `/${x.route}/${x.id}?n=${x.n}`;
	x.kind = isSound(x.id) ? 'sound' : 'spoiled';
	x.group = 'kept';
	return x;
}

function bytesOf(roll, x) {
	const lines = [`${x.method} ${x.path} HTTP/1.${x.old ? 0 : 1}`,
		'Host: a', `X-Asks: ${x.id}`, `X-From: ${x.from}`];

	if (roll(3) === 0)
		lines.push('Accept-Encoding: gzip');
	if (x.group === 'upgrades')
		lines.push('Connection: Upgrade', 'Upgrade: soak');
	x.body = '';
	if (x.method === 'POST') {
		const body = words(`up${x.id}`, x.up);
		const chunks = !x.old && roll(2);

		x.expects = !x.old && roll(4) === 0;
		if (x.expects)
			lines.push('Expect: 100-continue');
		lines.push(chunks ? 'Transfer-Encoding: chunked' :
		    `Content-Length: ${body.length}`);
		x.body = !chunks ? body : [body.slice(0, 10), body.slice(10)]
		    .filter(Boolean).map((p) => p.length.toString(16) + CRLF +
		    p + CRLF).join('') + '0\r\n\r\n';
	}
	x.head = [...lines, '', ''].join(CRLF);
	return x;
}

/* -- what may become of it -- */

// May another server be asked?
const retried = (x) => x.method !== 'POST' ||
    (x.route === 'unsafe' && x.up < 60_000);

function outcomesOf(x) {
	if (x.group === 'kept')
		return x.kind === 'sound' ? ['whole'] :
		    ['whole', 'cut', 'closed', '502', '504'];
	// Another may be asked as long as not too much was sent.
	if (x.group === 'early')
		return !x.once ? ['502'] : retried(x) ? ['whole'] :
		    x.route === 'unsafe' ? ['whole', '502'] : ['502'];
	if (x.group === 'late' || x.kind === 'cuttunnel')
		return ['cut', 'closed', '502'];
	if (x.group === 'hanging')
		return x.kind === 'delayed' ? ['whole', '504'] :
		    x.kind === 'hangbody' ? ['cut', 'closed'] : ['504'];
	// The last one that is asked may be none.
	if (x.kind === 'busy' && !(x.once && retried(x)))
		return ['whole', '502'];
	return x.kind === 'midreset' || x.kind === 'otherprotocol' ? ['502'] :
	    ['whole'];
}

function isAllowed(x, outcome, c) {
	if (outcomesOf(x).includes(outcome) || outcome === 'left')
		return true;
	// Its worker was killed.
	if (c.disturbed() && ['closed', 'cut', 'unasked'].includes(outcome))
		return true;
	// It has read the head of a request that it did not answer any more, or
	// has no more to say.
	if (c.ending && outcome === 'unasked')
		return true;
	// The reset that tells of another one's cut takes along what waits.
	if (c.pipeline?.some((y) => y.group === 'late') &&
	    ['closed', 'cut', 'unasked'].includes(outcome))
		return true;
	// Nobody may be there who waits for it (see http_half_close).
	if (c.halfClosed && outcome === 'closed')
		return true;
	// Its connection was closed as it was used again.
	if (x.method === 'POST' && outcome === '502')
		return true;
	if (x.route === 'quick')
		return ['504', '502', 'cut', 'closed'].includes(outcome);
	if (x.route === 'health')
		return ['503', '502'].includes(outcome);
	if (x.route === 'hole')
		return outcome === '504' || (x.once && outcome === '502');
	return x.route === 'nobody' && outcome === '503';
}

/* -- what has come -- */

function expected(x, r) {
	const version = r.headers['x-version']?.[0];

	if (r.status === 204 || x.method === 'HEAD')
		return '';
	return words(version ? `${x.id}.${version}` : x.id, x.n);
}

// Of a part it is what can be had.
function inflate(r, options = {}) {
	return r.body === '' || r.headers['content-encoding']?.[0] !== 'gzip' ?
	    r.body : zlib.gunzipSync(Buffer.from(r.body, 'latin1'), options)
		.toString('latin1');
}

// Of an answer that is whole: { outcome, wrong }.
function judge(x, r) {
	const id = r.headers['x-id']?.[0];

	if (id === undefined)
		return { outcome: String(r.status) };
	if (id !== x.id)
		return { outcome: 'other', wrong: `the answer of ${id}` };
	if (r.toClose && !x.old)
		return { outcome: 'other', wrong: 'no end that can be seen' };
	const body = inflate(r);

	if (body !== expected(x, r))
		return { outcome: 'other', wrong: `another body: ` +
			`${body.length} bytes, not ${expected(x, r).length}` };
	if (x.group !== 'kept' && r.status !== x.status &&
	    !(r.status === 101 && x.group === 'upgrades') &&
	    !(r.status === 503 && x.kind === 'busy'))
		return { outcome: 'other', wrong: `status ${r.status}` };
	return { outcome: 'whole' };
}

// The body as far as it came; null: no whole head has.
function parseBegin(text) {
	const stop = text.indexOf(CRLF + CRLF);
	const r = stop < 0 ? null : parseAnswer(text.slice(0, stop + 4),
	    { head: true });

	if (r === null)
		return null;
	r.body = text.slice(stop + 4);
	if (!r.headers['transfer-encoding'])
		return r;
	const parts = [];

	for (let rest = r.body; rest.includes(CRLF);) {
		const from = rest.indexOf(CRLF) + 2;
		const n = parseInt(rest, 16);

		if (!(n > 0))
			break;
		parts.push(rest.slice(from, from + n));
		rest = rest.slice(from + n + 2);
	}
	r.body = parts.join('');
	return r;
}

// Of what has ended too soon: { outcome, wrong }.
function judgeBegin(x, text) {
	let r = parseBegin(text);

	while (r !== null && r.status < 200 && r.status !== 101) {
		text = text.slice(r.end);
		r = parseBegin(text);
	}
	const id = r?.headers['x-id']?.[0];

	if (r === null || id === undefined)
		return { outcome: 'closed' };
	if (id !== x.id)
		return { outcome: 'other', wrong: `a part of ${id}'s answer` };
	if (x.method !== 'HEAD' && r.status !== 101 &&
	    !expected(x, r).startsWith(inflate(r,
		{ finishFlush: zlib.constants.Z_SYNC_FLUSH })))
		return { outcome: 'other', wrong: 'a part of something else' };
	return { outcome: 'cut' };
}

/* -- one client -- */

class Person {
	constructor(soak, n) {
		this.soak = soak;
		this.n = n;
		this.roll = rollFor(soak.seed, `c${n}`);
		this.kills = soak.kills;
		this.asked = [];
	}

	// Was a worker killed meanwhile, or just before?
	disturbed() {
		return this.kills % 2 === 1 || this.kills !== this.soak.kills;
	}

	async connect() {
		const { roll } = this;
		const { port, proxyPort } = this.soak;

		this.from = '127.0.0.1';
		if (roll(4) > 0) {
			this.c = await Client.connect(port);
			return;
		}
		this.from = `10.${roll(200)}.${roll(250)}.${1 + roll(250)}`;
		this.c = await Client.connect(proxyPort);
		this.c.send((roll(2) ? proxyV1 : proxyV2)(this.from,
		    1 + roll(60_000), '10.0.0.1', 80));
	}

	request(i, how = {}) {
		const { roll } = this;
		const route = oneOf(roll, this.soak.routes);
		const kept = route.startsWith('cached');
		const post = !kept && roll(4) === 0;
		const upgrade = !kept && !post && !how.more && !how.old &&
		    roll(12) === 0;
		const x = { id: `i${this.n}.${i}`, route, from: this.from,
			method: post ? 'POST' : roll(15) === 0 && !upgrade ?
			'HEAD' : 'GET', old: how.old };

		this.x = x;
		this.asked.push(x);
		if (kept)
			return bytesOf(roll, makeKept(roll, x));
		x.kind = kindFor(roll, { route, post, upgrade, ...how });
		// Its server would not know what to send.
		if (x.method === 'HEAD' && !['length', 'missing', 'broken',
			'empty', ...kinds.early].includes(x.kind))
			x.method = 'GET';
		return bytesOf(roll, makeRequest(roll, x));
	}

	// To the end of an answer, or what there was of it.
	async answer(x) {
		const { c } = this;

		try {
			let r;

			do {
				r = await c.next({ head: x.method === 'HEAD' });
				x.came = [...x.came ?? [], r.status];
				if (r.status === 100 && x.expects) {
					x.expects = false;
					c.send(x.body);
				}
			} while (r.status < 200 && r.status !== 101);
			if (/^close$/i.test(r.headers.connection?.[0]) ||
			    x.old || x.expects)
				this.ending = true;
			// Only a reset tells one that is old; a worker that was
			// killed sends none.
			if (r.toClose && r.headers['x-id'] && (c.error ||
			    (this.disturbed() && r.body !== expected(x, r))))
				return judgeBegin(x, r.raw + r.body);
			return r.status === 101 ? await this.tunnel(x, r) :
			    judge(x, r);
		} catch (e) {
			if (!/^closed/.test(e.message))
				throw e;
			this.ending = true;
			return judgeBegin(x, c.unread);
		}
	}

	async tunnel(x, r) {
		const { c } = this;
		const want = words(x.id, x.n);

		this.ending = true;
		if (r.headers['x-id']?.[0] !== x.id || x.group !== 'upgrades')
			return { outcome: 'other', wrong: 'another\'s tunnel' };
		c.send(words(`up${x.id}`, x.up));
		if (this.roll(2))
			c.finish();
		const text = await c.end();

		if (!want.startsWith(text))
			return { outcome: 'other', wrong: 'other bytes in it' };
		return { outcome: text === want && !c.error ? 'whole' : 'cut' };
	}

	send(x) {
		return this.c.send(x.expects ? x.head : x.head + x.body);
	}

	note(x, { outcome, wrong }) {
		this.soak.note({ kind: `${x.group} ${x.kind}`, outcome,
			wrong: wrong ?? (isAllowed(x, outcome, this) ? '' :
			    `it may not end as ${outcome} (${this.c.error}; ` +
			    `before it came ${this.asked.map((y) => y.path +
				` ${y.came}`)})`) }, x);
	}

	async inTurn() {
		const n = 1 + this.roll(5);

		for (let i = 0; i < n && !this.ending; i++) {
			const x = this.request(i);

			this.slowDown();
			this.send(x);
			this.note(x, await this.answer(x));
		}
	}

	// All at once.
	async pipelined() {
		const all = Array.from({ length: 2 + this.roll(6) },
		    (_, i) => this.request(i, { more: true }));

		this.pipeline = all;
		for (const x of all)
			x.expects = false;
		this.c.send(all.map((x) => x.head.replace('Expect: ', 'X-E: ') +
		    x.body).join(''));
		this.slowDown();
		for (const x of all)
			this.note(x, this.ending ? { outcome: 'unasked' } :
			    await this.answer(x));
	}

	slowDown() {
		const { socket } = this.c;

		if (this.roll(6) > 0)
			return;
		socket.pause();
		setTimeout(() => socket.resume(), this.roll(40));
	}

	async old() {
		const x = this.request(0, { old: true });

		this.send(x);
		this.note(x, await this.answer(x));
	}

	async closesHalf() {
		const x = this.request(0);

		if (x.expects || x.group === 'upgrades')
			return;
		this.halfClosed = true;
		this.send(x);
		if (this.roll(2))
			await heard(this.c, this.roll(20));
		this.c.finish();
		this.note(x, await this.answer(x));
	}

	// At any stage of it.
	async leaves() {
		const { c, roll } = this;
		const x = this.request(0, { leaves: true });
		const text = x.head + x.body;

		switch (roll(3)) {
		case 0:
			c.send(text.slice(0, roll(text.length)));
			break;
		case 1:
			c.send(x.head.slice(0, roll(x.head.length)));
			break;
		default:
			c.send(text);
		}
		if (roll(3) > 0)
			await heard(c, roll(40));
		if (roll(2))
			c.socket.resetAndDestroy();
		const { outcome, wrong } = judgeBegin(x, c.unread);

		this.note(x, outcome === 'other' ? { outcome, wrong } :
		    { outcome: 'left' });
	}

	async live() {
		const ways = ['inTurn', 'inTurn', 'inTurn', 'inTurn',
			'pipelined', 'pipelined', 'old', 'closesHalf',
			'leaves', 'leaves'];

		await this.connect();
		try {
			await this[oneOf(this.roll, ways)]();
		} catch (e) {
			e.message += ` (${JSON.stringify({ ...this.x,
				body: undefined })})`;
			throw e;
		} finally {
			this.c.destroy();
		}
	}
}

/*
 * new Soak({ seed, port, proxyPort, streamPorts, routes }).  What has come of
 * it: total, counts { kind: { outcome: n } }, wrong.
 */
export class Soak {
	total = 0;
	started = 0;
	kills = 0;		// odd: a worker is being killed
	counts = {};
	wrong = [];
	waiting = [];

	constructor(options) {
		Object.assign(this, options);
	}

	note({ kind, outcome, wrong }, x) {
		const of = this.counts[kind] ??= {};

		of[outcome] = (of[outcome] ?? 0) + 1;
		this.total++;
		if (wrong && this.wrong.length < 20)
			this.wrong.push(`${wrong}: ${kind} ` +
			    JSON.stringify({ ...x, body: undefined }));
		this.waiting = this.waiting.filter((w) => !w());
	}

	// Until there were n more, or it ends.
	more(n) {
		const to = this.total + n;

		return new Promise((resolve) => {
			this.waiting.push(() => {
				const is = this.total >= to || !this.running;

				if (is)
					resolve();
				return is;
			});
			this.waiting = this.waiting.filter((w) => !w());
		});
	}

	async person() {
		const n = ++this.started;

		if (n % 8 > 0)
			return new Person(this, n).live();
		const kills = this.kills, proxy = n % 16 === 0;
		const r = await stream(this.streamPorts[Number(proxy)], `t${n}`,
		    this.seed, { proxy, size });
		const killed = kills % 2 === 1 || kills !== this.kills;

		const fine = r.fine || r.leaves || killed;

		this.note({ ...r, wrong: r.wrong || (fine ? '' :
		    `it may not end as ${r.outcome}`) }, { id: `t${n}` });
	}

	// So many at a time until stop(); what is wrong ends it, too.
	run(clients) {
		this.running = true;
		const loop = async () => {
			while (this.running && this.wrong.length === 0)
				await this.person();
		};

		return Promise.all(Array.from({ length: clients }, loop))
		    .finally(() => this.stop());
	}

	stop() {
		this.running = false;
		this.waiting = this.waiting.filter((w) => !w());
	}
}

// SPDX-License-Identifier: BSD-2-Clause
// Servers and clients of a stream listener, who do what the client's first line
// says: "ID KIND UP DOWN FROM\n", UP bytes behind it, DOWN back.
import { Client } from './http1.mjs';
import { oneOf } from './dice.mjs';
import { rollFor, words } from './faulty.mjs';
import { listen } from './net.mjs';
import { proxyV1, proxyV2 } from './tcp.mjs';

// { from, rest } of a PROXY header, version 2; null: more is needed.
function takeProxy(text) {
	if (text.length < 16)
		return null;
	const b = Buffer.from(text, 'latin1');
	const end = 16 + b.readUInt16BE(14);

	return text.length < end ? null : { rest: text.slice(end),
		from: [b.subarray(16, 20).join('.'), b.readUInt16BE(24)]
		    .join(':') };
}

const whole = ['full', 'talk', 'first'];
const cut = ['part', 'reset', 'close'];

export const streamKinds = [...whole, ...cut, 'hang'];

class Stream {
	text = '';

	constructor(socket, faulty, proxy) {
		Object.assign(this, { socket, faulty, proxy });
		socket.setEncoding('latin1');
		socket.on('data', (d) => {
			this.text += d;
			this.look();
		});
		socket.on('end', () => {
			this.ended = true;
			this.look();
			if (!this.kind || !whole.includes(this.kind))
				socket.end();
		});
	}

	look() {
		const at = this.proxy ? takeProxy(this.text) : {};

		if (at === null || this.failed)
			return;
		if (this.proxy) {
			this.text = at.rest;
			this.from = at.from;
			this.proxy = false;
		}
		if (!this.kind && this.text.includes('\n'))
			this.begin();
		else if (this.kind)
			this.go();
	}

	begin() {
		const [line] = this.text.split('\n', 1);
		const [id, kind, up, down, from] = line.split(' ');

		this.text = this.text.slice(line.length + 1);
		Object.assign(this, { id, kind,
			want: words(`up${id}`, Number(up)),
			down: words(id, Number(down)),
			roll: rollFor(this.faulty.seed, `s${id}`) });
		if (this.from && this.from !== from)
			this.faulty.blame(`stream ${id} comes from ` +
			    `${this.from}, not ${from}`);
		if (kind === 'talk')
			this.say(this.down);
		if (kind === 'first')
			this.socket.end(this.down, 'latin1');
		if (kind === 'reset')
			this.socket.resetAndDestroy();
		if (kind === 'close')
			this.socket.destroy();
		if (kind === 'part') {
			this.say(this.down.slice(0,
			    this.roll(this.down.length)));
			if (this.roll(2))
				this.socket.resetAndDestroy();
			else
				this.socket.end();
		}
		this.go();
	}

	say(bytes) {
		this.socket.write(bytes, 'latin1');
	}

	go() {
		if (!this.want.startsWith(this.text)) {
			this.failed = true;
			this.faulty.blame(`other bytes to stream ${this.id}`);
			this.socket.resetAndDestroy();
			return;
		}
		if (!this.ended || !whole.includes(this.kind))
			return;
		// Who did not hear all has nothing to say.
		if (this.kind === 'full' && this.text === this.want)
			this.say(this.down);
		this.socket.end();
	}
}

export const streamServer = (t, faulty, { proxy = false, where } = {}) =>
	listen(t, (s) => new Stream(s, faulty, proxy), where);

const address = (roll) => `10.${1 + roll(200)}.${roll(250)}.${1 + roll(250)}`;

// Until something comes, or for some milliseconds.
export const heard = (c, ms) => new Promise((resolve) => {
	const timer = setTimeout(resolve, ms);

	for (const what of ['data', 'close'])
		c.socket.once(what, () => {
			clearTimeout(timer);
			resolve();
		});
});

/*
 * One stream: { kind, outcome, leaves, wrong }.  outcome: whole, part or left.
 */
export async function stream(port, id, seed, { proxy, size }) {
	const roll = rollFor(seed, id);
	const from = address(roll), fromPort = 1 + roll(60_000);
	const kind = oneOf(roll, streamKinds);
	const leaves = kind === 'hang' || roll(6) === 0;
	const up = size(roll), down = size(roll);
	const want = words(id, down);
	const c = await Client.connect(port);
	const header = !proxy ? '' : (roll(2) ? proxyV2 : proxyV1)(from,
	    fromPort, '10.0.0.1', 80).toString('latin1');
	const text = `${header}${id} ${kind} ${up} ${down} ` +
	    `${from}:${fromPort}\n${words(`up${id}`, up)}`;
	const done = (outcome) => {
		c.destroy();
		return { kind: `tcp ${kind}`, outcome, leaves,
			fine: !whole.includes(kind) || outcome !== 'part',
			wrong: want.startsWith(c.unread) ? '' :
			    `other bytes from stream ${id}` };
	};

	if (leaves) {
		c.send(text.slice(0, roll(text.length + 1)));
		await heard(c, roll(20));
		if (roll(2))
			c.socket.resetAndDestroy();
		return done('left');
	}
	c.send(text);
	if (roll(4) === 0)
		await heard(c, roll(20));
	c.finish();
	await c.end();
	return done(c.unread === want && c.error === undefined ? 'whole' :
	    'part');
}


// SPDX-License-Identifier: BSD-2-Clause
// A name server whose zone the test changes as it goes.
import dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { atEnd, within } from './hostd.mjs';

const A = 1;
const AAAA = 28;
const SERVFAIL = 2;
const NXDOMAIN = 3;

const PACKET = 512;

const u16 = (n) => [(n >> 8) & 0xff, n & 0xff];

// 2001:db8::1 -> its 16 bytes.
function bytesOf(address) {
	if (net.isIPv4(address))
		return address.split('.').map(Number);
	const [left, right] = address.split('::')
	    .map((half) => half.split(':').filter(Boolean));
	const gap = right === undefined ? [] :
	    new Array(8 - left.length - right.length).fill('0');

	return [...left, ...gap, ...(right ?? [])]
	    .flatMap((word) => u16(parseInt(word, 16)));
}

function nameOf(message) {
	const labels = [];
	let i = 12;

	for (; message[i] !== 0; i += message[i] + 1)
		labels.push(message.toString('latin1', i + 1,
		    i + 1 + message[i]));
	return { name: labels.join('.').toLowerCase(), end: i + 1 };
}

// No records, and the bit that says so.
function cutShort(answer) {
	const { end } = nameOf(answer);
	const head = Buffer.from(answer.subarray(0, end + 4));

	head[2] |= 0x02;
	head.writeUInt16BE(0, 6);
	return head;
}

/*
 * zone: { 'app.test': { ttl, addresses: ['127.0.0.1', '::1'] } }; a name may
 * also be 'servfail', or 'silence'.  Others do not exist.  Emits 'asked', name,
 * type ('A', 'AAAA').
 */
export class Dns extends EventEmitter {
	zone = {};
	asked = [];		// 'app.test A'
	fails = new Set();	// of these
	#held;			// what is answered later

	async start(t, port = 0, host = '127.0.0.1') {
		atEnd(t, () => this.stop());
		// A port that is free for one of them may be taken for the
		// other.
		for (let tries = 0; !(await this.open(port, host)); tries++)
			if (port !== 0 || tries === 20)
				throw new Error(`no port for a name server`);
		this.address = `${host}:${this.port}`;
		return this;
	}

	// Whether both could be had.
	async open(port, host) {
		// What is too long for a packet is asked for again.
		this.tcp = net.createServer((c) => this.serve(c));
		this.socket = dgram.createSocket('udp4');
		this.socket.on('message', (m, from) => this.answer(m, (data) =>
		    this.socket?.send(data.length <= PACKET ? data :
			cutShort(data), from.port, from.address)));
		try {
			this.tcp.listen(port, host);
			await within(once(this.tcp, 'listening'),
			    'name server');
			this.port = this.tcp.address().port;
			this.socket.bind(this.port, host);
			await within(once(this.socket, 'listening'),
			    'name server');
		} catch (e) {
			if (e.code !== 'EADDRINUSE')
				throw e;
			this.stop();
			return false;
		}
		return true;
	}

	// Answer later what is asked from now on.
	hold() {
		this.#held = [];
	}

	release() {
		const held = this.#held;

		this.#held = undefined;
		for (const send of held)
			send();
	}

	send(reply, data) {
		if (this.#held !== undefined)
			this.#held.push(() => reply(data));
		else
			reply(data);
	}

	stop() {
		this.socket?.close();
		this.tcp?.close();
		this.socket = this.tcp = undefined;
	}

	// Questions over TCP: each has its length before it.
	serve(c) {
		let data = Buffer.alloc(0);

		c.on('error', () => {});
		c.on('data', (d) => {
			data = Buffer.concat([data, d]);
			while (data.length >= 2 &&
			    data.length >= 2 + data.readUInt16BE(0)) {
				const end = 2 + data.readUInt16BE(0);

				this.answer(data.subarray(2, end), (answer) =>
				    c.write(Buffer.concat([
					Buffer.from(u16(answer.length)),
					    answer])));
				data = data.subarray(end);
			}
		});
	}

	answer(message, reply) {
		const { name, end } = nameOf(message);
		const type = message.readUInt16BE(end);
		const question = `${name} ${type === A ? 'A' : 'AAAA'}`;
		const at = this.fails.has(question) ? 'servfail' :
		    this.zone[name];

		this.asked.push(question);
		this.emit('asked', name);
		if (at === 'silence')
			return;
		const all = at === undefined || at === 'servfail' ? [] :
		    at.addresses.filter(
		    (a) => net.isIPv6(a) === (type === AAAA));
		const rcode = at === undefined ? NXDOMAIN :
		    at === 'servfail' ? SERVFAIL : 0;
		const head = Buffer.from([...message.subarray(0, 2), 0x81,
			0x80 | rcode, 0, 1, ...u16(all.length), 0, 0, 0, 0]);
		const records = all.map((a) => Buffer.from([0xc0, 0x0c,
			...u16(type), 0, 1, 0, 0, ...u16(at.ttl),
			...u16(bytesOf(a).length), ...bytesOf(a)]));

		this.send(reply, Buffer.concat([head,
			message.subarray(12, end + 4), ...records]));
	}

	// Until it was asked for name n more times.
	async askedFor(name, n = 1) {
		const rest = async () => {
			for (let i = 0; i < n;)
				if ((await once(this, 'asked'))[0] === name)
					i++;
		};

		return within(rest(), `question for ${name}`);
	}
}

export async function startDns(t, zone = {}, ...where) {
	const d = new Dns();

	d.zone = zone;
	return d.start(t, ...where);
}

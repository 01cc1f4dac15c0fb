// SPDX-License-Identifier: BSD-2-Clause
// Stream listeners, servers behind them, and headers of the PROXY protocol.
import { once } from 'node:events';
import net from 'node:net';
import { Client } from './http1.mjs';
import { atEnd, startHostd, within } from './hostd.mjs';
import { listen } from './net.mjs';

const all = new WeakMap();

// startHostd, with a stream listener on @PORT@ that has these keys, and conf
// behind it; one worker unless that has a pool.
export async function startStream(t, keys, conf = '', options = {}) {
	// A try to connect would be a connection of a server.
	const h = await startHostd(t, { ...options, noPort: true, conf: `
		${/^\s*pool /m.test(conf) ? '' : 'pool "web" { workers = 1 }'}
		listen "tcp" { address = "127.0.0.1:@PORT@" mode = stream
			${keys} }
		${conf}` });

	return closing(t, h);
}

// Connections are closed before hostd is stopped: it waits for them.
function closing(t, h) {
	all.set(t, all.get(t) ?? new Set());
	atEnd(t, () => {
		for (const c of all.get(t))
			c.destroy();
	});
	return h;
}

// One whose connections go to a group of these ports.
export const startGroup = (t, ports, { keys = '', group = '', conf = '',
	...options } = {}) => startStream(t, `upstream = "app" ${keys}`, `
		upstream "app" { ${group}
			${ports.map((p) => typeof p === 'string' ? p :
			    `server "127.0.0.1:${p}" { }`).join('\n')}
		}
		${conf}`, options);

// A connection to a hostd that was started in another way.
export const track = (t, port) => {
	closing(t);
	return connect(t, port);
};

// A connection that ends before hostd does.
export async function connect(t, port) {
	const c = await Client.connect(port);

	all.get(t).add(c);
	return c;
}

// What `hostctl upstream list` says of all groups.
export async function servers(h) {
	const r = await h.hostctl('upstream', 'list', '--json');

	if (r.code !== 0)
		throw new Error(`hostctl upstream list: ${r.stderr}`);
	return JSON.parse(r.stdout);
}

// A server that says back what it hears, with its name before it.
export const echo = (t, name = '', where) => listen(t, (s) => {
	s.write(name);
	s.pipe(s);
}, where);

// A server that keeps what it hears: { port, heard() } until it is said
// enough.
export async function recorder(t, where) {
	const seen = [];
	const server = await listen(t, (s) => {
		const one = { socket: s, text: '', ended: false };

		seen.push(one);
		s.setEncoding('latin1');
		s.on('data', (d) => {
			one.text += d;
			server.server.emit('heard');
		});
		s.on('end', () => {
			one.ended = true;
			server.server.emit('heard');
		});
		s.on('close', () => server.server.emit('heard'));
		server.server.emit('heard');
	}, where);

	server.seen = seen;
	// The i-th connection, when it has said what is looked for.
	server.heard = (pattern, i = 0) => within((async () => {
		while (!(seen[i] && (typeof pattern === 'function' ?
		    pattern(seen[i]) : seen[i].text.includes(pattern))))
			await once(server.server, 'heard');
		return seen[i];
	})(), `${pattern} at a server`).catch((e) => {
		e.message += ` (heard ${JSON.stringify(seen.map((s) =>
			s.text))})`;
		throw e;
	});
	return server;
}

// What a connection hears at once, or how it ends.
export async function first(t, port, n, say = '') {
	const c = await connect(t, port);

	if (say)
		await c.send(say);
	const text = await c.bytes(n);

	c.destroy();
	return text;
}

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function address(ip) {
	if (net.isIPv4(ip))
		return Buffer.from(ip.split('.').map(Number));
	const [head, tail = ''] = ip.split('::');
	const words = (s) => s.split(':').filter(Boolean);
	const zeros = 8 - words(head).length - words(tail).length;

	return Buffer.from([...words(head), ...Array(zeros).fill('0'),
		...words(tail)].map((w) => w.padStart(4, '0')).join(''), 'hex');
}

// Version 2; extra: TLVs behind the addresses.
export function proxyV2(from, fromPort, to, toPort, extra = Buffer.alloc(0)) {
	const ports = Buffer.alloc(4);

	ports.writeUInt16BE(fromPort, 0);
	ports.writeUInt16BE(toPort, 2);
	const body = Buffer.concat([address(from), address(to), ports, extra]);
	const head = Buffer.from([0x21, net.isIPv4(from) ? 0x11 : 0x21, 0, 0]);

	head.writeUInt16BE(body.length, 2);
	return Buffer.concat([SIGNATURE, head, body]);
}

export const proxyLocal = () =>
	Buffer.concat([SIGNATURE, Buffer.from([0x20, 0, 0, 0])]);

export const proxyV1 = (from, fromPort, to, toPort) =>
	`PROXY TCP${net.isIPv4(from) ? 4 : 6} ${from} ${to} ${fromPort} ${toPort}\r\n`;

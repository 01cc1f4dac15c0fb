// SPDX-License-Identifier: BSD-2-Clause
// Servers for tests/plugins/net_route to connect to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { ask, serve } from './http1.mjs';
import { atEnd, within } from './hostd.mjs';

// hostd with the plugin at /n/, and at /o/ another instance of it.
export const startNet = (t, keys = '', conf = '', options = {}) =>
	serve(t, 'net_route', (so) => `
		plugin "net" { module = "${so}" ${keys} }
		plugin "other" { module = "${so}" }
		route "/n/" { plugin = "net" }
		route "/o/" { plugin = "other" }
		${conf}`, options);

// Ask for something there; the answer's JSON.
export async function run(t, h, what, options = {}) {
	const query = Object.entries(options).map(([k, v]) => `${k}=${v}`);
	const r = await ask(t, h.port, `/n/${what}?${query.join('&')}`);

	if (r.json === undefined)
		throw new Error(`${what}: ${r.status}\n${h.log}`);
	return r.json;
}

// A server whose connections are given to fn; { host, port, socket(), ... }.
export async function listen(t, fn = () => {}, where = { host: '127.0.0.1' }) {
	const sockets = new Set();
	const server = net.createServer({ allowHalfOpen: true }, (s) => {
		sockets.add(s);
		s.on('close', () => sockets.delete(s));
		s.on('error', () => {});
		fn(s);
	});

	server.listen(where.path ? where : { port: 0, ...where });
	await within(once(server, 'listening'), 'listener');
	atEnd(t, async () => {
		for (const s of sockets)
			s.destroy();
		server.close();
	});
	// The only one, as soon as it has been accepted here, too.
	const socket = () => within((async () => {
		while (sockets.size === 0)
			await once(server, 'connection');
		return [...sockets][0];
	})(), 'connection');

	return { server, sockets, socket, host: where.host ?? where.path,
		port: server.address().port ?? 0 };
}

// A listener that accepts nobody and whose queue is full: who connects gets no
// answer.
export async function blackHole(t) {
	const child = spawn(process.execPath, ['-e', `
		const s = require('node:net').createServer();
		s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
			require('node:fs').writeSync(1,
			    String(s.address().port) + '\\n');
			process.kill(process.pid, 'SIGSTOP');
		});`], { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = once(child, 'exit');
	const fillers = [];

	atEnd(t, async () => {
		for (const s of fillers)
			s.destroy();
		child.kill('SIGKILL');
		await ended;
	});
	const [text] = await within(once(child.stdout, 'data'), 'port');
	const port = Number(text);

	for (let i = 0; i < 2; i++) {
		fillers.push(net.connect(port, '127.0.0.1'));
		fillers[i].on('error', () => {});
		await within(once(fillers[i], 'connect'), 'connection');
	}
	return { host: '127.0.0.1', port };
}

// What the plugin counts of the bytes it has received.
export function sum(bytes) {
	let n = 0;

	for (const b of bytes)
		n = (Math.imul(n, 31) + b) >>> 0;
	return n;
}

// SPDX-License-Identifier: BSD-2-Clause
// Servers behind a hostd, and how it sees them.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { atEnd, freePort, until, within } from './hostd.mjs';

async function listen(t, server, ...where) {
	server.listen(...where);
	await within(once(server, 'listening'), 'server');
	atEnd(t, () => {
		server.closeAllConnections?.();
		server.close();
	});
	return server;
}

// At each address, on one port: whoever connects is told which one it is.
// The port that is free at one of them may be taken at another.
export async function namedServers(t, addresses, tries = 20) {
	const port = await freePort();

	try {
		for (const a of addresses)
			await listen(t, net.createServer((s) => {
				s.on('error', () => {});
				s.end(a);
			}), port, a);
	} catch (e) {
		if (e.code !== 'EADDRINUSE' || tries === 0)
			throw e;
		return namedServers(t, addresses, tries - 1);
	}
	return { port };
}

// What the server says that a connection to port leads to; '': none does.
export function whoAnswers(port) {
	return within(new Promise((resolve) => {
		const s = net.connect(port, '127.0.0.1');
		let text = '';

		s.setEncoding('latin1');
		s.on('data', (d) => { text += d; });
		s.on('error', () => resolve(text));
		s.on('close', () => resolve(text));
	}), 'end of a connection');
}

// Who answers n connections, each once.
export async function allWhoAnswer(port, n) {
	const all = new Set();

	for (let i = 0; i < n; i++)
		all.add(await whoAnswers(port));
	return [...all].sort();
}

/*
 * An HTTP server that counts what comes.  answer(req, res, n) is called with how
 * many have come; where: a port, a path, or nothing for a free port.
 */
export async function httpServer(t, answer, where = 0) {
	let n = 0;
	// It closes no connection as it is used again.
	const options = { keepAliveTimeout: 0 };
	const server = http.createServer(options, (req, res) => {
		server.emit('asked', req);
		answer(req, res, ++n);
	});

	server.asked = () => n;
	await listen(t, server, ...(typeof where === 'string' ? [where] :
	    [where, '127.0.0.1']));
	server.port = server.address().port;
	return server;
}

// The servers of a group, by hostctl.
export async function serversOf(h, group) {
	const r = await h.hostctl('--json', 'upstream', 'list', group);

	if (r.code !== 0)
		throw new Error(`hostctl upstream list: ${r.stderr}\n${h.log}`);
	const list = JSON.parse(r.stdout);

	return list.find((u) => u.name === group).servers;
}

// Until pred(servers) holds.
export function serversSatisfy(h, group, pred, what) {
	return until(async () => {
		const servers = await serversOf(h, group);

		return pred(servers) && servers;
	}, what);
}

// SPDX-License-Identifier: BSD-2-Clause
// tests/plugins/fetch_route in front of servers that a test plays byte by byte.
import { once } from 'node:events';
import net from 'node:net';
import { atEnd, within } from './hostd.mjs';
import { serve } from './http1.mjs';

// A server on a port of its own.  accept() is its next connection, with
//	until(text)	resolves when that has come; .seen is all that has
//	ended()		when the other side has ended, in whatever way; .broken:
//			with a reset, as when not all was read
export async function fakeServer(t) {
	const waiting = [], come = [], all = new Set();
	const server = net.createServer({ allowHalfOpen: true }, (s) => {
		s.seen = '';
		s.over = s.broken = false;
		all.add(s);
		s.setEncoding('latin1');
		s.on('data', (d) => {
			s.seen += d;
			s.emit('more');
		});
		for (const name of ['end', 'close', 'error'])
			s.on(name, () => {
				s.over = true;
				s.broken ||= name === 'error';
				s.emit('more');
			});
		const wait = async (done, what) => {
			while (!done())
				await within(once(s, 'more'),
				    `${what}; seen: ${JSON.stringify(s.seen)}`);
			return s.seen;
		};

		s.until = (text) => wait(() => s.seen.includes(text),
		    JSON.stringify(text));
		s.ended = () => wait(() => s.over, 'end');
		const next = waiting.shift();

		if (next !== undefined)
			next(s);
		else
			come.push(s);
	});

	server.listen(0, '127.0.0.1');
	await within(once(server, 'listening'), 'listener');
	atEnd(t, () => {
		for (const s of all)
			s.destroy();
		server.close();
	});
	return {
		server,
		port: server.address().port,
		accept: () => within(come.length > 0 ?
		    Promise.resolve(come.shift()) :
		    new Promise((resolve) => waiting.push(resolve)),
		    'connection'),
		pending: () => come.length,
		close: () => server.close(),
	};
}

// hostd with the plugin at /, before these servers, in order.  conf may be a
// function of the plugin's path.
export const startFetch = (t, servers, keys = '', group = '', conf = '',
    env = {}) =>
	serve(t, 'fetch_route', (so) => `
		plugin "fetch" { module = "${so}" ${keys} }
		upstream "app" { ${group}
			${servers.map((s) => `server "127.0.0.1:${s.port}" { max_fails = 0 }`)
		.join('\n')}
		}
		route "/" { plugin = "fetch"  upstream = "app" }
		${typeof conf === 'function' ? conf(so) : conf}`, {
		// What was freed must not count.
		env: { ...env, ASAN_OPTIONS: (env.ASAN_OPTIONS ??
			process.env.ASAN_OPTIONS ?? '') +
			':quarantine_size_mb=1' },
	});

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

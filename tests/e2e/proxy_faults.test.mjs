// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: servers and clients that do everything wrong, all at a time; and
// nothing of it stays.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { dice } from './lib/dice.mjs';
import { until } from './lib/hostd.mjs';
import { ask, chunked, connect, get, parseAnswer, post } from './lib/http1.mjs';
import { reply, serveProxy, startBackend } from './lib/proxied.mjs';

const N = 240, AT_A_TIME = 12;
const type = 'Content-Type: text/html';
const body = 'It was the best of times. '.repeat(4000);

const chunks = (text, end) => 'HTTP/1.1 200 OK\r\n' +
    `${type}\r\nTransfer-Encoding: chunked\r\n\r\n` +
    `${text.length.toString(16)}\r\n${text}\r\n${end}`;

const servers = [
	(q) => q.socket.write(reply(200, body, type)),
	(q) => q.socket.write(chunks(body, '0\r\n\r\n')),
	(q) => q.socket.write(chunks(body, '0\r\nX-Sum: 1\r\n\r\n')),
	(q) => q.socket.write(reply(204)),
	(q) => q.socket.write(reply(503, 'no')),
	(q) => q.socket.end(`HTTP/1.1 200 OK\r\n${type}\r\n\r\n${body}`),
	(q) => q.socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
	(q) => q.socket.end(reply(200, body, type).slice(0, 50_000)),
	(q) => q.socket.end(chunks(body, '')),
	(q) => q.socket.write(chunks(body, 'zzz\r\n')),
	(q) => q.socket.resetAndDestroy(),
	(q) => q.socket.destroy(),
	(q) => { q.socket.write(reply(200, body, type).slice(0, 70_000));
		q.socket.resetAndDestroy(); },
	(q) => q.socket.write('\0\0\0\0garbage\r\n\r\n'),
	(q) => q.socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300_000)}`),
	(q) => q.socket.write('HTTP/1.1 101 Yes\r\nUpgrade: x\r\n' +
	    'Connection: upgrade\r\n\r\n'),
	(q) => q.socket.write('HTTP/1.1 103 Hint\r\nA: b\r\n\r\n'.repeat(200)),
	(q) => q.socket.write(reply(200, 'one') + reply(200, 'two')),
	() => {},
];

const requests = [
	() => get('/'), () => get('/', 'Accept-Encoding: gzip'),
	() => get('/').replace('GET', 'HEAD'), () => post('/', body),
	() => chunked('/', [body, body]),
	() => get('/', 'Connection: Upgrade', 'Upgrade: x'),
	() => `${post('/', body).slice(0, 5000)}`,
	() => `${chunked('/', [body]).slice(0, 60_000)}`,
	() => 'GET / HTTP/1.0\r\n\r\n',
	() => `${chunked('/', [body]).slice(0, 60_000)}\r\nzz`,
];

// A whole answer is one; a part of one may be anything.
function judge(text, head) {
	if (text === '' || !text.includes('\r\n\r\n'))
		return;
	for (let rest = text, r; rest !== ''; rest = rest.slice(r.end)) {
		r = parseAnswer(rest, { head });
		if (!r)
			return;
		if (r.status === 200 && !r.headers['content-encoding'] &&
		    !head && r.headers['content-length'])
			assert.ok(r.body === body || r.body === 'one',
			    'a body');
		if (r.status === 101)
			return;
	}
}

async function one(t, h, roll) {
	const c = await connect(t, h.port);
	const request = requests[roll(requests.length)]();

	await c.send(request);
	switch (roll(4)) {
	case 0:			// leaves at once
		break;
	case 1:			// leaves when something comes
		await Promise.race([c.bytes(1 + roll(60_000)), h.patience()]);
		break;
	case 2:			// has no more to say
		c.finish();
		await Promise.race([c.end(), h.patience()]);
		break;
	default:
		await Promise.race([c.end(), h.patience()]);
	}
	judge(c.unread, request.startsWith('HEAD'));
	c.destroy();
}

for (const [name, keys] of [
	['streaming', ''],
	['buffering', `buffering = on  request_buffering = on
		buffer_size = 4k`],
	['compressing', 'gzip = on  intercept_errors = on']])
	test(`${name}, nothing stays`, async (t) => {
		const roll = dice(name.length);
		const serve = (early) => startBackend(t, (q) => {
			servers[roll(servers.length)](q);
			return null;
		}, { early });
		const all = [await serve(true), await serve(false)];
		const h = await serveProxy(t, all, `${keys}
			read_timeout = 100ms  send_timeout = 100ms
			next_upstream = {"error", "timeout", "invalid",
			    "http_503", "non_idempotent"}`, {
			group: 'max_fails = 0',
			http: `max_body = 10m  body_timeout = 200ms
				idle_timeout = 200ms  defer_timeout = 2s
				lingering_timeout = 100ms`,
			conf: 'plugin "hello" { module = "http_respond.so" }\n' +
			    'route "/hello" { plugin = "hello" }' });
		const [w] = await h.workers();
		const open = () =>
			fs.readdirSync(`/proc/${w.pid}/fd`).length;
		const before = open();

		// As long as a client waits: until some other requests are
		// done.  On a busy machine they may come later than
		// idle_timeout.
		h.patience = async () => {
			for (let i = 0; i < 40; i++)
				await ask(t, h.port, '/hello');
		};
		for (let i = 0; i < N; i += AT_A_TIME)
			await Promise.all(Array.from({ length: AT_A_TIME },
			    () => one(t, h, roll)));
		await Promise.all(all.map((b) => b.close()));
		await until(() => open() <= before, 'end of all connections');
		assert.equal((await h.workers())[0].pid, w.pid);
		await h.patience();
	});

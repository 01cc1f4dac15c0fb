// SPDX-License-Identifier: BSD-2-Clause
// Who may connect, and how often at the same time: by address, before a byte is
// read, for all workers together.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, command, startHostd, until, wrk } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const { WebSocket } = npm('ws');

const start = (t, conf, options = {}) => startHostd(t, { ...options, conf: `
	pool "web" { workers = 2 }
	plugin "ok" { module = "http_respond.so"  body = "hello" }
	plugin "echo" { module = "ws_echo.so" }
	route "/" { plugin = "ok" }
	route "/echo" { plugin = "echo" }
	${conf}` });

const curl = async (h, uri, ...args) => Number((await command('curl', ['-s',
	'-o', '/dev/null', '-w', '%{http_code}', ...args,
	    h.url + uri])).stdout);

const connections = async (h) => {
	const st = await h.status();

	return (st.status ?? st).limits.zones
	    .find((z) => z.name === 'connections');
};

/*
 * Connections of that address, each of which asks once: those that were
 * answered, and how many were not.
 */
async function crowd(t, h, n, localAddress) {
	const all = await Promise.all(Array.from({ length: n }, () =>
	    new Promise((resolve) => {
		const s = net.connect({ port: h.port, host: '127.0.0.1',
			localAddress });

		atEnd(t, () => s.destroy());
		s.on('error', () => {});
		s.on('close', () => resolve(undefined));
		s.once('data', () => resolve(s));
		s.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
	    })));
	const open = all.filter(Boolean);

	return { open, refused: n - open.length };
}

test('one address has so many, others as well', async (t) => {
	const h = await start(t, 'http { max_connections_per_address = 10 }',
	    { noPort: true });
	const a = await crowd(t, h, 40, '127.0.0.1');

	// Of those who come for the last place at the same moment, all may be
	// refused.
	assert.ok(a.open.length <= 10 && a.open.length >= 8,
	    `${a.open.length} are open`);
	const b = await crowd(t, h, 40, '127.0.0.2');

	assert.ok(b.open.length <= 10 && b.open.length >= 8);
	await h.logged(/listen main: a connection of 127.0.0.[12] is closed: its address has max_connections_per_address/);
	const z = await connections(h);

	assert.equal(z.passed, a.open.length + b.open.length);
	assert.equal(z.refused, a.refused + b.refused);

	await t.test('they are kept over a reload', async () => {
		assert.equal((await h.hostctl('reload')).code, 0);
		await h.workersSatisfy((w) => w.length === 2 &&
		    w.reduce((n, x) => n + x.active, 0) === z.passed,
		    'connections in the new workers');
		const more = await crowd(t, h, 12, '127.0.0.1');

		assert.ok(a.open.length + more.open.length <= 10);
	});
	await t.test('and given back', async () => {
		b.open.forEach((s) => s.destroy());
		await until(async () => (await crowd(t, h, 1,
		    '127.0.0.2')).refused === 0, 'a free place');
	});
});

test('a killed worker\'s are free', async (t) => {
	const h = await start(t, 'http { max_connections_per_address = 6 }',
	    { noPort: true });
	const { open } = await crowd(t, h, 6, '127.0.0.3');
	const workers = await h.workers();

	for (const w of workers)
		process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((all) => all.length === 2 && all.every((x) =>
	    x.state === 'ready' && !workers.some((w) => w.pid === x.pid)),
	    'new workers');
	assert.ok(open.length >= 5);
	assert.ok((await crowd(t, h, 6, '127.0.0.3')).open.length >= 5);
});

test('a WebSocket keeps its place; streams have one; exempt networks have none',
    async (t) => {
	const h = await start(t, `
		http { max_connections_per_address = 1
		    per_address_exempt = "127.0.0.4/32" }`, { noPort: true });
	const ws = new WebSocket(`ws://127.0.0.1:${h.port}/echo`, {
		localAddress: '127.0.0.5' });

	atEnd(t, () => ws.terminate());
	await new Promise((resolve, reject) => {
		ws.on('open', resolve);
		ws.on('error', reject);
	});
	assert.equal((await crowd(t, h, 1, '127.0.0.5')).refused, 1);
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal(ws.readyState, WebSocket.OPEN);
	assert.equal((await crowd(t, h, 1, '127.0.0.5')).refused, 1);
	assert.equal((await crowd(t, h, 8, '127.0.0.4')).refused, 0);
	ws.close();
	await until(async () => (await crowd(t, h, 1,
	    '127.0.0.5')).refused === 0, 'a free place');
});

test('access', async (t) => {
	const h = await start(t, `
		http { real_ip_from = "127.0.0.1"  real_ip_header = "X-Real-IP" }
		listen "main" { address = "127.0.0.1:@PORT@"
		    access = { "deny 127.0.0.7", "allow 127.0.0.0/8",
			"deny all" } }
		plugin "in" { module = "http_respond.so"  body = "in" }
		route "/in" { plugin = "in"  access = { "deny 192.0.2.9",
		    "allow 192.0.2.0/24", "allow 2001:db8::/32", "deny all" } }`);
	const as = (ip) => curl(h, '/in', '-H', `X-Real-IP: ${ip}`);

	assert.equal((await crowd(t, h, 1, '127.0.0.7')).refused, 1);
	assert.equal((await crowd(t, h, 1, '127.0.0.8')).refused, 0);
	await h.logged('a connection of 127.0.0.7 is closed: access denies it');
	assert.equal(await as('192.0.2.1'), 200);
	assert.equal(await as('192.0.2.9'), 403);
	assert.equal(await as('2001:db8::9'), 200);
	assert.equal(await as('2001:db9::9'), 403);
	assert.equal(await curl(h, '/in'), 403);
	assert.equal(await curl(h, '/'), 200);
});

test('mistakes in rules', async (t) => {
	const h = await startHostd(t, { ready: false, conf: `
		http { access = { "allow 10.0.0.0/33", "permit all" } }` });

	await h.ended;
	assert.match(h.log, /hostd.conf:\d+: "access": "allow 10.0.0.0\/33": the length/);
	assert.match(h.log, /"access": "permit all": a rule is "allow NETWORK" or/);
});

// One connection that is closed before it is answered; its end.
const knock = (h, localAddress) => new Promise((resolve) => {
	const s = net.connect({ port: h.port, host: '127.0.0.1',
	    localAddress });

	s.on('error', () => {});
	s.on('close', resolve);
	s.resume();
});

test('20000 connections of one address, and clients of another', async (t) => {
	const h = await start(t, `http { max_connections_per_address = 50
		idle_timeout = 1h }`, { noPort: true });
	const { open } = await crowd(t, h, 45, '127.0.0.9');
	let over = false, left = 20_000, one;

	// One after the other, so that it has all of its places.
	while ((one = await crowd(t, h, 1, '127.0.0.9')).refused === 0)
		open.push(...one.open);
	const { refused } = await connections(h);
	const others = (async () => {
		const all = [];

		while (!over)
			all.push(await wrk(h.url, { connections: 20,
				seconds: 1 }));
		return all;
	})();

	// A few hundred at a time: more would only wait for the kernel.
	await Promise.all(Array.from({ length: 400 }, async () => {
		while (left-- > 0)
			await knock(h, '127.0.0.9');
	}));
	over = true;
	let served = 0;

	for (const r of await others) {
		assert.equal(r.bad + r.errors, 0, r.output);
		served += r.requests;
	}
	assert.ok(served > 0);
	assert.equal((await connections(h)).refused - refused, 20_000);
	// Those that it has had are not hurt, and the log is not filled.
	assert.ok(open.every((s) => !s.destroyed));
	assert.ok(h.log.match(/a connection of 127.0.0.9 is closed/g)
	    .length < 100);
});

test('a connection of HTTP/2 has one place, and gives it back', async (t) => {
	const h = await start(t, 'http { max_connections_per_address = 1  h2c = on }',
	    { noPort: true });
	const ask = async () => {
		const r = await command('curl',
		    ['-s', '--http2-prior-knowledge',
			'--interface', '127.0.0.6', '-w', '%{http_code} ',
			'-o', '/dev/null', `${h.url}/`]);

		return r.stdout.trim();
	};

	for (let i = 0; i < 5; i++)
		await until(async () => await ask() === '200', 'an answer');
	assert.equal((await connections(h)).uncounted, 0);
});

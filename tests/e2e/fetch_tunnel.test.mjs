// SPDX-License-Identifier: BSD-2-Clause
// Upgrades to another protocol, which is then between the client and the
// server.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { until } from './lib/hostd.mjs';
import { connect, get } from './lib/http1.mjs';

const ask = get('/up', 'Connection: Upgrade', 'Upgrade: echo/1');
const agreed = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo/1\r\n' +
	'Connection: Upgrade\r\nX-Mine: yes\r\n\r\n';

// Until the servers have so many requests and connections of ours.
const busy = (h, want) => until(async () => {
	const r = await h.hostctl('upstream', 'list', '--json');
	const n = r.stdout.match(/"inflight": *\d+/g)
		.reduce((sum, m) => sum + Number(m.split(':')[1]), 0);

	return n === want;
}, `${want} in flight`).catch((e) => {
	e.message += `\n${h.log}`;
	throw e;
});

// Both ends of a tunnel.
async function open(t, { early = '', first = '', conf = '', env } = {}) {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], '', '', conf, env);
	const c = await connect(t, h.port);

	await c.send(ask + early);
	const server = await s.accept();
	const seen = await server.until('\r\n\r\n');

	assert.match(seen, /\r\nUpgrade: echo\/1\r\n/);
	assert.match(seen, /\r\nConnection: Upgrade\r\n/);
	server.write(agreed + first);
	const r = await c.next();

	assert.equal(r.status, 101);
	assert.deepEqual(r.headers.upgrade, ['echo/1']);
	assert.deepEqual(r.headers['x-mine'], ['yes']);
	return { s, h, c, server };
}

test('bytes go both ways', async (t) => {
	const { c, server, h } = await open(t);

	await c.send('ping');
	await server.until('ping');
	await busy(h, 1);
	server.write('pong');
	assert.equal(await c.bytes(4), 'pong');
	server.end();
	assert.equal(await c.end(), 'pong');
	// The other half goes on.
	await c.send('more');
	await server.until('more');
	c.finish();
	await server.ended();
	await busy(h, 0);
});

test('bytes that came early are passed on', async (t) => {
	const { c, server } = await open(t,
	    { early: 'hello', first: 'welcome' });

	await server.until('hello');
	assert.equal(await c.bytes(7), 'welcome');
});

test('much goes both ways', async (t) => {
	const { c, server } = await open(t);
	const much = 'x'.repeat(3 << 20);

	void c.send(much);
	server.write(much);
	assert.equal((await c.bytes(much.length)).length, much.length);
	while (server.seen.length < much.length)
		await new Promise((resolve) => server.once('more', resolve));
});

test('the client is cut off', async (t) => {
	const { c, server, h } = await open(t);

	c.socket.resetAndDestroy();
	await server.ended();
	await busy(h, 0);
});

test('the server is cut off', async (t) => {
	const { c, server, h } = await open(t);

	server.resetAndDestroy();
	await c.end();
	await busy(h, 0);
});

test('a server that does not want to', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s]);
	const c = await connect(t, h.port);

	await c.send(ask);
	(await s.accept()).write(OK);
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.body, 'hello');
	await c.send(get('/next'));
});

test('a worker ends while tunnels are open', async (t) => {
	const { c, server, h } = await open(t,
	    { conf: 'drain_timeout = 500ms' });

	await c.send('ping');
	await server.until('ping');
	await h.stop();
	await server.ended();
	await c.end();
});

test('a tunnel outlives a reload, but not its worker\'s time', async (t) => {
	const clock = await makeClock(t);
	const { c, server, h } = await open(t, { env: clock.env, conf: `
		pool "web" { workers = 1  watchdog = 0 }
		drain_timeout = 1h` });
	const cut = c.end();
	const reload = h.hostctl('reload');

	await h.logged('draining, 1 connections open');
	await c.send('ping');
	await server.until('ping');
	server.write('pong');
	assert.equal(await c.bytes(4), 'pong');
	assert.equal((await reload).code, 0);
	assert.equal(c.closed, false);
	clock.pass(3601);
	await c.send('so long');
	await cut;
	await server.ended();
	await h.logged('1 connections were still open at the drain deadline');
});

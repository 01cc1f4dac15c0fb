// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: connections that both sides agree to upgrade.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { connect, get, post } from './lib/http1.mjs';
import { serveProxy, startBackend, tell } from './lib/proxied.mjs';
import { serversOf } from './lib/servers.mjs';

const upgrade = (protocol, ...more) =>
	get('/ws', 'Connection: keep-alive, Upgrade', `Upgrade: ${protocol}`,
	    ...more);

// Answers 101, then says everything twice.
const echo = (t) => startBackend(t, async (q) => {
	q.socket.write('HTTP/1.1 101 Switching Protocols\r\n' +
	    `Upgrade: ${q.headers.upgrade}\r\nConnection: Upgrade\r\n` +
	    'Sec-WebSocket-Accept: abc\r\nX-Inner: 1\r\n\r\nwelcome');
	for (let s; (s = await q.reader.some()) !== null;)
		q.socket.write(s + s);
	q.socket.end('bye');
	return null;
});

for (const protocol of ['websocket', 'my-protocol/2'])
	test(`${protocol} is a tunnel`, async (t) => {
		const b = await echo(t);
		const h = await serveProxy(t, [b], `hide_header = {"X-Inner"}
			add_header = {"X-Outer: 1"}`);
		const c = await connect(t, h.port);

		await c.send(`${upgrade(protocol, 'Sec-WebSocket-Key: x')}early`);
		const r = await c.next();

		assert.equal(r.status, 101);
		assert.deepEqual(r.headers.upgrade, [protocol]);
		assert.deepEqual(r.headers.connection, ['Upgrade']);
		assert.deepEqual(r.headers['sec-websocket-accept'], ['abc']);
		assert.equal(r.headers['x-inner'], undefined);
		assert.deepEqual(r.headers['x-outer'], ['1']);
		assert.ok(r.headers['x-request-id']);
		await c.bytes('welcomeearlyearly'.length);
		await c.send('hello');
		assert.equal(await c.bytes(
		    'welcomeearlyearlyhellohello'.length),
		    'welcomeearlyearlyhellohello');
		// One side says it has finished; the other may go on.
		c.finish();
		assert.match(await c.end(), /bye$/);
		const { headers } = b.requests[0];

		assert.deepEqual(headers['sec-websocket-key'], ['x']);
		assert.match(headers.connection[0], /^upgrade$/i);
	});

test('a server may decline', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(upgrade('websocket'));
	assert.equal((await c.next()).status, 200);
	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
});

test('h2c, and what is not allowed, is not even asked for', async (t) => {
	const b = await startBackend(t, tell);
	const ask = async (h, protocol, method = upgrade) => {
		const c = await connect(t, h.port);

		await c.send(method(protocol));
		const r = await c.next();

		assert.equal(r.status, 200);
		return JSON.parse(r.body).headers.upgrade;
	};
	let h = await serveProxy(t, [b]);

	assert.equal(await ask(h, 'h2c'), undefined);
	assert.equal(await ask(h, 'websocket, h2c'), undefined);
	assert.deepEqual(await ask(h, 'other'), ['other']);
	// With a body it is a request.
	assert.equal(await ask(h, 'websocket', (p) => post('/', 'hello',
	    'Connection: Upgrade', `Upgrade: ${p}`)), undefined);
	h = await serveProxy(t, [b], 'upgrade = {"websocket"}');
	assert.equal(await ask(h, 'other'), undefined);
	assert.deepEqual(await ask(h, 'WebSocket'), ['WebSocket']);
	h = await serveProxy(t, [b], 'upgrade = {}');
	assert.equal(await ask(h, 'websocket'), undefined);
});

test('a silent tunnel is closed', async (t) => {
	const b = await echo(t);
	const h = await serveProxy(t, [b], 'tunnel_timeout = 50ms');
	const c = await connect(t, h.port);

	await c.send(upgrade('websocket'));
	assert.equal((await c.next()).status, 101);
	await c.end();
});

// Bug: what it had sent was in no count.
test('one that is cut at the end of its worker is counted', async (t) => {
	const b = await echo(t);
	const h = await serveProxy(t, [b], '',
	    { conf: 'drain_timeout = 300ms' });
	const c = await connect(t, h.port);
	const said = 'welcomehellohello';
	const count = async () => (await serversOf(h, 'app'))
	    .map((s) => [s.inflight, s.bytes_in, s.bytes_out])[0];

	await c.send(upgrade('x'));
	assert.equal((await c.next()).status, 101);
	await c.send('hello');
	await c.bytes(said.length);
	const [was, pids] = [await count(),
	    (await h.workers()).map((w) => w.pid)];

	assert.equal((await h.hostctl('reload')).code, 0);
	await c.end();
	await h.logged(/1 upgraded connections are cut/);
	for (const pid of pids)
		await h.logged(new RegExp(`pid ${pid}\\] ending`));
	await until(async () => {
		const [inflight, came, went] = await count();

		return inflight === 0 && came - was[1] >= said.length - 7 &&
		    went - was[2] === 5;
	}, 'its bytes in the list');
});

test('a tunnel ends when its server does', async (t) => {
	const b = await startBackend(t, (q) => {
		q.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n' +
		    'Connection: Upgrade\r\n\r\nlast words');
		return null;
	});
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(upgrade('x'));
	assert.equal((await c.next()).status, 101);
	assert.equal(await c.end(), 'last words');
});

test('another protocol than was asked for is no answer', async (t) => {
	const b = await startBackend(t, (q) => {
		q.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: y\r\n' +
		    'Connection: Upgrade\r\n\r\n');
		return null;
	});
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send(upgrade('x'));
	assert.equal((await c.next()).status, 502);
});

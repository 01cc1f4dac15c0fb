// SPDX-License-Identifier: BSD-2-Clause
// Headers of the PROXY protocol before the bytes of TCP connections: read from
// clients, sent to servers, and passed on through several hostds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { ask, serveShow } from './lib/http1.mjs';
import { connect, proxyLocal, proxyV1, proxyV2, recorder, startGroup } from
    './lib/tcp.mjs';

const latin1 = (b) => Buffer.isBuffer(b) ? b.toString('latin1') : b;

test('what servers are sent', async (t) => {
	for (const [version, make] of [['v1', proxyV1], ['v2', proxyV2]]) {
		const server = await recorder(t);
		const h = await startGroup(t, [server.port],
		    { group: `proxy_protocol = ${version}` });
		const c = await connect(t, h.port);
		const want = latin1(make('127.0.0.1', c.socket.localPort,
		    '127.0.0.1', h.port));

		// It comes before the client says anything.
		await server.heard(want);
		await c.send('hello');
		assert.equal((await server.heard('hello')).text,
		    `${want}hello`);
		c.destroy();
		await server.heard((s) => s.ended || s.socket.destroyed);
	}
});

test('what clients have sent goes on, in the other version', async (t) => {
	const server = await recorder(t);
	const h = await startGroup(t, [server.port], {
		keys: 'proxy_protocol = on', group: 'proxy_protocol = v1' });
	const v6 = ['2001:db8::1', 4711, '2001:db8::2', 443];
	let i = 0;

	for (const [said, want] of [
		[proxyV2('192.0.2.1', 4711, '192.0.2.2', 443),
			proxyV1('192.0.2.1', 4711, '192.0.2.2', 443)],
		[proxyV2(...v6), proxyV1(...v6)],
		[proxyV1(...v6), proxyV1(...v6)]]) {
		const c = await connect(t, h.port);

		await c.send(latin1(said) + 'and this');
		assert.equal((await server.heard('and this', i++)).text,
		    `${want}and this`);
	}
	// A check of the proxy before us: its own addresses.
	const c = await connect(t, h.port);

	await c.send(latin1(proxyLocal()) + 'and this');
	assert.equal((await server.heard('and this', i)).text,
	    `${proxyV1('127.0.0.1', c.socket.localPort, '127.0.0.1', h.port)}` +
	    'and this');
});

test('byte by byte, and nothing of it to the server', async (t) => {
	const server = await recorder(t);
	const h = await startGroup(t, [server.port],
	    { keys: 'proxy_protocol = on' });
	const c = await connect(t, h.port);

	for (const b of proxyV2('192.0.2.1', 1, '192.0.2.2', 2))
		await c.send(Buffer.from([b]));
	await c.send('hello');
	assert.equal((await server.heard('hello')).text, 'hello');
});

test('a bad one, or none, is the end', async (t) => {
	const server = await recorder(t);
	const h = await startGroup(t, [server.port],
	    { keys: 'proxy_protocol = on hello_timeout = 300ms' });

	for (const bytes of ['hello', 'PROXY TCP5 ', 'PROXY', '',
		proxyV2('192.0.2.1', 1, '192.0.2.2', 2,
		    Buffer.from('01ffff', 'hex'))]) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		assert.equal(await c.end(), '');
	}
	await h.logged('is turned away: its PROXY header is bad: no header');
	assert.equal(server.seen.length, 0);
});

test('an HTTP server behind two balancers knows the client', async (t) => {
	const back = await serveShow(t, '', `listen "main" {
		address = "127.0.0.1:@PORT@" proxy_protocol = on }`,
	{ noPort: true });
	const middle = await startGroup(t, [back.port], {
		keys: 'proxy_protocol = on', group: 'proxy_protocol = v2' });
	const front = await startGroup(t, [middle.port],
	    { group: 'proxy_protocol = v1' });
	const r = await ask(t, front.port, '/');

	assert.equal(r.status, 200);
	assert.equal(r.json.peer, '127.0.0.1');
	// As if the one in front had a client elsewhere.
	const c = await connect(t, middle.port);

	await c.send(`${proxyV1('192.0.2.9', 1, '192.0.2.2', 2)}` +
	    'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
	assert.equal(JSON.parse((await c.next()).body).peer, '192.0.2.9');
});

test('ip_hash goes by the address that it says', async (t) => {
	const all = [];

	for (let i = 0; i < 4; i++)
		all.push(await recorder(t));
	const h = await startGroup(t, all.map((s) => s.port), {
		keys: 'proxy_protocol = on', group: 'balancer = "ip_hash"' });
	const counts = () => all.map((s) => s.seen.length);

	for (let i = 0; i < 5; i++) {
		const c = await connect(t, h.port);

		await c.send(`${proxyV1('10.1.2.3', 1, '10.0.0.1', 2)}x`);
		await Promise.race(all.map((s) => s.heard('x', i)));
	}
	assert.deepEqual(counts().sort(), [0, 0, 0, 5]);
	for (let i = 0; i < 40; i++) {
		const c = await connect(t, h.port);

		await c.send(`${proxyV1(`10.${i}.2.3`, 1, '10.0.0.1', 2)}bye`);
		c.finish();
	}
	await until(() => counts().reduce((a, b) => a + b) === 45,
	    'all of them');
	assert.ok(counts().every((x) => x > 0), counts().join());
});

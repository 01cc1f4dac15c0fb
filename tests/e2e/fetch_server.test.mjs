// SPDX-License-Identifier: BSD-2-Clause
// A plugin names the server that it asks, where the operator allows that; the
// group's balancer and its servers do not hear of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import { once } from 'node:events';
import test from 'node:test';
import { fakeServer, OK, startFetch } from './lib/fetch.mjs';
import { atEnd, freePort, within } from './lib/hostd.mjs';
import { connect, get } from './lib/http1.mjs';
import { certificate } from './lib/tls.mjs';

const start = (t, servers = [], group = '') => startFetch(t, servers,
    'server = 1', `any_server = on  ${group}`);

const at = (s) => `X-Server: 127.0.0.1:${s.port}`;

// One request to s over c; the server's connection, once it has answered.
async function exchange(c, s, path, known) {
	await c.send(get(path, at(s)));
	const server = known ?? await s.accept();

	await server.until(`${path} HTTP`);
	server.write(OK);
	const r = await c.next();

	assert.deepEqual([r.status, r.body], [200, 'hello']);
	return server;
}

const failures = async (h) => {
	const r = await h.hostctl('upstream', 'list', '--json');

	return r.stdout.match(/"(failures|requests|inflight)": *\d+/g);
};

test('a group without servers, and connections that are kept', async (t) => {
	const one = await fakeServer(t), two = await fakeServer(t);
	const h = await start(t);
	const c = await connect(t, h.port);
	const a = await exchange(c, one, '/1');
	const b = await exchange(c, two, '/2');

	await exchange(c, one, '/3', a);
	await exchange(c, two, '/4', b);
	// One that was closed meanwhile is made anew.
	a.end();
	await exchange(c, one, '/5');
	assert.equal((await h.hostctl('reload')).code, 0);
	await b.ended();
	await exchange(await connect(t, h.port), two, '/6');
});

test('as many as the group keeps, whose they are', async (t) => {
	const one = await fakeServer(t), two = await fakeServer(t);
	const h = await start(t, [], 'keepalive = 1');
	const c = await connect(t, h.port);
	const a = await exchange(c, one, '/1');
	const b = await exchange(c, two, '/2');

	await a.ended();
	await exchange(c, two, '/3', b);
	await exchange(c, one, '/4');
	await b.ended();
});

test('its failures are its own, and nobody else is asked', async (t) => {
	const ours = await fakeServer(t), other = await fakeServer(t);
	const nobody = { port: await freePort() };
	const h = await start(t, [ours]);
	const c = await connect(t, h.port);
	const before = await failures(h);

	for (let i = 0; i < 3; i++) {
		await c.send(get('/', at(nobody)));
		const r = await c.next();

		assert.equal(r.status, 502);
		assert.match(r.body, /refused/i);
	}
	await c.send(get('/broken', at(other)));
	const server = await other.accept();

	await server.until('/broken HTTP');
	server.end('what is that?\r\n\r\n');
	assert.equal((await c.next()).status, 502);
	assert.equal(ours.pending(), 0);
	assert.deepEqual(await failures(h), before);
	assert.doesNotMatch(h.log, /is down/);
	// The group's own is asked when nobody is named.
	await c.send(get('/ours'));
	const own = await ours.accept();

	await own.until('/ours HTTP');
	own.write(OK);
	assert.equal((await c.next()).status, 200);
});

test('an upgrade', async (t) => {
	const s = await fakeServer(t);
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send(get('/up', 'Connection: Upgrade', 'Upgrade: echo/1',
	    at(s)));
	const server = await s.accept();

	await server.until('\r\n\r\n');
	server.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo/1\r\n' +
	    'Connection: Upgrade\r\n\r\n');
	assert.equal((await c.next()).status, 101);
	await c.send('ping');
	await server.until('ping');
	server.end('pong');
	assert.equal(await c.end(), 'pong');
	c.finish();
	await server.ended();
});

test('what is no address, and a group that does not allow it', async (t) => {
	const s = await fakeServer(t);
	const h = await startFetch(t, [s], 'server = 1', 'any_server = on',
	    (so) => `
		upstream "listed" { server "127.0.0.1:${s.port}" { } }
		plugin "other" { module = "${so}"  server = 1 }
		route "/listed" { plugin = "other"  upstream = "listed" }`);
	const c = await connect(t, h.port);
	const ask = async (path, server) => {
		await c.send(get(path, `X-Server: ${server}`));
		const r = await c.next();

		assert.equal(r.status, 400, r.body);
		return r.body;
	};

	for (const bad of ['localhost:80', '127.0.0.1', '80', '*:80', ':80',
	    '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:70000', '127.0.0.1:80/x',
	    'unix:/run/x.sock', '::1:80', '[::1]', '1'.repeat(500)])
		assert.equal(await ask('/', bad), 'refused -1', bad);
	await h.logged(/its server must be an address with a port/);
	assert.equal(await ask('/listed', `127.0.0.1:${s.port}`), 'refused -5');
	await h.logged(/plugin other: .* is refused: it names a server, which any_server = on allows/);
	assert.equal(s.pending(), 0);
});

test('TLS, as the group has it', async (t) => {
	const { cert, key } = await certificate(t, { names: ['127.0.0.1'] });
	const server = https.createServer({ cert: fs.readFileSync(cert),
		key: fs.readFileSync(key) }, (q, r) => r.end('secret'));

	server.listen(0, '0.0.0.0');
	await within(once(server, 'listening'), 'listener');
	atEnd(t, () => {
		server.closeAllConnections();
		server.close();
	});
	const h = await start(t, [], `tls = on  tls_ca = "${cert}"`);
	const c = await connect(t, h.port);

	for (let i = 0; i < 2; i++) {
		await c.send(get('/', at(server.address())));
		assert.equal((await c.next()).body, 'secret');
	}
	// Its certificate is for another one.
	await c.send(get('/', `X-Server: 127.0.0.2:${server.address().port}`));
	assert.equal((await c.next()).status, 502);
});

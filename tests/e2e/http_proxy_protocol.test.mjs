// SPDX-License-Identifier: BSD-2-Clause
// HTTP connections that begin with a header of the PROXY protocol: its address
// is the client's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, startHostd } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';
import { proxyLocal, proxyV1, proxyV2, recorder, track } from './lib/tcp.mjs';

const listening = (more = 'hello_timeout = 1h') => `listen "main" {
		address = "127.0.0.1:@PORT@" proxy_protocol = on ${more}
	}`;
const start = (t, more, http = '', conf = '') =>
	serveShow(t, http, `${listening(more)} ${conf}`, { noPort: true });

async function peers(t, h, header, requests = 2) {
	const c = await connect(t, h.port);
	const seen = [];

	for (let i = 0; i < requests; i++) {
		await c.send(Buffer.concat([Buffer.from(i === 0 ? header : ''),
			Buffer.from(get('/'))]));
		seen.push(JSON.parse((await c.next()).body).peer);
	}
	c.destroy();
	return seen;
}

test('the header says whose requests they are', async (t) => {
	const h = await start(t);
	const tlvs = Buffer.from('010002683202000161040000', 'hex');

	for (const [header, peer] of [
		[proxyV1('192.0.2.1', 5, '192.0.2.2', 80), '192.0.2.1'],
		[proxyV1('2001:db8::1', 5, '2001:db8::2', 80), '2001:db8::1'],
		[proxyV2('192.0.2.7', 5, '192.0.2.2', 80), '192.0.2.7'],
		[proxyV2('2001:db8::7', 5, '2001:db8::2', 80, tlvs),
			'2001:db8::7'],
		['PROXY UNKNOWN\r\n', '127.0.0.1'],
		[proxyLocal(), '127.0.0.1']])
		assert.deepEqual(await peers(t, h, header), [peer, peer]);
});

test('byte by byte', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	for (const b of proxyV2('192.0.2.7', 5, '192.0.2.2', 80))
		await c.send(Buffer.from([b]));
	for (const b of get('/'))
		await c.send(b);
	assert.equal(JSON.parse((await c.next()).body).peer, '192.0.2.7');
});

test('the access log and trusted proxies go by it', async (t) => {
	const h = await start(t, undefined, 'real_ip_from = {"192.0.2.0/24"}', `
		access_log "a" { path = "access.log" format = "<$remote_addr>" }`);
	const c = await connect(t, h.port);

	await c.send(proxyV1('192.0.2.1', 5, '192.0.2.2', 80) + get('/') +
	    get('/', 'X-Forwarded-For: 198.51.100.9'));
	assert.equal(JSON.parse((await c.next()).body).peer, '192.0.2.1');
	assert.equal(JSON.parse((await c.next()).body).peer, '198.51.100.9');
	await h.stop('SIGQUIT');
	assert.deepEqual(fs.readFileSync(path.join(h.dir, 'access.log'),
	    'utf8').split('\n').slice(0, 2), ['<192.0.2.1>',
		'<198.51.100.9>']);
});

test('who does not begin with one is closed, and that is logged', async (t) => {
	const h = await start(t);

	for (const bytes of [get('/'), 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
		`PROXY ${'x'.repeat(200)}`]) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		assert.equal(await c.end(), '');
	}
	await h.logged('127.0.0.1 is closed: its PROXY header is bad');
	// A check that only connects is nothing to talk about.
	const c = await connect(t, h.port);

	c.finish();
	assert.equal(await c.end(), '');
	assert.deepEqual(await peers(t, h, 'PROXY UNKNOWN\r\n'),
	    ['127.0.0.1', '127.0.0.1']);
	// Once in five seconds: three that come in one go are told once.
	const told = [...h.log.matchAll(/^(\S+Z) .*PROXY header is bad/gm)]
	    .map(([, time]) => Date.parse(time));

	for (const [i, time] of told.slice(1).entries())
		assert.ok(time - told[i] > 1000, `${told}`);
});

test('who says nothing is closed in time', async (t) => {
	const h = await start(t, 'hello_timeout = 200ms');
	const c = await connect(t, h.port);

	assert.equal(await c.end(), '');
	const d = await connect(t, h.port);

	await d.send('PROXY TCP4 ');
	assert.equal(await d.end(), '');
});

test('it holds in the worker that goes on after a reload', async (t) => {
	const h = await start(t);
	const asked = await connect(t, h.port);
	const silent = await connect(t, h.port);
	const ask = async (c, before = '') => {
		await c.send(before + get('/'));
		return JSON.parse((await c.next()).body);
	};
	const one = await ask(asked, proxyV1('192.0.2.1', 5, '192.0.2.2', 80));

	assert.equal(one.peer, '192.0.2.1');
	const [before] = await h.workers();

	assert.equal((await h.hostctl('reload')).code, 0);
	await h.logged(new RegExp(`pid ${before.pid}\\] ending`));
	assert.equal((await ask(asked)).peer, '192.0.2.1');
	assert.equal((await ask(silent, proxyV1('192.0.2.3', 5, '192.0.2.2',
	    80))).peer, '192.0.2.3');
});

test("curl's header", async (t) => {
	const h = await start(t);
	const r = await command('curl', ['-s', '--max-time', '20',
		'--haproxy-protocol', `${h.url}/`]);

	assert.equal(r.code, 0, r.stderr);
	assert.equal(JSON.parse(r.stdout).peer, '127.0.0.1');
});

test('http_proxy sends it on to servers', async (t) => {
	const server = await recorder(t);
	const h = await startHostd(t, { noPort: true, conf: `${listening()}
		pool "web" { workers = 1 }
		upstream "app" { server "127.0.0.1:${server.port}" { }
			proxy_protocol = v2 }
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy" upstream = "app" }` });
	const c = await track(t, h.port);

	await c.send(proxyV1('192.0.2.1', 5, '192.0.2.2', 80) + get('/'));
	const one = await server.heard('GET / HTTP/1.1\r\n');

	// It does not say the port, which nobody remembers.
	assert.equal(Buffer.from(one.text.slice(0, 28), 'latin1')
	    .toString('hex'), proxyV2('192.0.2.1', 0, '127.0.0.1', h.port)
	    .toString('hex'));
	one.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
	assert.equal((await c.next()).status, 204);
});

test('of a listener for both families, with the client\'s port', async (t) => {
	const server = await recorder(t);
	const h = await startHostd(t, { noPort: true, conf: `
		listen "main" { address = "[::]:@PORT@" v6only = off }
		pool "web" { workers = 1 }
		upstream "app" { server "127.0.0.1:${server.port}" { }
			proxy_protocol = v1 }
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy" upstream = "app" }` });

	for (const [i, host, family] of [[0, '127.0.0.1', 4], [1, '::1', 6]]) {
		const c = await track(t, { host, port: h.port });

		await c.send(get('/'));
		const one = await server.heard('GET / HTTP/1.1\r\n', i);

		assert.equal(one.text.split('\r\n')[0], `PROXY TCP${family} ` +
		    `${host} ${host} ${c.socket.localPort} ${h.port}`);
		one.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
		assert.equal((await c.next()).status, 204);
	}
});

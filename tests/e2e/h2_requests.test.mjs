// SPDX-License-Identifier: BSD-2-Clause
// Requests over HTTP/2 are requests: to plugins, the router, logs and counters.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command } from './lib/hostd.mjs';
import { serve, serveShow } from './lib/http1.mjs';
import { answerOf, connect } from './lib/http2.mjs';

const h2c = 'h2c = on';

const serveFlow = (t, keys) => serve(t, 'flow_route', (so) => `
	http { ${keys} }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);

test('what a plugin sees', async (t) => {
	const h = await serveShow(t, h2c);
	const c = await connect(t, h);
	const r = await c.ask('/a%20b?q=1', { cookie: ['a=1', 'b=2'],
		'x-one': 'two' });

	assert.equal(r.status, 200);
	const seen = JSON.parse(r.body);

	assert.equal(seen.method, 'GET');
	assert.equal(seen.path, '/a b');
	assert.equal(seen.query, 'q=1');
	assert.equal(seen.host, '127.0.0.1');
	// host, both cookies in one, and x-one.
	assert.equal(seen.headers, 3);
	assert.equal(r.headers.connection, undefined);
	assert.equal(r.headers['transfer-encoding'], undefined);
	assert.equal(r.headers.server, 'hostd');
	assert.ok(!Number.isNaN(Date.parse(r.headers.date)));
});

test('methods, lengths and statuses', async (t) => {
	const h = await serveShow(t, h2c);
	const c = await connect(t, h);
	const head = await c.ask('/', { ':method': 'HEAD' });

	assert.equal(head.status, 200);
	assert.ok(Number(head.headers['content-length']) > 0);
	assert.equal(head.body, '');
	for (const status of [204, 304, 404, 500])
		assert.equal((await c.ask(`/?status=${status}`)).status,
		    status);
	const r = await c.ask('/?length=100000');

	assert.equal(r.headers['content-length'], '100000');
	assert.equal(r.bytes.length, 100000);
	const s = await c.ask('/?stream=50&of=3000');

	assert.equal(s.headers['content-length'], undefined);
	assert.equal(s.bytes.length, 150000);
});

test('bodies come and go, many at once', async (t) => {
	const h = await serveFlow(t, `${h2c}  max_body = 10m`);
	const c = await connect(t, h);
	const bodies = [0, 1, 1000, 65535, 65536, 1000000, 3000000]
	    .map((n) => crypto.randomBytes(n));
	const all = await Promise.all([...bodies, ...bodies].map((b) =>
	    c.ask('/flow/echo', { ':method': 'POST' }, b)));

	all.forEach((r, i) => {
		assert.equal(r.status, 200);
		assert.ok(r.bytes.equals(bodies[i % bodies.length]));
	});
	const large = await c.ask('/flow/echo', { ':method': 'POST',
		'content-length': 11 << 20 }, '').catch((e) => e);

	// Its length is told before, and refused.
	assert.ok(large instanceof Error || large.status === 413);
});

test('a body that nobody wants', async (t) => {
	const h = await serve(t, 'show_route', () => `
		http { ${h2c} }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/" { plugin = "hello" }`);
	const c = await connect(t, h);
	const r = await c.ask('/', { ':method': 'POST' }, Buffer.alloc(200000));

	assert.equal(r.body, 'hello');
	assert.equal((await c.ask('/')).body, 'hello');
});

test('interim answers and trailers, both ways', async (t) => {
	const h = await serve(t, 'trailer_route', (so) => `
		http { ${h2c} }
		plugin "trailers" { module = "${so}" }
		route "/" { plugin = "trailers" }`);
	const c = await connect(t, h);
	const r = await c.ask('/inform');

	assert.deepEqual(r.infos.map((i) => i[':status']), [102, 103]);
	assert.equal(r.infos[1].link, '</a.css>; rel=preload');
	assert.equal(r.trailers['x-sum'], '2');
	const s = c.open('/echo', { ':method': 'POST' },
	    { waitForTrailers: true });

	s.on('wantTrailers', () => s.sendTrailers({ digest: 'abc' }));
	s.end('body');
	const back = await answerOf(s);

	assert.equal(back.status, 200);
	assert.equal(back.trailers.digest, 'abc');
});

test('expect: 100-continue', async (t) => {
	const h = await serveFlow(t, h2c);
	const c = await connect(t, h);
	const s = c.open('/flow/count', { ':method': 'POST',
		expect: '100-continue' });

	await new Promise((r) => s.once('continue', r));
	s.end('now');
	assert.equal((await answerOf(s)).status, 200);
});

test('files, ranges and their bytes, by curl and nghttp', async (t) => {
	const big = crypto.randomBytes(5 << 20);
	const h = await serve(t, 'show_route', () => `
		http { ${h2c} }
		plugin "static" { module = "http_static.so"  root = "www" }
		route "/" { plugin = "static" }`,
	    { files: { 'www/big': big, 'www/a.txt': 'hello' } });
	const curl = (...args) => command('curl', ['-s',
		'--http2-prior-knowledge', ...args], { encoding: 'buffer' });
	const all = await curl(`${h.url}/big`);

	assert.ok(all.stdout.equals(big));
	const part = await curl('-r', '1000000-1999999', `${h.url}/big`);

	assert.ok(part.stdout.equals(big.subarray(1000000, 2000000)));
	const version = await curl('-o', '/dev/null', '-w',
	    '%{http_version} %{http_code}', `${h.url}/a.txt`);

	assert.equal(version.stdout.toString(), '2 200');
	const n = await command('nghttp', ['-ns', `${h.url}/a.txt`,
		`${h.url}/big`]);

	assert.equal(n.code, 0, n.stderr);
	assert.match(n.stdout, /200 +5M +\/big/);
});

test('a proxy asks its servers by HTTP/1.1', async (t) => {
	const seen = [];
	const server = http.createServer((q, r) => {
		seen.push(q.headers.via);
		q.pipe(r);
	});

	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	atEnd(t, () => server.close());
	const h = await serve(t, 'show_route', () => `
		http { ${h2c}  max_body = 10m }
		upstream "app" { server "127.0.0.1:${server.address().port}" {} }
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy"  upstream = "app" }`);
	const c = await connect(t, h);
	const body = crypto.randomBytes(2000000);
	const all = await Promise.all([1, 2, 3, 4].map(() =>
	    c.ask('/', { ':method': 'POST' }, body)));

	for (const r of all)
		assert.ok(r.bytes.equals(body));
	assert.match(seen[0], /^2\.0 /);
});

test('logs and counters tell of them', async (t) => {
	const h = await serveShow(t, h2c,
	    'access_log "main" { path = "access.log" }');
	const c = await connect(t, h);

	for (let i = 0; i < 10; i++)
		await c.ask('/?length=10');
	c.session.close();
	await c.closed;
	await h.stop();
	const lines = fs.readFileSync(path.join(h.dir, 'access.log'), 'utf8')
	    .trim().split('\n');

	assert.equal(lines.length, 10);
	assert.match(lines[0], /"GET \/\?length=10 HTTP\/2\.0" 200 10 /);
});

test('a plugin that is slow, and a client that goes', async (t) => {
	const h = await serve(t, 'flow_route', (so) => `
		http { ${h2c} }
		plugin "flow" { module = "${so}" }
		route "/flow/" { plugin = "flow" }`);
	const c = await connect(t, h);
	const held = c.open('/flow/defer');
	const gone = c.open('/flow/begin');

	gone.on('error', () => {});
	await new Promise((r) => gone.once('response', r));
	gone.close(8);
	await h.logged(/ended begin why [^0]/);
	assert.equal((await c.ask('/flow/release')).status, 200);
	assert.equal((await answerOf(held)).status, 200);
	await assert.rejects(c.ask('/flow/fail').then((r) => {
		if (r.status !== 500)
			return r;
		throw new Error('500');
	}));
});

test('a body that is not read holds up nobody', async (t) => {
	const h = await serve(t, 'flow_route', (so) => `
		http { ${h2c}  max_body = 100m }
		plugin "flow" { module = "${so}" }
		route "/flow/" { plugin = "flow" }`);
	const c = await connect(t, h);
	const stuck = c.open('/flow/gate', { ':method': 'POST' });

	stuck.on('error', () => {});
	stuck.write(Buffer.alloc(1 << 20));
	for (let i = 0; i < 5; i++) {
		const r = await c.ask('/flow/count', { ':method': 'POST' },
		    Buffer.alloc(1 << 20));

		assert.equal(r.status, 200);
	}
	stuck.close(8);
	const down = await c.ask('/flow/source?20000000');

	assert.equal(down.bytes.length, 20000000);
});

// SPDX-License-Identifier: BSD-2-Clause
// Above the node's budget new requests are turned away, until there is room
// again; those who are there go on, and health is told.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, startHostd, until } from './lib/hostd.mjs';

const start = (t, budget) => startHostd(t, { noPort: true, conf: `
	pool "web" { workers = 2 }
	plugin "ok" { module = "http_respond.so"  body = "hello" }
	budget { ${budget} }
	route "/" { plugin = "ok" }
	route "/health" { plugin = "ok"  shed = off }` });

const curl = (h, uri) => command('curl', ['-s', '-i', h.url + uri])
    .then((r) => r.stdout);

const shed = async (h) => {
	const st = await h.status();

	return (st.status ?? st).limits.shed;
};

// A connection that has been answered once, and can be asked again.
async function keep(t, h) {
	const s = net.connect(h.port, '127.0.0.1');

	atEnd(t, () => s.destroy());
	s.on('error', () => {});
	s.ask = () => new Promise((resolve) => {
		s.once('data', (d) => resolve(Number(
		    d.toString('latin1').slice(9, 12))));
		s.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
	});
	assert.equal(await s.ask(), 200);
	return s;
}

test('connections', async (t) => {
	const h = await start(t, 'max_connections = 10  resume = 50  retry_after = 7s');
	const all = [];

	for (let i = 0; i < 10; i++)
		all.push(await keep(t, h));
	const refused = await curl(h, '/');

	assert.match(refused, /^HTTP\/1.1 503 /);
	assert.match(refused, /^Retry-After: 7\r$/m);
	assert.match(refused, /^Connection: close\r$/m);
	assert.match(await curl(h, '/health'), /^HTTP\/1.1 200 /);
	for (const s of all)
		assert.equal(await s.ask(), 200);
	await h.logged('budget: there are more than max_connections = 10');
	assert.equal((await shed(h)).connections, true);

	await t.test('until there are few enough', async () => {
		all.splice(0, 2).forEach((s) => s.destroy());
		await h.workersSatisfy((w) => w.reduce((n, x) =>
		    n + x.active, 0) === 8, 'eight connections');
		assert.match(await curl(h, '/'), /^HTTP\/1.1 503 /);
		all.splice(0, 5).forEach((s) => s.destroy());
		await h.logged('budget: there are fewer connections again');
		assert.match(await curl(h, '/'), /^HTTP\/1.1 200 /);
		assert.equal((await shed(h)).connections, false);
	});
	assert.equal((await shed(h)).turned_away, 2);
});

// A regression: the worker that it went to did not know.
test('a connection that another pool has to answer', async (t) => {
	const h = await startHostd(t, { noPort: true, conf: `
		pool "web" { workers = 1 }
		pool "other" { workers = 1 }
		plugin "ok" { module = "http_respond.so"  body = "hello" }
		budget { max_connections = 3  retry_after = 7s }
		route "/" { plugin = "ok" }
		route "/other" { plugin = "ok"  pool = "other" }
		route "/health" { plugin = "ok"  pool = "other"  shed = off }` });

	for (let i = 0; i < 3; i++)
		await keep(t, h);
	assert.match(await curl(h, '/other'), /^HTTP\/1.1 503 /);
	// The same connection, when it is there and when it is back.
	const r = await command('curl', ['-s', '-w', '%{http_code} ', '-o',
		'/dev/null', `${h.url}/health`, '-o', '/dev/null',
		`${h.url}/health`, '-o', '/dev/null', `${h.url}/`]);

	assert.equal(r.stdout, '200 200 503 ');
	assert.equal((await shed(h)).turned_away, 2);
});

test('health is told whatever the limits, and while draining', async (t) => {
	const h = await startHostd(t, { noPort: true, conf: `
		pool "web" { workers = 1 }
		http { limit_req = "one"  limit_conn = "few" }
		limit_req "one" { rate = "1/m"  burst = 3  nodelay = on
		    key = "$host" }
		limit_conn "few" { max = 1  key = "$host" }
		budget { max_connections = 3 }
		plugin "ok" { module = "http_respond.so"  body = "hello" }
		plugin "health" { module = "http_health.so" }
		route "/" { plugin = "ok" }
		route "/health/" { plugin = "health"  limit_req = {}
		    limit_conn = {}  shed = off }` });
	const all = [];
	const probe = async (name) => (await curl(h, `/health/${name}`))
	    .slice(9, 12);

	for (let i = 0; i < 3; i++)
		all.push(await keep(t, h));
	assert.match(await curl(h, '/'), /^HTTP\/1.1 503 [^]*Retry-After/);
	assert.equal(await all[0].ask(), 200);
	assert.equal(await all[0].ask(), 429);
	for (let i = 0; i < 5; i++)
		assert.deepEqual([await probe('liveness'),
			await probe('readiness')], ['200', '200']);
	assert.equal((await h.hostctl('drain', '--over', '1h')).code, 0);
	await until(async () => await probe('readiness') === '503',
	    'readiness 503');
	assert.match(await curl(h, '/health/readiness'), /draining/);
	assert.equal(await probe('liveness'), '200');
});

test('memory', async (t) => {
	const h = await start(t, 'max_memory = 1m');

	await h.logged(/budget: workers have \d+ KiB resident, max_memory = 1024 KiB: requests are turned away/);
	assert.match(await curl(h, '/'), /^HTTP\/1.1 503 /);
	assert.match(await curl(h, '/health'), /^HTTP\/1.1 200 /);
	const { memory, memory_bytes: bytes } = await shed(h);

	assert.equal(memory, true);
	assert.ok(bytes > 1 << 20, `${bytes}`);

	const file = path.join(h.dir, 'hostd.conf');

	fs.writeFileSync(file, fs.readFileSync(file, 'utf8')
	    .replace('max_memory = 1m', 'max_memory = 100g'));
	assert.equal((await h.hostctl('reload')).code, 0);
	await h.logged('requests are answered again');
	await until(async () => /^HTTP\/1.1 200 /.test(await curl(h, '/')),
	    'an answer');
	const told = h.log.match(/requests are (turned away|answered)/g);

	assert.equal(told.length, 2);
});

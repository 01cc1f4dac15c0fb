// SPDX-License-Identifier: BSD-2-Clause
// Answers that are sent no faster than they may be: over HTTP/1, TLS, and each
// stream of HTTP/2 by itself.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, command, startHostd } from './lib/hostd.mjs';
import { answerOf, connect } from './lib/http2.mjs';
import { startTls } from './lib/tls.mjs';

const files = {};
for (const [name, n] of [['small', 1000], ['two', 2 << 20],
	['large', (24 << 20) + (300 << 10)]])
	files[`www/${name}`] = Buffer.alloc(n, 'x');

const routes = `
	http { h2c = on }
	plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
	route "/" { plugin = "files" }
	route "/slow/" { plugin = "files"  limit_rate = 1m }
	route "/later/" {
		plugin = "files"
		limit_rate = 100k  limit_rate_after = 24m
	}
	route "/crawl/" { plugin = "files"  limit_rate = 200k }
	route "/drops/" {
		plugin = "files"
		limit_rate = 100  send_timeout = 5s
	}`;

const start = (t, env = {}) => startHostd(t, { files, env, conf: `
	pool "web" { workers = 1  watchdog = 0 }
	${routes}` });

async function timed(...args) {
	const r = await command('curl', ['-sS', '-o', '/dev/null', '-w',
		'%{http_version} %{size_download} %{time_total}', '--max-time',
		'40', ...args]);
	const [version, size, seconds] = r.stdout.split(' ');

	return { version, size: Number(size), seconds: Number(seconds) };
}

// What is on its way is not held back, nor are, for streams of HTTP/2, the bytes
// of a tenth of a second, or of a second in which the server stood still.
async function check(h, version, ...args) {
	const [slow, later] = await Promise.all([
		timed(...args, `${h.url}/slow/two`),
		timed(...args, `${h.url}/later/large`)]);

	assert.deepEqual([slow.version, later.version], [version, version]);
	assert.equal(slow.size, 2 << 20);
	assert.ok(slow.seconds > 0.7, `${slow.seconds} s`);
	// At that rate all of it would take minutes.
	assert.equal(later.size, files['www/large'].length);
	assert.ok(later.seconds > 0.4, `${later.seconds} s`);
}

test('over TCP', async (t) => {
	const h = await start(t);

	await Promise.all([check(h, '1.1'),
		check(h, '2', '--http2-prior-knowledge')]);
});

test('over TLS', async (t) => {
	const h = await startTls(t, { files, conf: routes });

	await Promise.all([check(h, '1.1', '--cacert', h.ca, '--http1.1'),
		check(h, '2', '--cacert', h.ca)]);
});

test('each stream has its own rate', async (t) => {
	const clock = await makeClock(t);
	const h = await start(t, clock.env);
	const c = await connect(t, h);
	const began = performance.now();
	let slow = 3, passed = 0;
	const get = async (path) => (await c.ask(path)).bytes.length;
	const sizes = Promise.all(['/crawl/two', '/crawl/two', '/drops/small']
	    .map((path) => get(path).finally(() => { slow--; })));

	// Nobody waits for those that are slow.
	assert.deepEqual(await Promise.all([get('/two'), get('/slow/small')]),
	    [2 << 20, 1000]);
	assert.equal(slow, 3);
	for (; slow > 0; passed++) {
		clock.pass(1);
		assert.equal(await get('/small'), 1000);
	}
	assert.deepEqual(await sizes, [2 << 20, 2 << 20, 1000]);
	// A tenth of a second's, and those of a second, may come at once.
	assert.ok(passed + (performance.now() - began) / 1000 > 8);
	// One that ends early leaves nothing behind.
	const s = c.open('/slow/two');

	s.on('error', () => {});
	await new Promise((r) => s.once('data', r));
	s.close(8);
	assert.equal((await answerOf(c.open('/two'))).bytes.length, 2 << 20);
});

test('a request before it does not lift it', async (t) => {
	const h = await start(t);
	const s = net.connect(h.port, '127.0.0.1');
	const began = performance.now();
	let n = 0;

	atEnd(t, () => s.destroy());
	for (const path of ['/slow/small', '/small', '/slow/two'])
		s.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
	s.on('data', (d) => { n += d.length; });
	await new Promise((r) => s.on('data', () => n > 2 << 20 && r()));
	assert.ok(performance.now() - began > 700);
});

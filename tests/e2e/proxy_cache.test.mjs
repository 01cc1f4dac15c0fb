// SPDX-License-Identifier: BSD-2-Clause
// The proxy's cache, in memory and on disk: what is asked of the server, and
// what clients get.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { startHostd, until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';

const stores = {
	memory: 'cache = memory',
	disk: 'cache = disk  cache_dir = "@DIR@/cache"',
};

// { h, backend, ask(path, ...headers), count(path) }
async function start(t, keys, script, { workers = 1 } = {}) {
	const backend = await recorder(t, script);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = ${workers} }
		${upstreamConf(backend, 'max_fails = 0', keys)}` });
	const ask = async (path, ...headers) => {
		const method = /^[A-Z]+ /.test(path) ? '' : 'GET ';
		const c = await Client.connect(h.port);

		await c.send([`${method}${path} HTTP/1.1`, 'Host: a',
			'Connection: close', ...headers, '', ''].join('\r\n'));
		const r = await c.next({ head: path.startsWith('HEAD ') });

		c.destroy();
		r.cache = r.headers['x-cache-status']?.[0];
		return r;
	};
	const count = (path) =>
	    backend.requests.filter((r) => r.target === path).length;

	return { h, backend, ask, count };
}

const numbered = (...headers) => {
	let n = 0;

	return () => plain(`answer ${n++}`, ...headers);
};

for (const [store, keys] of Object.entries(stores)) {
	test(`${store}: kept, for as long as the server says`, async (t) => {
		const { ask, backend, count } = await start(t, keys, (r) => ({
			'/kept': () => plain('kept',
			    'Cache-Control: max-age=60',
			    'X-A: 1', 'Set-Header: x'),
			'/no': () => plain('no', 'Cache-Control: no-store'),
			'/silent': () => plain('silent'),
			'/cookie': () => plain('cookie', 'Set-Cookie: a=b',
			    'Cache-Control: max-age=60'),
			'/empty': () => 'HTTP/1.1 204 No\r\n' +
			    'Cache-Control: max-age=60\r\n\r\n',
			'/gone': () => plain('gone',
			    'Cache-Control: max-age=60')
			    .replace('200 OK', '404 Not Found'),
		})[r.target]());

		for (const path of ['/kept', '/gone', '/empty']) {
			const first = await ask(path);
			const second = await ask(path);

			assert.equal(first.cache, 'MISS', path);
			assert.equal(second.cache, 'HIT', path);
			assert.equal(second.status, first.status);
			assert.equal(second.body, first.body);
			assert.match(second.headers.age[0], /^\d+$/);
			assert.deepEqual(second.headers['x-a'],
			    first.headers['x-a']);
			assert.equal(count(path), 1);
		}
		for (const path of ['/no', '/silent', '/cookie'])
			for (let i = 1; i < 4; i++) {
				assert.equal((await ask(path)).cache, 'MISS');
				assert.equal(count(path), i);
			}
		// A query is another key, a header that nobody named is not.
		assert.equal((await ask('/kept', 'X-B: 1')).cache, 'HIT');
		assert.deepEqual(backend.errors, []);
	});

	test(`${store}: HEAD, conditions and ranges of what is kept`,
	    async (t) => {
		const { ask, count, backend } = await start(t, keys, () =>
		    plain('0123456789', 'Cache-Control: max-age=60',
		    'ETag: "a"', 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT'));
		const head = await ask('HEAD /x');

		assert.equal(head.headers['content-length'][0], '10');
		// It was asked for as a whole.
		assert.equal(backend.requests[0].method, 'GET');
		assert.equal((await ask('/x')).cache, 'HIT');
		const same = await ask('/x', 'If-None-Match: "b", W/"a"');

		assert.equal(same.status, 304);
		assert.equal(same.headers.etag[0], '"a"');
		assert.equal((await ask('/x', 'If-Modified-Since: ' +
		    'Sun, 06 Nov 1994 08:49:37 GMT')).status, 304);
		const part = await ask('/x', 'Range: bytes=2-4');

		assert.equal(part.status, 206);
		assert.equal(part.body, '234');
		assert.equal(part.headers['content-range'][0], 'bytes 2-4/10');
		assert.equal((await ask('/x', 'Range: bytes=2-4',
		    'If-Range: "b"')).body, '0123456789');
		assert.equal((await ask('/x', 'Range: bytes=20-')).status, 416);
		assert.equal(count('/x'), 1);
		// What is not kept comes from the server, as it was asked for.
		await ask('/y', 'Range: bytes=2-4');
		assert.equal(backend.requests.at(-1).headers.range[0],
		    'bytes=2-4');
		// For what is kept the client's conditions are not the
		// server's.
		await ask('/z', 'If-None-Match: "a"');
		assert.equal(backend.requests.at(-1).headers['if-none-match'],
		    undefined);
	});

	// The connection was reset under the client's next request.
	test(`${store}: HEAD of what is cut short is whole all the same`,
	    async (t) => {
		const { h } = await start(t, keys, (r, s) => {
			if (r.target === '/after')
				return plain('after');
			s.end(plain('0123456789', 'Cache-Control: max-age=60')
			    .slice(0, -1));
			return null;
		});
		const c = await Client.connect(h.port);

		for (let i = 0; i < 3; i++) {
			await c.send('HEAD /cut HTTP/1.1\r\nHost: a\r\n\r\n');
			assert.equal((await c.next({ head: true })).status,
			    200);
			await c.send('GET /after HTTP/1.1\r\nHost: a\r\n\r\n');
			assert.equal((await c.next()).body, 'after');
		}
		c.destroy();
	});

	test(`${store}: Vary`, async (t) => {
		const { ask, count } = await start(t, keys, (r) =>
		    plain(`for ${r.headers['accept-language'] ?? 'all'}`,
		    'Cache-Control: max-age=60', 'Vary: Accept-Language'));

		for (const want of ['MISS', 'HIT', 'HIT'])
			for (const lang of ['de', 'en', 'fr']) {
				const r = await ask('/',
				    `Accept-Language: ${lang}`);

				assert.equal(r.cache, want);
				assert.equal(r.body, `for ${lang}`);
			}
		assert.equal((await ask('/')).body, 'for all');
		assert.equal(count('/'), 4);
	});

	test(`${store}: 304 makes it new again`, async (t) => {
		let n = 0;
		const { ask, backend } = await start(t, keys, (r) =>
		    r.headers['if-none-match'] ? 'HTTP/1.1 304 Same\r\n' +
		    `Cache-Control: max-age=${n++ === 0 ? 0 : 60}\r\n` +
		    'ETag: "a"\r\nX-New: 1\r\n\r\n' :
		    plain('body', 'ETag: "a"', 'Cache-Control: max-age=0',
		    'X-Old: 1'));

		assert.equal((await ask('/')).cache, 'MISS');
		for (let i = 0; i < 2; i++) {
			const r = await ask('/');

			assert.equal(r.cache, 'REVALIDATED');
			assert.equal(r.status, 200);
			assert.equal(r.body, 'body');
			assert.equal(r.headers['x-new'][0], '1');
			assert.equal(r.headers['x-old'][0], '1');
		}
		// The second one says that it is good for a while; on disk it
		// is written meanwhile.
		let r;

		do
			r = await ask('/');
		while (r.cache === 'REVALIDATED');
		assert.equal(r.cache, 'HIT');
		assert.equal(r.body, 'body');
		assert.ok(backend.requests.slice(1).every((q) =>
		    q.headers['if-none-match'][0] === '"a"'));
	});

	test(`${store}: one request for each key, the others wait`,
	    async (t) => {
		let go;
		const gate = new Promise((resolve) => { go = resolve; });
		const { ask, backend, count } = await start(t, keys,
		    async (r) => {
			await gate;
			return r.target === '/kept' ?
			    plain('kept', 'Cache-Control: max-age=60') :
			    plain('own', 'Cache-Control: no-store');
		}, { workers: 2 });
		const all = Array.from({ length: 20 }, () => ask('/kept'));

		await backend.until((b) => b.requests.length > 0, 'request');
		const own = Array.from({ length: 10 }, () => ask('/own'));

		await backend.until(() => count('/own') > 0, 'request');
		go();
		const got = await Promise.all(all);

		assert.ok(got.every((r) => r.body === 'kept'));
		// Memory is each worker's own.
		assert.ok(count('/kept') <= (store === 'disk' ? 1 : 2),
		    `${count('/kept')} requests`);
		// What is not kept everybody asks for.
		assert.ok((await Promise.all(own)).every(
		    (r) => r.body === 'own'));
		assert.equal(count('/own'), 10);
	});

	test(`${store}: stale answers`, async (t) => {
		let mode = 'ok';
		let n = 0;
		const { ask, backend, count } = await start(t,
		    `${keys}  next_upstream = {"off"}`, (r, s) => {
			const cc =
			    { '/swr': 'max-age=0, stale-while-revalidate=60',
				'/sie': 'max-age=0, stale-if-error=60',
				'/must': 'max-age=0, must-revalidate, ' +
				    'stale-if-error=60' }[r.target];

			if (mode === 'cut') {
				s.destroy();
				return null;
			}
			return mode === 'ok' ? plain(`answer ${n++}`,
			    `Cache-Control: ${cc}`, 'ETag: "a"') :
			    plain('failed').replace('200 OK', '503 Busy');
		});

		assert.equal((await ask('/swr')).body, 'answer 0');
		const stale = await ask('/swr');

		assert.equal(stale.body, 'answer 0');
		assert.equal(stale.cache, 'STALE');
		// It was asked for behind our back.
		await backend.until(() => count('/swr') === 2, 'refresh');
		let next;

		do
			next = await ask('/swr');
		while (next.body === 'answer 0');
		for (const path of ['/sie', '/must'])
			assert.equal((await ask(path)).cache, 'MISS');
		for (mode of ['503', 'cut']) {
			const r = await ask('/sie');

			assert.equal(r.status, 200, mode);
			assert.equal(r.cache, 'STALE');
			assert.match(r.body, /^answer/);
			assert.equal((await ask('/must')).status,
			    mode === 'cut' ? 502 : 503);
		}
		mode = 'ok';
		assert.equal((await ask('/sie')).cache, 'EXPIRED');
	});

	test(`${store}: Authorization, bypass, rules, keys, unsafe methods`,
	    async (t) => {
		const { ask, count } = await start(t, `${keys}
			cache_key = "$host$uri$arg_a"
			cache_bypass = {"$arg_fresh", "$http_x_fresh"}
			cache_valid = {"200 10m", "any 0"}`,
		    (r) => r.target === '/public' ?
		    plain('public', 'Cache-Control: public, max-age=60') :
		    plain(r.target));

		// cache_valid is for those that say nothing.
		assert.equal((await ask('/x?a=1')).cache, 'MISS');
		assert.equal((await ask('/x?a=1&b=2')).cache, 'HIT');
		assert.equal((await ask('/x?a=2')).cache, 'MISS');
		assert.equal((await ask('/x?a=1&fresh=0')).cache, 'HIT');
		assert.equal((await ask('/x?a=1&fresh=1')).cache, 'BYPASS');
		assert.equal((await ask('/x?a=1', 'X-Fresh: y')).cache,
		    'BYPASS');
		// What came of it was kept.
		assert.equal((await ask('/x?a=1&c')).body, '/x?a=1');
		// Somebody's own.
		const auth = 'Authorization: Basic eDp5';

		await ask('/own', auth);
		await ask('/own', auth);
		assert.equal(count('/own'), 2);
		await ask('/public', auth);
		assert.equal((await ask('/public', auth)).cache, 'HIT');
		assert.equal((await ask('/public')).cache, 'HIT');
		// Something has changed.
		assert.equal((await ask('/x?a=2')).cache, 'HIT');
		await ask('POST /x?a=2', 'Content-Length: 0');
		let r;

		do
			r = await ask('/x?a=2');
		while (store === 'disk' && r.cache === 'HIT');
		assert.equal(r.cache, 'MISS');
	});

	test(`${store}: purge`, async (t) => {
		const { ask, h } = await start(t,
		    `${keys}  cache_purge_from = {"127.0.0.0/8"}`,
		    numbered('Cache-Control: max-age=60'), { workers: 2 });
		// Until every worker keeps n.
		const kept = (n, first = () => {}) => until(async () => {
			await first();
			const r = await h.hostctl('plugin', 'call', '--json',
			    'proxy', 'cache');

			assert.equal(r.code, 0, r.stderr);
			return JSON.parse(r.stdout).workers.every((w) =>
			    w.result.entries === n);
		}, `${n} in every cache`);

		await kept(3, async () => {
			for (const path of ['/a/1', '/a/2', '/b'])
				await ask(path);
		});
		assert.equal((await ask('PURGE /a/1')).status, 200);
		await kept(2);
		assert.equal((await ask('/a/2')).cache, 'HIT');
		assert.equal((await ask('PURGE /a/*')).status, 200);
		await kept(1);
		assert.equal((await ask('/a/2')).cache, 'MISS');
		assert.equal((await ask('/b')).cache, 'HIT');
	});
}

test('purge is for those who may', async (t) => {
	const { ask, backend } = await start(t,
	    'cache = memory  cache_purge_from = {"192.0.2.0/24", "::1"}',
	    () => plain('x', 'Cache-Control: max-age=60'));

	await ask('/');
	assert.equal((await ask('PURGE /')).status, 403);
	assert.equal((await ask('/')).cache, 'HIT');
	assert.equal(backend.requests.length, 1);
});

for (const [store, keys] of Object.entries(stores)) {
	test(`${store}: what is kept is compressed for those who take it`,
	    async (t) => {
		const text = crypto.randomBytes(1500000).toString('hex');
		const { ask, h } = await start(t, `${keys}  gzip = on`, () =>
		    plain(text, 'Content-Type: text/plain', 'ETag: "a"',
		    'Cache-Control: max-age=60'));

		for (const status of ['MISS', 'HIT', 'HIT']) {
			const r = await ask('/', 'Accept-Encoding: gzip');

			assert.equal(r.cache, status);
			assert.equal(r.headers['content-encoding'][0], 'gzip');
			assert.equal(r.headers.vary[0], 'Accept-Encoding');
			assert.equal(
			    zlib.gunzipSync(Buffer.from(r.body, 'latin1'))
			    .toString(), text);
			assert.equal((await ask('/')).body, text);
			assert.equal(
			    (await ask('HEAD /', 'Accept-Encoding: gzip'))
			    .headers['content-encoding'][0], 'gzip');
			assert.equal((await ask('/', 'Accept-Encoding: gzip',
			    'If-None-Match: W/"a"')).status, 304);
		}
		// Its server's trailers were asked for, of which there was
		// none.
		assert.equal((await h.status()).stale_handles, 0);
	});
}

test('mistakes in its keys are said', async (t) => {
	const { h } = await start(t, 'cache = memory');

	for (const [keys, what] of [
		['cache = disk', /needs a cache_dir/],
		['cache = disk  cache_dir = "/proc/none/x"',
			/cache_dir \/proc\/none\/x: /],
		['cache = memory  cache_valid = {"200"}', /is not statuses/],
		['cache = memory  cache_valid = {"99 1m"}', /a status that/],
		['cache = memory  cache_use_stale = {"never"}', /is none of/],
		['cache = memory  cache_purge_from = {"10.0.0.0/33"}',
			/no length of a network/],
		['cache = memory  cache_key = "$nope"', /cache_key/],
	]) {
		fs.writeFileSync(`${h.dir}/conf.d/bad.conf`,
		    `plugin "bad" { module = "http_proxy.so" upstream = "app"
			${keys} }\n`);
		const r = await h.hostctl('reload');

		assert.notEqual(r.code, 0, keys);
		assert.match(r.stdout + r.stderr, what);
	}
});

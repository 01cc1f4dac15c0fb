// SPDX-License-Identifier: BSD-2-Clause
// What one client sends must not decide what the cache gives to another.
import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { startHostd } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';

// What the server answers depends on headers that it names in Vary.
const told = (vary) => (r) => plain(vary.map((name) =>
    (r.headers[name.toLowerCase()] ?? ['none']).join('|')).join(),
'Cache-Control: max-age=60', `Vary: ${vary.join(', ')}`);

async function start(t, keys, script) {
	const backend = await recorder(t, script);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		${upstreamConf(backend, 'max_fails = 0',
		    `cache = memory ${keys}`)}` });

	return async (path, ...headers) => {
		const c = await Client.connect(h.port);

		await c.send([`GET ${path} HTTP/1.1`, 'Host: a',
			...headers, '', ''].join('\r\n'));
		const r = await c.next();

		c.destroy();
		return { body: r.body,
		    cache: r.headers['x-cache-status']?.[0] };
	};
}

test('a header that Connection keeps from the server makes no variant',
    async (t) => {
	const ask = await start(t, '', told(['Origin']));

	// The server has not seen it, so its answer is not the one to it.
	assert.equal((await ask('/x', 'Origin: b', 'Connection: Origin')).body,
	    'none');
	assert.deepEqual(await ask('/x', 'Origin: b'),
	    { body: 'b', cache: 'MISS' });
	assert.deepEqual(await ask('/x', 'Origin: b'),
	    { body: 'b', cache: 'HIT' });
	assert.equal((await ask('/x', 'Origin: b',
	    'Connection: x, origin')).body, 'none');
	// Those that are for one hop anyway take nothing away.
	assert.equal((await ask('/x', 'Origin: b', 'TE: trailers',
	    'Connection: TE')).cache, 'HIT');
});

test('what varies with what only the proxy tells is not kept', async (t) => {
	const ask = await start(t, `set_header = {"X-Who: $http_x_name",
	    "X-Fixed: 1"}`, (r) =>
	    told([r.target.slice(1).split('?')[0]])(r));

	for (const name of ['X-Forwarded-For', 'X-Real-IP', 'X-Request-ID',
		'X-Who'])
		for (let i = 0; i < 2; i++)
			assert.equal((await ask(`/${name}`)).cache, 'MISS',
			    name);
	assert.equal((await ask('/X-Who', 'X-Name: me')).body, 'me');
	assert.equal((await ask('/X-Who')).body, 'none');
	for (const name of ['X-Fixed', 'X-Forwarded-Proto', 'Accept']) {
		await ask(`/${name}`);
		assert.equal((await ask(`/${name}`)).cache, 'HIT', name);
	}
});

test('a key of a header is one of all its lines', async (t) => {
	const ask = await start(t, 'cache_key = "$request_uri $http_x_for"',
	    (r) => plain(r.headers['x-for'].join('|'),
	    'Cache-Control: max-age=60'));

	assert.equal((await ask('/x', 'X-For: a', 'X-For: b')).body, 'a|b');
	assert.equal((await ask('/x', 'X-For: a')).body, 'a');
	assert.equal((await ask('/x', 'X-For: a', 'X-For: b')).cache, 'HIT');
});

for (const [what, request] of Object.entries({
	purged: 'PURGE /x', 'all below it purged': 'PURGE /*',
	changed: 'POST /x' }))
	test(`an answer from before the thing was ${what} is not kept`,
	    async (t) => {
		const gates = [];
		const backend = await recorder(t, async (r) => {
			if (r.method === 'POST')
				return plain('done');
			await new Promise((go) => {
				gates.push(go);
				gates.came?.();
			});
			return plain(`answer ${++gates.n}`,
			    'Cache-Control: max-age=60');
		});
		const asked = (n) => new Promise((go) => {
			gates.came = () => gates.length >= n && go();
			gates.came();
		});
		const h = await startHostd(t, { conf: `
			pool "web" { workers = 1 }
			${upstreamConf(backend, 'max_fails = 0', `cache = memory
			cache_purge_from = {"127.0.0.1"}`)}` });
		const ask = async (first) => {
			const c = await Client.connect(h.port);

			await c.send(`${first} HTTP/1.1\r\nHost: a\r\n` +
			    'Content-Length: 0\r\n\r\n');
			const r = await c.next();

			c.destroy();
			return r;
		};

		gates.n = 0;
		const before = ask('GET /x');

		await asked(1);
		assert.equal((await ask(request)).status, 200);
		gates[0]();
		assert.equal((await before).body, 'answer 1');
		const after = ask('GET /x');

		await Promise.race([asked(2), after.then((r) =>
		    assert.notEqual(r.body, 'answer 1'))]);
		gates[1]();
		assert.equal((await after).body, 'answer 2');
	});

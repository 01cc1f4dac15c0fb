// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: Via, and requests that come back to where they were.
import assert from 'node:assert/strict';
import test from 'node:test';
import { reply, serveProxy, startBackend, tell } from './lib/proxied.mjs';
import { connect, get } from './lib/http1.mjs';

async function sent(t, keys, ...lines) {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b], keys);
	const c = await connect(t, h.port);

	await c.send(get('/a', ...lines));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.via, undefined);
	return JSON.parse(r.body).headers.via;
}

test('servers are told', async (t) => {
	assert.deepEqual(await sent(t, ''), ['1.1 hostd']);
	assert.deepEqual(await sent(t, 'via = "edge-1.example:443"'),
	    ['1.1 edge-1.example:443']);
	assert.deepEqual(await sent(t, '', 'Via: 1.0 fred, 1.1 p (x, y)',
	    'X: y', 'via: 2 other'),
	['1.0 fred, 1.1 p (x, y), 2 other, 1.1 hostd']);
});

test('or what came, or what the operator says', async (t) => {
	assert.equal(await sent(t, 'via = off'), undefined);
	assert.deepEqual(await sent(t, 'via = off', 'Via: 1.0 fred'),
	    ['1.0 fred']);
	assert.deepEqual(await sent(t, 'set_header = "Via: 1.1 me"',
	    'Via: 1.0 fred'), ['1.1 me']);
});

test('what a client of HTTP/1.0 has spoken', async (t) => {
	const b = await startBackend(t, tell);
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);

	await c.send('GET /a HTTP/1.0\r\n\r\n');
	assert.match(await c.end(), /"via":\["1\.0 hostd"\]/);
});

test('ten in a row, and not one more', async (t) => {
	const b = await startBackend(t, () => reply(200, 'ok'));
	const h = await serveProxy(t, [b]);
	const c = await connect(t, h.port);
	const via = (n) => `Via: ${Array(n).fill('1.1 HOSTD').join(', ')}`;

	await c.send(get('/a', via(9),
	    'Via: 1.1 hostd.example, 1.1 x (hostd)'));
	assert.equal((await c.next()).status, 200);
	await c.send(get('/a', via(5), via(5)));
	assert.equal((await c.next()).status, 508);
	assert.equal(b.requests.length, 1);
});

test('a circle ends', async (t) => {
	const h = await serveProxy(t, [], '', { group:
		'server "127.0.0.1:@PORT@" { }' });
	const c = await connect(t, h.port);

	await c.send(get('/a'));
	const r = await c.next();

	assert.equal(r.status, 508);
	await h.logged(/answered 508: it goes round in a circle/);
});

test('a name that is none is refused', async (t) => {
	await assert.rejects(serveProxy(t, [1], 'via = "a b"'),
	    /via: "a b" is neither a name nor "off"/);
});

// SPDX-License-Identifier: BSD-2-Clause
// An Express application behind the proxy.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { upstreamConf } from './lib/backend.mjs';
import { atEnd, command, startHostd, tempDir } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const express = npm('express');
const big = crypto.randomBytes(3 << 20);
const hash = (b) => crypto.createHash('sha256').update(b).digest('hex');

function application(dir) {
	const app = express();

	app.set('trust proxy', 'loopback');
	app.get('/', (req, res) => res.send('hello'));
	app.get('/me', (req, res) => res.json({ ip: req.ip, host: req.host,
		protocol: req.protocol, id: req.get('X-Request-ID') }));
	app.post('/json', express.json(), (req, res) =>
		res.status(201).json({ got: req.body }));
	app.post('/form', express.urlencoded({ extended: true }),
	    (req, res) => res.json(req.body));
	app.put('/hash', (req, res) => {
		const h = crypto.createHash('sha256');

		req.on('data', (d) => h.update(d));
		req.on('end', () => res.type('text').send(h.digest('hex')));
	});
	app.get('/redirect', (req, res) => res.redirect('/me'));
	app.get('/cookies', (req, res) => res
	    .cookie('a', '1', { httpOnly: true }).cookie('b',
	    '2 3').send('ok'));
	app.get('/items/:id', (req, res) => res.json({ id: req.params.id,
		q: req.query }));
	app.get('/stream', (req, res) => {
		let n = 0;
		const step = () => {
			if (n === 20)
				return res.end('end');
			res.write(`part ${n++}\n`);
			setImmediate(step);
		};

		step();
	});
	app.get('/nothing', (req, res) => res.sendStatus(204));
	app.get('/throws', () => { throw new Error('on purpose'); });
	app.use('/files', express.static(dir));
	return app;
}

async function start(t) {
	const dir = tempDir(t);

	fs.writeFileSync(path.join(dir, 'big'), big);
	fs.writeFileSync(path.join(dir, 'a.txt'), '0123456789');
	const app = application(dir);

	app.set('env', 'test');
	// It closes no connection as it is used again.
	const server = http.createServer({ keepAliveTimeout: 0 }, app);

	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	atEnd(t, () => {
		server.close();
		server.closeAllConnections();
	});
	return startHostd(t, { conf: `
		http { max_body = 8m }
		${upstreamConf(server.address().port)}` });
}

test('an Express application', async (t) => {
	const h = await start(t);
	const at = (p, options) => fetch(`${h.url}${p}`,
	    { redirect: 'manual', ...options });

	await t.test('a page, and HEAD of it', async () => {
		const r = await at('/');
		const head = await at('/', { method: 'HEAD' });

		assert.equal(await r.text(), 'hello');
		assert.equal(r.headers.get('x-powered-by'), 'Express');
		assert.equal(head.headers.get('content-length'), '5');
		assert.equal(head.headers.get('etag'), r.headers.get('etag'));
	});
	await t.test('it knows its client', async () => {
		const r = await at('/me');
		const me = await r.json();

		assert.equal(me.ip, '127.0.0.1');
		assert.equal(me.protocol, 'http');
		assert.equal(me.host, `127.0.0.1:${h.port}`);
		assert.equal(me.id, r.headers.get('x-request-id'));
	});
	await t.test('JSON and forms', async () => {
		const sent = { a: [1, { b: 'ü' }] };
		const r = await at('/json', { method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify(sent) });

		assert.equal(r.status, 201);
		assert.deepEqual(await r.json(), { got: sent });
		const f = await at('/form', { method: 'POST',
			body: new URLSearchParams({ 'a[b]': 'c d' }) });

		assert.deepEqual(await f.json(), { a: { b: 'c d' } });
		const bad = await at('/json', { method: 'POST', body: '{',
			headers: { 'Content-Type': 'application/json' } });

		assert.equal(bad.status, 400);
	});
	await t.test('large bodies both ways', async () => {
		const r = await at('/hash', { method: 'PUT', body: big });

		assert.equal(await r.text(), hash(big));
		// Chunked.
		const c = await at('/hash', { method: 'PUT', duplex: 'half',
			body: new Blob([big]).stream() });

		assert.equal(await c.text(), hash(big));
		const f = await at('/files/big');

		assert.equal(hash(Buffer.from(await f.arrayBuffer())),
		    hash(big));
	});
	await t.test('paths, queries, redirects, cookies', async () => {
		const r = await at('/items/a%2Fb%20c?x=1&y=%26');

		assert.deepEqual(await r.json(),
		    { id: 'a/b c', q: { x: '1', y: '&' } });
		const to = await at('/redirect');

		assert.equal(to.status, 302);
		assert.equal(to.headers.get('location'), '/me');
		const c = await at('/cookies');

		assert.deepEqual(c.headers.getSetCookie(),
		    ['a=1; Path=/; HttpOnly', 'b=2%203; Path=/']);
	});
	await t.test('parts as they come', async () => {
		const text = await (await at('/stream')).text();

		assert.equal(text, Array.from({ length: 20 },
		    (_, i) => `part ${i}\n`).join('') + 'end');
	});
	await t.test('conditions and ranges', async () => {
		const r = await at('/files/a.txt');
		// fetch would say no-cache with it.
		const same = await command('curl', ['-sS', '-o', '/dev/null',
			'-w', '%{http_code}', '-H', 'If-None-Match: ' +
			r.headers.get('etag'), `${h.url}/files/a.txt`]);
		const part = await at('/files/a.txt',
		    { headers: { Range: 'bytes=2-4' } });

		assert.equal(await r.text(), '0123456789');
		assert.equal(same.stdout, '304');
		assert.equal(part.status, 206);
		assert.equal(await part.text(), '234');
	});
	await t.test('what goes wrong', async () => {
		assert.equal((await at('/nothing')).status, 204);
		assert.equal((await at('/none')).status, 404);
		assert.equal((await at('/throws')).status, 500);
		assert.equal(await (await at('/')).text(), 'hello');
	});
	await t.test('curl', async () => {
		const r = await command('curl', ['-sS', '-d', 'a=1',
			`${h.url}/form`]);

		assert.equal(r.stdout, '{"a":"1"}');
	});
});

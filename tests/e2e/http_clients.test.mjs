// SPDX-License-Identifier: BSD-2-Clause
// Clients others wrote: undici (node's fetch), node's http, and curl.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { command, tempDir, writeFiles } from './lib/hostd.mjs';
import { ask, serveShow } from './lib/http1.mjs';

const start = (t) => serveShow(t, 'max_body = 100m', `
	pool "web" { workers = 2 }
	error_page "404" { file = "@DIR@/404" }`,
    { files: { 404: 'not here' } });

// fetch keeps its connections until the server closes them; a reload's or a
// stop's drain would wait for that.
const close = { connection: 'close' };

test('fetch: get, post, streams, errors', async (t) => {
	const h = await start(t);
	const get = await (await fetch(`${h.url}/a%20b?c=d`,
	    { headers: close })).json();

	assert.equal(get.path, '/a b');
	assert.equal(get.query, 'c=d');
	const post = await (await fetch(h.url, { method: 'POST', headers: close,
		body: new URLSearchParams({ x: '1 2' }) })).json();

	assert.equal(post.body, 'x=1+2');
	const stream = new ReadableStream({
		start(s) {
			for (let i = 0; i < 100; i++)
				s.enqueue(new TextEncoder().encode(`${i},`));
			s.close();
		},
	});
	const up = await (await fetch(h.url, { method: 'PUT', headers: close,
		body: stream, duplex: 'half' })).json();

	assert.equal(up.content_length, -1, 'chunked');
	assert.equal(up.body, Array.from({ length: 100 }, (_, i) => `${i},`)
	    .join(''));
	const down = await fetch(`${h.url}/?stream=100&of=1000`,
	    { headers: close });

	assert.equal((await down.text()).length, 100000);
	const none = await fetch(`${h.url}/?status=404`, { headers: close });

	assert.equal(none.status, 404);
	assert.equal(await none.text(), 'not here');
	const empty = await fetch(`${h.url}/?status=204`, { headers: close });

	assert.equal(empty.status, 204);
	assert.equal(await empty.text(), '');
	const head = await fetch(`${h.url}/?length=77`,
	    { method: 'HEAD', headers: close });

	assert.equal(head.headers.get('content-length'), '77');
});

test('fetch: an answer given up halfway', async (t) => {
	const h = await start(t);
	const stop = new AbortController();
	const r = await fetch(`${h.url}/?length=50000000`,
	    { headers: close, signal: stop.signal });
	const reader = r.body.getReader();

	await reader.read();
	stop.abort();
	await assert.rejects(async () => {
		for (;;)
			if ((await reader.read()).done)
				return;
	}, { name: 'AbortError' });
	assert.equal((await ask(t, h.port, '/')).status, 200);
});

test('http: one connection for many requests', async (t) => {
	const h = await start(t);
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const ports = new Set();
	const once = (i) => new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port: h.port,
			path: `/${i}`, agent, method: i % 2 ? 'POST' : 'GET' },
			    (res) => {
			let text = '';

			ports.add(res.socket.localPort);
			res.setEncoding('utf8').on('data',
			    (d) => { text += d; });
			res.on('end', () => resolve(JSON.parse(text)));
		});

		req.on('error', reject);
		req.end(i % 2 ? `body ${i}` : undefined);
	});
	const all = await Promise.all(Array.from({ length: 200 },
	    (_, i) => once(i)));

	agent.destroy();
	all.forEach((r, i) => {
		assert.equal(r.path, `/${i}`);
		assert.equal(r.body, i % 2 ? `body ${i}` : '');
	});
	assert.equal(ports.size, 1);
});

test('curl: many transfers over one connection', async (t) => {
	const h = await start(t);
	const r = await command('curl', ['-sS', '-w', '%{num_connects} ',
		'-o', '/dev/null', '-o', '/dev/null', '-o', '/dev/null',
		`${h.url}/1`, `${h.url}/?length=300000`,
		`${h.url}/?stream=10&of=5000`]);

	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout, '1 0 0 ');
});

test('curl: HTTP/1.0, --head, chunked and large uploads', async (t) => {
	const h = await start(t);
	const dir = tempDir(t);
	const curl = async (...args) => {
		const r = await command('curl', ['-sS', ...args]);

		assert.equal(r.code, 0, r.stderr);
		return r.stdout;
	};

	writeFiles(dir, { up: Buffer.alloc(30_000_000, 'u') });
	const old = JSON.parse(await curl('--http1.0', `${h.url}/old`));

	assert.equal(old.http10, 1);
	assert.equal(await curl('--http1.0', `${h.url}/?stream=7&of=3`),
	    'x'.repeat(21));
	assert.match(await curl('--head', `${h.url}/?length=9`),
	    /\r\nContent-Length: 9\r\n/);
	const up = JSON.parse(await curl('-T', `${dir}/up`, `${h.url}/up`));

	assert.equal(up.seen, 30_000_000);
	const ch = JSON.parse(await curl('-T', `${dir}/up`,
	    '-H', 'Transfer-Encoding: chunked', `${h.url}/up`));

	assert.equal(ch.content_length, -1);
	assert.equal(ch.seen, 30_000_000);
	const form = JSON.parse(await curl('-F', 'a=b', '-F',
	    `f=@${h.confFile}`, `${h.url}/form`));

	assert.equal(form.method, 'POST');
	assert.match(form.body, /Content-Disposition: form-data; name="a"/);
	const ranges = await curl('--path-as-is', `${h.url}/a/../b/./c`);

	assert.equal(JSON.parse(ranges).path, '/b/c');
	assert.equal(JSON.parse(ranges).target, '/a/../b/./c');
});

// SPDX-License-Identifier: BSD-2-Clause
// HEAD has the headers of GET (RFC 9110 section 9.3.2) and no body.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { raw } from './lib/hostd.mjs';
import { ask, head, pattern, startStatic } from './lib/static.mjs';

const text = 'one line of many\n'.repeat(500);

test('HEAD equals GET', async (t) => {
	const h = await startStatic(t, {
		files: {
			'index.html': 'root', 'a.txt': text, 'empty': '',
			'pre.txt': text, 'pre.txt.gz': zlib.gzipSync(text),
			'large.bin': pattern(300_000), 'list/x': '',
			    'dir/y': '',
			'medium.bin': pattern(40_000),
		},
		keys: `listing = on  fallback = "/index.html"
			cache_control = { "*.txt max-age=9" }`,
	});

	for (const [p, headers] of [['/'], ['/a.txt'], ['/empty'],
		['/large.bin'], ['/medium.bin'], ['/list/'], ['/dir'],
		['/none'], ['/none', { Accept: 'text/html' }],
		['/.hidden'], ['/pre.txt', { 'Accept-Encoding': 'gzip' }],
		['/pre.txt', { 'Accept-Encoding': 'identity;q=0' }],
		['/a.txt', { 'If-Match': '"x"' }],
		['/a.txt', { 'If-None-Match': '*' }]]) {
		const g = await ask(h, p, headers);
		const d = await head(h, p, headers);
		const what = `${p} ${JSON.stringify(headers)}`;

		assert.equal(d.status, g.status, what);
		assert.equal(d.body.length, 0);
		delete g.headers.date;
		delete d.headers.date;
		assert.deepEqual(d.headers, g.headers, what);
		if (g.status !== 304)
			assert.equal(g.headers['content-length'],
			    String(g.body.length), what);
	}
});

test('nothing comes behind the head', async (t) => {
	const h = await startStatic(t, { files: {
		'a.txt': text, 'large.bin': pattern(300_000),
	} });

	for (const p of ['/a.txt', '/large.bin', '/none']) {
		const line = (method) => `${method} ${p} HTTP/1.1\r\n` +
		    'Host: a\r\n';
		const r = await raw(h.port, `${line('HEAD')}\r\n` +
		    `${line('OPTIONS')}Connection: close\r\n\r\n`);

		assert.match(r.text,
		    /^HTTP\/1\.1 \d+ [^]*?\r\n\r\nHTTP\/1\.1 204 /,
		    'the next answer follows at once');
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// The fallback of single-page applications, and passing what is missing.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { ask, askUntil, head, startStatic } from './lib/static.mjs';

const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const files = { 'index.html': 'the app', 'app.js': 'js', 'd/x': '' };

test('browsers get the fallback', async (t) => {
	const h = await startStatic(t, { files,
		keys: 'fallback = "/index.html"' });

	for (const p of ['/users/7', '/none', '/none.html', '/a/b/c/',
		'/users/7?tab=1', '/d/', '/.hidden']) {
		const r = await ask(h, p, html);

		assert.equal(r.status, 200, p);
		assert.equal(r.text, 'the app');
		assert.equal(r.headers['content-type'],
		    'text/html; charset=utf-8');
	}
	const { headers } = await ask(h, '/users/7', html);

	assert.equal(headers.vary, 'Accept');
	assert.equal((await ask(h, '/users/7')).headers.vary, 'Accept',
	    'a cache must not give it to browsers');
	assert.equal(headers.etag, (await ask(h, '/')).headers.etag);
	assert.equal((await ask(h, '/users/7', { ...html,
		'If-None-Match': headers.etag })).status, 304);
	assert.equal((await head(h, '/users/7',
	    html)).headers['content-length'], '7');
});

test('what no page is asked for stays missing', async (t) => {
	const h = await startStatic(t, { files,
		keys: 'fallback = "index.html"' });

	for (const headers of [{}, { Accept: 'application/json' },
		{ Accept: '*/*' }, { Accept: 'image/png' }])
		assert.equal((await ask(h, '/none.js', headers)).status, 404);
	assert.equal((await ask(h, '/app.js', html)).text, 'js');
});

test('a fallback that is not there', async (t) => {
	const h = await startStatic(t, { files,
		keys: 'fallback = "none.html"' });

	assert.equal((await ask(h, '/x', html)).status, 404);
	assert.equal((await ask(h, '/app.js', html)).status, 200);
});

test('a fallback outside of the root', async (t) => {
	const h = await startStatic(t, { files,
		keys: 'fallback = "../hostd.conf"' });
	const r = await ask(h, '/x', html);

	assert.equal(r.status, 404);
	assert.doesNotMatch(r.text, /run_dir/);
});

test('the fallback is compressed, too', async (t) => {
	const page = '<p>hello</p>\n'.repeat(300);
	const h = await startStatic(t,
	    { keys: 'fallback = "index.html" gzip = on',
		files: { 'index.html': page } });
	const r = await askUntil(h, '/x',
	    { ...html, 'Accept-Encoding': 'gzip' },
	    (a) => a.headers['content-encoding'] === 'gzip');

	assert.equal(r.headers.vary, 'Accept, Accept-Encoding');
	assert.equal(zlib.gunzipSync(r.body).toString(), page);
});

test('missing files are left to the next route', async (t) => {
	const h = await startStatic(t, {
		files: { 'a.txt': 'a', 'd/x': '' },
		keys: 'pass_missing = on',
		route: '/sub/',
		conf: `plugin "next" { module = "http_respond.so"
				body = "next" }
			route "/" { plugin = "next" }`,
	});

	assert.equal((await ask(h, '/sub/a.txt')).text, 'a');
	for (const p of ['/sub/none', '/sub/none/', '/sub/.hidden',
		'/sub/d/none', '/other'])
		assert.equal((await ask(h, p)).text, 'next', p);
	assert.equal((await ask(h, '/sub/d/')).status, 403);
});

test('a fallback comes before passing', async (t) => {
	const h = await startStatic(t, { files, route: '/sub/',
		keys: 'pass_missing = on  fallback = "index.html"',
		conf: `plugin "next" { module = "http_respond.so"
				body = "next" }
			route "/" { plugin = "next" }`,
	});

	assert.equal((await ask(h, '/sub/none', html)).text, 'the app');
	assert.equal((await ask(h, '/sub/none.js')).text, 'next');
});

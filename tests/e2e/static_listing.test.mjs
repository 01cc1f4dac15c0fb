// SPDX-License-Identifier: BSD-2-Clause
// Listings: complete, in order, and no name in them is markup.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask, at, put, startStatic } from './lib/static.mjs';

const UNESCAPE = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
const plain = (s) => s.replace(/&(amp|lt|gt|quot);/g, (e) => UNESCAPE[e]);

// [{ href, text }] of the listing's links.
function links(page) {
	return [...page.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)]
	    .map(([, href, text]) =>
	    ({ href: plain(href), text: plain(text) }));
}

const HOSTILE = ['<script>alert(1)<\u2215script>',
	'"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
	'&lt;b&gt;', 'javascript:alert(1)', '\\\\evil.com', 'a b', '50%', '%41',
	'q?x=1', 'h#ash', 'ünï', 'new\nline', '-->', '<\\title>', '${x}',
	'data:text,html'];

test('a listing', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on', files: {
		'l/b.txt': '', 'l/a.txt': '', 'l/z/x': '', 'l/.hidden': '',
		'with/index.html': 'i',
	} });
	const r = await ask(h, '/l/');

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-type'], 'text/html; charset=utf-8');
	assert.deepEqual(links(r.text).map((l) => l.text),
	    ['../', 'z/', 'a.txt', 'b.txt'], 'directories first, then by name');
	for (const { href } of links(r.text)) {
		const to = new URL(href, 'http://a/l/').pathname;

		assert.equal((await ask(h, to)).status, 200, to);
	}
	assert.equal((await ask(h, '/with/')).text, 'i');
	assert.equal((await ask(h, '/l')).status, 301);
	assert.doesNotMatch((await ask(h, '/')).text, /\.\.\//,
	    'nothing is above the root');
});

test('off unless it is asked for', async (t) => {
	const h = await startStatic(t, { files: { 'l/a': '' } });

	assert.equal((await ask(h, '/l/')).status, 403);
	assert.equal((await ask(h, '/')).status, 403);
});

test('hostile names', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on' });

	for (const name of HOSTILE)
		put(h, { [`l/${name}`]: name });
	const page = (await ask(h, '/l/')).text;
	const found = links(page).slice(1);

	assert.deepEqual(found.map((l) => l.text).sort(), [...HOSTILE].sort());
	// Every tag of the page is one of its own.
	for (const [tag] of page.matchAll(/<[^>]*>/g))
		assert.match(tag, new RegExp('^<(!doctype html|meta ' +
		    'charset=utf-8|/?title|/?h1|/?ul|li|/a|' +
		    'a href="[\\w./%~!$\'()*+,;=@-]*")>$'));
	for (const { href, text } of found) {
		const url = new URL(href, 'http://a/l/');

		assert.equal(url.host, 'a', text);
		assert.equal((await ask(h, url.pathname)).text, text);
	}
});

test('a hostile name of the directory itself', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on' });
	const name = '<b onclick="x">&';

	put(h, { [`${name}/a`]: '' });
	const page = (await ask(h, `/${encodeURIComponent(name)}/`)).text;

	assert.ok(page.includes('<h1>/&lt;b onclick=&quot;x&quot;&gt;&amp;/' +
	    '</h1>'), page);
	assert.doesNotMatch(page, /<b/);
});

test('many files', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on' });
	const names = Array.from({ length: 3000 },
	    (_, i) => `file-${String(i).padStart(5, '0')}.txt`);

	fs.mkdirSync(at(h, 'many'));
	for (const name of names)
		fs.writeFileSync(at(h, `many/${name}`), '');
	const r = await ask(h, '/many/');

	assert.deepEqual(links(r.text).slice(1).map((l) => l.text), names);
});

test('links lead out of no prefix', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on', route: '/pub/',
		files: { 'a.txt': 'a', 'd/b.txt': 'b' } });
	const page = (await ask(h, '/pub/')).text;

	for (const { href } of links(page).filter((l) => l.text !== '../')) {
		const to = new URL(href, 'http://a/pub/').pathname;

		assert.equal((await ask(h, to)).status, 200, to);
	}
});

test('below a route without a slash', async (t) => {
	const h = await startStatic(t, { keys: 'listing = on', route: '/none/',
		files: { 'a.txt': 'a' },
		conf: 'route "/pub" { plugin = "static"  match = "prefix" }' });
	const r = await ask(h, '/pub?q');

	assert.equal(r.status, 301);
	assert.equal(r.headers.location, '/pub/?q');
	assert.equal((await ask(h, '/pub/')).status, 200);
	assert.equal((await ask(h, '/pub/a.txt')).text, 'a');
});

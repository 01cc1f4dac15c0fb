// SPDX-License-Identifier: BSD-2-Clause
// Files, index files and content types.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, startStatic } from './lib/static.mjs';

const TYPES = {
	'a.html': 'text/html; charset=utf-8',
	'a.HTM': 'text/html; charset=utf-8',
	'a.css': 'text/css; charset=utf-8',
	'a.js': 'text/javascript; charset=utf-8',
	'a.mjs': 'text/javascript; charset=utf-8',
	'a.json': 'application/json',
	'a.txt': 'text/plain; charset=utf-8',
	'a.svg': 'image/svg+xml',
	'a.png': 'image/png',
	'a.jpeg': 'image/jpeg',
	'a.webp': 'image/webp',
	'a.wasm': 'application/wasm',
	'a.woff2': 'font/woff2',
	'a.pdf': 'application/pdf',
	'a.mp4': 'video/mp4',
	'a.tar.gz': 'application/gzip',
	'a.b.c': 'application/octet-stream',
	'noend': 'application/octet-stream',
	'dot.d/noend': 'application/octet-stream',
	'trailing.': 'application/octet-stream',
};

test('content types', async (t) => {
	const h = await startStatic(t, {
		files: Object.fromEntries(Object.keys(TYPES)
		    .map((name) => [name, name])),
	});

	for (const [name, type] of Object.entries(TYPES)) {
		const r = await ask(h, `/${name}`);

		assert.equal(r.status, 200, name);
		assert.equal(r.headers['content-type'], type, name);
		assert.equal(r.text, name);
		assert.equal(r.headers['content-length'],
		    String(name.length));
		assert.equal(r.headers['accept-ranges'], 'bytes');
	}
});

test('content types of the configuration come first', async (t) => {
	const h = await startStatic(t, {
		files: { 'a.js': '', 'a.xyz': '', 'a.XYZ': '', 'a.xy': '' },
		keys: 'types = { "xyz chemical/x-xyz", "js application/x-js" }',
	});
	const type = async (p) => (await ask(h, p)).headers['content-type'];

	assert.equal(await type('/a.js'), 'application/x-js');
	assert.equal(await type('/a.xyz'), 'chemical/x-xyz');
	assert.equal(await type('/a.XYZ'), 'chemical/x-xyz');
	assert.equal(await type('/a.xy'), 'application/octet-stream');
});

test('index files are tried in order', async (t) => {
	const h = await startStatic(t, {
		files: {
			'index.html': 'root', 'a/index.htm': 'htm',
			'b/index.html': 'html', 'b/index.htm': 'not this',
			'c/index.html/x': 'a directory', 'c/index.htm': 'c',
			'd/other': '',
		},
		keys: 'index = { "index.html", "index.htm" }',
	});

	for (const [p, text] of Object.entries({ '/': 'root', '/?q=1': 'root',
		'/a/': 'htm', '/b/': 'html', '/c/': 'c' })) {
		const r = await ask(h, p);

		assert.equal(r.status, 200, p);
		assert.equal(r.text, text);
		assert.match(r.headers['content-type'], /^text\/html/);
	}
	assert.equal((await ask(h, '/d/')).status, 403);
});

test('no index at all', async (t) => {
	const h = await startStatic(t, { files: { 'index.html': 'x' },
		keys: 'index = {}' });

	assert.equal((await ask(h, '/')).status, 403);
	assert.equal((await ask(h, '/index.html')).status, 200);
});

test('an empty file', async (t) => {
	const h = await startStatic(t, { files: { 'empty.txt': '' } });
	const r = await ask(h, '/empty.txt');

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-length'], '0');
	assert.equal(r.body.length, 0);
	assert.ok(r.complete);
});

test('names of all kinds', async (t) => {
	const names = ['with space', 'per%cent', 'ques?tion', 'ha#sh', 'a&b=c',
		'ünïcode', '日本', 'semi;colon', 'co:lon', 'quote"s', "apo'",
		'back\\slash', '~tilde', '...', '..a', 'a..', 'plus+',
		    'new\nline'];
	const h = await startStatic(t, { keys: 'dotfiles = on',
		files: Object.fromEntries(names.map((n) => [n, n])) });

	for (const n of names) {
		const r = await ask(h, `/${encodeURIComponent(n)}`);

		assert.equal(r.status, 200, n);
		assert.equal(r.text, n);
	}
});

test('what is not there', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });

	for (const p of ['/b', '/a.txt/', '/a.txt/b', '/x/y/z', '/A.TXT',
		`/${'n'.repeat(300)}`]) {
		const r = await ask(h, p);

		assert.equal(r.status, 404, p);
		assert.match(r.headers['content-type'], /^text\/html/);
	}
	assert.equal((await ask(h, `/${'d/'.repeat(2500)}f`)).status, 414);
});

test('other methods', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });

	for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
		const r = await ask(h, '/a.txt', {}, { method });

		assert.equal(r.status, 405, method);
		assert.equal(r.headers.allow, 'GET, HEAD, OPTIONS');
	}
	const o = await ask(h, '/a.txt', {}, { method: 'OPTIONS' });

	assert.equal(o.status, 204);
	assert.equal(o.headers.allow, 'GET, HEAD, OPTIONS');
});

test('below a prefix', async (t) => {
	const h = await startStatic(t, { route: '/files/',
		files: { 'a.txt': 'a', 'files/b.txt': 'b',
		    'index.html': 'i' } });

	assert.equal((await ask(h, '/files/a.txt')).text, 'a');
	assert.equal((await ask(h, '/files/files/b.txt')).text, 'b');
	assert.equal((await ask(h, '/files/')).text, 'i');
	assert.equal((await ask(h, '/a.txt')).status, 404);
});

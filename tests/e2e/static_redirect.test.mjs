// SPDX-License-Identifier: BSD-2-Clause
// A directory asked for without its slash, and that nobody is sent elsewhere.
import assert from 'node:assert/strict';
import test from 'node:test';
import { raw } from './lib/hostd.mjs';
import { ask, startStatic } from './lib/static.mjs';

const NAME = 'a b%?#"\\<ü';

async function start(t, options = {}) {
	return startStatic(t, { ...options, files: {
		'dir/index.html': 'd', 'dir/sub/index.html': 's',
		'evil.com/index.html': 'e', 'a:b/index.html': 'c',
		[`${NAME}/index.html`]: 'n', '\\evil.com/x': '',
		'new\r\nX-Evil: 1/x': '', '@evil.com/x': '',
	} });
}

test('a slash is added, a query is kept', async (t) => {
	const h = await start(t);

	for (const [from, to] of [
		['/dir', '/dir/'],
		['/dir?', '/dir/?'],
		['/dir?a=1&b=%2f?x', '/dir/?a=1&b=%2f?x'],
		['/dir?//evil.com/', '/dir/?//evil.com/'],
		['/dir/sub', '/dir/sub/'],
		['/d%69r', '/dir/'],
		['/x/../dir', '/dir/'],
		['/a:b', '/a%3Ab/'],
		[`/${encodeURIComponent(NAME)}`,
		    '/a%20b%25%3F%23%22%5C%3C%C3%BC/'],
	]) {
		const r = await ask(h, from);

		assert.equal(r.status, 301, from);
		assert.equal(r.headers.location, to, from);
		const next = await ask(h, r.headers.location);

		assert.equal(next.status, 200, from);
	}
});

test('below a prefix', async (t) => {
	const h = await start(t, { route: '/files/' });

	assert.equal((await ask(h, '/files/dir?q')).headers.location,
	    '/files/dir/?q');
});

test('no other host is named', async (t) => {
	const h = await start(t);

	for (const p of ['//evil.com', '///evil.com', '/%2fevil.com',
		'/%2Fevil.com', '//evil.com/', '/.//evil.com',
		    '/x/..//evil.com',
		'/%5cevil.com', '/%5Cevil.com', '/\\evil.com', '/@evil.com',
		'//evil.com/%2e%2e', '/%2e/%2fevil.com', '/dir/..//evil.com',
		'/new%0d%0aX-Evil:%201', 'http://evil.com//evil.com',
		'//evil.com?x', 'http://evil.com/dir']) {
		const r = await raw(h.port, `GET ${p} HTTP/1.1\r\nHost: a\r\n` +
		    'Connection: close\r\n\r\n');
		const location = /^Location: (.*)\r$/mi.exec(r.text)?.[1];

		assert.doesNotMatch(r.text, /^X-Evil/mi, p);
		if (location === undefined)
			continue;
		assert.match(location, /^\/[^/\\]/, p);
		assert.equal(new URL(location, 'http://home/').host, 'home', p);
	}
	const r = await ask(h, '//evil.com');

	assert.equal(r.status, 301);
	assert.equal(r.headers.location, '/evil.com/');
});

test('a target too long to be sent back', async (t) => {
	const h = await start(t, { conf: 'http { max_request_line = 32k ' +
	    'max_head = 48k }' });
	const r = await ask(h, `/dir?${'q'.repeat(20_000)}`);

	assert.equal(r.status, 414);
	assert.equal((await ask(h, `/dir?${'q'.repeat(8000)}`)).status, 301);
});

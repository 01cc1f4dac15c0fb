// SPDX-License-Identifier: BSD-2-Clause
// Validators and conditional requests (RFC 9110 section 13).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask, at, head, startStatic } from './lib/static.mjs';

// A Wednesday: its name starts with the letter that weak tags start with.
const MTIME = new Date('2020-01-15T12:30:45.678Z');
const DATE = 'Wed, 15 Jan 2020 12:30:45 GMT';
const BEFORE = 'Wed, 15 Jan 2020 12:30:44 GMT';
const AFTER = 'Wed, 15 Jan 2020 12:30:46 GMT';

async function start(t) {
	const h = await startStatic(t, {
		files: { 'a.txt': 'abcdefghij' },
		keys: 'cache_control = { "*.txt max-age=60" }',
	});

	fs.utimesSync(at(h, 'a.txt'), MTIME, MTIME);
	const { headers } = await ask(h, '/a.txt');

	return { h, etag: headers.etag, headers };
}

test('validators', async (t) => {
	const { h, etag, headers } = await start(t);

	assert.match(etag, /^"[\x21\x23-\x7e]+"$/, 'a strong tag');
	assert.equal(headers['last-modified'], DATE);
	assert.equal((await ask(h, '/a.txt')).headers.etag, etag);
});

test('other content has another tag', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 0ms',
		files: { 'a.txt': 'aaaa', 'b.txt': 'aaaa' } });

	fs.utimesSync(at(h, 'a.txt'), MTIME, MTIME);
	fs.utimesSync(at(h, 'b.txt'), MTIME, MTIME);
	const a = (await ask(h, '/a.txt')).headers.etag;

	assert.notEqual(a, (await ask(h, '/b.txt')).headers.etag);
	// The same second, the same size, other bytes.
	fs.writeFileSync(at(h, 'a.txt'), 'bbbb');
	const later = new Date(MTIME.getTime() + 100);

	fs.utimesSync(at(h, 'a.txt'), later, later);
	const r = await ask(h, '/a.txt');

	assert.equal(r.text, 'bbbb');
	assert.notEqual(r.headers.etag, a);
});

test('a file from the future', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });
	const future = new Date(Date.now() + 864e5);

	fs.utimesSync(at(h, 'a.txt'), future, future);
	const { headers } = await ask(h, '/a.txt');
	const modified = headers['last-modified'];

	assert.ok(new Date(modified) <= new Date(headers.date),
	    `${modified} is not after ${headers.date}`);
	for (const [name, status] of [['If-Modified-Since', 304],
		['If-Unmodified-Since', 200]])
		assert.equal((await ask(h, '/a.txt', { [name]: modified }))
		    .status, status, name);
});

const E = '@etag@';

// [headers, status]
const cases = [
	// If-None-Match: weak comparison
	[{ 'If-None-Match': E }, 304],
	[{ 'If-None-Match': `W/${E}` }, 304],
	[{ 'If-None-Match': '*' }, 304],
	[{ 'If-None-Match': '"other"' }, 200],
	[{ 'If-None-Match': '""' }, 200],
	[{ 'If-None-Match': '' }, 200],
	[{ 'If-None-Match': `"x", W/"y",${E}` }, 304],
	[{ 'If-None-Match': `"x,${E}` }, 200],
	[{ 'If-None-Match': `, ,\t${E} , ` }, 304],
	[{ 'If-None-Match': `"a,b", ${E}` }, 304],
	[{ 'If-None-Match': '"*"' }, 200],
	[{ 'If-None-Match': 'unquoted' }, 200],
	// several lines are one list (RFC 9110 section 5.3)
	[{ 'If-None-Match': [E, '"x"'] }, 304],
	[{ 'If-None-Match': ['"x"', E] }, 304],
	[{ 'If-None-Match': ['"x"', '"y"'] }, 200],
	// If-Match: strong comparison
	[{ 'If-Match': E }, 200],
	[{ 'If-Match': '*' }, 200],
	[{ 'If-Match': `"x", ${E}` }, 200],
	[{ 'If-Match': `W/${E}` }, 412],
	[{ 'If-Match': '"x"' }, 412],
	[{ 'If-Match': '' }, 412],
	[{ 'If-Match': [E, '"x"'] }, 200],
	[{ 'If-Match': ['"x"', E] }, 200],
	[{ 'If-Match': ['"x"', '"y"'] }, 412],
	// If-Modified-Since, in all three formats
	[{ 'If-Modified-Since': DATE }, 304],
	[{ 'If-Modified-Since': AFTER }, 304],
	[{ 'If-Modified-Since': BEFORE }, 200],
	[{ 'If-Modified-Since': 'Wednesday, 15-Jan-20 12:30:45 GMT' }, 304],
	[{ 'If-Modified-Since': 'Wednesday, 15-Jan-20 12:30:44 GMT' }, 200],
	[{ 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 200],
	[{ 'If-Modified-Since': 'Wed Jan 15 12:30:45 2020' }, 304],
	[{ 'If-Modified-Since': 'Wed Jan 15 12:30:44 2020' }, 200],
	[{ 'If-Modified-Since': 'Sun Nov  6 08:49:37 1994' }, 200],
	// not a date: as if it were not there
	[{ 'If-Modified-Since': '' }, 200],
	[{ 'If-Modified-Since': 'tomorrow' }, 200],
	[{ 'If-Modified-Since': `${AFTER}x` }, 200],
	[{ 'If-Modified-Since': '2030-01-01T00:00:00Z' }, 200],
	[{ 'If-Modified-Since': 'Wed, 15 Jux 2030 12:30:45 GMT' }, 200],
	[{ 'If-Modified-Since': 'Wed, 45 Jan 2030 12:30:45 GMT' }, 200],
	[{ 'If-Modified-Since': 'Wed, 15 Jan 2030 25:30:45 GMT' }, 200],
	// If-Unmodified-Since
	[{ 'If-Unmodified-Since': DATE }, 200],
	[{ 'If-Unmodified-Since': AFTER }, 200],
	[{ 'If-Unmodified-Since': BEFORE }, 412],
	[{ 'If-Unmodified-Since': 'never' }, 200],
	// precedence (section 13.2.2)
	[{ 'If-Match': E, 'If-Unmodified-Since': BEFORE }, 200],
	[{ 'If-Match': '"x"', 'If-Unmodified-Since': AFTER }, 412],
	[{ 'If-None-Match': '"x"', 'If-Modified-Since': AFTER }, 200],
	[{ 'If-None-Match': E, 'If-Modified-Since': BEFORE }, 304],
	[{ 'If-Match': '"x"', 'If-None-Match': E }, 412],
	[{ 'If-Match': E, 'If-None-Match': E }, 304],
	[{ 'If-Unmodified-Since': BEFORE, 'If-None-Match': E }, 412],
	[{ 'If-Unmodified-Since': AFTER, 'If-None-Match': E }, 304],
	[{ 'If-Unmodified-Since': BEFORE, 'If-Modified-Since': AFTER }, 412],
	[{ 'If-Match': E, 'If-Modified-Since': AFTER }, 304],
	// and ranges
	[{ Range: 'bytes=0-0', 'If-None-Match': E }, 304],
	[{ Range: 'bytes=0-0', 'If-Match': '"x"' }, 412],
	[{ Range: 'bytes=0-0', 'If-None-Match': '"x"' }, 206],
	[{ Range: 'bytes=99-', 'If-None-Match': E }, 304],
	[{ Range: 'bytes=99-', 'If-Match': E }, 416],
	// If-Range: strong comparison
	[{ Range: 'bytes=0-0', 'If-Range': E }, 206],
	[{ Range: 'bytes=0-0', 'If-Range': `W/${E}` }, 200],
	[{ Range: 'bytes=0-0', 'If-Range': '"x"' }, 200],
	[{ Range: 'bytes=99-', 'If-Range': '"x"' }, 200],
	[{ Range: 'bytes=99-', 'If-Range': E }, 416],
	[{ Range: 'bytes=0-0', 'If-Range': DATE }, 206],
	[{ Range: 'bytes=0-0', 'If-Range': AFTER }, 200],
	[{ Range: 'bytes=0-0', 'If-Range': BEFORE }, 200],
	[{ Range: 'bytes=0-0', 'If-Range': 'Wed' }, 200],
	[{ Range: 'bytes=0-0', 'If-Range': '' }, 200],
	[{ 'If-Range': E }, 200],
	[{ Range: 'bytes=0-0', 'If-Range': E, 'If-Match': E,
		'If-Unmodified-Since': BEFORE, 'If-None-Match': '"x"',
		'If-Modified-Since': AFTER }, 206],
];

const fill = (headers, etag) => Object.fromEntries(Object.entries(headers)
    .map(([name, v]) => [name, Array.isArray(v) ?
	v.map((s) => s.replace(E, etag)) : v.replace(E, etag)]));

test('conditions', async (t) => {
	const { h, etag, headers } = await start(t);

	for (const [conditions, want] of cases) {
		const r = await ask(h, '/a.txt', fill(conditions, etag));
		const what = JSON.stringify(conditions);

		assert.equal(r.status, want, what);
		if (want === 200 || want === 304 || want === 206) {
			assert.equal(r.headers.etag, etag, what);
			assert.equal(r.headers['cache-control'], 'max-age=60');
			assert.equal(r.headers['last-modified'],
			    headers['last-modified']);
		}
		assert.ok(r.complete, what);
		const text = { 200: 'abcdefghij', 206: 'a', 304: '' }[want];

		if (text !== undefined)
			assert.equal(r.text, text, what);
	}
});

test('conditions on HEAD', async (t) => {
	const { h, etag } = await start(t);

	for (const [conditions, want] of cases) {
		// HEAD has no ranges.
		const expected = [206, 416].includes(want) ? 200 : want;
		const r = await head(h, '/a.txt', fill(conditions, etag));

		assert.equal(r.status, expected, JSON.stringify(conditions));
		assert.equal(r.body.length, 0);
	}
});

test('304 has no headers of a body', async (t) => {
	const { h, etag } = await start(t);
	const r = await ask(h, '/a.txt', { 'If-None-Match': etag });

	for (const name of ['content-type', 'content-length',
		'transfer-encoding', 'content-encoding', 'accept-ranges'])
		assert.equal(r.headers[name], undefined, name);
	assert.ok(r.headers.date);
});

test('conditions do not matter where there is no file', async (t) => {
	const { h } = await start(t);

	for (const headers of [{ 'If-None-Match': '*' }, { 'If-Match': '*' },
		{ 'If-Match': '"x"' }, { 'If-Modified-Since': AFTER }])
		assert.equal((await ask(h, '/none', headers)).status, 404);
	assert.equal((await ask(h, '/', { 'If-Match': '"x"' })).status, 403);
});

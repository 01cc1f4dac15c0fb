// SPDX-License-Identifier: BSD-2-Clause
// Several ranges: multipart/byteranges (RFC 9110 section 14.6).
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, pattern, startStatic } from './lib/static.mjs';

const SIZE = 5000;
const LARGE = 400_000;

/*
 * The parts of a multipart body (RFC 2046 section 5.1.1): [{ headers, from,
 * to, total, body }].  Parts are found by their own Content-Range, so that
 * bytes that look like a delimiter are no trouble.
 */
function parts(r) {
	const boundary = /^multipart\/byteranges; boundary=([\w'()+,./:=?-]{1,70})$/
	    .exec(r.headers['content-type'])?.[1];

	assert.ok(boundary, r.headers['content-type']);
	const text = r.body.toString('latin1');
	const delimiter = `--${boundary}`;
	const all = [];
	let at = text.indexOf(delimiter);

	assert.ok(at === 0 || text.slice(0, at) === '\r\n', 'no preamble');
	for (;;) {
		assert.equal(text.slice(at, at + delimiter.length), delimiter);
		at += delimiter.length;
		if (text.slice(at, at + 2) === '--')
			break;
		assert.equal(text.slice(at, at + 2), '\r\n');
		const end = text.indexOf('\r\n\r\n', at);
		const headers = Object.fromEntries(text.slice(at + 2, end)
		    .split('\r\n').map((l) => l.split(': '))
		    .map(([n, v]) => [n.toLowerCase(), v]));
		const [from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/
		    .exec(headers['content-range']).slice(1).map(Number);
		const start = end + 4;

		at = start + to - from + 1;
		all.push({ headers, from, to, total,
			body: r.body.subarray(start, at) });
		assert.equal(text.slice(at, at + 2), '\r\n');
		at += 2;
	}
	assert.equal(text.slice(at), '--\r\n', 'no epilogue');
	return all;
}

async function start(t) {
	const content = pattern(SIZE);
	const large = pattern(LARGE, 2);
	const h = await startStatic(t, { files: {
		'a.html': content, 'large.bin': large,
	} });

	return { h, content, large };
}

function check(r, content, want, type) {
	assert.equal(r.status, 206);
	assert.ok(r.complete);
	assert.equal(r.headers['content-length'], String(r.body.length));
	assert.equal(r.headers['content-range'], undefined,
	    'only the parts have one');
	assert.deepEqual(parts(r).map((p) => [p.from, p.to]), want);
	for (const p of parts(r)) {
		assert.equal(p.total, content.length);
		assert.ok(p.body.equals(content.subarray(p.from, p.to + 1)),
		    `bytes ${p.from}-${p.to}`);
		assert.equal(p.headers['content-type'], type);
	}
}

test('several ranges', async (t) => {
	const { h, content } = await start(t);
	const type = 'text/html; charset=utf-8';

	for (const [Range, want] of [
		['bytes=0-0,1-1', [[0, 0], [1, 1]]],
		['bytes=0-99, 200-299,\t-10',
		    [[0, 99], [200, 299], [4990, 4999]]],
		['bytes=4000-,0-9', [[4000, 4999], [0, 9]]],
		['bytes=0-0,9999-,2-2', [[0, 0], [2, 2]]],
		['bytes=5-5,5-5', [[5, 5], [5, 5]]],
		['bytes=0-2499,2500-4999', [[0, 2499], [2500, 4999]]],
	])
		check(await ask(h, '/a.html', { Range }), content, want, type);
});

test('as many ranges as there may be', async (t) => {
	const { h, content } = await start(t);
	const some = (n) => Array.from({ length: n }, (_, i) => [i * 3, i * 3]);
	const range = (list) => ({
		Range: `bytes=${list.map(([a, b]) => `${a}-${b}`).join()}` });

	check(await ask(h, '/a.html', range(some(16))), content, some(16),
	    'text/html; charset=utf-8');
	for (const n of [17, 100, 500]) {
		const r = await ask(h, '/a.html', range(some(n)));

		assert.equal(r.status, 200, `${n} ranges`);
		assert.ok(r.body.equals(content));
	}
});

test('overlaps that ask for more than the file', async (t) => {
	const { h, content } = await start(t);

	for (const Range of ['bytes=0-,0-', 'bytes=0-,-1',
		`bytes=${Array(10).fill('0-').join()}`,
		'bytes=0-4999,-4999,1-']) {
		const r = await ask(h, '/a.html', { Range });

		assert.equal(r.status, 200, Range);
		assert.ok(r.body.equals(content));
	}
});

test('several ranges of a file on disk', async (t) => {
	const { h, large } = await start(t);
	const cut = [[0, 99_999], [150_000, 150_000], [200_000, 399_999]];

	check(await ask(h, '/large.bin', { Range:
		`bytes=${cut.map(([a, b]) => `${a}-${b}`).join()}` }), large,
		    cut,
	    'application/octet-stream');
});

test('several ranges with a condition', async (t) => {
	const { h, content } = await start(t);
	const { etag } = (await ask(h, '/a.html')).headers;
	const Range = 'bytes=0-0,9-9';

	check(await ask(h, '/a.html', { Range, 'If-Range': etag }), content,
	    [[0, 0], [9, 9]], 'text/html; charset=utf-8');
	assert.equal((await ask(h, '/a.html', { Range, 'If-Range': '"x"' }))
	    .status, 200);
	assert.equal((await ask(h, '/a.html', { Range,
		'If-None-Match': etag })).status, 304);
});

test('a part has the whole of a long type', async (t) => {
	const type = `application/x-${'long'.repeat(57)}`;
	const content = pattern(100, 4);
	const h = await startStatic(t, { files: { 'a.long': content },
		keys: `types = { "long ${type}" }` });

	check(await ask(h, '/a.long', { Range: 'bytes=0-0,2-2' }), content,
	    [[0, 0], [2, 2]], type);
});

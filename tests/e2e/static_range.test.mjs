// SPDX-License-Identifier: BSD-2-Clause
// Ranges (RFC 9110 section 14), of a file in memory and of one on disk.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, head, pattern, startStatic } from './lib/static.mjs';

const SIZE = 1000;
const LARGE = 300_000;
const HUGE = '99999999999999999999999999';

// [Range, [first, last] of a 206; a number is a status]
const cases = [
	['bytes=0-0', [0, 0]],
	['bytes=0-99', [0, 99]],
	['bytes=1-1', [1, 1]],
	['bytes=100-', [100, SIZE - 1]],
	['bytes=0-', [0, SIZE - 1]],
	['bytes=999-', [999, 999]],
	['bytes=999-999', [999, 999]],
	['bytes=999-5000', [999, 999]],
	['bytes=0-999', [0, 999]],
	['bytes=0-1000', [0, 999]],
	[`bytes=0-${HUGE}`, [0, 999]],
	[`bytes=5-18446744073709551615`, [5, 999]],
	[`bytes=5-18446744073709551616`, [5, 999]],
	['bytes=-1', [999, 999]],
	['bytes=-100', [900, 999]],
	['bytes=-1000', [0, 999]],
	['bytes=-1001', [0, 999]],
	[`bytes=-${HUGE}`, [0, 999]],
	['bytes=000-0009', [0, 9]],
	['Bytes=0-0', [0, 0]],
	['bytes= 0-0', [0, 0]],
	['bytes=0-0 ', [0, 0]],
	['bytes=,0-0', [0, 0]],
	['bytes=0-0,', [0, 0]],
	['bytes=0-0,1000-', [0, 0]],
	['bytes=1000-,-1', [999, 999]],
	['bytes=-0,0-0', [0, 0]],
	// outside of it
	['bytes=1000-', 416],
	['bytes=1000-2000', 416],
	['bytes=-0', 416],
	[`bytes=${HUGE}-`, 416],
	['bytes=18446744073709551616-', 416],
	['bytes=18446744073709551616-18446744073709551617', 416],
	['bytes=5000-,2000-3000', 416],
	// malformed, or of another unit: as if it were not there
	['bytes', 200],
	['bytes=', 200],
	['bytes=,', 200],
	['bytes=-', 200],
	['bytes=a-b', 200],
	['bytes=1', 200],
	['bytes=5-4', 200],
	['bytes=0-0,5-4', 200],
	['bytes=0--1', 200],
	['bytes=--1', 200],
	['bytes=+0-1', 200],
	['bytes=0x0-1', 200],
	['bytes=0-1;2-3', 200],
	['bytes=0 - 1', 200],
	['bytes=0-0 1-1', 200],
	['bytes:0-0', 200],
	['0-0', 200],
	['lines=0-0', 200],
	['', 200],
	[['bytes=0-0', 'bytes=2-2'], 200],
];

async function start(t) {
	const content = pattern(SIZE);
	const large = pattern(LARGE, 2);
	const h = await startStatic(t, {
		files: { 'a.bin': content, 'large.bin': large, 'empty': '' },
		keys: 'cache_file_max = 64k',
	});

	return { h, content, large };
}

test('one range', async (t) => {
	const { h, content } = await start(t);

	for (const [Range, want] of cases) {
		const r = await ask(h, '/a.bin', { Range });
		const what = `Range: ${Range}`;

		if (want === 200) {
			assert.equal(r.status, 200, what);
			assert.deepEqual(r.body, content, what);
			assert.equal(r.headers['content-range'], undefined);
		} else if (want === 416) {
			assert.equal(r.status, 416, what);
			assert.equal(r.headers['content-range'],
			    `bytes */${SIZE}`, what);
		} else {
			const [from, to] = want;

			assert.equal(r.status, 206, what);
			assert.deepEqual(r.body,
			    content.subarray(from, to + 1), what);
			assert.equal(r.headers['content-range'],
			    `bytes ${from}-${to}/${SIZE}`, what);
			assert.equal(r.headers['content-length'],
			    String(to - from + 1));
			assert.ok(r.headers.etag);
			assert.ok(r.headers['last-modified']);
			assert.equal(r.headers['content-type'],
			    'application/octet-stream');
		}
	}
});

test('one range of a file on disk', async (t) => {
	const { h, large } = await start(t);

	for (const [from, to] of [[0, 0], [1, 65535], [65536, 65536],
		[12345, 234567], [LARGE - 1, LARGE - 1], [0, LARGE - 1]]) {
		const r = await ask(h, '/large.bin',
		    { Range: `bytes=${from}-${to}` });

		assert.equal(r.status, 206);
		assert.equal(r.headers['content-range'],
		    `bytes ${from}-${to}/${LARGE}`);
		assert.ok(r.body.equals(large.subarray(from, to + 1)));
	}
	const suffix = await ask(h, '/large.bin', { Range: 'bytes=-70000' });

	assert.ok(suffix.body.equals(large.subarray(LARGE - 70000)));
});

test('HEAD has no ranges', async (t) => {
	const { h } = await start(t);

	for (const Range of ['bytes=0-0', 'bytes=0-0,5-5', 'bytes=5000-']) {
		const r = await head(h, '/a.bin', { Range });

		assert.equal(r.status, 200);
		assert.equal(r.headers['content-length'], String(SIZE));
		assert.equal(r.headers['content-range'], undefined);
	}
});

test('ranges of an empty file', async (t) => {
	const { h } = await start(t);

	for (const Range of ['bytes=0-', 'bytes=0-0', 'bytes=-1',
		'bytes=0-0,1-1']) {
		const r = await ask(h, '/empty', { Range });

		assert.equal(r.status, 416, Range);
		assert.equal(r.headers['content-range'], 'bytes */0');
	}
	assert.equal((await ask(h, '/empty', { Range: 'bytes=x' })).status,
	    200);
});

test('every cut of a file', async (t) => {
	const content = pattern(24, 3);
	const h = await startStatic(t, { files: { a: content } });

	for (let from = 0; from < 24; from += 5)
		for (let to = from; to < 24; to += 3) {
			const r = await ask(h, '/a',
			    { Range: `bytes=${from}-${to}` });

			assert.deepEqual(r.body,
			    content.subarray(from, to + 1));
		}
});

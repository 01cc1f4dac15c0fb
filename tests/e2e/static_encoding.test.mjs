// SPDX-License-Identifier: BSD-2-Clause
// Content codings: precompressed files and gzip on the fly, chosen by
// Accept-Encoding (RFC 9110 section 12.5.3).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';
import { ask, askUntil, at, head, pattern, put, startStatic }
	from './lib/static.mjs';

const text = 'a line that is there many times\n'.repeat(400);
const DECODE = {
	br: (b) => zlib.brotliDecompressSync(b),
	gzip: (b) => zlib.gunzipSync(b),
	identity: (b) => b,
};

// [Accept-Encoding, what of br, gzip and identity is sent; 406: nothing]
const cases = [
	[undefined, 'identity'],
	['', 'identity'],
	['gzip', 'gzip'],
	['br', 'br'],
	['gzip, br', 'br'],
	['br, gzip', 'br'],
	['gzip, deflate, br, zstd', 'br'],
	['GZIP', 'gzip'],
	['x-gzip', 'gzip'],
	['deflate', 'identity'],
	['gzipx', 'identity'],
	['identity', 'identity'],
	['*', 'br'],
	['gzip;q=1', 'gzip'],
	['gzip ; q=1', 'gzip'],
	['gzip;Q=0.001', 'gzip'],
	['gzip;q=0', 'identity'],
	['gzip;q=0.0', 'identity'],
	['gzip;q=0.000', 'identity'],
	['br;q=0, gzip', 'gzip'],
	['br;q=0.5, gzip;q=0.8', 'gzip'],
	['br;q=0.8, gzip;q=0.5', 'br'],
	['gzip;q=0.5, identity;q=0.8', 'identity'],
	['br;q=0.1, gzip;q=0.9, identity;q=0.5', 'gzip'],
	['identity;q=0.5, gzip;q=0.5', 'gzip'],
	['gzip;q=0, *', 'br'],
	['br;q=0, gzip;q=0, *', 'identity'],
	['*;q=0', 406],
	['identity;q=0', 406],
	['gzip;q=0, identity;q=0, br;q=0', 406],
	['*;q=0, gzip', 'gzip'],
	['gzip, identity;q=0', 'gzip'],
	['*;q=0, identity', 'identity'],
	['*;q=0, identity;q=0.1', 'identity'],
	// not a weight: as if the coding were not acceptable
	['gzip;q=2', 'identity'],
	['gzip;q=-1', 'identity'],
	['gzip;q=', 'identity'],
	['gzip;q=0.0001', 'identity'],
	['gzip;q=abc', 'identity'],
	[',,gzip,,', 'gzip'],
	[['gzip', 'deflate'], 'gzip'],
	[['deflate', 'gzip'], 'gzip'],
	[['br;q=0', 'gzip'], 'gzip'],
];

function check(r, want, what) {
	if (want === 406) {
		assert.equal(r.status, 406, what);
		assert.equal(r.headers.vary, 'Accept-Encoding', what);
		return;
	}
	assert.equal(r.status, 200, what);
	assert.equal(r.headers['content-encoding'] ?? 'identity', want, what);
	assert.equal(r.headers.vary, 'Accept-Encoding', what);
	assert.equal(r.headers['content-type'], 'text/plain; charset=utf-8');
	assert.equal(r.headers['content-length'], String(r.body.length));
	assert.equal(DECODE[want](r.body).toString(), text, what);
}

const accept = (value) => value === undefined ? {} :
	{ 'Accept-Encoding': value };

test('precompressed files', async (t) => {
	const h = await startStatic(t, { files: {
		'a.txt': text, 'a.txt.gz': zlib.gzipSync(text),
		'a.txt.br': zlib.brotliCompressSync(text),
	} });

	for (const [value, want] of cases)
		check(await ask(h, '/a.txt', accept(value)), want,
		    `Accept-Encoding: ${value}`);
});

test('one of the two', async (t) => {
	const h = await startStatic(t, { files: {
		'g.txt': text, 'g.txt.gz': zlib.gzipSync(text),
		'b.txt': text, 'b.txt.br': zlib.brotliCompressSync(text),
		'n.txt': text,
	} });
	const coding = async (p, v) => (await ask(h, p, accept(v)))
	    .headers['content-encoding'];

	assert.equal(await coding('/g.txt', 'br, gzip'), 'gzip');
	assert.equal(await coding('/g.txt', 'br'), undefined);
	assert.equal(await coding('/g.txt', 'br, gzip;q=0.1'), 'gzip');
	assert.equal(await coding('/b.txt', 'br, gzip'), 'br');
	assert.equal(await coding('/b.txt', 'gzip'), undefined);
	assert.equal(await coding('/n.txt', 'br, gzip'), undefined);
	assert.equal((await ask(h, '/n.txt')).headers.vary, undefined,
	    'there is nothing to choose from');
});

test('the compressed files themselves', async (t) => {
	const gz = zlib.gzipSync(text);
	const h = await startStatic(t, { files: { 'a.txt': text,
		'a.txt.gz': gz } });
	const r = await ask(h, '/a.txt.gz', accept('gzip'));

	assert.equal(r.headers['content-type'], 'application/gzip');
	assert.equal(r.headers['content-encoding'], undefined);
	assert.ok(r.body.equals(gz));
});

test('switched off', async (t) => {
	const h = await startStatic(t, { keys: 'precompressed = off', files: {
		'a.txt': text, 'a.txt.gz': zlib.gzipSync(text),
	} });
	const r = await ask(h, '/a.txt', accept('gzip'));

	assert.equal(r.headers['content-encoding'], undefined);
	assert.equal(r.text, text);
});

test('validators, conditions and ranges are those of the coding', async (t) => {
	const gz = zlib.gzipSync(pattern(9000));
	const h = await startStatic(t, { files: { 'a.txt': pattern(9000),
		'a.txt.gz': gz } });
	const plain = await ask(h, '/a.txt');
	const coded = await ask(h, '/a.txt', accept('gzip'));

	assert.notEqual(coded.headers.etag, plain.headers.etag);
	const status = async (headers) => (await ask(h, '/a.txt',
	    { ...accept('gzip'), ...headers })).status;

	assert.equal(await status({ 'If-None-Match': coded.headers.etag }),
	    304);
	assert.equal(await status({ 'If-None-Match': plain.headers.etag }),
	    200);
	assert.equal(await status({ 'If-Match': plain.headers.etag }), 412);
	const part = await ask(h, '/a.txt', { ...accept('gzip'),
		Range: 'bytes=100-199', 'If-Range': coded.headers.etag });

	assert.equal(part.status, 206);
	assert.equal(part.headers['content-encoding'], 'gzip');
	assert.equal(part.headers['content-range'],
	    `bytes 100-199/${gz.length}`);
	assert.ok(part.body.equals(gz.subarray(100, 200)));
	const not = await ask(h, '/a.txt', { ...accept('gzip'),
		'If-None-Match': coded.headers.etag });

	assert.equal(not.headers.vary, 'Accept-Encoding');
});

test('gzip on the fly', async (t) => {
	const h = await startStatic(t, { keys: 'gzip = on  gzip_max = 100k',
		files: { 'a.txt': text, 'small.txt': 'small',
			'a.bin': text, 'large.txt': text.repeat(10),
			'disk.txt': text.repeat(6) } });
	const isCoded = (r) => r.headers['content-encoding'] === 'gzip';
	const first = await ask(h, '/a.txt', accept('gzip'));
	const r = await askUntil(h, '/a.txt', accept('gzip'), isCoded);

	assert.equal(first.headers.vary, 'Accept-Encoding');
	check(r, 'gzip', 'later');
	assert.notEqual(r.headers.etag, (await ask(h, '/a.txt')).headers.etag);
	assert.ok(r.body.length < text.length / 4);
	for (const [value, want] of cases)
		if (want !== 'br')
			check(await ask(h, '/a.txt', accept(value)), want,
			    `Accept-Encoding: ${value}`);
	// One that is not kept in memory is read on the thread.
	const disk = await askUntil(h, '/disk.txt', accept('gzip'), isCoded);

	assert.equal(zlib.gunzipSync(disk.body).toString(), text.repeat(6));
	assert.equal((await head(h, '/disk.txt', accept('gzip')))
	    .headers['content-length'], String(disk.body.length));
	// By now the thread would have done these.
	for (const p of ['/small.txt', '/a.bin', '/large.txt'])
		for (let i = 0; i < 5; i++)
			assert.equal((await ask(h, p, accept('gzip')))
			    .headers['content-encoding'], undefined, p);
});

test('what gets no smaller is not compressed', async (t) => {
	const noise = pattern(5000, 9);
	const h = await startStatic(t, { keys: 'gzip = on  gzip_min = 0',
		files: { 'noise.txt': noise, 'empty.txt': '',
		    'a.txt': text } });

	for (const p of ['/noise.txt', '/empty.txt'])
		await ask(h, p, accept('gzip'));
	await askUntil(h, '/a.txt', accept('gzip'),
	    (r) => r.headers['content-encoding'] === 'gzip');
	const r = await ask(h, '/noise.txt', accept('gzip'));

	assert.equal(r.headers['content-encoding'], undefined);
	assert.ok(r.body.equals(noise));
	assert.equal((await ask(h, '/empty.txt', accept('gzip'))).text, '');
});

test('a compressed file that changes, appears or goes', async (t) => {
	const other = 'other text\n'.repeat(400);
	const h = await startStatic(t, { keys: 'cache_valid = 0ms',
		files: { 'a.txt': text } });
	const coding = async () => {
		const r = await ask(h, '/a.txt', accept('gzip'));
		const c = r.headers['content-encoding'] ?? 'identity';

		return [c, DECODE[c](r.body).toString()];
	};

	assert.deepEqual(await coding(), ['identity', text]);
	put(h, { 'a.txt.gz': zlib.gzipSync(text) });
	assert.deepEqual(await coding(), ['gzip', text]);
	// The plain file is the same as before.
	put(h, { 'a.txt.gz': zlib.gzipSync(other) });
	assert.deepEqual(await coding(), ['gzip', other]);
	fs.unlinkSync(at(h, 'a.txt.gz'));
	assert.deepEqual(await coding(), ['identity', text]);
});

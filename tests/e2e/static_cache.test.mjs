// SPDX-License-Identifier: BSD-2-Clause
// What is kept: how long, how much, and that no descriptor is lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import zlib from 'node:zlib';
import { within } from './lib/hostd.mjs';
import { ask, askUntil, at, openFiles, pattern, put, startStatic }
	from './lib/static.mjs';

const names = (n) => Array.from({ length: n }, (_, i) => `f${i}.txt`);
const some = (n) => Object.fromEntries(
    names(n).map((f) => [f, `this is ${f}`]));

test('a change is seen when cache_valid has passed', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 100ms',
		files: { 'a.txt': 'old' } });

	assert.equal((await ask(h, '/a.txt')).text, 'old');
	put(h, { 'a.txt': 'new content' });
	const r = await askUntil(h, '/a.txt', {}, (a) => a.text !== 'old');

	assert.equal(r.text, 'new content');
	fs.unlinkSync(at(h, 'a.txt'));
	await askUntil(h, '/a.txt', {}, (a) => a.status === 404);
	put(h, { 'a.txt': 'again' });
	assert.equal((await ask(h, '/a.txt')).text, 'again',
	    'what is missing is not remembered');
});

test('a change is not looked for before', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 1h',
		files: { 'a.txt': 'old' } });
	const { etag } = (await ask(h, '/a.txt')).headers;

	put(h, { 'a.txt': 'new' });
	const r = await ask(h, '/a.txt');

	assert.equal(r.text, 'old');
	assert.equal(r.headers.etag, etag);
	await h.hostctl('reload');
	await askUntil(h, '/a.txt', {}, (a) => a.text === 'new');
});

test('a file of the same size and time, but another one', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 0ms',
		files: { 'a.txt': 'aaa' } });
	const time = new Date(1e12);

	fs.utimesSync(at(h, 'a.txt'), time, time);
	assert.equal((await ask(h, '/a.txt')).text, 'aaa');
	put(h, { 'b.txt': 'bbb' });
	fs.utimesSync(at(h, 'b.txt'), time, time);
	fs.renameSync(at(h, 'b.txt'), at(h, 'a.txt'));
	assert.equal((await ask(h, '/a.txt')).text, 'bbb');
});

for (const [what, keys, most] of [
	['a few entries', 'cache_entries = 8  cache_file_max = 0', 8],
	['no entries', 'cache_entries = 0  cache_file_max = 0', 0],
	['contents in memory', 'cache_entries = 64', 0],
	['little memory', 'cache_memory = 1k  cache_entries = 64', 0],
	['no memory', 'cache_memory = 0', 0],
])
	test(`many files, ${what}`, async (t) => {
		const h = await startStatic(t, { keys, files: some(100) });

		for (let round = 0; round < 3; round++)
			for (const f of names(100))
				assert.equal((await ask(h, `/${f}`)).text,
				    `this is ${f}`);
		const open = await openFiles(h);

		assert.ok(open.length <= most, open.join());
		if (most > 0)
			assert.equal(open.length, most);
	});

test('precompressed ones have descriptors, too', async (t) => {
	const files = {};

	for (const f of names(20)) {
		files[f] = f;
		files[`${f}.gz`] = zlib.gzipSync(f);
	}
	const h = await startStatic(t, { files,
		keys: 'cache_entries = 5  cache_file_max = 0' });

	for (const f of names(20)) {
		const r = await ask(h, `/${f}`, { 'Accept-Encoding': 'gzip' });

		assert.equal(zlib.gunzipSync(r.body).toString(), f);
	}
	assert.equal((await openFiles(h)).length, 10);
	// Replaced ones are let go of.
	put(h, files);
	for (const f of names(20))
		await askUntil(h, `/${f}`, {}, (r) => r.status === 200);
	assert.deepEqual((await openFiles(h)).filter((f) =>
	    f.endsWith('(deleted)')), []);
});

test('clients that leave take no descriptor with them', async (t) => {
	const h = await startStatic(t, { keys: 'cache_entries = 0',
		files: { 'large.bin': pattern(24 << 20), 'a.txt': 'a' } });
	const leave = () => within(new Promise((resolve, reject) => {
		const s = net.connect(h.port, '127.0.0.1');

		s.on('error', reject);
		s.write('GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n');
		s.once('data', () => {
			s.on('close', resolve);
			s.destroy();
		});
	}), 'first bytes');

	for (let i = 0; i < 20; i++)
		await leave();
	await h.workersSatisfy((w) => w.every((one) => one.active === 0),
	    'end of all connections');
	assert.deepEqual(await openFiles(h), []);
	assert.equal((await ask(h, '/a.txt')).text, 'a');
});

test('nor do aborted ranges and conditions', async (t) => {
	const h = await startStatic(t, {
		keys: 'cache_entries = 0  cache_file_max = 0',
		files: { 'a.bin': pattern(100_000), 'a.bin.gz': 'x' } });

	for (const headers of [{}, { Range: 'bytes=0-0' },
		{ Range: 'bytes=0-0,2-2' }, { Range: 'bytes=999999-' },
		{ 'If-None-Match': '*' }, { 'If-Match': '"x"' },
		{ 'Accept-Encoding': 'gzip' },
		{ 'Accept-Encoding': 'identity;q=0' }])
		for (const method of ['GET', 'HEAD'])
			await ask(h, '/a.bin', headers, { method });
	assert.deepEqual(await openFiles(h), []);
});

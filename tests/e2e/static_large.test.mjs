// SPDX-License-Identifier: BSD-2-Clause
// Files of more than 2 and 4 GiB (sparse), and clients that read slowly.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { atEnd, command, within } from './lib/hostd.mjs';
import { ask, at, head, openFiles, pattern, startStatic }
	from './lib/static.mjs';

const GIB = 2 ** 30;
const SIZE = 5 * GIB + 12345;
// Where there is something else than zeros, and what.
const MARKS = [0, 2 * GIB - 32, 2 * GIB + 100, 4 * GIB - 32, SIZE - 64];
const mark = (i) => pattern(64, i + 11);

async function start(t) {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });
	const fd = fs.openSync(at(h, 'huge.bin'), 'w');

	for (const [i, where] of MARKS.entries())
		fs.writeSync(fd, mark(i), 0, 64, where);
	fs.ftruncateSync(fd, SIZE);
	fs.closeSync(fd);
	return h;
}

test('its size', async (t) => {
	const h = await start(t);
	const r = await head(h, '/huge.bin');

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-length'], String(SIZE));
});

test('ranges far into it', async (t) => {
	const h = await start(t);

	for (const [i, where] of MARKS.entries()) {
		const r = await ask(h, '/huge.bin',
		    { Range: `bytes=${where}-${where + 63}` });

		assert.equal(r.status, 206);
		assert.equal(r.headers['content-range'],
		    `bytes ${where}-${where + 63}/${SIZE}`);
		assert.ok(r.body.equals(mark(i)), `at ${where}`);
	}
	const tail = await ask(h, '/huge.bin', { Range: 'bytes=-64' });

	assert.ok(tail.body.equals(mark(MARKS.length - 1)));
	const out = await ask(h, '/huge.bin', { Range: `bytes=${SIZE}-` });

	assert.equal(out.status, 416);
	assert.equal(out.headers['content-range'], `bytes */${SIZE}`);
});

test('a range across 2 GiB', async (t) => {
	const h = await start(t);
	const from = 2 * GIB - 2 ** 20;
	const r = await ask(h, '/huge.bin',
	    { Range: `bytes=${from}-${from + 2 ** 21 - 1}` });
	const want = Buffer.alloc(2 ** 21);

	mark(1).copy(want, MARKS[1] - from);
	mark(2).copy(want, MARKS[2] - from);
	assert.equal(r.headers['content-length'], String(2 ** 21));
	assert.ok(r.body.equals(want));
});

test('several ranges of it', async (t) => {
	const h = await start(t);
	const r = await ask(h, '/huge.bin', { Range: 'bytes=0-63,' +
	    `${MARKS[3]}-${MARKS[3] + 63},-64` });

	assert.equal(r.status, 206);
	assert.equal(r.headers['content-length'], String(r.body.length));
	for (const i of [0, 3, 4])
		assert.ok(r.body.includes(mark(i)), `mark ${i}`);
	assert.ok(r.body.includes(
	    `bytes ${MARKS[3]}-${MARKS[3] + 63}/${SIZE}`));
});

test('more than 2 GiB in one answer', async (t) => {
	const h = await start(t);
	const from = SIZE - (2 * GIB + 4096);
	const r = await command('curl', ['-s', '-o', '/dev/null', '-r',
		`${from}-`, '-w', '%{http_code} %{size_download}',
		`${h.url}/huge.bin`]);

	assert.equal(r.code, 0);
	assert.equal(r.stdout, `206 ${SIZE - from}`);
});

test('slow clients hold up nobody', async (t) => {
	const size = 24 << 20;
	const content = pattern(size);
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });

	fs.writeFileSync(at(h, 'l.bin'), content);
	const slow = await Promise.all(Array.from({ length: 20 }, () =>
	    new Promise((resolve, reject) => {
		const s = net.connect(h.port, '127.0.0.1');
		const parts = [];

		s.on('error', reject);
		s.write('GET /l.bin HTTP/1.1\r\nHost: a\r\n' +
		    'Connection: close\r\n\r\n');
		s.once('data', (d) => {
			s.pause();
			parts.push(d);
			resolve({ s, parts });
		});
	})));

	for (let i = 0; i < 50; i++)
		assert.equal((await ask(h, '/a.txt')).text, 'a');
	assert.ok((await ask(h, '/l.bin')).body.equals(content));
	// One descriptor serves them all.
	assert.equal((await openFiles(h)).length, 1);
	for (const { s } of slow.slice(2))
		s.destroy();
	for (const { s, parts } of slow.slice(0, 2)) {
		await within(new Promise((resolve) => {
			s.on('data', (d) => parts.push(d));
			s.on('end', resolve);
			s.resume();
		}), 'the rest');
		const all = Buffer.concat(parts);

		assert.ok(all.subarray(all.indexOf('\r\n\r\n') + 4)
		    .equals(content));
	}
});

test('a client that reads nothing is let go of', async (t) => {
	const h = await startStatic(t, { files: { 'l.bin': pattern(24 << 20) },
		keys: 'cache_entries = 0',
		conf: 'http { send_timeout = 200ms }' });
	const s = net.connect(h.port, '127.0.0.1');

	s.on('error', () => {});
	atEnd(t, () => s.destroy());
	s.write('GET /l.bin HTTP/1.1\r\nHost: a\r\n\r\n');
	await within(new Promise((r) => s.once('data', () => {
		s.pause();
		r();
	})), 'first bytes');
	await h.workersSatisfy((w) => w.every((one) => one.active === 0),
	    'end of the connection');
	assert.deepEqual(await openFiles(h), []);
});

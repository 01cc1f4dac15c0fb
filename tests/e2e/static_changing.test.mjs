// SPDX-License-Identifier: BSD-2-Clause
// Files that change while they are being sent: the client gets the bytes that
// were promised, or an answer that is visibly not complete.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { ask, at, openFiles, pattern, startStatic } from './lib/static.mjs';

const SIZE = 24 << 20;	// more than the sockets' buffers take
const content = pattern(SIZE);

/*
 * Ask for a file and read no more than its first bytes; what is returned
 * reads the rest: { body, length }, body ending where the connection did.
 */
async function begin(h, target, headers = '') {
	const s = net.connect(h.port, '127.0.0.1');
	const parts = [];

	s.on('error', () => {});
	s.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
	    `${headers}\r\n`);
	await within(new Promise((resolve) => s.once('data', (d) => {
		s.pause();
		parts.push(d);
		resolve();
	})), 'first bytes');
	return async () => {
		await within(new Promise((resolve) => {
			s.on('data', (d) => parts.push(d));
			s.on('close', resolve);
			s.resume();
		}), 'rest of the answer');
		const all = Buffer.concat(parts);
		const end = all.indexOf('\r\n\r\n');
		const head = all.subarray(0, end).toString('latin1');

		return { body: all.subarray(end + 4), head,
			length: Number(
			    /^Content-Length: (\d+)/mi.exec(head)[1]) };
	};
}

async function start(t) {
	const h = await startStatic(t, { files: { 'a.bin': content } });

	return { h, file: at(h, 'a.bin'), pids: h.pids() };
}

// The worker lives, and holds nothing that is gone.
async function unharmed(h, pids) {
	assert.equal((await ask(h, '/none')).status, 404);
	assert.deepEqual(h.pids(), pids);
	assert.deepEqual((await openFiles(h)).filter((f) =>
	    f.endsWith(' (deleted)')), []);
}

test('replaced by another file: the old one is sent to its end', async (t) => {
	const { h, file, pids } = await start(t);
	const rest = await begin(h, '/a.bin');

	fs.writeFileSync(`${file}.new`, 'new');
	fs.renameSync(`${file}.new`, file);
	// Seen at once, though the cache looks only so often.
	assert.equal((await ask(h, '/a.bin')).text, 'new');
	const { body } = await rest();

	assert.ok(body.equals(content));
	await unharmed(h, pids);
});

test('removed: it is sent to its end', async (t) => {
	const { h, file, pids } = await start(t);
	const rest = await begin(h, '/a.bin');

	fs.unlinkSync(file);
	assert.equal((await ask(h, '/a.bin')).status, 404);
	assert.ok((await rest()).body.equals(content));
	await unharmed(h, pids);
});

for (const [how, change] of [
	['truncated', (f) => fs.truncateSync(f, 0)],
	['truncated to a part', (f) => fs.truncateSync(f, SIZE - 1)],
	['truncated and written anew, shorter', (f) =>
		fs.writeFileSync(f, pattern(SIZE / 2, 2))],
	['written anew, as long as before', (f) =>
		fs.writeFileSync(f, pattern(SIZE, 3))],
	['overwritten in its middle', (f) => {
		const fd = fs.openSync(f, 'r+');

		fs.writeSync(fd, 'X'.repeat(4096), SIZE - 8192);
		fs.closeSync(fd);
	}],
])
	test(`${how}: the connection ends`, async (t) => {
		const { h, file, pids } = await start(t);
		const rest = await begin(h, '/a.bin');

		change(file);
		const { body, length } = await rest();

		assert.equal(length, SIZE);
		assert.ok(body.length < length, 'the answer is not complete');
		assert.ok(body.equals(content.subarray(0, body.length)),
		    'no byte is wrong');
		await unharmed(h, pids);
	});

test('several ranges of one that is truncated', async (t) => {
	const { h, file, pids } = await start(t);
	const half = SIZE / 2;
	const rest = await begin(h, '/a.bin',
	    `Range: bytes=0-${half - 1},${half}-\r\n`);

	fs.truncateSync(file, half);
	const { body, length, head } = await rest();

	assert.match(head, /^HTTP\/1\.1 206 /);
	assert.ok(body.length < length);
	await unharmed(h, pids);
});

test('one that grows: what was promised is sent', async (t) => {
	const { h, file, pids } = await start(t);
	const rest = await begin(h, '/a.bin');

	fs.appendFileSync(file, 'more');
	assert.ok((await rest()).body.equals(content));
	const { body } = await ask(h, '/a.bin');

	assert.equal(body.length, SIZE + 4);
	await unharmed(h, pids);
});

test('one that is overwritten between two requests', async (t) => {
	const { h, file } = await start(t);
	const first = await ask(h, '/a.bin');
	const other = pattern(SIZE, 5);

	fs.writeFileSync(file, other);
	const second = await ask(h, '/a.bin');

	assert.ok(second.body.equals(other));
	assert.notEqual(second.headers.etag, first.headers.etag);
});

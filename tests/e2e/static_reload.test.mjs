// SPDX-License-Identifier: BSD-2-Clause
// Reloads and stops while files are being sent or compressed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { ask, askUntil, pattern, startStatic } from './lib/static.mjs';

const SIZE = 24 << 20;	// more than the sockets' buffers take
const content = pattern(SIZE);

// A download of which only the head has been read; call it for the rest.
function begin(h, target) {
	return within(new Promise((resolve, reject) => {
		http.get(`${h.url}${target}`, { agent: false }, (res) => {
			const parts = [];

			resolve(() => within(new Promise((done) => {
				res.on('data', (d) => parts.push(d));
				res.on('close', () => done({
					complete: res.complete,
					body: Buffer.concat(parts),
				}));
			}), 'rest of the answer'));
		}).on('error', reject);
	}), 'head of the answer');
}

test('a file is sent to its end by the worker that began it', async (t) => {
	const h = await startStatic(t, { files: { 'l.bin': content,
		'id.txt': 'one' } });
	const rest = await begin(h, '/l.bin');
	const other = path.join(h.dir, 'other');

	fs.mkdirSync(other);
	fs.writeFileSync(path.join(other, 'id.txt'), 'two');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('/www"', '/other"'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await askUntil(h, '/id.txt', {}, (a) => a.text === 'two');
	assert.equal((await ask(h, '/l.bin')).status, 404);
	// What is cached is the worker's own, and so is what is open.
	fs.rmSync(h.www, { recursive: true });
	const { complete, body } = await rest();

	assert.ok(complete);
	assert.ok(body.equals(content));
});

test('and when hostd is told to finish', async (t) => {
	const h = await startStatic(t, { files: { 'l.bin': content } });
	const rest = await begin(h, '/l.bin');
	const stopped = h.stop('SIGTERM');
	const { complete, body } = await rest();

	assert.ok(complete);
	assert.ok(body.equals(content));
	assert.equal((await stopped).code, 0);
});

for (const [what, act] of [
	['a reload', async (h) => {
		assert.equal((await h.hostctl('reload')).code, 0);
		assert.equal((await ask(h, '/a.txt')).text, 'a');
	}],
	['a stop', async (h) =>
		assert.equal((await h.stop('SIGTERM')).code, 0)],
	['a stop at once', async (h) =>
		assert.equal((await h.stop('SIGTERM')).code, 0)],
])
	test(`${what} while files are compressed`, async (t) => {
		const text = Buffer.alloc(8 << 20, 'something to compress\n');
		const files = { 'a.txt': 'a' };

		for (let i = 0; i < 8; i++)
			files[`l${i}.txt`] = text;
		const h = await startStatic(t, { files,
			keys: 'gzip = on  gzip_max = 16m' });

		for (let i = 0; i < 8; i++) {
			const r = await ask(h, `/l${i}.txt`,
			    { 'Accept-Encoding': 'gzip' });

			assert.equal(r.status, 200);
		}
		await act(h);
	});

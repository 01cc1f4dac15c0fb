// SPDX-License-Identifier: BSD-2-Clause
// The root's name leads to another directory: a link is turned to the next
// release, or a directory is removed and built anew.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask, askUntil, openFiles, pattern, startStatic }
	from './lib/static.mjs';

// h.www has one, and two is beside it.
async function start(t, keys) {
	const h = await startStatic(t, { keys,
		conf: 'sandbox_paths = {"r:@DIR@"}', files: { 'id.txt': 'one',
		'only-one.txt': '1', 'large.bin': pattern(200_000) } });
	const two = path.join(h.dir, 'two');

	fs.mkdirSync(two);
	fs.writeFileSync(path.join(two, 'id.txt'), 'two');
	return { h, two };
}

test('a root that is replaced', async (t) => {
	const { h, two } = await start(t, 'cache_valid = 0ms');

	assert.equal((await ask(h, '/id.txt')).text, 'one');
	assert.equal((await ask(h, '/large.bin')).body.length, 200_000);
	fs.renameSync(h.www, `${h.www}.old`);
	// Until there is another, what was there is served.
	assert.equal((await ask(h, '/id.txt')).text, 'one');
	fs.renameSync(two, h.www);
	assert.equal((await ask(h, '/id.txt')).text, 'two');
	assert.equal((await ask(h, '/only-one.txt')).status, 404);
	assert.equal((await ask(h, '/large.bin')).status, 404);
	assert.deepEqual(await openFiles(h), [], 'nothing of it is kept open');
});

test('a link that is turned', async (t) => {
	const { h, two } = await start(t, 'cache_valid = 0ms');
	const turn = (to) => {
		fs.symlinkSync(to, `${h.www}.new`);
		fs.renameSync(`${h.www}.new`, h.www);
	};

	fs.renameSync(h.www, `${h.www}.one`);
	turn(`${h.www}.one`);
	for (let i = 0; i < 3; i++) {
		assert.equal((await ask(h, '/id.txt')).text, 'one');
		turn(two);
		assert.equal((await ask(h, '/id.txt')).text, 'two');
		turn(`${h.www}.one`);
	}
});

test('a directory that is built anew', async (t) => {
	const { h } = await start(t, 'cache_valid = 50ms');

	assert.equal((await ask(h, '/id.txt')).text, 'one');
	fs.rmSync(h.www, { recursive: true });
	await askUntil(h, '/id.txt', {}, (r) => r.status === 404);
	fs.mkdirSync(h.www);
	fs.writeFileSync(path.join(h.www, 'id.txt'), 'new');
	await askUntil(h, '/id.txt', {}, (r) => r.text === 'new');
});

test('what is no directory is not taken for one', async (t) => {
	const { h } = await start(t, 'cache_valid = 0ms');

	fs.renameSync(h.www, `${h.www}.old`);
	fs.writeFileSync(h.www, 'a file');
	assert.equal((await ask(h, '/id.txt')).text, 'one');
	fs.unlinkSync(h.www);
	fs.symlinkSync('/nowhere', h.www);
	assert.equal((await ask(h, '/id.txt')).text, 'one');
});

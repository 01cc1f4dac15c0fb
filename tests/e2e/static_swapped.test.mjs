// SPDX-License-Identifier: BSD-2-Clause
// Links and directories that are swapped while they are asked for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { churn } from './lib/churn.mjs';
import { within } from './lib/hostd.mjs';
import { ask, at, startStatic } from './lib/static.mjs';

// Ask over a few connections until enough(counts); counts are of `status
// text`.
async function load(h, target, enough) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
	const counts = {};

	const one = async () => {
		while (!enough(counts)) {
			const r = await ask(h, target, {}, { agent });
			const key =
			    `${r.status} ${r.status === 200 ? r.text : ''}`;

			counts[key] = (counts[key] ?? 0) + 1;
		}
	};

	await within(Promise.all([one(), one(), one(), one()]),
	    'both sides of the swap').finally(() => agent.destroy());
	return counts;
}

test('a release is swapped: every answer is whole', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 0ms', files: {
		'releases/a/id.txt': 'a', 'releases/b/id.txt': 'b',
		'site/.keep': '',
	} });

	// A relative link with "..": the kernel has to look twice.
	fs.symlinkSync('../releases/a', at(h, 'site/current'));
	const { stop } = churn(t, h.www, `
		for (const to of ['a', 'b']) {
			fs.symlinkSync('../releases/' + to, dir + '/site/next');
			fs.renameSync(dir + '/site/next', dir + '/site/current');
		}`);
	const counts = await load(h, '/site/current/id.txt', (c) =>
	    c['200 a'] >= 300 && c['200 b'] >= 300);

	assert.ok(await stop() > 0);
	assert.deepEqual(Object.keys(counts).sort(), ['200 a', '200 b']);
});

test('a directory is swapped with a link to the outside', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 0ms',
		files: { 'd/x.txt': 'inside' } });

	fs.mkdirSync(path.join(h.dir, 'outside'));
	fs.writeFileSync(path.join(h.dir, 'outside/x.txt'), 'outside');
	fs.symlinkSync('../outside', at(h, 'link'));
	const { stop } = churn(t, h.www, `
		fs.renameSync(dir + '/d', dir + '/real');
		fs.renameSync(dir + '/link', dir + '/d');
		fs.renameSync(dir + '/d', dir + '/link');
		fs.renameSync(dir + '/real', dir + '/d');`);
	const counts = await load(h, '/d/x.txt', (c) =>
	    c['200 inside'] >= 300 && c['403 '] >= 100);

	assert.ok(await stop() > 0);
	for (const key of Object.keys(counts))
		assert.match(key, /^(200 inside|403 |404 )$/);
	assert.equal((await ask(h, '/d/x.txt')).text, 'inside');
});

test('a file is replaced: no answer is a mixture', async (t) => {
	const h = await startStatic(t, { keys: 'cache_valid = 0ms',
		files: { 'x.txt': 'a'.repeat(3000) } });
	const { stop } = churn(t, h.www, `
		for (const c of ['a', 'b']) {
			fs.writeFileSync(dir + '/y.txt', c.repeat(3000));
			fs.renameSync(dir + '/y.txt', dir + '/x.txt');
		}`);
	const a = `200 ${'a'.repeat(3000)}`, b = `200 ${'b'.repeat(3000)}`;
	const counts = await load(h, '/x.txt', (c) =>
	    c[a] >= 200 && c[b] >= 200);

	assert.ok(await stop() > 0);
	assert.deepEqual(Object.keys(counts).sort(), [a, b]);
});

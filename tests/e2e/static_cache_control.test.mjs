// SPDX-License-Identifier: BSD-2-Clause
// Cache-Control by pattern.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, startStatic } from './lib/static.mjs';

test('the first pattern that matches', async (t) => {
	const h = await startStatic(t, {
		files: {
			'index.html': '', 'a.js': '', 'assets/a.js': '',
			'assets/deep/a.css': '', 'a.css': '', 'b.txt': '',
			'other/assets/b.txt': '', 'robots.txt': '',
		},
		keys: `cache_control = {
			"assets/* public, max-age=31536000, immutable",
			"/robots.txt no-store",
			"*.js max-age=60",
			"*.[ch]tml	no-cache",
			"*.js never",
			"a.* max-age=1" }`,
	});

	for (const [p, want] of Object.entries({
		'/assets/a.js': 'public, max-age=31536000, immutable',
		'/assets/deep/a.css': 'public, max-age=31536000, immutable',
		'/robots.txt': 'no-store',
		'/a.js': 'max-age=60',
		'/': 'no-cache',
		'/index.html': 'no-cache',
		'/a.css': 'max-age=1',
		'/b.txt': undefined,
		'/other/assets/b.txt': undefined,
		'/none.js': undefined,
	}))
		assert.equal((await ask(h, p)).headers['cache-control'], want,
		    p);
});

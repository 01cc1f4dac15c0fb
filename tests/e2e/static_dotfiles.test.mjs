// SPDX-License-Identifier: BSD-2-Clause
// Names that start with a dot.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, startStatic } from './lib/static.mjs';

const files = {
	'.env': 'x', '.git/config': 'x', 'sub/.htaccess': 'x',
	'sub/.git/HEAD': 'x', '...': 'x', '..x': 'x', 'a.b/c.d': 'seen',
	'.well-known/acme-challenge/token': 'seen',
	'.well-known/security.txt': 'seen', '.well-known/.secret': 'x',
	'.well-known/sub/.secret': 'x', 'sub/.well-known/x': 'x',
	'.well-knownx': 'x', 'index.html': 'seen',
};

const isHidden = (p) => !/^\.well-known\/(acme|sec)|^a\.b|^index/.test(p);

test('refused, but .well-known', async (t) => {
	const h = await startStatic(t, { files, keys: 'listing = on' });

	for (const [p, text] of Object.entries(files)) {
		const r = await ask(h, `/${p}`);

		assert.equal(r.status, isHidden(p) ? 404 : 200, p);
		if (!isHidden(p))
			assert.equal(r.text, text);
	}
	for (const p of ['/%2eenv', '/%2e%67it/config', '/sub/%2Ehtaccess',
		'/.git', '/.git/', '/sub/.git/', '//.env', '/sub/../.env',
		'/./.env', '/.well-known/../.env', '/.well-known/.secret',
		'/.well-known/%2e%2e/.env', '/.WELL-KNOWN/security.txt',
		'/.none'])
		assert.equal((await ask(h, p)).status, 404, p);
});

test('below a prefix', async (t) => {
	const h = await startStatic(t, { files, route: '/.files/' });

	assert.equal((await ask(h, '/.files/a.b/c.d')).status, 200,
	    'the prefix is the configuration\'s');
	assert.equal((await ask(h, '/.files/.env')).status, 404);
});

test('served when asked for', async (t) => {
	const h = await startStatic(t, { files, keys: 'dotfiles = on' });

	for (const [p, text] of Object.entries(files)) {
		const r = await ask(h, `/${p}`);

		assert.equal(r.status, 200, p);
		assert.equal(r.text, text);
	}
});

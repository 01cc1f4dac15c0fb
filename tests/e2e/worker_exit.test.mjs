// SPDX-License-Identifier: BSD-2-Clause
// A plugin that calls exit() is named, whatever the status.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startLife } from './lib/life.mjs';

test('exit() in a plugin', async (t) => {
	const h = await startLife(t);

	for (const [url, how] of [['/exit', 'exit\\(0\\)'],
		['/_exit', 'exit\\(7\\)']]) {
		await assert.rejects(fetch(h.url + url));
		await h.logged(new RegExp(`died: ${how} in plugin life, ` +
		    'on_headers; restarting in'));
		assert.equal((await fetch(h.url)).status, 200);
	}

	await t.test('in create refuses a reload', async () => {
		const conf = path.join(h.dir, 'conf.d/life.conf');

		fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8')
		    .replace('life.so"', 'life.so" create = exit'));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1, r.stdout);
		assert.match(r.stderr,
		    /life\.conf:1: plugin "life": .*life\.so: trying it failed: exit\(0\) in plugin life, create$/m);
		assert.equal((await fetch(h.url)).status, 200);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// A browser shows the quickstart's page: document, style, script and the
// status that the script asks for.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { command, startHostd, top } from './lib/hostd.mjs';

test('headless Chromium shows the page and the live status', async (t) => {
	const h = await startHostd(t, {
		conf: `
plugin "site" {
	module = "http_static.so"
	root = "${top}/examples/quickstart/www"
	gzip = on
	gzip_min = 1
}
plugin "status" { module = "http_status.so" }
route "/" { plugin = "site" }
route "/status" { plugin = "status" }`,
	});
	const profile = path.join(h.dir, 'profile');
	const r = await command('chromium', ['--headless', '--no-sandbox',
		'--disable-gpu', `--user-data-dir=${profile}`,
		'--virtual-time-budget=5000', '--dump-dom', `${h.url}/`]);
	const page = r.stdout;

	assert.equal(r.code, 0, r.stderr);
	assert.match(page, /<h1>hostd chat<\/h1>/);
	assert.match(page, /hostd \d+\.\d+\.\d+, generation 1: \d+ requests/);
	for (const w of await h.workers())
		assert.match(page, new RegExp(
		    `<td>web\\.${w.slot}</td><td>${w.pid}</td><td>1</td>` +
		    '<td>ready</td>'));
});

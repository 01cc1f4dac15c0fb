// SPDX-License-Identifier: BSD-2-Clause
// Bytes that are not one well-formed request each: they get the right status
// or a close, whole or byte by byte, and never reach a plugin twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { raw, startHostd, statusOf, tempDir } from './lib/hostd.mjs';
import { malformed as cases, smuggled } from './lib/malformed.mjs';
import { buildPlugin, testPlugin } from './lib/plugin.mjs';

async function start(t) {
	const so = await buildPlugin(tempDir(t), 'record_route',
	    testPlugin('record_route'));

	return startHostd(t, { conf: `
		pool "web" { workers = 1 }
		http { max_request_line = 512  max_head = 2k  max_headers = 32
			max_body = 4k  lingering_timeout = 1h
			head_timeout = 1h  body_timeout = 1h }
		plugin "record" { module = "${so}" }
		route "/" { plugin = "record" }` });
}

async function count(h) {
	return (await fetch(`${h.url}/count`)).json();
}

for (const [how, pieces] of [['whole', undefined], ['byte by byte', 1]])
	test(`malformed requests, ${how}`, async (t) => {
		const h = await start(t);

		assert.ok(cases.length >= 100);
		for (const [name, bytes, want] of cases)
			await t.test(name, async () => {
				const got = await raw(h.port, bytes,
				    { pieces });
				const status = statusOf(got.text);
				const answers = got.text.match(
				    /^HTTP\/1\.[01] \d{3} /gm) ?? [];

				assert.ok([want].flat().includes(status),
				    `${status} is not ${want}: ${got.text}`);
				assert.equal(answers.length, 1,
				    `one answer, not ${got.text}`);
				assert.ok(got.closed,
				    'the connection is closed');
			});
		const n = await count(h);

		assert.equal(n.doubled, 0);
		assert.equal(n.begun, n.ended, 'every request has ended');
	});

test('a request behind a refused one does not reach the plugin', async (t) => {
	const h = await start(t);

	for (const [name, bytes] of cases)
		if (!/without end|too long|too large/.test(name))
			await raw(h.port, bytes + smuggled);
	const before = await count(h);
	const got = await raw(h.port, smuggled + smuggled, {
		until: (s) => (s.match(/"body":0/g) ?? []).length === 2 });

	assert.equal(statusOf(got.text), 200);
	const after = await count(h);

	// The id was new to the plugin now: nothing had carried it there
	// before.
	assert.equal(after.begun - before.begun, 2);
	assert.equal(after.doubled, 1);
});

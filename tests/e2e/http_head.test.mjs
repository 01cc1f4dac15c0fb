// SPDX-License-Identifier: BSD-2-Clause
// The header lines that the host adds to every answer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ask, connect, get, serveShow } from './lib/http1.mjs';

const imf = new RegExp('^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d ' +
	'(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \\d{4} ' +
	'\\d\\d:\\d\\d:\\d\\d GMT$');

test('Date is an IMF-fixdate of now, in whatever time zone', async (t) => {
	const h = await serveShow(t, '', '', { env: { TZ: 'Asia/Kolkata',
		LC_ALL: 'C.UTF-8' } });

	for (const path of ['/', '/?status=404', '/?stream=2&of=5',
	    '/?status=204']) {
		const from = Date.now() - 2000;
		const { headers } = await ask(t, h.port, path);
		const [date] = headers.date;

		assert.equal(headers.date.length, 1);
		assert.match(date, imf);
		assert.equal(new Date(date).toUTCString(), date,
		    'the right day');
		assert.ok(Date.parse(date) >= from
		    && Date.parse(date) <= Date.now());
	}
});

test('Date goes on on one connection', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);
	const dates = new Set();

	// A second has passed when there are two.
	while (dates.size < 2) {
		await c.send(get('/'));
		dates.add((await c.next()).headers.date[0]);
	}
	const [a, b] = [...dates].map(Date.parse);

	assert.ok(b > a);
});

test('Server is configured', async (t) => {
	for (const [http, want] of [['', ['hostd']], ['server = "me/1 (x)"',
		['me/1 (x)']], ['server = ""', undefined]]) {
		const h = await serveShow(t, http);

		assert.deepEqual((await ask(t, h.port, '/')).headers.server,
		    want);
		const c = await connect(t, h.port);

		await c.send('nonsense\r\n\r\n');
		assert.deepEqual((await c.next()).headers.server, want);
		c.destroy();
		await h.stop();
	}
});

test('status lines have their reasons', async (t) => {
	const h = await serveShow(t);
	const c = await connect(t, h.port);

	for (const [status, reason] of [[200, 'OK'], [201, 'Created'],
		[206, 'Partial Content'], [301, 'Moved Permanently'],
		[308, 'Permanent Redirect'], [404, 'Not Found'],
		[413, 'Content Too Large'], [422, 'Unprocessable Content'],
		[429, 'Too Many Requests'], [500, 'Internal Server Error'],
		[504, 'Gateway Timeout']]) {
		await c.send(get(`/?status=${status}`));
		const r = await c.next();

		assert.equal(r.status, status);
		assert.equal(r.reason, reason);
		assert.equal(r.version, 'HTTP/1.1');
	}
	// One without a reason still has the space (RFC 9112 section 4).
	await c.send(get('/?status=299'));
	const r = await c.next();

	assert.match(r.raw, /^HTTP\/1\.1 299 [^\r]*\r\n/);
});

test('values that would break the head are refused', async (t) => {
	const h = await serveShow(t);
	const text = fs.readFileSync(h.confFile, 'utf8');

	for (const [key, more] of [['server', 'server = "a\\nSet-Cookie: b"'],
		['server', 'server = "a\x01"'], ['type', '} error_page "404" ' +
		`{ file = "${h.confFile}" type = "a\\nb"`]]) {
		fs.writeFileSync(h.confFile, text.replace('http {',
		    `http { ${more}`));
		const r = await h.hostctl('reload');

		assert.notEqual(r.code, 0, more);
		assert.match(r.stdout + r.stderr,
		    new RegExp(`hostd\\.conf:\\d+: .*${key}`));
	}
	assert.deepEqual((await ask(t, h.port, '/')).headers.server, ['hostd']);
});

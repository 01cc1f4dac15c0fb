// SPDX-License-Identifier: BSD-2-Clause
// Which pages may connect.
import assert from 'node:assert/strict';
import test from 'node:test';
import { open, serveEcho, TEXT, upgrade } from './lib/websocket.mjs';

const listed = 'origins = {"https://app.example", "http://dev.example:3000", ' +
    '"https://*.example.org"}';

// Path, Origin, Host, allowed?
const cases = [
	['/listed', undefined, 'a', true],
	['/listed', 'https://app.example', 'a', true],
	['/listed', 'https://app.example:443', 'a', true],
	['/listed', 'https://APP.Example', 'a', true],
	['/listed', 'https://app.example:8443', 'a', false],
	['/listed', 'http://app.example', 'a', false],
	['/listed', 'http://app.example:443', 'a', false],
	['/listed', 'wss://app.example:443', 'a', false],
	['/listed', 'https://app.example.evil.test', 'a', false],
	['/listed', 'https://evil-app.example', 'a', false],
	['/listed', 'https://sub.app.example', 'a', false],
	['/listed', 'http://dev.example:3000', 'a', true],
	['/listed', 'http://dev.example', 'a', false],
	['/listed', 'http://dev.example:3001', 'a', false],
	['/listed', 'http://dev.example:30000', 'a', false],
	['/listed', 'https://chat.example.org', 'a', true],
	['/listed', 'https://deep.chat.example.org', 'a', true],
	['/listed', 'https://example.org', 'a', false],
	['/listed', 'https://.example.org', 'a', false],
	['/listed', 'https://evilexample.org', 'a', false],
	['/listed', 'https://chat.example.org.evil.test', 'a', false],
	['/listed', 'http://chat.example.org', 'a', false],
	['/listed', 'https://*.example.org', 'a', false],
	['/listed', 'null', 'a', false],
	['/listed', '', 'a', false],
	['/listed', 'https://', 'a', false],
	['/listed', 'app.example', 'a', false],
	['/listed', 'https://app.example/', 'a', false],
	['/listed', 'https://user@app.example', 'a', false],
	['/listed', 'https://evil.test/.example.org', 'a', false],
	['/listed', 'https://evil.test\t.example.org', 'a', false],
	['/listed', 'https://app.example https://evil.test', 'a', false],
	['/listed', ['https://app.example', 'https://app.example'], 'a', false],
	['/same', undefined, 'a.example', true],
	['/same', 'http://a.example', 'a.example', true],
	['/same', 'https://a.example', 'a.example', true],
	['/same', 'http://A.example', 'a.EXAMPLE', true],
	['/same', 'http://a.example:8080', 'a.example:8080', true],
	['/same', 'http://a.example:80', 'a.example', true],
	['/same', 'http://a.example', 'a.example:8080', false],
	['/same', 'http://a.example:8080', 'a.example', false],
	['/same', 'http://b.example', 'a.example', false],
	['/same', 'http://sub.a.example', 'a.example', false],
	['/same', 'http://[::1]:8080', '[::1]:8080', true],
	['/same', 'http://[::2]:8080', '[::1]:8080', false],
	['/same', 'null', 'a.example', false],
	['/any', 'https://anything.test', 'a', true],
	['/any', 'null', 'a', true],
	['/unset', 'https://anything.test', 'a', true],
	['/unset', 'null', 'a', true],
	['/two', 'https://app.example', 'a.example', true],
	['/two', 'http://a.example', 'a.example', true],
	['/two', 'http://b.example', 'a.example', false],
];

test('origins', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/listed': listed,
		'/same': 'origins = {"same"}',
		'/any': 'origins = {"*"}',
		'/unset': '',
		'/two': 'origins = {"same", "https://app.example"}',
	} });

	for (const [path, origin, host, allowed] of cases)
		await t.test(`${path}: ${JSON.stringify(origin)} at ${host}: ${
		    allowed ? 101 : 403}`, async (t) => {
			const { s, r } = await upgrade(t, h, path,
			    { headers: { Host: host, Origin: origin } });

			assert.equal(r.status, allowed ? 101 : 403);
			if (allowed)
				await s.echo(TEXT, 'x');
			else
				assert.equal(r.headers['sec-websocket-accept'],
				    undefined);
		});
});

test('all routes have those of the top, but for their own', async (t) => {
	const h = await serveEcho(t, { routes: { '/top': '',
		'/own': 'origins = {"https://own.example"}' }, conf: `
		websocket { origins = {"https://top.example"} }` });
	const from = async (path, origin) => (await upgrade(t, h, path,
	    { headers: { Origin: origin } })).r.status;

	assert.equal(await from('/top', 'https://top.example'), 101);
	assert.equal(await from('/top', 'https://own.example'), 403);
	assert.equal(await from('/own', 'https://top.example'), 403);
	assert.equal(await from('/own', 'https://own.example'), 101);
	await (await open(t, h, '/own')).echo(TEXT, 'x');
});

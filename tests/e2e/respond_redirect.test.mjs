// SPDX-License-Identifier: BSD-2-Clause
// http_respond: redirects with parts of the request in them, and what clients
// try to make of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { raw, startHostd, statusOf } from './lib/hostd.mjs';
import { ask } from './lib/static.mjs';

async function start(t, routes) {
	return startHostd(t, { conf: `
		http { max_request_line = 32k  max_head = 48k }
		pool "web" { workers = 1 }
		${Object.entries(routes).map(([route, keys], i) => `
			plugin "r${i}" { module = "http_respond.so"
				${keys} }
			route "${route}" { plugin = "r${i}" }`).join('\n')}` });
}

const locationOf = (text) => /^Location: (.*)\r$/m.exec(text)?.[1];

test('statuses and bodies', async (t) => {
	const h = await start(t, {
		'/plain': 'location = "/to"',
		'/moved': 'location = "/to"  status = 301',
		'/same': 'location = "https://b.example/x?y#z"  status = 308',
		'/body': `location = "/to"  status = 303  body = "<p>over there"
			type = "text/html"  headers = { "X-A: 1" }`,
	});

	for (const [p, status, location, body] of [
		['/plain', 302, '/to', ''], ['/moved', 301, '/to', ''],
		['/same', 308, 'https://b.example/x?y#z', ''],
		['/body', 303, '/to', '<p>over there']]) {
		const r = await ask(h, p);

		assert.equal(r.status, status);
		assert.equal(r.headers.location, location);
		assert.equal(r.text, body);
	}
	const r = await ask(h, '/body');

	assert.equal(r.headers['content-type'], 'text/html');
	assert.equal(r.headers['x-a'], '1');
});

test('variables', async (t) => {
	const h = await start(t, {
		'/uri/': 'location = "https://b.example$uri"',
		'/ruri/': 'location = "https://b.example$request_uri"',
		'/rest/': 'location = "/new/$rest"',
		'/args/': 'location = "/new?x=1&$args"',
		'/host/': 'location = "https://$host/"',
		'/all/': 'location = "https://$host:8443/$rest?$args&u=$uri#$rest"',
		'/back/': 'location = "$request_uri#again"',
		'/twice/': 'location = "/$rest/$rest"',
	});

	for (const [target, want] of [
		['/uri/a/b?c=d', 'https://b.example/uri/a/b'],
		['/ruri/a/b?c=d', 'https://b.example/ruri/a/b?c=d'],
		['/ruri/a?', 'https://b.example/ruri/a?'],
		['/ruri/a?b?c', 'https://b.example/ruri/a?b?c'],
		['/ruri/', 'https://b.example/ruri/'],
		['/rest/', '/new/'],
		['/rest/a/b?c=d', '/new/a/b'],
		['/args/a?c=d%20e', '/new?x=1&c=d%20e'],
		['/args/a', '/new?x=1&'],
		['/host/', 'https://a.example/'],
		['/all/x?y', 'https://a.example:8443/x?y&u=/all/x#x'],
		['/back/x?y=/z', '/back/x?y=/z#again'],
		['/twice/a', '/a/a'],
		// written again, not passed on
		['/rest/a%20b%3fc%23d%25e%22', '/new/a%20b%3Fc%23d%25e%22'],
		['/rest/%c3%bc%0d%0a', '/new/%C3%BC%0D%0A'],
		['/rest/./a/../b', '/new/b'],
		['/rest//a', '/new/a'],
		['/rest/$args', '/new/$args'],
		['/rest/;a=1,b@c!', '/new/;a=1,b@c!'],
	]) {
		const r = await ask(h, target, { Host: 'A.example:8080' });

		assert.equal(r.status, 302, target);
		assert.equal(r.headers.location, want, target);
	}
});

test('the host that is asked', async (t) => {
	const h = await start(t, { '/':
	    'location = "https://$host$request_uri"' });
	const get = (line, host) => raw(h.port, `GET ${line} HTTP/1.1\r\n` +
	    `Host: ${host}\r\nConnection: close\r\n\r\n`);

	for (const [line, host, want] of [
		['/x', 'b.example', 'https://b.example/x'],
		['/x', 'B.Example:80', 'https://b.example/x'],
		['/x', '192.0.2.1:80', 'https://192.0.2.1/x'],
		['/x', '[2001:db8::1]:80', 'https://[2001:db8::1]/x'],
		['http://c.example/x', 'c.example', 'https://c.example/x'],
	])
		assert.equal(locationOf((await get(line, host)).text), want,
		    `${line} ${host}`);
	for (const host of ['b.example/evil', 'b.example@evil', 'a b', 'a\\b',
		'a?b', 'a#b', 'a%0d%0ab', '<a>', 'a"b']) {
		const r = await get('/x', host);

		assert.ok(statusOf(r.text) === 400 ||
		    new URL(locationOf(r.text)).pathname === '/x',
		    `${host}: ${r.text}`);
	}
	// Without one there is nowhere to go.
	const old = await raw(h.port, 'GET /x HTTP/1.0\r\n\r\n');

	assert.equal(statusOf(old.text), 400);
	assert.equal(locationOf(old.text), undefined);
});

test('no header is slipped in', async (t) => {
	const h = await start(t, {
		'/rest/': 'location = "/new/$rest"',
		'/args/': 'location = "/new?$args"',
		'/uri/': 'location = "https://b.example$uri"',
		'/ruri/': 'location = "https://b.example$request_uri"',
		'/host/': 'location = "https://$host/"',
	});
	const evil = ['%0d%0aX-Evil:%201', '%0aX-Evil:1', '%0dX-Evil:1',
		'%0D%0A%0D%0Aevil', '%e5%98%8a%e5%98%8dX-Evil:1', '%00',
		'%250d%250aX-Evil:1', '\r\nX-Evil: 1', '\nX-Evil: 1',
		'\rX-Evil: 1', '\tX-Evil: 1', '%c0%8dX-Evil:1', '\x01', '\x85',
		' X-Evil: 1'];

	for (const p of ['/rest/', '/args/?', '/uri/', '/ruri/', '/ruri/?'])
		for (const e of evil) {
			const r = await raw(h.port,
			    `GET ${p}${e} HTTP/1.1\r\n` +
			    'Host: a\r\nConnection: close\r\n\r\n');
			const [head] = r.text.split('\r\n\r\n');

			assert.ok([302, 400].includes(statusOf(r.text)),
			    r.text);
			assert.doesNotMatch(head, /^X-Evil/mi, p + e);
			assert.doesNotMatch(head, /[^\r]\n|\r(?!\n)/, p + e);
			assert.equal(r.text.match(/HTTP\/1\.1 /g).length, 1);
			const to = locationOf(r.text);

			if (to !== undefined)
				assert.match(to, /^[\x21-\x7e]*$/, p + e);
		}
	for (const e of evil.filter((one) => !one.startsWith('%'))) {
		const r = await raw(h.port, `GET /host/ HTTP/1.1\r\n` +
		    `Host: a${e}\r\nConnection: close\r\n\r\n`);

		assert.ok([302, 400].includes(statusOf(r.text)), r.text);
		assert.doesNotMatch(r.text, /^X-Evil/mi);
	}
});

test('nobody is sent elsewhere', async (t) => {
	const h = await start(t, {
		'/': 'location = "$uri"', '/rest/': 'location = "/$rest"',
		'/ruri/': 'location = "$request_uri"',
		'/args/': 'location = "/$args"',
		'/b/': 'location = "https://b.example$uri"',
	});

	for (const p of ['//evil.com', '/%2fevil.com', '/%5cevil.com',
		'/\\evil.com', '/rest//evil.com', '/rest/%2fevil.com',
		'/rest/%5cevil.com', '/rest/https:%2f%2fevil.com',
		'/rest/javascript:alert(1)', '/ruri/..//evil.com',
		'/ruri/..%2f%2fevil.com', '/args/?/evil.com',
		    '/args/?\\evil.com',
		'/args/?//evil.com', '/args/?https://evil.com',
		'/b/..//@evil.com', '/b/%40evil.com', '/b/.evil.com',
		'http://evil.com//evil.com', '/@evil.com', '/.evil.com']) {
		const r = await raw(h.port,
		    `GET ${p} HTTP/1.1\r\nHost: home\r\n` +
		    'Connection: close\r\n\r\n');
		const to = locationOf(r.text);

		assert.ok([302, 400].includes(statusOf(r.text)), r.text);
		if (to === undefined)
			continue;
		const { protocol, host } = new URL(to, 'http://home/');

		assert.match(`${protocol}//${host}`,
		    /^(http:\/\/home|https:\/\/b\.example)$/, `${p} ${to}`);
	}
	const r = await ask(h, '/args/?/evil.com');

	assert.equal(r.status, 400);
	assert.equal(r.headers.location, undefined);
});

test('a target that is too long', async (t) => {
	const h = await start(t, {
		'/rest/': 'location = "/$rest"',
		'/twice/': 'location = "/$rest/$rest/$rest"',
	});
	const long = (p, n) => ask(h, `${p}${'a'.repeat(n)}`);

	assert.equal((await long('/rest/', 8000)).headers.location,
	    `/${'a'.repeat(8000)}`);
	assert.equal((await long('/rest/', 9000)).status, 414);
	assert.equal((await long('/twice/', 2000)).status, 302);
	assert.equal((await long('/twice/', 3000)).status, 414);
	assert.equal((await ask(h, `/rest/${'%20'.repeat(3000)}`))
	    .status, 414);
});

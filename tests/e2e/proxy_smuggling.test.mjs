// SPDX-License-Identifier: BSD-2-Clause
// Requests that two parsers could read in two ways: the server behind the proxy
// sees exactly one well-formed request for each, or none.
import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { raw, startHostd, statusOf } from './lib/hostd.mjs';
import { malformed, smuggled } from './lib/malformed.mjs';

const get = (...head) =>
	['GET / HTTP/1.1', 'Host: a', ...head, 'Connection: close', '', '']
	.join('\r\n');
const post = (head, body) =>
	['POST / HTTP/1.1', 'Host: a', ...head, 'Connection: close', '', body]
	.join('\r\n');
const chunked = (body, ...head) =>
	post([...head, 'Transfer-Encoding: chunked'], body);

// Sound, but such that a careless proxy makes something else of it: the body
// that must arrive, or headers that must not.
const odd = [
	['GET with a body', post([], '').replace('POST', 'GET')
	    .replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhello'),
		{ body: 'hello' }],
	['body that looks like a request', post([
	    `Content-Length: ${smuggled.length}`], smuggled),
		{ body: smuggled }],
	['chunk that looks like a request', chunked(
	    `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
		{ body: smuggled }],
	['chunks in capitals and with zeros',
		chunked('000A\r\n0123456789\r\n00\r\n\r\n'),
		{ body: '0123456789' }],
	['chunk extension', chunked('5;a="b;\\"c"\r\nhello\r\n0;x\r\n\r\n'),
		{ body: 'hello' }],
	['TE in capitals', chunked('5\r\nhello\r\n0\r\n\r\n')
	    .replace('chunked', 'CHUNKED'), { body: 'hello' }],
	['Connection names Content-Length', post(['Content-Length: 5',
	    'Connection: content-length'], 'hello'), { body: 'hello' }],
	['Connection names Transfer-Encoding', chunked(
	    '5\r\nhello\r\n0\r\n\r\n', 'Connection: Transfer-Encoding'),
		{ body: 'hello' }],
	['Connection names Host', get('Connection: Host')],
	['Connection names X-Secret', get('Connection: x-secret, close',
	    'X-Secret: 1'), { without: 'x-secret' }],
	['Connection names two, in two lines', get('Connection: x-a',
	    'Connection: x-b', 'X-A: 1', 'X-B: 1'),
		{ without: ['x-a', 'x-b'] }],
	['Keep-Alive', get('Keep-Alive: timeout=5'), { without: 'keep-alive' }],
	['Proxy-Connection', get('Proxy-Connection: keep-alive'),
		{ without: 'proxy-connection' }],
	['TE', get('TE: trailers, gzip'), { without: 'te' }],
	['Upgrade of something else', get('Upgrade: h2c',
	    'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMA'),
		{ without: ['upgrade', 'http2-settings'] }],
	['Content_Length', get('Content_Length: 5')],
	['Transfer_Encoding', get('Transfer_Encoding: chunked')],
	['Content-Length of zero', post(['Content-Length: 0'], ''),
	    { body: '' }],
	['absolute form', get().replace('GET /', 'GET http://b/x'),
	    { host: 'b' }],
	['trailer named Content-Length', chunked(
	    '5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n'),
		{ body: 'hello', noTrailer: 'content-length' }],
	['trailer named Host', chunked('5\r\nhello\r\n0\r\nHost: b\r\n\r\n'),
		{ body: 'hello', noTrailer: 'host' }],
	['trailer named Transfer-Encoding', chunked('5\r\nhello\r\n0\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n'),
		{ body: 'hello', noTrailer: 'transfer-encoding' }],
	['Expect', post(['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
		{ body: 'hello' }],
	['escaped CR LF in the path', get().replace('GET /',
	    'GET /a%0d%0aX-Evil:%201%0d%0a'), { without: 'x-evil' }],
	['escaped space in the path', get().replace('GET /',
	    'GET /a%20HTTP/1.1')],
	['a query that looks like a request', get().replace('GET /',
	    'GET /?a=%20HTTP/1.1%0d%0aHost:%20b')],
	['two slashes', get().replace('GET /', 'GET //b/x'), { host: 'a' }],
	['empty line before it', `\r\n${get()}`],
	['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
	['HTTP/1.0 with a body', 'POST / HTTP/1.0\r\nHost: a\r\n' +
	    'Content-Length: 5\r\n\r\nhello', { body: 'hello' }],
	['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
];

async function start(t, backend) {
	return startHostd(t, { conf: `
		pool "web" { workers = 1 }
		http { max_request_line = 512  max_head = 2k  max_headers = 32
			max_body = 4k  lingering_timeout = 1s }
		${upstreamConf(backend)}` });
}

let fences = 0;

// What has reached the server until now: a request of our own comes behind it.
async function seen(h, backend) {
	const target = `/fence/${fences++}`;

	await raw(h.port, get().replace('GET /', `GET ${target}`));
	await backend.until((b) => b.requests.some((r) => r.target === target),
	    target);
	const at = backend.requests.findIndex((r) => r.target === target);
	const before = backend.requests.splice(0, at + 1);

	assert.equal(before.at(-1).target, target);
	assert.deepEqual(before.flatMap((r) => r.errors), []);
	return before.slice(0, -1);
}

const isSmuggled = (text) => text.includes('/smuggled');

for (const [how, pieces] of [['whole', undefined], ['byte by byte', 1]])
	test(`malformed requests, ${how}: none gets through`, async (t) => {
		const backend = await recorder(t);
		const h = await start(t, backend);

		assert.ok(malformed.length >= 80);
		for (const [name, bytes, want] of malformed)
			await t.test(name, async () => {
				const got = await raw(h.port, bytes + smuggled,
				    { pieces });

				assert.ok(!got.text.includes('HTTP/1.1 200'),
				    got.text);
				if (statusOf(got.text) !== 0)
					assert.ok([want].flat().includes(
					    statusOf(got.text)), got.text);
				assert.deepEqual(await seen(h, backend), []);
			});
		// Heads may have gone before their bodies turned out to be
		// wrong; none was ever completed.
		assert.deepEqual(backend.errors, []);
		assert.ok(!backend.cut.some(isSmuggled), String(backend.cut));
	});

for (const [how, pieces] of [['whole', undefined], ['byte by byte', 1]])
	test(`odd requests, ${how}: one arrives`, async (t) => {
		const backend = await recorder(t);
		const h = await start(t, backend);
		let refused = 0;

		for (const [name, bytes, want = {}] of odd)
			await t.test(name, async () => {
				const got = await raw(h.port, bytes,
				    { pieces });
				const all = await seen(h, backend);

				// Refused, or just one.
				if (statusOf(got.text) >= 400) {
					assert.equal(all.length, 0);
					refused++;
					return;
				}
				assert.equal(all.length, 1);
				const [r] = all;

				assert.equal(r.body, want.body ?? '');
				for (const name of [want.without ?? []].flat())
					assert.equal(r.headers[name],
					    undefined);
				if (want.noTrailer)
					assert.equal(r.trailers[want.noTrailer],
					    undefined);
				if (want.host)
					assert.ok(r.headers.host);
			});
		assert.ok(!backend.cut.some(isSmuggled));
		assert.ok(refused < 4, `${refused} were refused`);
	});

test('requests in one piece arrive one by one, and as many', async (t) => {
	const backend = await recorder(t, (r) => plain(r.target));
	const h = await start(t, backend);
	const n = 50;
	const all = Array.from({ length: n }, (_, i) =>
	    `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
	const got = await raw(h.port, all.join(''), {
		until: (s) => s.endsWith(`\r\n\r\n/${n - 1}`) });
	const bodies = [...got.text.matchAll(/\r\n\r\n(\/\d+)/g)]
	    .map((m) => m[1]);

	assert.deepEqual(bodies, all.map((_, i) => `/${i}`));
	assert.deepEqual(backend.requests.map((r) => r.target), bodies);
	assert.deepEqual(backend.errors, []);
});

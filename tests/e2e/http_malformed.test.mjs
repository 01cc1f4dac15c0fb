// SPDX-License-Identifier: BSD-2-Clause
// Bytes that are not one well-formed request each: they get the right status
// or a close, whole or byte by byte, and never reach a plugin twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { raw, startHostd, statusOf, tempDir } from './lib/hostd.mjs';
import { buildPlugin, testPlugin } from './lib/plugin.mjs';

const get = (head) => `GET / HTTP/1.1\r\nHost: a\r\n${head}\r\n`;
const post = (head, body = '') =>
	`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`;
const chunked = (body, more = '') =>
	post(`Transfer-Encoding: chunked\r\n${more}`, body);
const line = (l) => `${l}\r\nHost: a\r\n\r\n`;
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Id: smuggled\r\n\r\n';

// [name, bytes, expected status; 0: closed without an answer]
const cases = [
	// the request line
	['empty line twice', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['bare LF line', 'GET / HTTP/1.1\nHost: a\n\n', 400],
	['bare LF after host', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
	['bare CR in line', 'GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['CR CR LF', 'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n', 400],
	['LF CR', 'GET / HTTP/1.1\n\rHost: a\r\n\r\n', 400],
	['no version', line('GET /'), 400],
	['only a method', line('GET'), 400],
	['leading space', line(' GET / HTTP/1.1'), 400],
	['two spaces', line('GET  / HTTP/1.1'), 400],
	['two spaces before version', line('GET /  HTTP/1.1'), 400],
	['trailing space', line('GET / HTTP/1.1 '), 400],
	['tab for space', line('GET\t/\tHTTP/1.1'), 400],
	['four words', line('GET / x HTTP/1.1'), 400],
	['vertical tab', line('GET /\x0b HTTP/1.1'), 400],
	['NUL in target', line('GET /\0 HTTP/1.1'), 400],
	['control byte in target', line('GET /\x01 HTTP/1.1'), 400],
	['DEL in target', line('GET /\x7f HTTP/1.1'), 400],
	['raw high byte in target', line('GET /\xe4 HTTP/1.1'), 400],
	['HTTP/0.9', 'GET /\r\n\r\n', 400],
	['HTTP/1.2', line('GET / HTTP/1.2'), 505],
	['HTTP/2.0', line('GET / HTTP/2.0'), 505],
	['HTTP/3', line('GET / HTTP/3'), [400, 505]],
	['HTTP/1', line('GET / HTTP/1'), [400, 505]],
	['HTTP/01.1', line('GET / HTTP/01.1'), [400, 505]],
	['HTTP/1.10', line('GET / HTTP/1.10'), [400, 505]],
	['lower case http', line('GET / http/1.1'), 400],
	['HTTPS/1.1', line('GET / HTTPS/1.1'), 400],
	['RTSP/1.0', line('OPTIONS * RTSP/1.0'), [400, 505]],
	['unknown method', line('FROBNICATE / HTTP/1.1'), 501],
	['lower case method', line('get / HTTP/1.1'), [400, 501]],
	['method with colon', line('GET: / HTTP/1.1'), 400],
	['method with a bracket', line('G[T / HTTP/1.1'), [400, 501]],
	['CONNECT', line('CONNECT a:80 HTTP/1.1'), 501],
	['TRACE', line('TRACE / HTTP/1.1'), 501],
	['GET *', line('GET * HTTP/1.1'), 400],
	['no slash', line('GET index.html HTTP/1.1'), 400],
	['fragment', line('GET /#x HTTP/1.1'), 400],
	['ftp target', line('GET ftp://a/ HTTP/1.1'), 400],
	['userinfo in target', line('GET http://u@a/ HTTP/1.1'), 400],
	['empty authority', line('GET http:/// HTTP/1.1'), 400],
	['bad port', line('GET http://a:8x/ HTTP/1.1'), 400],
	['escape cut short', line('GET /% HTTP/1.1'), 400],
	['escape of one digit', line('GET /%4 HTTP/1.1'), 400],
	['escape not hex', line('GET /%zz HTTP/1.1'), 400],
	['escape %u', line('GET /%u0041 HTTP/1.1'), 400],
	['escaped NUL', line('GET /%00 HTTP/1.1'), 400],
	['above the root', line('GET /../x HTTP/1.1'), 400],
	['above the root, escaped', line('GET /%2e%2e/x HTTP/1.1'), 400],
	['above the root, escaped slash', line('GET /..%2fx HTTP/1.1'), 400],
	['above the root, later', line('GET /a/../../x HTTP/1.1'), 400],
	['line too long', line(`GET /${'a'.repeat(600)} HTTP/1.1`), 414],
	['line without end', `GET /${'a'.repeat(3000)}`, 414],
	// Host
	['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
	['empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
	['two Hosts', get('Host: b\r\n'), 400],
	['two equal Hosts', get('Host: a\r\n'), 400],
	['Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
	['Host with a space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
	['Host with userinfo', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
	['Host with a bad port', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
	['Host with a long port',
		'GET / HTTP/1.1\r\nHost: a:1234567\r\n\r\n', 400],
	['Host with an open bracket',
		'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
	['Host with words in brackets',
		'GET / HTTP/1.1\r\nHost: [a/b]\r\n\r\n', 400],
	['Host with empty brackets', 'GET / HTTP/1.1\r\nHost: []\r\n\r\n', 400],
	['target with words in brackets', line('GET http://[x y]/ HTTP/1.1'), 400],
	['target with a name in brackets', line('GET http://[x]/ HTTP/1.1'), 400],
	['Host with a comma list', 'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n', 400],
	['two Hosts in HTTP/1.0',
		'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
	// header lines
	['space before colon', get('X : y\r\n'), 400],
	['tab before colon', get('X\t: y\r\n'), 400],
	['space in name', get('X Y: z\r\n'), 400],
	['empty name', get(': y\r\n'), 400],
	['no colon', get('XY\r\n'), 400],
	['obs-fold', get('X: y\r\n z\r\n'), 400],
	['obs-fold with tab', get('X: y\r\n\tz\r\n'), 400],
	['fold before the first header',
		'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
	['NUL in value', get('X: a\0b\r\n'), 400],
	['control byte in value', get('X: a\x08b\r\n'), 400],
	['DEL in value', get('X: a\x7fb\r\n'), 400],
	['CR in value', get('X: a\rb\r\n'), 400],
	['LF in value', get('X: a\nY: b\r\n'), 400],
	['NUL in name', get('X\0: y\r\n'), 400],
	['bracket in name', get('X[: y\r\n'), 400],
	['high byte in name', get('X\xe4: y\r\n'), 400],
	['quote in name', get('"X": y\r\n'), 400],
	['head ends with CR LF LF', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
	['head ends with CR X', 'GET / HTTP/1.1\r\nHost: a\r\n\rX', 400],
	['too many headers', get('X: y\r\n'.repeat(40)), 431],
	['head too large', get(`X: ${'y'.repeat(3000)}\r\n`), 431],
	['many large headers', get(`X: ${'y'.repeat(300)}\r\n`.repeat(10)), 431],
	['header without end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(3000)}`, 431],
	// framing
	['two Content-Lengths', post('Content-Length: 5\r\n' +
		'Content-Length: 6\r\n', 'hello'), 400],
	['two equal Content-Lengths', post('Content-Length: 5\r\n' +
		'Content-Length: 5\r\n', 'hello'), 400],
	['Content-Length list', post('Content-Length: 5, 5\r\n', 'hello'), 400],
	['Content-Length sign', post('Content-Length: +5\r\n', 'hello'), 400],
	['Content-Length negative', post('Content-Length: -5\r\n'), 400],
	['Content-Length hex', post('Content-Length: 0x5\r\n', 'hello'), 400],
	['Content-Length words', post('Content-Length: five\r\n'), 400],
	['Content-Length empty', post('Content-Length:\r\n'), 400],
	['Content-Length fraction', post('Content-Length: 5.0\r\n'), 400],
	['Content-Length with a space', post('Content-Length: 5 5\r\n'), 400],
	['Content-Length overflow', post(
		'Content-Length: 18446744073709551621\r\n', 'hello'), 400],
	['Content-Length too large', post('Content-Length: 99999999\r\n'), 413],
	['CL and TE', post('Content-Length: 5\r\n' +
		'Transfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
	['TE and CL', post('Transfer-Encoding: chunked\r\n' +
		'Content-Length: 5\r\n', `0\r\n\r\n${smuggled}`), 400],
	['TE identity', post('Transfer-Encoding: identity\r\n'), 400],
	['TE gzip', post('Transfer-Encoding: gzip\r\n'), 400],
	['TE gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n',
		'0\r\n\r\n'), 400],
	['TE chunked, identity', post(
		'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 400],
	['TE chunked, chunked', post(
		'Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
	['TE xchunked', post('Transfer-Encoding: xchunked\r\n'), 400],
	['TE chunkedx', post('Transfer-Encoding: chunkedx\r\n'), 400],
	['TE quoted', post('Transfer-Encoding: "chunked"\r\n'), 400],
	['TE with a parameter', post('Transfer-Encoding: chunked;q=1\r\n'), 400],
	['TE with a vertical tab', post(
		'Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400],
	['TE empty', post('Transfer-Encoding:\r\n'), 400],
	['two TEs', chunked('0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'), 400],
	['TE with space before colon', post(
		'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400],
	['TE folded', post('Transfer-Encoding:\r\n chunked\r\n',
		'0\r\n\r\n'), 400],
	['TE in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\n' +
		'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
	// chunks
	['chunk size empty', chunked('\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size not hex', chunked('g\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size signed', chunked('+5\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size negative', chunked('-1\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size 0x', chunked('0x5\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size with a space', chunked('5 \r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size after a space', chunked(' 5\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size overflow', chunked(
		'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk size of many zeros', chunked(
		`${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`), 400],
	['chunk size ended by LF', chunked('5\nhello\r\n0\r\n\r\n'), 400],
	['chunk size ended by CR', chunked('5\rhello\r\n0\r\n\r\n'), 400],
	['chunk not ended', chunked('5\r\nhello0\r\n\r\n'), 400],
	['chunk ended by LF', chunked('5\r\nhello\n0\r\n\r\n'), 400],
	['chunk longer than it says', chunked('3\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk extension with LF', chunked('5;a\nb\r\nhello\r\n0\r\n\r\n'), 400],
	['chunk extension too long', chunked(
		`5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`), 400],
	['chunk extension with NUL', chunked('5;\0\r\nhello\r\n0\r\n\r\n'), 400],
	['trailer with a space', chunked('0\r\nX : y\r\n\r\n'), 400],
	['trailer without a colon', chunked('0\r\nX\r\n\r\n'), 400],
	['trailer folded', chunked('0\r\nX: y\r\n z\r\n\r\n'), 400],
	['trailer with NUL', chunked('0\r\nX: \0\r\n\r\n'), 400],
	['trailers too long', chunked(`0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`), 400],
	['chunks too large', chunked(`${(5000).toString(16)}\r\n` +
		`${'a'.repeat(5000)}\r\n0\r\n\r\n`), 413],
	// the rest
	['Expect of something else', post('Expect: 200-ok\r\n'), 417],
	['two Expects', get('Expect: 100-continue\r\n' +
		'Expect: 100-continue\r\n'), 400],
	['TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
	['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 501, 505]],
	['SSH banner', 'SSH-2.0-OpenSSH_9\r\n\r\n', 400],
	['binary', '\xff\xfe\xfd\xfc\r\n\r\n', 400],
	['JSON', '{"a": 1}\r\n\r\n', 400],
];

async function start(t) {
	const so = await buildPlugin(tempDir(t), 'record_route',
	    testPlugin('record_route'));

	return startHostd(t, { conf: `
		pool "web" { workers = 1 }
		http { max_request_line = 512  max_head = 2k  max_headers = 32
			max_body = 4k  lingering_timeout = 1s }
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
				const got = await raw(h.port, bytes, { pieces });
				const status = statusOf(got.text);
				const answers = got.text.match(
				    /^HTTP\/1\.[01] \d{3} /gm) ?? [];

				assert.ok([want].flat().includes(status),
				    `${status} is not ${want}: ${got.text}`);
				assert.equal(answers.length, 1,
				    `one answer, not ${got.text}`);
				assert.ok(got.closed, 'the connection is closed');
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

	// The id was new to the plugin now: nothing had carried it there before.
	assert.equal(after.begun - before.begun, 2);
	assert.equal(after.doubled, 1);
});

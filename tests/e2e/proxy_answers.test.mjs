// SPDX-License-Identifier: BSD-2-Clause
// Answers that two parsers could read in two ways, or that end too early: the
// client gets no answer of another request, and nothing that is not whole as if
// it were.
import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { raw, startHostd } from './lib/hostd.mjs';
import { parseAnswer } from './lib/http1.mjs';

const head = (...lines) => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
const chunks = 'Transfer-Encoding: chunked';

// [name, bytes, what the client may have: its body, or undefined: no whole
// answer of the server's; then what may be there is 502, or a part and a close]
const cases = [
	// the status line
	['no HTTP', 'hello\r\n\r\n'],
	['HTTP/0.9', '<html>hello</html>'],
	['HTTP/2', head('Content-Length: 0').replace('1.1', '2.0')],
	['no space', 'HTTP/1.1200 OK\r\nContent-Length: 0\r\n\r\n'],
	['two spaces', 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'],
	['status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
	['status of four digits',
		'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
	['status of words', 'HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n'],
	['status 0', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'],
	['status 999', 'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n'],
	['NUL in the reason', 'HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n'],
	['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
	['bare LF in a header',
		'HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nok'],
	['bare CR in a header',
		'HTTP/1.1 200 OK\r\nX: y\rZ: 1\r\nContent-Length: 2\r\n\r\nok'],
	['empty line before it', `\r\n${plain('ok')}`],
	// headers
	['obs-fold', head('Content-Length: 2', 'X: a', ' b') + 'ok'],
	['space before the colon', head('Content-Length : 2') + 'ok'],
	['no colon', head('Content-Length: 2', 'X') + 'ok'],
	['empty name', head('Content-Length: 2', ': x') + 'ok'],
	['NUL in a value', head('Content-Length: 2', 'X: a\0b') + 'ok'],
	['control byte in a value', head('Content-Length: 2', 'X: a\x01b') +
	    'ok'],
	['head too large', head('Content-Length: 2',
	    `X: ${'a'.repeat(300000)}`) + 'ok'],
	['too many headers', head('Content-Length: 2',
	    ...Array(5000).fill('X: a')) + 'ok'],
	// framing
	['two Content-Lengths', head('Content-Length: 2', 'Content-Length: 3') +
	    'ok!'],
	['Content-Length list', head('Content-Length: 2, 3') + 'ok!'],
	['Content-Length sign', head('Content-Length: +2') + 'ok'],
	['Content-Length negative', head('Content-Length: -2') + 'ok'],
	['Content-Length hex', head('Content-Length: 0x2') + 'ok'],
	['Content-Length words', head('Content-Length: two') + 'ok'],
	['Content-Length empty', head('Content-Length:') + 'ok'],
	['Content-Length overflow',
		head('Content-Length: 18446744073709551618') + 'ok'],
	['CL and TE', head('Content-Length: 2', chunks) +
	    '2\r\nok\r\n0\r\n\r\n'],
	['TE and CL', head(chunks, 'Content-Length: 30') +
	    '2\r\nok\r\n0\r\n\r\n'],
	['two TEs', head(chunks, chunks) + '2\r\nok\r\n0\r\n\r\n'],
	['TE gzip', head('Transfer-Encoding: gzip') + 'ok'],
	['TE gzip, chunked', head('Transfer-Encoding: gzip, chunked') +
	    '2\r\nok\r\n0\r\n\r\n'],
	['TE chunked, identity', head('Transfer-Encoding: chunked, identity') +
	    '2\r\nok\r\n0\r\n\r\n'],
	['TE xchunked', head('Transfer-Encoding: xchunked') +
	    '2\r\nok\r\n0\r\n\r\n'],
	['TE with a vertical tab', head('Transfer-Encoding: \x0bchunked') +
	    '2\r\nok\r\n0\r\n\r\n'],
	['TE in HTTP/1.0', head(chunks).replace('1.1', '1.0') +
	    '2\r\nok\r\n0\r\n\r\n'],
	// chunks
	['chunk size empty', head(chunks) + '\r\nok\r\n0\r\n\r\n'],
	['chunk size not hex', head(chunks) + 'g\r\nok\r\n0\r\n\r\n'],
	['chunk size signed', head(chunks) + '+2\r\nok\r\n0\r\n\r\n'],
	['chunk size negative', head(chunks) + '-2\r\nok\r\n0\r\n\r\n'],
	['chunk size 0x', head(chunks) + '0x2\r\nok\r\n0\r\n\r\n'],
	['chunk size overflow', head(chunks) +
	    'fffffffffffffffff2\r\nok\r\n0\r\n\r\n'],
	['chunk size ended by LF', head(chunks) + '2\nok\r\n0\r\n\r\n'],
	['chunk not ended', head(chunks) + '2\r\nok0\r\n\r\n'],
	['chunk longer than it says', head(chunks) + '1\r\nok\r\n0\r\n\r\n'],
	['chunk extension with LF', head(chunks) + '2;a\nb\r\nok\r\n0\r\n\r\n'],
	['trailer without a colon', head(chunks) + '2\r\nok\r\n0\r\nX\r\n\r\n'],
	['trailer folded', head(chunks) + '2\r\nok\r\n0\r\nX: a\r\n b\r\n\r\n'],
	// ends
	['nothing', '', { close: true }],
	['end in the status line', 'HTTP/1.1 2', { close: true }],
	['end in the head', 'HTTP/1.1 200 OK\r\nContent-Le', { close: true }],
	['end before the body', head('Content-Length: 2'), { close: true }],
	['end in the body', head('Content-Length: 20') + 'ok', { close: true }],
	['end before a chunk', head(chunks), { close: true }],
	['end in a chunk', head(chunks) + '5\r\nok', { close: true }],
	['end before the last chunk', head(chunks) + '2\r\nok\r\n',
		{ close: true }],
	['end in the last chunk', head(chunks) + '2\r\nok\r\n0\r\n',
		{ close: true }],
	['reset in the body', head('Content-Length: 20') + 'ok',
	    { reset: true }],
	['reset of a body without length', head('Connection: close') + 'ok',
		{ reset: true }],
	// more than was asked for
	['two answers', plain('ok') + evil, { body: 'ok', more: true }],
	['more than Content-Length', head('Content-Length: 2') + 'ok!!!',
		{ body: 'ok', more: true }],
	['more behind the last chunk', head(chunks) +
	    `2\r\nok\r\n0\r\n\r\n${evil}`, { body: 'ok', more: true }],
	['204 with a body', 'HTTP/1.1 204 No\r\n\r\n' + evil,
		{ body: '', more: true }],
	['204 with a length', 'HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nEVIL'],
	['204 with a length of 0',
		'HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n', { body: '' }],
	['204 with chunks', `HTTP/1.1 204 No\r\n${chunks}\r\n\r\n0\r\n\r\n`],
	['304 with a body', 'HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nEVIL',
		{ body: '', more: true }],
	['HEAD with a body', plain('EVIL'),
		{ body: '', method: 'HEAD', more: true }],
	['101 that nobody asked for', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\n' +
	    `Connection: Upgrade\r\n\r\n${evil}`],
	['100 and then one', `HTTP/1.1 100 Go\r\n\r\n${plain('ok')}`,
		{ body: 'ok' }],
	['103 and then one',
		`HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n${plain('ok')}`,
		{ body: 'ok' }],
	['100 with a length', 'HTTP/1.1 100 Go\r\nContent-Length: 4\r\n\r\n' +
	    plain('ok')],
	// sound
	['chunks', head(chunks) + '2\r\nok\r\n0\r\n\r\n', { body: 'ok' }],
	['chunk extension', head(chunks) + '2;a=b\r\nok\r\n0\r\n\r\n',
		{ body: 'ok' }],
	['until the end', head() + 'ok', { body: 'ok', close: true }],
	['HTTP/1.0 until the end', head().replace('1.1', '1.0') + 'ok',
		{ body: 'ok', close: true }],
	['no reason', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok',
		{ body: 'ok' }],
];

// All answers of text; the last one may be cut short: whole is false.
function answers(text, methods) {
	const all = [];

	for (let rest = text; rest !== '';) {
		const a = parseAnswer(rest,
		    { head: methods[all.filter(
		    (r) => r.status >= 200).length] === 'HEAD' });

		if (!a) {
			all.push({ whole: false, text: rest });
			break;
		}
		all.push({ ...a, whole: true });
		rest = rest.slice(a.end);
	}
	return all;
}

function check(name, want, final, got) {
	const about = `${name}: ${JSON.stringify(got.text.slice(0, 600))}`;
	const [first, second] = final;

	assert.ok(!got.text.includes('EVIL'), about);
	if (want.body !== undefined) {
		assert.ok(first?.whole, about);
		assert.ok(first.status < 400, about);
		assert.equal(first.body, want.body, about);
	} else if (first?.whole)
		assert.equal(first.status, 502, about);
	else
		assert.ok(got.closed && second === undefined, about);
	// Whatever came of the first: the second has its own answer, or none.
	if (second !== undefined) {
		assert.ok(second.whole, about);
		assert.equal(second.body, 'next', about);
	}
}

for (const [how, pieces] of [['whole', false], ['byte by byte', true]])
	test(`ambiguous answers, ${how}`, async (t) => {
		const byName = new Map(cases.map((c, i) => [`/${i}`, c]));
		const backend = await recorder(t, async (r, s) => {
			const c = byName.get(r.target);

			if (!c)
				return plain('next');
			const [, bytes, want = {}] = c;
			const b = Buffer.from(bytes, 'latin1');

			// What comes later than the end cannot be told from
			// what belongs to the next request.
			if (pieces && b.length < 1000 && !want.more)
				for (const byte of b)
					await new Promise((resolve) =>
					    s.write(Buffer.of(byte), () =>
					    setImmediate(resolve)));
			else
				s.write(b);
			if (want.close ||
			    (want.body === undefined && !want.reset))
				s.end();
			if (want.reset)
				setImmediate(() => s.resetAndDestroy());
			return null;
		});
		const h = await startHostd(t, { conf: `
			pool "web" { workers = 1 }
			${upstreamConf(backend,
			    'max_fails = 0  keepalive = 8')}` });

		assert.ok(cases.length >= 70);
		for (const [i, [name, , want = {}]] of cases.entries())
			await t.test(name, async () => {
				const method = want.method ?? 'GET';
				const got = await raw(h.port,
				    `${method} /${i} HTTP/1.1\r\nHost: a\r\n\r\n` +
				    'GET /next HTTP/1.1\r\nHost: a\r\n' +
				    'Connection: close\r\n\r\n');
				const all = answers(got.text, [method, 'GET']);

				check(name, want,
				    all.filter((a) => !(a.status < 200)), got);
			});
		assert.deepEqual(backend.errors, []);
	});

test('a connection that had more than an answer is not used again',
    async (t) => {
	const backend = await recorder(t, (r) => r.target === '/first' ?
	    plain('ok') + evil : plain('next'));
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		${upstreamConf(backend)}` });
	const get = (path) => raw(h.port,
	    `GET ${path} HTTP/1.1\r\nHost: a\r\n` +
	    'Connection: close\r\n\r\n');

	assert.match((await get('/first')).text, /\r\n\r\nok$/);
	for (let i = 0; i < 5; i++)
		assert.match((await get('/next')).text, /\r\n\r\nnext$/);
	const [first, ...others] = backend.requests;

	assert.ok(others.every((r) => r.connection !== first.connection));
});

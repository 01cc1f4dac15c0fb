// SPDX-License-Identifier: BSD-2-Clause
// The opening handshake (RFC 6455 section 4.2).
import assert from 'node:assert/strict';
import test from 'node:test';
import { acceptOf, handshake, open, piecewise, serveEcho, Socket, TEXT,
    upgrade } from './lib/websocket.mjs';

const base64 = (n) => Buffer.alloc(n, 'k').toString('base64');

test('the 101', async (t) => {
	const h = await serveEcho(t);
	const { s, r } = await upgrade(t, h);

	assert.equal(r.version, 'HTTP/1.1');
	assert.equal(r.status, 101);
	assert.equal(r.reason, 'Switching Protocols');
	assert.match(r.headers.upgrade.join(), /^websocket$/i);
	assert.match(r.headers.connection.join(), /^upgrade$/i);
	// The sample of RFC 6455 section 1.3.
	assert.deepEqual(r.headers['sec-websocket-accept'],
	    ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
	for (const name of ['content-length', 'transfer-encoding',
		'content-type', 'sec-websocket-protocol',
		'sec-websocket-extensions'])
		assert.equal(r.headers[name], undefined, name);
	await s.echo(TEXT, 'hello');
});

const good = [
	['Upgrade in capitals', { Upgrade: 'WEBSOCKET' }],
	['Upgrade in mixed case', { Upgrade: 'WebSocket' }],
	['Upgrade to one of several', { Upgrade: 'h2c, websocket' }],
	['Upgrade in two headers', { Upgrade: ['h2c', 'websocket'] }],
	['Connection in capitals', { Connection: 'UPGRADE' }],
	['Connection with keep-alive', { Connection: 'keep-alive, Upgrade' }],
	['Connection in two headers',
		{ Connection: ['keep-alive', 'Upgrade'] }],
	['blanks around Connection\'s words',
		{ Connection: 'keep-alive ,\tupgrade , x' }],
	['blanks around the key',
		{ 'Sec-WebSocket-Key': '  dGhlIHNhbXBsZSBub25jZQ== \t' }],
	['names of headers in small letters', { Upgrade: undefined,
		Connection: undefined, 'Sec-WebSocket-Key': undefined,
		'Sec-WebSocket-Version': undefined, upgrade: 'websocket',
		connection: 'upgrade', 'sec-websocket-version': '13',
		'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
	['names of headers in capitals', { Upgrade: undefined,
		'Sec-WebSocket-Key': undefined, UPGRADE: 'websocket',
		'SEC-WEBSOCKET-KEY': 'dGhlIHNhbXBsZSBub25jZQ==' }],
	['many headers', Object.fromEntries(Array.from({ length: 80 },
	    (_, i) => [`X-${i}`, 'x'.repeat(100)]))],
	['an extension nobody knows',
		{ 'Sec-WebSocket-Extensions': 'x-unknown; a=1; b="cd"' }],
	['an Origin, where all are allowed', { Origin: 'https://a.example' }],
];

test('good handshakes', async (t) => {
	const h = await serveEcho(t);

	for (const [name, headers] of good)
		await t.test(name, async (t) => {
			const s = await open(t, h, '/echo', { headers });

			await s.echo(TEXT, name);
			assert.equal(s.answered
			    .headers['sec-websocket-extensions'], undefined);
		});
	await t.test('a query', async (t) => {
		await (await open(t, h, '/echo?room=1&x=%20'))
		    .echo(TEXT, 'x');
	});
	await t.test('any key of 16 bytes', async (t) => {
		for (const key of [base64(16), '+/+/+/+/+/+/+/+/+/+/+w==',
			'AAAAAAAAAAAAAAAAAAAAAA==',
			'/////////////////////w==']) {
			const { r } = await upgrade(t, h, '/echo',
			    { headers: { 'Sec-WebSocket-Key': key } });

			assert.equal(r.status, 101, key);
			assert.deepEqual(r.headers['sec-websocket-accept'],
			    [acceptOf(key)]);
		}
	});
	await t.test('byte by byte', async (t) => {
		const pace = await open(t, h);
		const s = await Socket.connect(t, h);

		await piecewise(s, Buffer.from(handshake()), pace);
		assert.equal((await s.answer()).status, 101);
		await s.echo(TEXT, 'slow');
	});
});

const key = (value) => ({ headers: { 'Sec-WebSocket-Key': value } });
const version = (value) => ({ headers: { 'Sec-WebSocket-Version': value } });
const bad = [
	['no Upgrade', 426, { headers: { Upgrade: undefined } }],
	['Upgrade to something else', 426, { headers: { Upgrade: 'h2c' } }],
	['Upgrade to something longer', 426,
		{ headers: { Upgrade: 'websockets' } }],
	['Upgrade to something with a version', 426,
		{ headers: { Upgrade: 'websocket/13' } }],
	['no Connection', 400, { headers: { Connection: undefined } }],
	['Connection without upgrade', 400,
		{ headers: { Connection: 'keep-alive' } }],
	['Connection with something longer', 400,
		{ headers: { Connection: 'upgrades, xupgrade' } }],
	['no key', 400, key(undefined)],
	['an empty key', 400, key('')],
	['a key of 15 bytes', 400, key(base64(15))],
	['a key of 17 bytes', 400, key(base64(17))],
	['a key of 18 bytes', 400, key(base64(18))],
	['a key without padding', 400, key(base64(16).slice(0, -2))],
	['a key that is not base64', 400, key('dGhlIHNhbXBsZSBub25j!Q==')],
	['a key in the alphabet for URLs', 400,
		key('-_-_-_-_-_-_-_-_-_-_-w==')],
	['a key with a blank inside', 400, key('dGhlIHNhbXBs SBub25jZQ==')],
	['a key with more behind it', 400, key(`${base64(16)}x`)],
	['two keys', 400, key([base64(16), base64(16)])],
	['no version', 426, version(undefined)],
	['version 0', 426, version('0')],
	['version 8', 426, version('8')],
	['version 12', 426, version('12')],
	['version 14', 426, version('14')],
	['version 013', 426, version('013')],
	['version 13.0', 426, version('13.0')],
	['version 130', 426, version('130')],
	['versions in a list', 426, version('13, 8')],
	['versions in two headers', 426, version(['13', '8'])],
	['HTTP/1.0', 400, { version: '1.0' }],
	['a body', 400, { headers: { 'Content-Length': '5' }, body: 'hello' }],
	['a chunked body', 400, { headers: { 'Transfer-Encoding': 'chunked' },
		body: '0\r\n\r\n' }],
	['no Host', 400, { headers: { Host: undefined } }],
	['two Hosts', 400, { headers: { Host: ['a', 'a'] } }],
	['POST', 405, { method: 'POST' }],
	['HEAD', 405, { method: 'HEAD' }],
	['PUT', 405, { method: 'PUT' }],
	['extensions without a name', 400,
		{ headers: { 'Sec-WebSocket-Extensions': '; a' } }],
	['extensions with a value that is no token', 400,
		{ headers: { 'Sec-WebSocket-Extensions': 'x; a="b c"' } }],
	['extensions with a parameter without a name', 400,
		{ headers: { 'Sec-WebSocket-Extensions': 'x; =1' } }],
	['extensions with an open quote', 400,
		{ headers: { 'Sec-WebSocket-Extensions': 'x; a="b' } }],
	['extensions with a blank in a name', 400,
		{ headers: { 'Sec-WebSocket-Extensions': 'x y' } }],
];

test('bad handshakes', async (t) => {
	const h = await serveEcho(t);

	for (const [name, status, options] of bad)
		await t.test(`${name}: ${status}`, async (t) => {
			const s = await Socket.connect(t, h);

			await s.send(handshake('/echo', options));
			const r = await s.answer({
			    head: options.method === 'HEAD' });

			assert.equal(r.status, status);
			assert.equal(r.headers['sec-websocket-accept'],
			    undefined);
			if (status !== 426)
				return;
			assert.deepEqual(r.headers['sec-websocket-version'],
			    ['13']);
			// RFC 9110 section 15.5.22.
			assert.match(r.headers.upgrade?.join(), /^websocket$/i);
			assert.match(r.headers.connection?.join(),
			    /\bupgrade\b/i);
		});
	await t.test('a path that is not there: 404', async (t) => {
		const { r } = await upgrade(t, h, '/other');

		assert.equal(r.status, 404);
	});
	await t.test('the server goes on', async (t) => {
		await (await open(t, h)).echo(TEXT, 'fine');
	});
});

test('other requests of the connection', async (t) => {
	const h = await serveEcho(t, { conf: `
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/hello" { plugin = "hello" }` });
	const plain = 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n';

	await t.test('before an upgrade', async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(plain);
		assert.equal((await s.answer()).body, 'hello');
		await s.send(handshake());
		assert.equal((await s.answer()).status, 101);
		await s.echo(TEXT, 'x');
	});
	await t.test('in one segment with it', async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(plain, plain, handshake());
		assert.equal((await s.answer()).body, 'hello');
		assert.equal((await s.answer()).body, 'hello');
		assert.equal((await s.answer()).status, 101);
		await s.echo(TEXT, 'x');
	});
	await t.test('another try', async (t) => {
		const s = await Socket.connect(t, h);

		await s.send(handshake('/echo', version('8')));
		assert.equal((await s.answer()).status, 426);
		await s.send(handshake());
		assert.equal((await s.answer()).status, 101);
		await s.echo(TEXT, 'x');
	});
});

const protocols = [
	['one that is known', 'chat.v2', 'chat.v2'],
	['unknown ones before it', 'x, y, chat.v1', 'chat.v1'],
	['ours first', 'chat.v2, chat.v1', 'chat.v1'],
	['the other way round', 'chat.v1, chat.v2', 'chat.v1'],
	['no blanks', 'x,chat.v1', 'chat.v1'],
	['many blanks', ' x ,\t chat.v1 \t, y', 'chat.v1'],
	['two headers', ['x, y', 'chat.v1'], 'chat.v1'],
	['none that is known', 'x, y', undefined],
	['another case', 'Chat.V1', undefined],
	['a part of its name', 'chat, chat.v11, xchat.v1', undefined],
];

test('subprotocols', async (t) => {
	const h = await serveEcho(t, {
		echo: 'subprotocols = {"chat.v1", "chat.v2"}' });

	for (const [name, offer, chosen] of protocols)
		await t.test(name, async (t) => {
			const s = await open(t, h, '/echo', { headers: {
				'Sec-WebSocket-Protocol': offer } });

			assert.deepEqual(
			    s.answered.headers['sec-websocket-protocol'],
			    chosen && [chosen]);
			await s.echo(TEXT, 'x');
		});
	await t.test('none offered', async (t) => {
		const s = await open(t, h);

		assert.equal(s.answered.headers['sec-websocket-protocol'],
		    undefined);
	});
});

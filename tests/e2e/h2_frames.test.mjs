// SPDX-License-Identifier: BSD-2-Clause
// What RFC 9113 says must happen to frames that break its rules, section by
// section; and the connection after them serves as before, or has ended.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import * as h2 from './lib/h2frames.mjs';
import { Frames, PREFACE, block, frame, get, headers, pseudo, setting, u32 }
	from './lib/h2frames.mjs';
import { ask, serve } from './lib/http1.mjs';

const conf = (so) => `
	pool "web" { workers = 1 }
	http { h2c = on }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello" }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`;

const bytes = (...n) => Buffer.from(n);
const zeros = (n) => Buffer.alloc(n);
const post = (id, ...more) => headers(id,
    [...pseudo('/', 'POST'), ...more], h2.END_HEADERS);
const goaway = (...codes) => (o) => codes.includes(o.goaway);
const reset = (...codes) => (o) => codes.includes(o.reset) ||
    codes.includes(o.goaway);
const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR,
	STREAM_CLOSED, COMPRESSION_ERROR } = h2;
const stop = (id) => frame(h2.RST_STREAM, 0, id, u32(h2.CANCEL));
const field = (...rest) => frame(h2.HEADERS, 5, 1, Buffer.concat([
	block(pseudo()), bytes(...rest)]));

// section, what is sent behind the preface, what comes of it (of stream 1)
const broken = [
	['4.2 a DATA frame larger than SETTINGS_MAX_FRAME_SIZE',
	    [post(1), frame(h2.DATA, 0, 1, zeros(16385))],
	    goaway(FRAME_SIZE_ERROR)],
	['4.2 a HEADERS frame larger than that',
	    [frame(h2.HEADERS, 5, 1, zeros(16385))], goaway(FRAME_SIZE_ERROR)],
	['4.3 a block that is no HPACK',
	    [frame(h2.HEADERS, 5, 1, bytes(0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff))], goaway(COMPRESSION_ERROR)],
	['4.3 an index that is not in the table',
	    [frame(h2.HEADERS, 5, 1, bytes(0xfe))], goaway(COMPRESSION_ERROR)],
	['4.3 a table larger than we allow',
	    [frame(h2.HEADERS, 5, 1, bytes(0x3f, 0xff, 0xff, 0x7f))],
	    goaway(COMPRESSION_ERROR)],
	['RFC 7541 6.1: the index 0', [field(0x80)], goaway(COMPRESSION_ERROR)],
	['RFC 7541 4.2: a table size behind a field', [field(0x20)],
	    goaway(COMPRESSION_ERROR)],
	['RFC 7541 5.2: EOS in a string',
	    [field(0, 1, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff)],
	    goaway(COMPRESSION_ERROR)],
	['RFC 7541 5.2: padding of more than 7 bits',
	    [field(0, 1, 0x78, 0x82, 0x1f, 0xff)], goaway(COMPRESSION_ERROR)],
	['RFC 7541 5.2: padding by zeros', [field(0, 1, 0x78, 0x81, 0x18)],
	    goaway(COMPRESSION_ERROR)],
	['5.1 DATA behind the end of a stream',
	    [get(1, '/flow/defer'), frame(h2.DATA, 1, 1, bytes(1))],
	    goaway(STREAM_CLOSED)],
	['5.1 HEADERS behind the end of a stream',
	    [get(1, '/flow/defer'), get(1, '/')], goaway(STREAM_CLOSED)],
	['5.1 CONTINUATION behind RST_STREAM', [get(1, '/flow/defer'), stop(1),
	    frame(h2.CONTINUATION, 4, 1, block([['a', 'b']]))],
	    goaway(STREAM_CLOSED, PROTOCOL_ERROR)],
	['5.5 an unknown frame inside a head', [frame(h2.HEADERS, 1, 1,
	    block(pseudo())), frame(0x33, 0, 1, zeros(3))],
	    goaway(PROTOCOL_ERROR)],
	['5.1 DATA on an idle stream', [frame(h2.DATA, 1, 1, bytes(1))],
	    goaway(PROTOCOL_ERROR)],
	['5.1 RST_STREAM on an idle stream',
	    [frame(h2.RST_STREAM, 0, 1, u32(8))], goaway(PROTOCOL_ERROR)],
	['5.1 WINDOW_UPDATE on an idle stream',
	    [frame(h2.WINDOW_UPDATE, 0, 1, u32(1))], goaway(PROTOCOL_ERROR)],
	['5.1 CONTINUATION on an idle stream',
	    [frame(h2.CONTINUATION, 4, 1, block(pseudo()))],
	    goaway(PROTOCOL_ERROR)],
	['5.1.1 an even stream', [get(2, '/')], goaway(PROTOCOL_ERROR)],
	['6.1 DATA on stream 0', [frame(h2.DATA, 1, 0, bytes(1))],
	    goaway(PROTOCOL_ERROR)],
	['6.1 more padding than there is',
	    [post(1), frame(h2.DATA, h2.PADDED | 1, 1, bytes(9, 1, 1))],
	    goaway(PROTOCOL_ERROR)],
	['6.2 HEADERS on stream 0', [get(0, '/')], goaway(PROTOCOL_ERROR)],
	['6.2 padding of HEADERS that is more than there is',
	    [frame(h2.HEADERS, h2.PADDED | 5, 1, bytes(200, 0x82))],
	    goaway(PROTOCOL_ERROR, FRAME_SIZE_ERROR)],
	['6.2 another frame inside a head', [frame(h2.HEADERS, 1, 1,
	    block(pseudo())), frame(h2.PING, 0, 0, zeros(8))],
	    goaway(PROTOCOL_ERROR)],
	['6.2 another stream inside a head', [frame(h2.HEADERS, 1, 1,
	    block(pseudo())), get(3, '/')], goaway(PROTOCOL_ERROR)],
	['6.3 PRIORITY on stream 0', [frame(h2.PRIORITY, 0, 0, zeros(5))],
	    goaway(PROTOCOL_ERROR)],
	['6.3 PRIORITY of another size',
	    [post(1), frame(h2.PRIORITY, 0, 1, zeros(4))],
	    reset(FRAME_SIZE_ERROR)],
	['6.4 RST_STREAM on stream 0', [frame(h2.RST_STREAM, 0, 0, u32(8))],
	    goaway(PROTOCOL_ERROR)],
	['6.4 RST_STREAM of another size',
	    [post(1), frame(h2.RST_STREAM, 0, 1, zeros(3))],
	    goaway(FRAME_SIZE_ERROR)],
	['6.5 SETTINGS on a stream', [frame(h2.SETTINGS, 0, 1)],
	    goaway(PROTOCOL_ERROR)],
	['6.5 an ACK with settings',
	    [frame(h2.SETTINGS, h2.ACK, 0, setting(3, 1))],
	    goaway(FRAME_SIZE_ERROR)],
	['6.5 SETTINGS of a broken size', [frame(h2.SETTINGS, 0, 0, zeros(5))],
	    goaway(FRAME_SIZE_ERROR)],
	['6.5.2 ENABLE_PUSH that is neither',
	    [frame(h2.SETTINGS, 0, 0, setting(2, 2))], goaway(PROTOCOL_ERROR)],
	['6.5.2 a window that is too large',
	    [frame(h2.SETTINGS, 0, 0, setting(4, 0x80000000))],
	    goaway(FLOW_CONTROL_ERROR)],
	['6.5.2 a frame size that is too small',
	    [frame(h2.SETTINGS, 0, 0, setting(5, 100))],
	    goaway(PROTOCOL_ERROR)],
	['6.5.2 a frame size that is too large',
	    [frame(h2.SETTINGS, 0, 0, setting(5, 0x1000000))],
	    goaway(PROTOCOL_ERROR)],
	['RFC 8441 3: ENABLE_CONNECT_PROTOCOL that is neither',
	    [frame(h2.SETTINGS, 0, 0, setting(8, 2))], goaway(PROTOCOL_ERROR)],
	['RFC 9218 2.1: NO_RFC7540_PRIORITIES that is neither',
	    [frame(h2.SETTINGS, 0, 0, setting(9, 2))], goaway(PROTOCOL_ERROR)],
	['6.6 PUSH_PROMISE of a client',
	    [frame(h2.PUSH_PROMISE, 4, 1, Buffer.concat([u32(2),
	    block(pseudo())]))], goaway(PROTOCOL_ERROR)],
	['6.7 PING of another size', [frame(h2.PING, 0, 0, zeros(7))],
	    goaway(FRAME_SIZE_ERROR)],
	['6.7 PING on a stream', [frame(h2.PING, 0, 1, zeros(8))],
	    goaway(PROTOCOL_ERROR)],
	['6.8 GOAWAY on a stream', [frame(h2.GOAWAY, 0, 1, zeros(8))],
	    goaway(PROTOCOL_ERROR)],
	['6.9 WINDOW_UPDATE by nothing',
	    [frame(h2.WINDOW_UPDATE, 0, 0, u32(0))], goaway(PROTOCOL_ERROR)],
	['6.9 the same on a stream',
	    [post(1), frame(h2.WINDOW_UPDATE, 0, 1, u32(0))],
	    reset(PROTOCOL_ERROR)],
	['6.9 WINDOW_UPDATE of another size',
	    [frame(h2.WINDOW_UPDATE, 0, 0, zeros(3))],
	    goaway(FRAME_SIZE_ERROR)],
	['6.9.1 a window beyond 2^31-1',
	    [frame(h2.WINDOW_UPDATE, 0, 0, u32(0x7fffffff))],
	    goaway(FLOW_CONTROL_ERROR)],
	['6.9.1 the same on a stream',
	    [post(1), frame(h2.WINDOW_UPDATE, 0, 1, u32(0x7fffffff))],
	    reset(FLOW_CONTROL_ERROR)],
	['6.9.2 SETTINGS that make a window too large',
	    [post(1), frame(h2.WINDOW_UPDATE, 0, 1, u32(0x7fffffff - 65535)),
	    frame(h2.SETTINGS, 0, 0, setting(4, 65536))],
	    reset(FLOW_CONTROL_ERROR)],
	['6.10 CONTINUATION on stream 0', [frame(h2.HEADERS, 1, 1,
	    block(pseudo())), frame(h2.CONTINUATION, 4, 0,
	    block([['a', 'b']]))], goaway(PROTOCOL_ERROR)],
	['6.10 CONTINUATION behind one that was the last', [frame(h2.HEADERS, 1,
	    1, block(pseudo())), frame(h2.CONTINUATION, 4, 1,
	    block([['a', 'b']])), frame(h2.CONTINUATION, 4, 1,
	    block([['c', 'd']]))], goaway(PROTOCOL_ERROR)],
	['6.10 CONTINUATION behind DATA', [post(1), frame(h2.DATA, 0, 1,
	    bytes(1)), frame(h2.CONTINUATION, 4, 1, block([['a', 'b']]))],
	    goaway(PROTOCOL_ERROR)],
	['6.10 CONTINUATION behind a complete head',
	    [get(1, '/'), frame(h2.CONTINUATION, 4, 1, block([['a', 'b']]))],
	    goaway(PROTOCOL_ERROR)],
];

const malformed = [
	['8.1 trailers that do not end the stream',
	    [post(1), headers(1, [['x', 'y']], h2.END_HEADERS)]],
	['8.1 pseudo fields in trailers',
	    [post(1), headers(1, [[':path', '/']])]],
	['8.1.1 less than the length that was told',
	    [post(1, ['content-length', '5']), frame(h2.DATA, 1, 1, zeros(4))]],
	['8.1.1 more than that',
	    [post(1, ['content-length', '5']), frame(h2.DATA, 1, 1, zeros(6))]],
	['8.2.1 an upper case name', [get(1, '/', ['X-A', 'b'])]],
	['8.2.1 a name with a space', [get(1, '/', ['x a', 'b'])]],
	['8.2.1 a value with a line break', [get(1, '/', ['x', 'a\r\nb'])]],
	['8.2.1 a value with NUL', [get(1, '/', ['x', 'a\0b'])]],
	['8.2.1 a value that ends with a space', [get(1, '/', ['x', 'a '])]],
	['8.2.1 a value that begins with a tab', [get(1, '/', ['x', '\ta'])]],
	['8.2.1 a colon in a name', [get(1, '/', ['a:b', 'c'])]],
	['8.2.1 an empty name', [get(1, '/', ['', 'c'])]],
	['8.1.1 two lengths', [post(1, ['content-length', '1'],
	    ['content-length', '2']), frame(h2.DATA, 1, 1, zeros(1))]],
	['8.1.1 a length that is none', [post(1, ['content-length', '+1']),
	    frame(h2.DATA, 1, 1, zeros(1))]],
	['8.2.2 keep-alive', [get(1, '/', ['keep-alive', 'timeout=5'])]],
	['8.2.2 proxy-connection', [get(1, '/', ['proxy-connection', 'a'])]],
	['8.2.2 connection', [get(1, '/', ['connection', 'keep-alive'])]],
	['8.2.2 transfer-encoding',
	    [get(1, '/', ['transfer-encoding', 'chunked'])]],
	['8.2.2 upgrade', [get(1, '/', ['upgrade', 'websocket'])]],
	['8.2.2 te that is not trailers', [get(1, '/', ['te', 'gzip'])]],
	['8.3 an unknown pseudo field',
	    [headers(1, [...pseudo(), [':x', 'y']])]],
	['8.3 a pseudo field of answers',
	    [headers(1, [...pseudo(), [':status', '200']])]],
	['8.3 a pseudo field behind others',
	    [headers(1, [['a', 'b'], ...pseudo()])]],
	['8.3.1 no :path', [headers(1, pseudo().slice(0, 3))]],
	['8.3.1 no :method', [headers(1, pseudo().slice(1))]],
	['8.3.1 no :scheme', [headers(1,
	    pseudo().filter(([n]) => n !== ':scheme'))]],
	['8.3.1 an empty :path', [get(1, '')]],
	['8.3.1 a :path that begins nowhere', [get(1, 'a')]],
	['8.3.1 a :path with a fragment', [get(1, '/a#b')]],
	['8.3.1 a :path that is a URL', [get(1, 'http://a/')]],
	['8.3.1 an asterisk, but no OPTIONS', [get(1, '*')]],
	['8.3.1 another :scheme', [headers(1, pseudo().map(([n, v]) =>
	    [n, n === ':scheme' ? 'ftp' : v]))]],
	['8.3.1 neither :authority nor host',
	    [headers(1, pseudo().filter(([n]) => n !== ':authority'))]],
	['8.3.1 two of one', [headers(1, [...pseudo(), [':path', '/b']])]],
	['8.3.1 a host that is another than :authority',
	    [get(1, '/', ['host', 'b'])]],
	['8.3.1 user information in :authority',
	    [headers(1, pseudo().map(([n, v]) =>
	    [n, n === ':authority' ? 'u@a' : v]))]],
	['8.5 CONNECT without a protocol',
	    [headers(1, [[':method', 'CONNECT'], [':authority', 'a']])]],
	['RFC 8441: CONNECT with a protocol, but no :path', [headers(1,
	    [[':method', 'CONNECT'], [':protocol', 'websocket'],
	    [':scheme', 'http'], [':authority', 'a']], h2.END_HEADERS)]],
	['RFC 8441: a protocol without CONNECT',
	    [headers(1, [...pseudo(), [':protocol', 'websocket']],
	    h2.END_HEADERS)]],
];

const statusOf = (f) => {
	// :status is in the static table but for some, which are literals.
	const known = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400,
		0x8d: 404, 0x8e: 500 };

	return known[f.payload[0]] ?? 0;
};

test('frames that break rules end the connection, or their stream',
    async (t) => {
	const h = await serve(t, 'flow_route', conf);

	for (const [name, send, expected] of broken)
		await t.test(name, async (t2) => {
			const c = await Frames.connect(t2, h.port);

			c.send(...send);
			const f = await c.first((x) => x.type === h2.GOAWAY ||
			    (x.type === h2.RST_STREAM && x.id === 1));
			const o = f === undefined ? {} : f.type === h2.GOAWAY ?
			    { goaway: f.payload.readUInt32BE(4) } :
			    { reset: f.payload.readUInt32BE(0) };

			assert.ok(expected(o), JSON.stringify(o));
			if (o.goaway !== undefined)
				await c.ended();
		});
	const c = await Frames.connect(t, h.port);

	c.send(get(1, '/'));
	assert.equal(statusOf(await c.frame(h2.HEADERS, 1)), 200);
});

test('malformed requests get no answer of a plugin', async (t) => {
	const h = await serve(t, 'flow_route', conf);

	for (const [name, send] of malformed)
		await t.test(name, async (t2) => {
			const c = await Frames.connect(t2, h.port);

			c.send(...send);
			const f = await c.first((x) => x.type === h2.GOAWAY ||
			    (x.id === 1 && (x.type === h2.RST_STREAM ||
			    x.type === h2.HEADERS)));

			assert.ok(f !== undefined);
			if (f.type === h2.HEADERS) {
				assert.notEqual(statusOf(f), 200);
				return;
			}
			assert.equal(
			    f.payload.readUInt32BE(f.type === h2.GOAWAY ?
			    4 : 0), PROTOCOL_ERROR);
		});
});

test('the preface', async (t) => {
	const h = await serve(t, 'flow_route', conf);

	await t.test('its second half is wrong', async (t2) => {
		const c = await Frames.connect(t2, h.port, { preface: false });

		c.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'));
		await c.ended();
	});
	await t.test('no SETTINGS follows', async (t2) => {
		const c = await Frames.connect(t2, h.port, { preface: false });

		c.send(PREFACE, frame(h2.PING, 0, 0, zeros(8)));
		assert.equal((await c.outcome(0)).goaway, PROTOCOL_ERROR);
		await c.ended();
	});
	await t.test('one byte at a time', async (t2) => {
		const c = await Frames.connect(t2, h.port, { preface: false });

		for (const b of Buffer.concat([PREFACE,
		    frame(h2.SETTINGS, 0, 0), get(1, '/')])) {
			await new Promise((r) => c.socket.write(bytes(b), r));
		}
		assert.equal(statusOf(await c.frame(h2.HEADERS, 1)), 200);
	});
});

test('what takes longer than head_timeout', async (t) => {
	const clock = await makeClock(t);
	const h = await serve(t, 'flow_route', (so) => conf(so)
	    .replace('workers = 1', 'workers = 1  watchdog = 0')
	    .replace('h2c = on', 'h2c = on  head_timeout = 1h'),
	    { env: clock.env });
	// What was sent before has been read.
	const pass = async () => {
		await ask(t, h.port, '/');
		clock.pass(3601);
		await ask(t, h.port, '/');
	};

	await t.test('a preface', async (t2) => {
		const c = await Frames.connect(t2, h.port, { preface: false });

		c.send(PREFACE.subarray(0, 20));
		await pass();
		await c.ended();
	});
	await t.test('what comes after it', async (t2) => {
		const c = await Frames.connect(t2, h.port);

		await c.frame(h2.SETTINGS, 0);
		await pass();
		assert.equal((await c.outcome(0)).goaway, h2.NO_ERROR);
		await c.ended();
	});
	await t.test('a head', async (t2) => {
		const c = await Frames.connect(t2, h.port);

		c.send(frame(h2.HEADERS, 1, 1, block(pseudo())));
		await c.frame(h2.SETTINGS, 0);
		await pass();
		assert.equal((await c.outcome(0)).goaway, h2.NO_ERROR);
		await c.ended();
	});
});

test('frames for streams that are over change nothing', async (t) => {
	const h = await serve(t, 'flow_route', conf);
	const c = await Frames.connect(t, h.port);
	const is = (type, id) => (f) => f.type === type && f.id === id;

	c.send(get(1, '/'));
	await c.first((f) => f.id === 1 && f.flags & h2.END_STREAM);
	// Sent before the client could know; a reserved bit, unknown flags.
	c.send(frame(h2.WINDOW_UPDATE, 0, 1, u32(1)), stop(1),
	    frame(h2.PRIORITY, 0, 1, bytes(0, 0, 0, 3, 1)),
	    frame(h2.PING, 0xfe, 0x80000000, zeros(8)),
	    frame(h2.PING, h2.ACK, 0, zeros(8)),
	    frame(h2.GOAWAY, 0, 0, zeros(8)), get(3, '/'));
	assert.equal(statusOf(await c.frame(h2.HEADERS, 3)), 200);
	await c.first(is(h2.DATA, 3));
	assert.ok(!c.frames.some(is(h2.RST_STREAM, 1)));
	// An answer to a PING is none that is answered.
	assert.equal(c.frames.filter(is(h2.PING, 0)).length, 1);
});

test('windows', async (t) => {
	const h = await serve(t, 'flow_route', conf);
	const c = await Frames.connect(t, h.port, { settings: [[4, 100],
		[4, 1]] });
	const data = (id) => Buffer.concat(c.frames.filter((f) =>
	    f.type === h2.DATA && f.id === id).map(
	    (f) => f.payload)).toString();

	// Settings hold in their order, and are acknowledged.
	c.send(get(1, '/'));
	await c.first((f) => f.type === h2.SETTINGS && f.flags === h2.ACK);
	await c.first(() => data(1) === 'h');
	// Less than nothing is left of it, then enough.
	c.send(frame(h2.SETTINGS, 0, 0, setting(4, 0)),
	    frame(h2.WINDOW_UPDATE, 0, 1, u32(2)));
	await c.first(() => data(1) === 'he');
	c.send(get(3, '/'), frame(h2.PING, 0, 0, zeros(8)));
	await c.frame(h2.PING, 0);
	assert.equal(data(1) + data(3), 'he');
	c.send(frame(h2.SETTINGS, 0, 0, setting(4, 5)),
	    frame(h2.WINDOW_UPDATE, 0, 1, u32(1)));
	await c.first(() => data(1) === 'hello' && data(3) === 'hello');
});

test('what is allowed', async (t) => {
	const h = await serve(t, 'flow_route', conf);
	const c = await Frames.connect(t, h.port);
	const padded = Buffer.concat([bytes(4), block(pseudo()), zeros(4)]);
	const fields = block(pseudo());

	// Padding, priorities, CONTINUATION, unknown frames and settings.
	c.send(frame(0x33, 0xff, 0, zeros(5)), frame(h2.SETTINGS, 0, 0,
	    setting(0x7777, 1)), frame(h2.PRIORITY, 0, 9, bytes(0, 0, 0, 0, 1)),
	    frame(h2.HEADERS, h2.PADDED | 5, 1, padded),
	    frame(h2.HEADERS, h2.PRIO | 5, 3,
	    Buffer.concat([zeros(5), fields])),
	    frame(h2.HEADERS, 1, 5, fields.subarray(0, 7)),
	    frame(h2.CONTINUATION, 0, 5, fields.subarray(7, 20)),
	    frame(h2.CONTINUATION, 4, 5, fields.subarray(20)),
	    frame(h2.PING, 0, 0, Buffer.from('abcdefgh')));
	for (const id of [1, 3, 5])
		assert.equal(statusOf(await c.frame(h2.HEADERS, id)), 200);
	const pong = await c.frame(h2.PING, 0);

	assert.equal(pong.flags, h2.ACK);
	assert.equal(pong.payload.toString(), 'abcdefgh');
});

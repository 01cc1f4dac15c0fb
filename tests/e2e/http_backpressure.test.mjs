// SPDX-License-Identifier: BSD-2-Clause
// Streaming both ways: who is slow slows the other side down, and the worker
// holds no more than its limits.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { ask, serve, track } from './lib/http1.mjs';

const MB = 1 << 20;
const SIZE = 100 * MB;
const BLOCK = 16384;
const block = Buffer.from(Array.from({ length: BLOCK },
    (_, i) => 0x61 + i % 26));

async function start(t, http = '') {
	const h = await serve(t, 'flow_route', (so) => `
		http { max_body = 1g  output_high = 64k  send_timeout = 1h
			body_timeout = 1h  defer_timeout = 1h  ${http} }
		plugin "flow" { module = "${so}" }
		route "/flow/" { plugin = "flow" }`, {
		// What was freed must not count.
		env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}` +
			':quarantine_size_mb=1' },
	});
	const [w] = await h.workers();
	const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(
	    fs.readFileSync(`/proc/${w.pid}/status`, 'utf8'))[1]) / 1024;

	// Whatever a first request needs is not what is measured.
	await ask(t, h.port, '/flow/source?1000000');
	const before = peak();

	h.bounded = () => {
		const grown = peak() - before;

		assert.ok(grown < 16, `the worker grew by ${grown} MB`);
	};
	h.stats = async () => (await ask(t, h.port, '/flow/stats')).json;
	return h;
}

async function open(t, h, head) {
	const s = track(t, net.connect(h.port, '127.0.0.1'));

	s.on('error', () => {});
	s.pause();
	await within(new Promise((resolve) => s.once('connect', resolve)),
	    'connection');
	s.write(head);
	return s;
}

// Read n bytes of body behind a head, calling pace() now and then.
async function readBody(s, n, pace) {
	let body = -1, head = '', chunk;

	const check = (buf) => {
		for (let at = 0; at < buf.length;) {
			const from = (body + at) % BLOCK;
			const len = Math.min(BLOCK - from, buf.length - at);

			assert.equal(Buffer.compare(buf.subarray(at, at + len),
			    block.subarray(from, from + len)), 0,
			    'the bytes sent');
			at += len;
		}
		body += buf.length;
	};
	const take = (buf) => {
		if (body >= 0)
			return check(buf);
		head += buf.toString('latin1');
		const end = head.indexOf('\r\n\r\n');

		if (end < 0)
			return undefined;
		body = 0;
		return check(Buffer.from(head.slice(end + 4), 'latin1'));
	};

	for (let turn = 0; body < n; turn++) {
		chunk = s.read();
		if (chunk === null) {
			if (s.readableEnded)
				break;
			await within(new Promise((resolve) => {
				s.once('readable', resolve);
			}), 'more of the body');
			continue;
		}
		take(chunk);
		if (turn % 20 === 0)
			await pace();
	}
	assert.equal(body, n);
	return head;
}

for (const how of ['source', 'flood'])
	test(`a slow reader of a ${how}`, async (t) => {
		const h = await start(t);
		const s = await open(t, h,
		    `GET /flow/${how}?${SIZE} HTTP/1.1\r\nHost: a\r\n\r\n`);
		const wanted = how === 'source' ? 'again' : 'full';

		await within((async () => {
			while ((await h.stats())[wanted] === 0)
				;
		})(), 'full output');
		h.bounded();
		await readBody(s, SIZE, async () => {
			await h.stats();
			h.bounded();
		});
		const st = await h.stats();

		assert.ok(st.writable > 10, 'on_writable was called');
		await h.logged(`ended ${how} why 0`);
		h.bounded();
	});

test('a reader that never comes back costs no more', async (t) => {
	const h = await start(t);

	for (let i = 0; i < 20; i++)
		await open(t, h,
		    `GET /flow/flood?${SIZE} HTTP/1.1\r\nHost: a\r\n\r\n`);
	await within((async () => {
		while ((await h.stats()).full < 20)
			;
	})(), 'full outputs');
	h.bounded();
});

async function sendAll(s, n) {
	for (let sent = 0; sent < n; sent += BLOCK)
		if (!s.write(block))
			await new Promise((resolve) => s.once('drain',
			    resolve));
}

test('a plugin that stops reading stops the client', async (t) => {
	const h = await start(t);
	const s = await open(t, h, 'POST /flow/sink HTTP/1.1\r\nHost: a\r\n' +
	    `Content-Length: ${SIZE}\r\n\r\n`);
	let done = false;
	const all = sendAll(s, SIZE).then(() => { done = true; });

	await h.logged('pausing sink');
	// Its requests are read in the same loop as the body would be.
	for (let i = 0; i < 300; i++)
		await h.stats();
	assert.equal(done, false);
	assert.ok(s.bytesWritten < SIZE);
	h.bounded();
	assert.deepEqual((await ask(t, h.port, '/flow/resume')).json,
	    { paused: 1, gone: 0 });
	await within(all, 'end of sending');
	s.setEncoding('latin1');
	let text = '';

	s.on('data', (d) => { text += d; });
	s.resume();
	await h.logged(`ended sink why 0 seen ${SIZE}`);
	await within((async () => {
		while (!text.endsWith('}'))
			await new Promise((resolve) => s.once('data', resolve));
	})(), 'answer');
	assert.ok(text.endsWith(`{"seen":${SIZE}}`));
	h.bounded();
});

test('paused within one read: what is behind it is kept', async (t) => {
	const h = await start(t);
	const s = await open(t, h, 'POST /flow/sink HTTP/1.1\r\nHost: a\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n' +
	    '0\r\n\r\nGET /flow/stats HTTP/1.1\r\nHost: a\r\n' +
	    'Connection: close\r\n\r\n');

	await h.logged('pausing sink');
	await ask(t, h.port, '/flow/resume');
	let text = '';

	s.setEncoding('latin1');
	s.on('data', (d) => { text += d; });
	s.resume();
	await within(new Promise((resolve) => s.once('end', resolve)), 'end');
	assert.match(text, /\{"seen":6\}HTTP\/1\.1 200 OK/);
	assert.match(text, /"paused":0\}$/);
});

test('an echo reads as slowly as its client', async (t) => {
	const h = await start(t);
	const s = await open(t, h, 'POST /flow/echo HTTP/1.1\r\nHost: a\r\n' +
	    `Content-Length: ${SIZE}\r\n\r\n`);
	const all = sendAll(s, SIZE);

	await within((async () => {
		while ((await h.stats()).again === 0)
			;
	})(), 'full output');
	for (let i = 0; i < 100; i++)
		await h.stats();
	assert.ok(s.bytesWritten < SIZE);
	h.bounded();
	await readBody(s, SIZE, h.stats);
	await within(all, 'end of sending');
	await h.logged(`ended echo why 0 seen ${SIZE}`);
	h.bounded();
});

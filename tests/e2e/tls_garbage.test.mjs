// SPDX-License-Identifier: BSD-2-Clause
// What is no TLS, or was once: the connection ends, the others go on.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import net from 'node:net';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, raw, until, within } from './lib/hostd.mjs';
import { curl, sClient, secure, startTls } from './lib/tls.mjs';

const conf = `
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello"  match = prefix }`;
const record = (type, body, version = 0x0301) => Buffer.concat([
	Buffer.from([type, version >> 8, version & 255, body.length >> 8,
	    body.length & 255]), body]);

async function serves(h) {
	const r = await curl(h, h.url);

	assert.equal(r.stdout, 'hello', r.stderr);
}

test('garbage', async (t) => {
	const h = await startTls(t, { conf });
	const hello = Buffer.concat([Buffer.from([1, 0, 0xff, 0xff]),
	    crypto.randomBytes(600)]);
	const all = [
		Buffer.alloc(300),
		Buffer.concat([Buffer.from([0]), crypto.randomBytes(1000)]),
		Buffer.from('\x80\x2e\x01\x03\x01', 'latin1'),	// SSLv2
		record(22, Buffer.alloc(16384)), record(22, hello),
		record(23, Buffer.from('data')),
		    record(21, Buffer.from([2, 40])),
		record(20, Buffer.from([1])),
		Buffer.from([22, 3, 1, 0xff, 0xff]),
	];

	await Promise.all(all.map(async (b) => {
		const r = await raw(h.port, b, { half: true });

		assert.ok(r.closed);
		assert.doesNotMatch(r.text, /HTTP/);
	}));
	await serves(h);
	// They are told of once in a while, and counted.
	assert.ok(h.log.split('a TLS handshake of').length <= 3, h.log);
	const tls = await until(async () => {
		const st = await h.status();

		return st.tls.failed >= all.length && st.tls.full > 0 && st.tls;
	}, 'all to be counted');

	assert.equal(tls.failed, all.length);
	assert.equal(tls.full, 1);
});

test('a hello that is huge, in many records', async (t) => {
	const h = await startTls(t, { conf });
	const body = Buffer.alloc(200_000, 65);

	body.set([1, 3, 0, 0]);
	const records = [];

	for (let at = 0; at < body.length; at += 16000)
		records.push(record(22, body.subarray(at, at + 16000)));
	const r = await raw(h.port, Buffer.concat(records), { half: true });

	assert.ok(r.closed);
	await serves(h);
});

test('one that does not go on ends in time', async (t) => {
	const clock = await makeClock(t);
	const h = await startTls(t, { env: clock.env, tls:
		'handshake_timeout = 1h', conf: `
		pool "web" { workers = 1  watchdog = 0 }
		http { idle_timeout = 1d }
		${conf}` });
	const accepted = (n) => until(async () =>
	    (await h.status()).connections.active === n, `${n} connections`);

	await accepted(0);
	const silent = raw(h.port, '');
	const half = raw(h.port, record(22, Buffer.from([1, 0, 0, 200, 3, 3])));

	await accepted(2);
	clock.pass(3601);
	// It has something to do, and whoever comes now has all of his time.
	await serves(h);

	for (const r of await Promise.all([silent, half])) {
		assert.ok(r.closed);
		assert.equal(r.text, '');
	}
	await serves(h);
});

test('bytes changed on their way', async (t) => {
	const h = await startTls(t, { conf });
	let spoil = false, ended;
	const between = net.createServer((c) => {
		const s = net.connect(h.port, '127.0.0.1');

		ended = new Promise((resolve) => s.on('close', resolve));
		c.on('error', () => {});
		s.on('error', () => {});
		c.on('data', (d) => {
			if (spoil)
				d[d.length - 1] ^= 1;
			s.write(d);
		});
		s.pipe(c);
	});

	await new Promise((resolve) => between.listen(0, '127.0.0.1', resolve));
	atEnd(t, () => between.close());
	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		spoil = false;
		const c = await secure(t, { ...h, ca: h.ca,
			port: between.address().port },
		    { minVersion: version, maxVersion: version });

		c.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		await c.next(/200 OK[^]*hello$/);
		spoil = true;
		c.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		await within(ended, 'its end');
		await c.ended;
		assert.match(c.error ?? '', /BAD_RECORD_MAC/);
	}
	await until(async () => {
		const { tls, requests } = await h.status();

		return tls.broken === 2 && requests.total === 2;
	}, 'both to be counted');
	await serves(h);
});

test('renegotiation', async (t) => {
	const h = await startTls(t, { conf });
	const c = sClient(t, h, ['-tls1_2']);

	await until(() => /Verify return code: 0/.test(c.text), 'handshake');
	c.child.stdin.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
	await until(() => /hello/.test(c.text), 'answer');
	c.child.stdin.write('R\n');
	const r = await c.ended;

	assert.match(r.text, /RENEGOTIATING[^]*no renegotiation/);
	await serves(h);
});

test('a client that leaves in the middle', async (t) => {
	const h = await startTls(t, { conf });

	for (let i = 0; i < 3; i++) {
		const c = await secure(t, h);

		c.socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
		c.socket.destroy();
	}
	await until(async () => (await h.status()).connections.active === 0,
	    'their end');
	await serves(h);
});

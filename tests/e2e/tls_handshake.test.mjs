// SPDX-License-Identifier: BSD-2-Clause
// TLS with clients that other people wrote: versions, ciphers, and who is told
// what.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { raw, until } from './lib/hostd.mjs';
import { certificate, curl, sClient, secure, startTls } from './lib/tls.mjs';

const conf = `
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello"  match = prefix }`;
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

test('versions and ciphers', async (t) => {
	const rsa = await certificate(t, { kind: 'rsa' });

	for (const [options, suites] of [[{}, ['ECDHE-ECDSA-AES128-GCM-SHA256',
	    'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305']],
	    [{ certificate: rsa }, ['ECDHE-RSA-AES128-GCM-SHA256',
	    'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305']]]) {
		const h = await startTls(t, { conf, ...options });

		for (const suite of suites) {
			const r = await sClient(t, h, ['-tls1_2', '-cipher',
			    suite, '-quiet', '-ign_eof'], GET).ended;

			assert.match(r.text, /200 OK[^]*hello/, suite);
		}
		for (const suite of ['TLS_AES_128_GCM_SHA256',
		    'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
			const r = await sClient(t, h,
			    ['-tls1_3', '-ciphersuites',
			    suite, '-ign_eof'], GET).ended;

			assert.match(r.text, /200 OK[^]*hello/, suite);
			assert.match(r.text, new RegExp(`Cipher is ${suite}`));
		}
		const r = await curl(h, h.url);

		assert.equal(r.stdout, 'hello', r.stderr);
		await h.stop();
	}
});

test('what is refused: old versions and ciphers', async (t) => {
	const h = await startTls(t, { conf });

	for (const args of [['-tls1_1'], ['-tls1_2', '-cipher', 'AES128-SHA'],
	    ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA']]) {
		const r = await sClient(t, h, [...args, '-cipher',
		    args[2] ?? 'ALL:@SECLEVEL=0'], GET).ended;

		assert.notEqual(r.code, 0);
		assert.doesNotMatch(r.text, /200 OK/);
	}
	await h.logged(/a TLS handshake of 127\.0\.0\.1 has failed: /);
	const tls = await until(async () => {
		const st = await h.status();

		return st.tls.failed >= 3 && st.tls;
	}, 'all to be counted');

	assert.equal(tls.full, 0);
	assert.equal(tls.failed, 3);
});

test('many requests on one connection, and its end in order', async (t) => {
	const h = await startTls(t, { conf });
	const c = await secure(t, h);

	for (let i = 0; i < 20; i++) {
		c.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		await c.next(/200 OK[^]*hello$/);
	}
	c.socket.write(GET);
	await c.next(/200 OK[^]*hello$/);
	await c.ended;
	assert.equal(c.error, undefined);
	const { tls } = await h.status();

	assert.equal(tls.full, 1);
});

test('a client that keys change for', async (t) => {
	const h = await startTls(t, { conf });
	const c = sClient(t, h, ['-tls1_3']);
	const count = () => c.text.split('200 OK').length - 1;

	await until(() => /New, TLSv1.3/.test(c.text), 'handshake');
	for (let i = 1; i <= 4; i++) {
		c.child.stdin.write(i % 2 ? 'K\n' : 'k\n');
		await until(() => c.text.split('KEYUPDATE').length > i,
		    'update');
		c.child.stdin.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		await until(() => count() === i, 'answer');
	}
});

test('plain HTTP at its port', async (t) => {
	const h = await startTls(t, { conf });
	const r = await raw(h.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');

	assert.match(r.text, /^HTTP\/1\.1 400 [^]*plain HTTP request was sent to an HTTPS port/);
	assert.equal(await new Promise((resolve) => http.get(
	    { port: h.port, host: '127.0.0.1' }, (a) => {
		resolve(a.statusCode);
		a.resume();
	})), 400);
});

test('behind the header of the PROXY protocol', async (t) => {
	const h = await startTls(t, { conf, listen: 'proxy_protocol = on' });
	const r = await curl(h, '--haproxy-protocol', h.url);

	assert.equal(r.stdout, 'hello', r.stderr);
});

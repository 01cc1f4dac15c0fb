// SPDX-License-Identifier: BSD-2-Clause
// Which certificate a client gets: by the name of the server that it asks for,
// and by the keys that it can make use of.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, startHostd, tempDir } from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { ask, block, hello, listen } from './lib/tls_ask.mjs';

const serve = (t, certificates, tls = '') => startHostd(t, {
	conf: `${listen}${hello}${certificates}tls "main" { ${tls} }` });

test('by name', async (t) => {
	const ca = await authority(t);
	const made = (cn, names) => certificate(t, { cn, names, ca });
	const h = await serve(t,
	    block('f', await made('first', ['first.test', 'www.first.test'])) +
	    block('w', await made('wild', ['*.wild.test', 'wild.test'])) +
	    block('e', await made('exact', ['a.wild.test', 'Mixed.Test'])) +
	    block('g', await made('given', ['hidden.test']),
	        'names = { "given.test" }'));

	for (const [name, want] of [
		['first.test', 'first'], ['www.first.test', 'first'],
		['a.wild.test', 'exact'], ['b.wild.test', 'wild'],
		['B.WILD.test', 'wild'], ['wild.test', 'wild'],
		['x.y.wild.test', 'first'], ['mixed.test', 'exact'],
		['given.test', 'given'], ['hidden.test', 'first'],
		['unknown.test', 'first']])
		assert.equal((await ask(h.port, ['-servername', name])).subject,
		    `CN = ${want}`, name);
	assert.equal((await ask(h.port, ['-noservername'])).subject,
	    'CN = first');
	// Somebody who verifies.
	const r = await command('curl',
	    ['-sS', '--cacert', ca.cert, '--resolve',
		`q.wild.test:${h.port}:127.0.0.1`,
		`https://q.wild.test:${h.port}/`]);

	assert.deepEqual([r.code, r.stdout], [0, 'hi']);
});

test('when they end is a metric', async (t) => {
	const [a, b] = [await certificate(t, { days: 5 }),
		await certificate(t, { names: ['b.test'] })];
	const h = await serve(t, `${block('a', a)}${block('b', b)}
		plugin "m" { module = "http_metrics.so" }
		route "/metrics" { plugin = "m" }`);
	const r = await command('curl', ['-sSk',
		`https://127.0.0.1:${h.port}/metrics`]);

	for (const [name, c] of [['a', a], ['b', b]]) {
		const x = await command('openssl', ['x509', '-noout',
			'-enddate', '-in', c.cert]);
		const end = Date.parse(x.stdout.split('=')[1]) / 1000;

		assert.ok(r.stdout.includes(
		    'hostd_certificate_not_after_seconds' +
		    `{certificate="${name}"} ${end}\n`), r.stdout);
	}
});

test('the chain goes along', async (t) => {
	const root = await authority(t, 'root');
	const middle = await certificate(t, { names: ['middle'], isCa: true,
		ca: root });
	const leaf = await certificate(t, { names: ['leaf.test'], ca: middle });
	const chain = `${tempDir(t)}/chain.pem`;

	fs.writeFileSync(chain, fs.readFileSync(leaf.cert) +
	    fs.readFileSync(middle.cert));
	const h = await serve(t, block('a', { cert: chain, key: leaf.key }));
	const r = await ask(h.port, ['-servername', 'leaf.test',
		'-verify_return_error', '-verify_hostname', 'leaf.test',
		'-CAfile', root.cert]);

	assert.match(r.text, /Verify return code: 0 \(ok\)/);
	assert.match(r.answer, /hi/);
});

test('RSA and ECDSA for one name', async (t) => {
	const names = ['both.test'];
	const rsa = await certificate(t, { cn: 'rsa', names, kind: 'rsa' });
	const ec = await certificate(t, { cn: 'ec', names: [...names,
		'more.test'] });
	const h = await serve(t, block('r', rsa) + block('e', ec));

	for (const [args, want] of [
		[['-sigalgs', 'ecdsa_secp256r1_sha256'], 'CN = ec'],
		[['-sigalgs', 'rsa_pss_rsae_sha256'], 'CN = rsa'],
		[['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'],
			'CN = rsa'],
		[['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
			'CN = ec']])
		assert.equal((await ask(h.port, ['-servername', 'both.test',
			...args])).subject, want);
	assert.equal((await ask(h.port, ['-servername', 'more.test'])).subject,
	    'CN = ec');
});

test('strict: a server that is not here', async (t) => {
	const c = await certificate(t, { names: ['a.test'] });
	const h = await serve(t, block('a', c), 'strict_sni = on');

	assert.match((await ask(h.port, ['-servername', 'a.test'])).answer,
	    /hi/);
	for (const args of [['-servername', 'b.test'], ['-noservername']]) {
		const r = await ask(h.port, args);

		assert.equal(r.alert, '112');
		assert.equal(r.answer, undefined);
	}
});

test('versions, ciphers, groups and protocols', async (t) => {
	const c = await certificate(t, { kind: 'rsa' });
	const h = await serve(t, block('a', c));
	const only = await serve(t, block('a', c), 'versions = "1.3"  ' +
	    'ciphers = "TLS_AES_256_GCM_SHA384"  groups = "P-384"');

	for (const v of ['1.2', '1.3'])
		assert.equal((await ask(h.port, [`-tls${v.replace('.', '_')}`]))
		    .protocol, `TLSv${v}`);
	for (const args of [['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
		['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA256'],
		['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
		['-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256']])
		assert.equal((await ask(h.port, args)).answer, undefined,
		    args.join(' '));
	assert.equal((await ask(only.port, ['-tls1_2'])).answer, undefined);
	const r = await ask(only.port);

	assert.equal(r.cipher, 'TLS_AES_256_GCM_SHA384');
	assert.match(r.text, /Server Temp Key: ECDH, secp384r1/);
	assert.match((await ask(h.port, ['-alpn', 'foo,http/1.1'])).text,
	    /ALPN protocol: http\/1\.1/);
	assert.equal((await ask(h.port, ['-alpn', 'foo'])).alert, '120');
});

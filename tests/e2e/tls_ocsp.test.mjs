// SPDX-License-Identifier: BSD-2-Clause
// OCSP: what the authority has said of a certificate is stapled to it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, prepareHostd, sbin, startHostd, tempDir }
    from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { ask, block, hello, listen } from './lib/tls_ask.mjs';

// What openssl, as the authority, answers of c, for so many minutes.
async function respond(t, ca, c, minutes) {
	const dir = tempDir(t);
	const x = await command('openssl', ['x509', '-in', c.cert, '-noout',
		'-serial']);
	const serial = x.stdout.trim().split('=')[1];

	fs.writeFileSync(`${dir}/index`,
	    `V\t350101000000Z\t\t${serial}\tunknown\t/CN=any\n`);
	const q = await command('openssl', ['ocsp', '-issuer', ca.cert, '-cert',
		c.cert, '-reqout', `${dir}/request`, '-no_nonce']);

	assert.equal(q.code, 0, q.stderr);
	const r = await command('openssl', ['ocsp', '-index', `${dir}/index`,
		'-CA', ca.cert, '-rsigner', ca.signer ?? ca.cert, '-rkey',
		    ca.key,
		'-reqin', `${dir}/request`, '-respout', `${dir}/response`,
		...(minutes ? ['-nmin', String(minutes)] : [])]);

	assert.equal(r.code, 0, r.stderr);
	return `${dir}/response`;
}

const serve = (t, certificates) => startHostd(t, {
	conf: `${listen}${hello}${certificates}tls "main" { }` });

test('it is stapled, to the certificate that it is of', async (t) => {
	const ca = await authority(t);
	const rsa = await certificate(t,
	    { names: ['a.test'], ca, kind: 'rsa' });
	const ec = await certificate(t, { names: ['a.test'], ca });
	const without = await certificate(t, { names: ['b.test'], ca });
	const h = await serve(t,
	    block('r', rsa, `ocsp = "${await respond(t, ca, rsa, 60)}"`) +
	    block('e', ec, `ocsp = "${await respond(t, ca, ec)}"`) +
	    block('w', without));

	for (const version of ['-tls1_2', '-tls1_3'])
		for (const sigalg of ['rsa_pss_rsae_sha256',
			'ecdsa_secp256r1_sha256']) {
			const r = await ask(h.port, ['-status', version,
				'-servername', 'a.test', '-sigalgs', sigalg,
				'-CAfile', ca.cert]);

			assert.match(r.text,
			    /OCSP Response Status: successful/);
			assert.match(r.text, /Cert Status: good/);
			// Of each its own.
			const stapled = /Serial Number: (\w+)/.exec(
			    /OCSP Response Data:[^]*?Cert Status/.exec(
			    r.text)[0]);
			const c = sigalg[0] === 'r' ? rsa : ec;
			const x = await command('openssl', ['x509', '-noout',
				'-serial', '-in', c.cert]);

			assert.equal(stapled[1], x.stdout.trim().split('=')[1]);
		}
	assert.match((await ask(h.port, ['-status', '-servername', 'b.test']))
	    .text, /OCSP response: no response sent/);
	assert.doesNotMatch((await ask(h.port, ['-servername', 'a.test'])).text,
	    /OCSP Response Status/);
});

test('the authority has to have signed it', async (t) => {
	const ca = await authority(t), other = await authority(t);
	const c = await certificate(t, { ca });
	const good = await respond(t, ca, c), bad = await respond(t,
	    { ...ca, key: other.key, signer: other.cert }, c);

	fs.appendFileSync(c.cert, fs.readFileSync(ca.cert));
	for (const [file, code] of [[good, 0], [bad, 1]]) {
		const h = await prepareHostd(t, { conf: `${listen}${hello}
			${block('a', c, `ocsp = "${file}"`)}tls "main" { }` });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, code, r.stderr);
		if (code)
			assert.match(r.stderr,
			    /ocsp .* authority has not signed it/);
	}
});

test('one that is over is not', async (t) => {
	const ca = await authority(t);
	const c = await certificate(t, { ca });
	const old = await respond(t, ca, c, 1);
	// Its end is two minutes ago: nextUpdate is signed, but nobody checks
	// that here before clients do.
	const der = fs.readFileSync(old);
	const times = [...der.toString('latin1').matchAll(/\d{14}Z/g)];

	der.write('20200101000000Z', times.at(-1).index, 'latin1');
	fs.writeFileSync(old, der);
	const h = await serve(t, block('a', c, `ocsp = "${old}"`));

	assert.match((await ask(h.port, ['-status'])).text,
	    /OCSP response: no response sent/);
	assert.match(h.log, /ocsp \S+ has ended/);
});

test('one of another certificate is refused', async (t) => {
	const ca = await authority(t);
	const c = await certificate(t, { ca }), other = await certificate(t,
	    { ca });
	const h = await prepareHostd(t, { conf: `${listen}${hello}${block('a',
	    c, `ocsp = "${await respond(t, ca, other)}"`)}tls "main" { }` });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr, /hostd\.conf:\d+: ocsp .* not about this/);
});

// SPDX-License-Identifier: BSD-2-Clause
// Mistakes in certificates and tls blocks: all of them are told in one run,
// with their places.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, prepareHostd, sbin } from './lib/hostd.mjs';
import { certificate } from './lib/tls.mjs';
import { block, hello } from './lib/tls_ask.mjs';

// What hostd -t says of a text, by line of it.
async function tried(t, conf, files = {}) {
	const h = await prepareHostd(t, { conf: `#\n${conf}`, files });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);
	const head = fs.readFileSync(h.confFile, 'utf8').split('#\n')[0]
	    .split('\n').length;
	const lines = {};

	for (const m of r.stderr.matchAll(/hostd\.conf:(\d+): (.*)/g))
		(lines[m[1] - head] ??= []).push(m[2]);
	return { ...r, lines, dir: h.dir };
}

function matches(lines, wants) {
	assert.deepEqual(Object.keys(lines).map(Number).sort((a, b) => a - b),
	    wants.map((_, i) => i + 1).filter((i) => wants[i - 1]),
	    JSON.stringify(lines, null, 1));
	wants.forEach((w, i) => {
		if (w)
			assert.match(lines[i + 1].join('\n'), w);
	});
}

test('files', async (t) => {
	const good = await certificate(t);
	const other = await certificate(t);
	const weak = await certificate(t, { kind: 'weak' });
	const over = await certificate(t, { days: -1 });
	const open = await certificate(t);
	const locked = await certificate(t);

	fs.chmodSync(open.key, 0o644);
	await command('openssl', ['ec', '-in', good.key, '-aes128', '-passout',
		'pass:x', '-out', locked.key]);
	const wants = [
		[block('a', { ...good, cert: '/nonexistent/a.pem' }),
			/file \/nonexistent\/a\.pem: No such file/],
		[block('b', { ...good, cert: '@DIR@/garbage' }),
			/garbage: there is none in PEM in it/],
		[block('c', { ...good, key: other.key }),
			/key \S+ is not that of the first certificate/],
		[block('d', weak), /weak key, of 1024 bits/],
		[block('e', over), /has expired on .*allow_expired = on/],
		[block('f', open), /everybody can read or write it; chmod 600/],
		[block('g', { ...good, key: locked.key }),
			/is encrypted; .* key_password_file/],
		[block('h', { ...good, key: locked.key },
			'key_password_file = "@DIR@/wrong"'),
			/no private key in PEM in it that the password fits/],
		[block('i', good, 'ocsp = "@DIR@/garbage"'),
			/not an OCSP response in DER/],
		[block('j', good, 'names = { "ok.test", "no such" }'),
			/name "no such" is neither/],
		[block('k', over, 'allow_expired = on')],
		[block('l', { ...good, cert: '@DIR@/broken' }),
			/or one is broken/],
	];
	const r = await tried(t, wants.map(([text]) => text).join(''), {
		garbage: 'no certificate', wrong: 'y\n',
		broken: `${fs.readFileSync(good.cert)}-----BEGIN CERTIFICATE-----
AAAA\n-----END CERTIFICATE-----\n` });

	assert.equal(r.code, 1);
	// The password is nobody else's, either.
	assert.match(r.lines[8].join('\n'), /wrong: everybody can read/);
	matches(r.lines, wants.map(([, want]) => want));
});

test('keys', async (t) => {
	const c = await certificate(t);
	const wants = [
		[block('a', c)],
		['tls "a" { versions = "1.1" }', /neither "1\.2" nor "1\.3"/],
		['tls "b" { versions = {} }', /nobody could connect/],
		['tls "c" { ciphers = "ECDHE-RSA-AES128-SHA" }',
			/no modern cipher .*did you mean/],
		['tls "d" { groups = "P-265" }', /no group "P-265"; .*"P-256"/],
		['tls "e" { certificates = "b" }', /no certificate "b"/],
		['tls "f" { client_certificates = required }',
			/needs the key "client_ca"/],
		[`tls "g" { client_ca = "${c.cert}" }`,
			/says nothing without client_certificates/],
		['tls "h" { ticket_keys = "@DIR@/short" }',
			/has 5 bytes; make it by openssl rand 80/],
		['tls "i" { ticket_rotation = 1m  session_timeout = 1d }',
			/more than 28 times/],
		['listen "l" { address = "127.0.0.1:@PORT@"  tls = "z" }',
			/no tls "z"/],
		['http { hsts = "includeSubDomains" }', /for how long/],
	];
	const r = await tried(t, wants.map(([text]) =>
	    `${text.replace(/\n$/, '')}\n`).join(''), { short: 'short' });

	matches(r.lines, wants.map(([, want]) => want));
	assert.match((await tried(t, 'tls "a" { }')).stderr,
	    /tls "a" has no certificate; add certificate "a"/);
	for (const [value, why] of [['x y', /neither "on"/],
	    ['0', /no such port/],
		['65536', /no such port/], ['a.test:x', /neither "on"/]])
		assert.match((await tried(t, 'listen "l" { address = ' +
		    `"127.0.0.1:@PORT@"  redirect_https = "${value}" }`)).stderr,
		    why);
	assert.match((await tried(t, `${block('a', c)}tls "a" { }\nlisten "l" {
		address = "127.0.0.1:@PORT@"  tls = "a"  redirect_https = on }`))
	    .stderr, /what comes here has come by TLS/);
});

test('a key with a password, one in the same file, and of its group',
    async (t) => {
	const c = await certificate(t);
	const both = await certificate(t);

	fs.chmodSync(both.key, 0o640);
	fs.appendFileSync(both.cert, fs.readFileSync(both.key));
	fs.chmodSync(both.cert, 0o600);
	await command('openssl', ['ec', '-in', c.key, '-aes128', '-passout',
		'pass:secret', '-out', c.key]);
	const password = `${c.key}.password`;

	fs.writeFileSync(password, 'secret\n', { mode: 0o600 });
	const r = await tried(t, `${hello}
certificate "one" { file = "${both.cert}" }
${block('two', c, `key_password_file = "${password}"`)}
tls "a" { }`);

	assert.equal(r.code, 0, r.stderr);
	const grouped = await tried(t, block('g', both) + 'tls "a" { }');
	const root = fs.statSync(both.key).gid === 0;

	assert.equal(grouped.code, root ? 0 : 1, grouped.stderr);
});

// SPDX-License-Identifier: BSD-2-Clause
// Where keys of tokens come from, and what happens when they change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir, until, within } from './lib/hostd.mjs';
import { makeKeys, now, SECRET, statusWith, token } from './lib/jwt.mjs';
import { npm } from './lib/npm.mjs';

const jose = npm('jose');
const a = makeKeys();
const b = makeKeys();

const start = (t, auth, files = {}, options = {}) => startHostd(t, { conf: `
	pool "web" { workers = 1 }
	auth "api" { ${auth} }
	plugin "yes" { module = "http_respond.so"  body = "yes" }
	route "/" { plugin = "yes"  auth = "api" }`, files, ...options });

const made = (signer, alg, header = {}) =>
	token(signer, { alg, ...header }, { sub: 'x', exp: now() + 600 });

const write = (h, name, text) => {
	fs.writeFileSync(path.join(h.dir, 'new'), text);
	fs.renameSync(path.join(h.dir, 'new'), path.join(h.dir, name));
};

const becomes = (h, text, want) => until(async () =>
	await statusWith(h, '/', text) === want, `status ${want}`);

const set = (...keys) => JSON.stringify({ keys });

test('a set of keys', async (t) => {
	const small = crypto.generateKeyPairSync('rsa',
	    { modulusLength: 1024 });
	const jwks = { keys: [
		{ ...a.RS256.jwk, kid: 'a', alg: 'RS256', use: 'sig' },
		{ ...b.RS256.jwk, kid: 'b' },
		{ ...a.ES256.jwk, kid: 'c' }, { ...a.EdDSA.jwk, kid: 'd' },
		{ ...b.RS256.jwk, kid: 'e', use: 'enc' },
		{ ...b.RS256.jwk, kid: 'f', alg: 'RS512' },
		{ ...small.publicKey.export({ format: 'jwk' }), kid: 'g' },
		{ kty: 'oct', kid: 'h', k: a.RS256.jwk.n } ] };
	const h = await start(t, 'algorithm = "RS256"  jwks_file = "keys.json"',
	    { 'keys.json': JSON.stringify(jwks) });
	const local = jose.createLocalJWKSet(jwks);

	assert.match(h.log, /keys\.json: a key was left out: .*this one has 1024/);
	for (const [signer, header, expected] of [
		[a.RS256, { kid: 'a' }, true], [b.RS256, { kid: 'b' }, true],
		[b.RS256, { kid: 'a' }, false], [a.RS256, { kid: 'b' }, false],
		[a.RS256, { kid: 'c' }, false], [b.RS256, { kid: 'e' }, false],
		[b.RS256, { kid: 'f' }, false], [a.RS256, {}, false],
		[a.RS256, { kid: '' }, false], [a.RS256, { kid: 'x' }, false],
		[a.RS256, { kid: 'A' }, false], [a.RS256, { kid: 7 }, false],
		[a.RS256, { kid: ['a'] }, false],
		[a.RS256, { kid: null }, false],
		[a.RS256, { kid: 'a\u0000' }, false],
		// A key of the token's own.
		[b.RS256, { kid: 'a', jwk: b.RS256.jwk }, false],
		[b.RS256, { jwk: b.RS256.jwk }, false]]) {
		const text = made(signer, 'RS256', header);
		const node = await jose.jwtVerify(text, local,
		    { algorithms: ['RS256'] }).then(() => true, () => false);
		const name = JSON.stringify(header);

		assert.equal(await statusWith(h, '/', text), expected ? 200 :
		    401, name);
		if (expected)
			assert.equal(node, true, name);
	}
	for (const [alg, signer] of [['ES256', a.ES256], ['EdDSA', a.EdDSA],
		['HS256', { sign: (s) => crypto.createHmac('sha256',
		    Buffer.from(a.RS256.jwk.n,
		    'base64url')).update(s).digest() }]])
		for (const kid of ['a', 'c', 'd', 'h'])
			assert.equal(await statusWith(h, '/',
			    made(signer, alg, { kid })), 401);
	// By its private half, of which no use is made.
	write(h, 'keys.json', set(a.RS256.private.export({ format: 'jwk' })));
	await becomes(h, made(a.RS256, 'RS256'), 200);
});

test('each type of key in a set', async (t) => {
	for (const [alg, jwk, signer] of [['ES256', a.ES256.jwk, a.ES256],
		['EdDSA', a.EdDSA.jwk, a.EdDSA],
		['HS256', { kty: 'oct', k: Buffer.from(SECRET)
		    .toString('base64url') }, a.HS256]]) {
		const h = await start(t, `algorithm = "${alg}"
			jwks_file = "keys.json"`,
		{ 'keys.json': set({ ...jwk, kid: 'k' }, a.RS256.jwk) });

		assert.equal(await statusWith(h, '/', made(signer, alg)), 200);
		assert.equal(await statusWith(h, '/',
		    made(signer, alg, { kid: 'k' })), 200);
		assert.equal(await statusWith(h, '/',
		    made(signer, alg, { kid: 'l' })), 401);
	}
});

test('keys that change', async (t) => {
	const h = await start(t, 'algorithm = "ES256"  jwks_file = "keys.json"',
	    { 'keys.json': set({ ...a.ES256.jwk, kid: '1' }) });
	const first = made(a.ES256, 'ES256', { kid: '1' });
	const second = made(b.ES256, 'ES256', { kid: '2' });

	assert.equal(await statusWith(h, '/', first), 200);
	assert.equal(await statusWith(h, '/', second), 401);
	write(h, 'keys.json', set({ ...a.ES256.jwk, kid: '1' },
	    { ...b.ES256.jwk, kid: '2' }));
	await becomes(h, second, 200);
	assert.equal(await statusWith(h, '/', first), 200);
	// What was remembered is not any more.
	write(h, 'keys.json', set({ ...b.ES256.jwk, kid: '2' }));
	await becomes(h, first, 401);
	assert.equal(await statusWith(h, '/', second), 200);
	for (const [text, why] of [['{"keys":[', 'not a JSON object'],
		[set(a.RS256.jwk), 'none of its 1 keys is for ES256'],
		['', 'not a JSON object']]) {
		const from = h.log.length;

		write(h, 'keys.json', text);
		await until(async () => {
			assert.equal(await statusWith(h, '/', second), 200);
			return h.log.slice(from).includes(why);
		}, why);
	}
	assert.equal(await statusWith(h, '/', second), 200);
	assert.equal(h.log.match(/what it had before counts on/g).length, 3);
});

test('secrets: a file of them, the environment', async (t) => {
	const other = 'another secret of thirty-two bytes';
	const old = { sign: (s) => crypto.createHmac('sha256', other).update(s)
	    .digest() };
	const h = await start(t, 'algorithm = "HS256"  secret_file = "secrets"',
	    { secrets: `${SECRET}\n\n${other}\n` });

	assert.equal(await statusWith(h, '/', made(a.HS256, 'HS256')), 200);
	assert.equal(await statusWith(h, '/', made(old, 'HS256')), 200);
	write(h, 'secrets', `${SECRET}\n`);
	await becomes(h, made(old, 'HS256'), 401);
	const e = await start(t, 'algorithm = "HS256"  secret_env = "JWT_KEY"',
	    {}, { env: { JWT_KEY: SECRET } });

	assert.equal(await statusWith(e, '/', made(a.HS256, 'HS256')), 200);
	assert.ok(!h.log.includes(SECRET) && !e.log.includes(SECRET));
});

test('HS384 and HS512', async (t) => {
	for (const [alg, hash, n] of [['HS384', 'sha384', 48],
		['HS512', 'sha512', 64]]) {
		const secret = 'k'.repeat(n);
		const h = await start(t, `algorithm = "${alg}"
			secret = "${secret}"`);
		const by = (name) =>
		    ({ sign: (s) => crypto.createHmac(name, secret)
		    .update(s).digest() });

		assert.equal(await statusWith(h, '/', made(by(hash), alg)),
		    200);
		assert.equal(await statusWith(h, '/', made(by('sha256'), alg)),
		    401);
		assert.equal(await statusWith(h, '/', made(by('sha256'),
		    'HS256')), 401);
	}
});

test('a certificate', async (t) => {
	const dir = tempDir(t);
	const key = path.join(dir, 'key.pem');
	const out = path.join(dir, 'cert.pem');

	fs.writeFileSync(key, a.RS256.private.export({ type: 'pkcs8',
		format: 'pem' }));
	execFileSync('openssl', ['req', '-x509', '-key', key, '-out', out,
		'-subj', '/CN=a', '-days', '1'], { stdio: 'ignore' });
	const h = await start(t, 'algorithm = "RS256"  key_file = "cert.pem"',
	    { 'cert.pem': fs.readFileSync(out, 'utf8') + b.RS256.pem });

	assert.equal(await statusWith(h, '/', made(a.RS256, 'RS256')), 200);
	assert.equal(await statusWith(h, '/', made(b.RS256, 'RS256')), 200);
	assert.equal(await statusWith(h, '/', made(makeKeys().RS256, 'RS256')),
	    401);
});

test('refused at start', async (t) => {
	const small = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 })
	    .publicKey.export({ type: 'spki', format: 'pem' });
	const wide = crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' })
	    .publicKey.export({ type: 'spki', format: 'pem' });
	const priv = a.RS256.private.export({ type: 'pkcs8', format: 'pem' });
	const rs = 'algorithm = "RS256"  key_file = "k"';

	for (const [auth, k, why] of [
		['secret = "x"', '', /auth "api" needs the key "algorithm"/],
		['algorithm = "none"  secret = "x"', '',
		    /must be one of HS256,/],
		['algorithm = "HS256"', '', /nothing to check signatures with/],
		['algorithm = "HS256"  secret = "keyboard cat"', '',
			/at least 32 bytes, this one has 12/],
		['algorithm = "HS256"  secret_env = "NOT_THERE"', '',
			/the environment has no "NOT_THERE"/],
		['algorithm = "HS256"  secret_file = "k"', '\n\n',
			/\/k: it has no secret/],
		['algorithm = "HS256"  key_file = "k"', a.RS256.pem,
			/public keys, which are not for HS256/],
		['algorithm = "RS256"  secret = "x"', '',
		    /RS256 takes key_file/],
		[`${rs}  jwks_file = "k"`, a.RS256.pem,
		    /already given another way/],
		[`${rs}  users_file = "k"`, a.RS256.pem, /is for type = basic/],
		['type = basic', '', /needs the key "users_file"/],
		['type = basic  users_file = "k"  issuer = "x"', '',
			/"issuer" is for type = jwt/],
		[`${rs}  from = {"body:x"}`, a.RS256.pem, /none of "header"/],
		[`${rs}  from = {}`, a.RS256.pem,
		    /no request would have a token/],
		[`${rs}  realm = "a\\"b"`, a.RS256.pem, /"realm" has a byte/],
		[rs, small, /\/k: an RSA key must have 2048/],
		[rs, priv, /it has a PRIVATE KEY; only a PUBLIC/],
		[rs, a.ES256.pem, /must be RSA, this one is of another type/],
		[rs, 'x', /no public key in PEM/],
		[rs, undefined, /\/k: No such file or directory/],
		['algorithm = "ES256"  key_file = "k"', wide,
		    /of the curve P-256/],
		['algorithm = "RS256"  jwks_file = "k"', '{}',
		    /array "keys"/]]) {
		const h = await start(t, auth, k === undefined ? {} : { k },
		    { ready: false });
		const { code } = await within(h.ended, 'its end');

		assert.notEqual(code, 0);
		assert.match(h.log, why);
		assert.match(h.log, /hostd\.conf:\d+/);
		assert.doesNotMatch(h.log, /keyboard/);
	}
});

test('a file that everybody may write', async (t) => {
	const h = await start(t, 'algorithm = "RS256"  key_file = "k"',
	    { k: a.RS256.pem });

	fs.chmodSync(path.join(h.dir, 'k'), 0o666);
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stderr + r.stdout, /\/k: everybody may write it/);
	assert.equal(await statusWith(h, '/', made(a.RS256, 'RS256')), 200);
	// Whoever does as the log says need not write it again.
	fs.writeFileSync(path.join(h.dir, 'k'), b.RS256.pem);
	await until(async () => {
		assert.equal(await statusWith(h, '/', made(a.RS256, 'RS256')),
		    200);
		return /everybody may write it; chmod o-w; what it had/
		    .test(h.log);
	}, 'that it will not do');
	fs.chmodSync(path.join(h.dir, 'k'), 0o644);
	await becomes(h, made(b.RS256, 'RS256'), 200);
});

// Whose name would be told to browsers.
test('a block with a long name', async (t) => {
	const name = 'a'.repeat(600);
	const long = (t2, realm, options) => startHostd(t2,
	    { ...options, conf: `
		plugin "yes" { module = "http_respond.so"  body = "yes" }
		auth "${name}" { algorithm = "HS256"  secret = "${SECRET}" ${realm} }
		route "/" { plugin = "yes"  auth = "${name}" }` });
	const h = await long(t, '', { ready: false });
	const { code } = await within(h.ended, 'its end');

	assert.notEqual(code, 0);
	assert.match(h.log, /hostd\.conf:\d+: auth "a+\.\.\.": .*add "realm"/);
	const realm = 'b'.repeat(128);
	const named = await long(t, `realm = "${realm}"`);
	const r = await fetch(named.url, { headers:
		{ Authorization: 'Bearer x' } });

	assert.equal(r.headers.get('www-authenticate'), `Bearer realm="${realm
	    }", error="invalid_token", error_description="not a signed token"`);
});

test('a route without such a block', async (t) => {
	const h = await startHostd(t, { ready: false, conf: `
		plugin "yes" { module = "http_respond.so"  body = "yes" }
		auth "admins" { algorithm = "HS256"  secret = "${SECRET}" }
		route "/" { plugin = "yes"  auth = "admin" }` });
	const { code } = await within(h.ended, 'its end');

	assert.notEqual(code, 0);
	assert.match(h.log,
	    /there is no auth "admin"; did you mean "admins"\?/);
});

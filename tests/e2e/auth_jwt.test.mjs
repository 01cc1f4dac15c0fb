// SPDX-License-Identifier: BSD-2-Clause
// Whom tokens let in: the same as jsonwebtoken and jose, and nobody that either
// of them would not, whatever is done to a token.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { startHostd } from './lib/hostd.mjs';
import { b64, makeKeys, now, SECRET, statusWith, token } from './lib/jwt.mjs';
import { npm } from './lib/npm.mjs';

const jsonwebtoken = npm('jsonwebtoken');
const jose = npm('jose');

const keys = makeKeys();
const ALGS = ['HS256', 'RS256', 'ES256', 'EdDSA'];

const start = (t, more = '') => startHostd(t, { conf: `
	plugin "yes" { module = "http_respond.so"  body = "yes" }
	auth "HS256" { algorithm = "HS256"  secret = "${SECRET}" }
	${ALGS.slice(1).map((a) => `auth "${a}" {
		algorithm = "${a}"  key_file = "${a}.pem"
	}`).join('\n')}
	${ALGS.map((a) => `route "/${a}" { plugin = "yes"  auth = "${a}" }`)
	    .join('\n')}
	${more}`,
	files: Object.fromEntries(ALGS.slice(1).map((a) =>
	    [`${a}.pem`, keys[a].pem])) });

// What Node's libraries say: [true or false, ...].
async function verdicts(alg, text, options = {}) {
	const all = [await jose.jwtVerify(text, keys[alg].key,
	    { algorithms: [alg], ...options }).then(() => true, () => false)];

	if (alg !== 'EdDSA')	// which jsonwebtoken does not know
		try {
			jsonwebtoken.verify(text, keys[alg].key,
			    { algorithms: [alg], ...options });
			all.push(true);
		} catch {
			all.push(false);
		}
	return all;
}

// Is it let in?  Twice the same, as it may be remembered.
async function letsIn(h, alg, text) {
	const first = await statusWith(h, `/${alg}`, text);

	assert.equal(await statusWith(h, `/${alg}`, text), first, text);
	assert.ok(first === 200 || first === 401, `${first}: ${text}`);
	return first === 200;
}

/*
 * What is expected of claims, by any algorithm.  Where hostd is stricter than
 * both libraries, or than one, that is said: and it is never laxer.
 */
const t0 = now();
const claims = [
	['nothing', {}, true],
	['all there is', { sub: '42', name: 'Zo\u00e9', iat: t0, nbf: t0,
		exp: t0 + 600, jti: 'x' }, true],
	['expired', { exp: t0 - 1 }, false],
	['expires now', { exp: t0 }, false],
	['not yet', { nbf: t0 + 600 }, false],
	['of the future', { iat: t0 + 600 }, true],
	['exp a string', { exp: String(t0 + 600) }, false],
	['exp null', '{"exp":null}', false],
	['exp true', { exp: true }, false],
	['exp an array', { exp: [t0 + 600] }, false],
	['exp an object', { exp: {} }, false],
	['nbf a string', { nbf: '0' }, false],
	['exp a fraction', { exp: t0 + 600.5 }, true],
	['exp 1e300', '{"exp":1e300}', true],
	['exp of 23 digits', '{"exp":99999999999999999999999}', true],
	['exp below zero', { exp: -1 }, false],
	['exp zero', { exp: 0 }, false],
	['exp twice, the last over', `{"exp":${t0 + 600},"exp":1}`, false],
	['exp twice, the first over', `{"exp":1,"exp":${t0 + 600}}`, true],
	['exp in another object', { a: { exp: 1 } }, true],
	['__proto__', '{"__proto__":{"exp":1},"constructor":1}', true],
	['nested', `{"a":${'['.repeat(900)}${']'.repeat(900)}}`, true],
	['an array', '[]', false],
	['a string', '"x"', false],
	['a number', '1', false],
	['null', 'null', false],
	['not JSON', '{"exp":', false],
	['JSON and more', '{} x', false],
	['single quotes', "{'exp':1}", false],
	['a comment', '{/**/}', false],
	['NUL in a value', '{"sub":"a\\u0000b"}', true],
	// Stricter.
	['a BOM', '\ufeff{}', false, 'jose takes it off'],
	['exp 1e400', '{"exp":1e400}', false, 'no number'],
	['not UTF-8', Buffer.from('{"sub":"\xff"}', 'latin1'), false, 'Node ' +
		'makes U+FFFD of it'],
	['half of a pair', '{"sub":"\\ud800"}', false, 'no character'],
	['very deep', `{"a":${'['.repeat(2500)}${']'.repeat(2500)}}`, false,
		'a limit'],
	['iat a string', { iat: '1' }, false, 'jsonwebtoken does not look'],
];

for (const alg of ALGS)
	test(`${alg}: claims`, async (t) => {
		const h = await start(t);

		for (const [name, payload, expected, stricter] of claims) {
			const text = token(keys[alg], { alg, typ: 'JWT' },
			    payload);
			const node = await verdicts(alg, text);

			assert.equal(await letsIn(h, alg, text), expected,
			    name);
			if (expected)
				assert.ok(node.every((v) => v), name);
			else if (!stricter)
				assert.ok(node.some((v) => !v), name);
		}
	});

const headers = (alg) => [
	['as it is', { alg }, true],
	['with names of keys', { alg, kid: '../../../dev/null', typ: 'JWT',
		jku: 'http://127.0.0.1/', x5u: 'http://127.0.0.1/',
		jwk: { kty: 'oct', k: '' }, x5c: ['AAAA'] }, true],
	['kid of SQL', { alg, kid: "x' UNION SELECT 'k" }, true],
	['alg twice, the last none', `{"alg":"${alg}","alg":"none"}`, false],
	['alg twice, the last right', `{"alg":"none","alg":"${alg}"}`, true],
	['no alg', {}, false],
	['alg null', { alg: null }, false],
	['alg an array', { alg: [alg] }, false],
	['alg in small letters', { alg: alg.toLowerCase() }, false],
	['alg with a blank', { alg: `${alg} ` }, false],
	...['none', 'None', 'NONE', 'nOnE', ''].map((a) =>
	    [`alg "${a}"`, { alg: a }, false]),
	...['HS256', 'HS384', 'RS256', 'RS512', 'PS256', 'ES256', 'ES384',
		'EdDSA'].filter((a) => a !== alg).map((a) =>
	    [`alg ${a}`, { alg: a }, false]),
	['crit', { alg, crit: ['exp2'], exp2: 1 }, false],
	['crit of b64', { alg, crit: ['b64'], b64: false }, false],
	['crit empty', { alg, crit: [] }, false],
	['not an object', '"x"', false],
	['not JSON', '{', false],
];

for (const alg of ALGS)
	test(`${alg}: headers`, async (t) => {
		const h = await start(t);

		for (const [name, header, expected] of headers(alg)) {
			const text = token(keys[alg], header, { sub: 'x' });
			const node = await verdicts(alg, text);

			assert.equal(await letsIn(h, alg, text), expected,
			    name);
			assert.equal(node.every((v) => v), expected, name);
		}
	});

test('none, without a signature', async (t) => {
	const h = await start(t);

	for (const alg of ALGS)
		for (const a of ['none', 'None', 'NONE', alg])
			for (const end of ['.', '', '..', '.e30', '.AAAA']) {
				const text = `${b64(JSON.stringify({ alg: a }))
				    }.${b64('{}')}${end}`;

				assert.equal(await letsIn(h, alg, text), false,
				    text);
			}
});

// The classic: whoever has the public key signs with it as a secret.
test('a public key as a secret', async (t) => {
	const h = await start(t);

	for (const alg of ALGS.slice(1))
		for (const secret of [keys[alg].pem, keys[alg].pem.trim(),
			keys[alg].key.export({ type: 'spki', format: 'der' }),
			keys[alg].jwk.n ?? keys[alg].jwk.x])
			for (const a of ['HS256', alg]) {
				const text = token({ sign: (s) =>
				    crypto.createHmac('sha256',
				    secret).update(s)
				    .digest() }, { alg: a }, { sub: 'admin' });

				assert.equal(await letsIn(h, alg, text), false);
			}
});

test('signatures that are none', async (t) => {
	const h = await start(t);
	const other = makeKeys();

	for (const alg of ALGS) {
		const good = token(keys[alg], { alg }, { sub: 'x' });
		const [head, body, sig] = good.split('.');
		const raw = Buffer.from(sig, 'base64url');
		const bad = [Buffer.alloc(raw.length), Buffer.alloc(64),
			Buffer.alloc(64, 0xff), raw.subarray(1),
			raw.subarray(0, -1), Buffer.concat([raw, raw]),
			Buffer.concat([raw, Buffer.alloc(1)]),
			Buffer.concat([Buffer.alloc(1), raw]),
			Buffer.from(raw).reverse()].map((s) => b64(s));

		if (alg === 'ES256') {
			const data = Buffer.from(`${head}.${body}`);
			const der = crypto.sign('sha256', data,
			    keys.ES256.private);
			const wide = crypto.generateKeyPairSync('ec',
			    { namedCurve: 'P-384' });

			bad.push(b64(der), b64(crypto.sign('sha256', data,
			    { key: wide.privateKey,
				dsaEncoding: 'ieee-p1363' })));
			// r = n, s = n; r = 1, s = 0.
			bad.push(b64(
			    Buffer.from(('ffffffff00000000ffffffffffffffff' +
			    'bce6faada7179e84f3b9cac2fc632551').repeat(2),
			    'hex')));
			bad.push(b64(Buffer.from('00'.repeat(31) + '01' +
			    '00'.repeat(32), 'hex')));
		}
		if (alg !== 'HS256')
			bad.push(token(other[alg], { alg }, { sub: 'x' })
			    .split('.')[2]);
		// The same bytes, written otherwise.
		bad.push(`${sig}=`, `${sig}==`, `${sig}A`,
		    raw.toString('base64'));
		if (/[-_]/.test(sig))
			bad.push(sig.replaceAll('-', '+').replaceAll('_', '/'));
		assert.equal(await letsIn(h, alg, good), true);
		for (const s of bad.filter((x) => x !== sig))
			assert.equal(await letsIn(h, alg,
			    `${head}.${body}.${s}`), false, `${alg} ${s}`);
	}
});

// Whatever one changes: never laxer than both.
test('changed at random', async (t) => {
	const h = await start(t);
	let seed = 1;
	const random = (n) => {
		seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
		return (seed >>> 8) % n;
	};
	const alphabet = 'ABab01-_.+/=~';
	let same = 0;

	for (let i = 0; i < 600; i++) {
		const alg = ALGS[i % ALGS.length];
		const c = [...token(keys[alg], { alg }, { sub: String(i),
			exp: t0 + 600 })];

		for (let k = random(3); k >= 0; k--) {
			const at = random(c.length);
			const letter = alphabet[random(alphabet.length)];

			[() => { c[at] = letter; }, () => c.splice(at, 1),
				() => c.splice(at, 0, letter),
				() => c.splice(at, random(9)),
				() => {}][random(5)]();
		}
		const text = c.join('');
		const node = await verdicts(alg, text);

		if (await letsIn(h, alg, text)) {
			assert.ok(node.every((v) => v), text);
			same++;
		}
	}
	assert.ok(same > 0);
});

test('issuer, audience, leeway', async (t) => {
	const h = await start(t, `
		auth "whose" { algorithm = "HS256"  secret = "${SECRET}"
			issuer = "https://id.example/"
			audience = {"api", "web"}  leeway = 30s }
		route "/whose" { plugin = "yes"  auth = "whose" }`);
	const iss = 'https://id.example/';
	const options = { issuer: iss, audience: ['api', 'web'],
		clockTolerance: 30 };

	for (const [payload, expected] of [
		[{ iss, aud: 'api' }, true], [{ iss, aud: ['x', 'web'] }, true],
		[{ iss }, false], [{ aud: 'api' }, false],
		[{ iss, aud: 'ap' }, false], [{ iss, aud: [] }, false],
		[{ iss, aud: [['api']] }, false], [{ iss, aud: 'API' }, false],
		[{ iss: iss.slice(0, -1), aud: 'api' }, false],
		[{ iss: [iss, 'x'], aud: 'api' }, false],
		[{ iss, aud: 'api', exp: now() - 10 }, true],
		[{ iss, aud: 'api', exp: now() - 40 }, false],
		[{ iss, aud: 'api', nbf: now() + 10 }, true],
		[{ iss, aud: 'api', nbf: now() + 60 }, false]]) {
		const text = token(keys.HS256, { alg: 'HS256' }, payload);
		const node = await verdicts('HS256', text, options);
		const name = JSON.stringify(payload);

		assert.equal(await statusWith(h, '/whose', text),
		    expected ? 200 : 401, name);
		assert.equal(node.every((v) => v), expected, name);
	}
});

test('what the libraries make', async (t) => {
	const h = await start(t);
	const payload = { sub: '42', name: 'Zo\u00e9' };

	for (const alg of ALGS) {
		const key = keys[alg].private ?? keys[alg].key;
		const made = [await new jose.SignJWT(payload)
		    .setProtectedHeader({ alg }).setExpirationTime('1h')
		    .sign(key)];

		if (alg !== 'EdDSA')
			made.push(jsonwebtoken.sign(payload, key,
			    { algorithm: alg, expiresIn: '1h' }));
		for (const text of made)
			assert.equal(await letsIn(h, alg, text), true, text);
	}
});

// RFC 6750, section 3.
test('what the client is told', async (t) => {
	const h = await start(t);
	const ask = (headers) => fetch(`${h.url}/HS256`, { headers });
	const old = token(keys.HS256, { alg: 'HS256' }, { exp: 1 });
	let r = await ask({});

	assert.equal(r.status, 401);
	assert.equal(r.headers.get('www-authenticate'),
	    'Bearer realm="HS256"');
	r = await ask({ Authorization: 'Basic YTpi' });
	assert.equal(r.headers.get('www-authenticate'),
	    'Bearer realm="HS256"');
	r = await ask({ Authorization: `bearer ${old}` });
	assert.equal(r.status, 401);
	assert.equal(r.headers.get('www-authenticate'), 'Bearer realm="HS256"' +
	    ', error="invalid_token", error_description="expired"');
	assert.match(await r.text(), /401 Unauthorized/);
	r = await ask([['Authorization', `Bearer ${old}`]]);
	assert.equal(r.status, 401);
	assert.ok(!h.log.includes(old));
});

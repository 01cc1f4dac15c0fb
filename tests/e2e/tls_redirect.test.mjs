// SPDX-License-Identifier: BSD-2-Clause
// From http to https, and what tells browsers to stay there.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, freePort, raw, startHostd, tempDir } from './lib/hostd.mjs';
import { authority, certificate } from './lib/tls.mjs';
import { block, hello } from './lib/tls_ask.mjs';

const HSTS = 'max-age=31536000; includeSubDomains';

async function serve(t, { redirect, conf = '', ...options } = {}) {
	const secure = await freePort();
	const ca = await authority(t);
	const c = await certificate(t, { names: ['a.test'], ca });
	const h = await startHostd(t, { ...options, conf: `
		listen "plain" { address = "127.0.0.1:@PORT@"
			redirect_https = "${redirect ?? secure}" }
		listen "main" { address = "127.0.0.1:${secure}"  tls = "main" }
		${block('main', c)} tls "main" { } ${hello} ${conf}` });

	// As curl has it, by any name: { status, location, hsts, body, ... }
	h.get = async (url, ...args) => {
		const file = `${tempDir(t)}/head`;
		const r = await command('curl',
		    ['-sS', '--http1.1', '--cacert', ca.cert,
			'--resolve', `a.test:${h.port}:127.0.0.1`,
			'--resolve', `a.test:${secure}:127.0.0.1`,
			'-D', '-', '-o', file, ...args, url]);
		const found = (re) => re.exec(r.stdout)?.[1];

		assert.equal(r.code, 0, r.stderr);
		return { status: Number(found(/^HTTP\S+ (\d+)[^]*?$/)),
			location: found(/^Location: (.*?)\r$/m),
			hsts: found(/^Strict-Transport-Security: (.*?)\r$/m),
			heads: r.stdout };
	};
	h.secure = secure;
	return h;
}

test('requests go to the same with https', async (t) => {
	const h = await serve(t, { conf: `http { hsts = "${HSTS}" }` });
	const from = `http://a.test:${h.port}`,
	    to = `https://a.test:${h.secure}`;

	for (const path of ['/', '/a/b?c=d&e=%2F', '/%41?', '/?x']) {
		const r = await h.get(from + path, '--path-as-is');

		assert.deepEqual([r.status, r.location, r.hsts],
		    [301, to + path, undefined]);
	}
	const post = await h.get(`${from}/x`, '-d', 'body');

	assert.deepEqual([post.status, post.location], [308, `${to}/x`]);
	// A method that it has no say in is kept, and so is its body.
	const all = await h.get(`${from}/x`, '-L', '-d', 'body');

	assert.match(all.heads, /308[^]*Location[^]*200 OK/);
	assert.equal(all.hsts, HSTS);
	const here = await h.get(`${to}/`);

	assert.deepEqual([here.status, here.hsts], [200, HSTS]);
});

test('targets and hosts of other shapes', async (t) => {
	const h = await serve(t);
	const location = async (head) =>
	    /Location: (.*)\r/.exec((await raw(h.port, `${head}\r\n` +
	    'Connection: close\r\n\r\n')).text)?.[1];
	const to = `https://b.test:${h.secure}`;

	assert.equal(await location(
	    'GET http://b.test/p?q HTTP/1.1\r\nHost: c'), `${to}/p?q`);
	assert.equal(await location('GET http://b.test HTTP/1.1\r\nHost: c'),
	    `${to}/`);
	assert.equal(await location('GET http://b.test?q HTTP/1.1\r\nHost: c'),
	    `${to}/?q`);
	assert.equal(await location('GET / HTTP/1.1\r\nHost: B.test:99'),
	    `${to}/`);
	assert.equal(await location('GET / HTTP/1.1\r\nHost: [::1]:80'),
	    `https://[::1]:${h.secure}/`);
	assert.match((await raw(h.port, 'GET / HTTP/1.0\r\n\r\n')).text,
	    /^HTTP\/1\.1 400 /);
});

test('what a proxy, or an authority of certificates, asks for is not sent on',
    async (t) => {
	const h = await serve(t, { redirect: 'www.test:8443', conf:
		'http { real_ip_from = "127.0.0.1"  real_ip_recursive = off }' });
	const url = `http://a.test:${h.port}`;

	assert.equal((await h.get(`${url}/x`)).location,
	    'https://www.test:8443/x');
	assert.equal((await h.get(`${url}/.well-known/acme-challenge/token`))
	    .status, 200);
	assert.equal((await h.get(`${url}/.well-known/acme-challenge/`)).status,
	    301);
	assert.equal((await h.get(`${url}/`, '-H', 'X-Forwarded-For: 192.0.2.1',
	    '-H', 'X-Forwarded-Proto: https')).status, 200);
	assert.equal((await h.get(`${url}/`, '-H', 'X-Forwarded-For: 192.0.2.1',
	    '-H', 'X-Forwarded-Proto: http')).status, 301);
});

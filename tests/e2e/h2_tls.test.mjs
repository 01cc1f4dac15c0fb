// SPDX-License-Identifier: BSD-2-Clause
// HTTP/2 is agreed on by ALPN, unless a route is another pool's.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { connect } from './lib/http2.mjs';
import { curl, startTls } from './lib/tls.mjs';

const big = crypto.randomBytes(3 << 20);
const conf = `
	plugin "static" { module = "http_static.so"  root = "www" }
	route "/" { plugin = "static" }`;
const files = { 'www/big': big, 'www/a.txt': 'hello' };
const version = async (h, ...args) => (await curl(h, '-o', '/dev/null', '-w',
    '%{http_version}', ...args, `${h.url}/a.txt`)).stdout;

test('by curl and node', async (t) => {
	const h = await startTls(t, { conf, files });

	assert.equal(await version(h), '2');
	assert.equal(await version(h, '--http1.1'), '1.1');
	const c = await connect(t, h, { ca: fs.readFileSync(h.ca) });
	const all = await Promise.all(Array.from({ length: 8 },
	    (_, i) => c.ask(i % 2 ? '/big' : '/a.txt',
	    { ':scheme': 'https' })));

	all.forEach((r, i) => assert.ok(r.bytes.equals(i % 2 ? big :
	    Buffer.from('hello'))));
});

test('keys of the tls block', async (t) => {
	const pools = `
		pool "web" { workers = 1 }
		pool "other" { workers = 1 }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/other" { plugin = "hello"  pool = "other" }
		${conf}`;
	const listen = 'pool = "web"';
	const off = await startTls(t, { conf, files, tls: 'http2 = off' });

	assert.equal(await version(off), '1.1');
	const on = await startTls(t, { conf: pools, files, listen });

	assert.equal(await version(on), '2');
	assert.equal((await curl(on, '-w', ' %{http_version}',
	    `${on.url}/other`)).stdout, 'hello 2');
});

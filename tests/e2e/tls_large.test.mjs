// SPDX-License-Identifier: BSD-2-Clause
// Much over TLS: up, down, from files, to those who read slowly.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until, within } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { curl, secure, startTls } from './lib/tls.mjs';

const bytes = crypto.randomBytes(5_000_000);

async function files(t) {
	const h = await startTls(t, { conf: `
		plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
		route "/" { plugin = "files"  match = prefix }`,
	files: { 'www/big': bytes, 'www/small': 'small' } });

	return h;
}

test('files', async (t) => {
	const h = await files(t);

	for (const v of ['1.2', '1.3']) {
		const out = path.join(h.dir, `got-${v}`);
		const r = await curl(h, '--tls-max', v, '-o', out,
		    `${h.url}/big`);

		assert.equal(r.code, 0, r.stderr);
		assert.ok(fs.readFileSync(out).equals(bytes));
	}
	const r = await curl(h, '-r', '1000000-1000009', '-w', '%{http_code}',
	    '-o', path.join(h.dir, 'part'), `${h.url}/big`);

	assert.equal(r.stdout, '206');
	assert.ok(fs.readFileSync(path.join(h.dir, 'part')).equals(
	    bytes.subarray(1000000, 1000010)));
});

test('one who reads slowly', async (t) => {
	const h = await files(t);
	const c = await secure(t, h);
	let n = 0;

	c.socket.removeAllListeners('data');
	c.socket.pause();
	c.socket.write('GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
	// Others are served meanwhile.
	for (let i = 0; i < 5; i++)
		assert.equal((await curl(h, `${h.url}/small`)).stdout, 'small');
	const hash = crypto.createHash('sha256');
	let head = '';

	c.socket.on('data', (d) => {
		if (!head.includes('\r\n\r\n')) {
			head += d.toString('latin1');
			const at = head.indexOf('\r\n\r\n');

			if (at < 0)
				return;
			d = d.subarray(d.length - (head.length - at - 4));
		}
		hash.update(d);
		n += d.length;
		c.socket.pause();
		setImmediate(() => c.socket.resume());
	});
	c.socket.resume();
	await within(c.ended, 'its end');
	assert.equal(n, bytes.length);
	assert.equal(hash.digest('hex'), crypto.createHash('sha256')
	    .update(bytes).digest('hex'));
});

test('up, and back again', async (t) => {
	const so = await plugin('show_route');
	const h = await startTls(t, { conf: `
		http { max_body = 64m }
		plugin "show" { module = "${so}" }
		route "/" { plugin = "show"  match = prefix }` });
	const file = path.join(h.dir, 'body');

	fs.writeFileSync(file, bytes);
	for (const args of [['--data-binary', `@${file}`],
	    ['-T', file, '-H', 'Transfer-Encoding: chunked']]) {
		const r = await curl(h, '-o', '/dev/null', '-w',
		    '%{http_code} %{size_upload}', ...args, `${h.url}/x`);

		assert.match(r.stdout, /^200 5\d{6}/, r.stderr);
	}
});

test('a client that takes nothing ends', async (t) => {
	const h = await startTls(t, { conf: `
		http { send_timeout = 300ms }
		plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
		route "/" { plugin = "files"  match = prefix }`,
	files: { 'www/big': Buffer.concat([bytes, bytes, bytes]) } });
	const c = await secure(t, h);

	c.socket.pause();
	await until(async () => (await h.status()).connections.active === 1,
	    'the connection');
	c.socket.write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n');
	await until(async () => (await h.status()).connections.active === 0,
	    'its end');
});

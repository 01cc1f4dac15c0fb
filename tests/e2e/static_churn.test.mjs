// SPDX-License-Identifier: BSD-2-Clause
// Everything at once: files that are replaced, rewritten and removed, with and
// without their compressed siblings, asked for in all ways by clients of which
// some leave early.  No worker ends, no answer is a mixture.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import zlib from 'node:zlib';
import { churn } from './lib/churn.mjs';
import { within } from './lib/hostd.mjs';
import { ask, openFiles, pattern, startStatic } from './lib/static.mjs';

const CHURN = `
	const zlib = require('node:zlib');
	const name = (n) => dir + '/' + n;
	const replace = (n, data) => {
		fs.writeFileSync(name('tmp'), data);
		fs.renameSync(name('tmp'), name(n));
	};

	for (const [c, size] of [['a', 100], ['b', 3000], ['c', 70000],
		['d', 200000], ['e', 0], ['f', 50000]]) {
		const data = c.repeat(size);

		replace('x.txt', data);
		replace('x.txt.gz', zlib.gzipSync(data, { level: 1 }));
		replace('y.txt', data);
		fs.writeFileSync(name('z.txt'), data);
		fs.rmSync(name('x.txt.gz'));
		replace('d/index.html', data);
		fs.rmSync(name('d'), { recursive: true });
		fs.mkdirSync(name('d'));
	}`;

// Repeatable chance.
function dice(seed) {
	const b = pattern(4096, seed);
	let i = 0;

	return (n) => b[i++ % b.length] % n;
}

const headersOf = (roll) => [
	{}, { 'Accept-Encoding': 'gzip' }, { Range: 'bytes=10-60000' },
	{ Range: 'bytes=0-9,20-29,-5' }, { Range: 'bytes=-100' },
	{ 'If-None-Match': '*' }, { 'If-Modified-Since':
		'Wed, 15 Jan 2020 12:30:45 GMT' }, { 'If-Match': '"x"' },
	{ 'Accept-Encoding': 'gzip', Range: 'bytes=3-' },
][roll(9)];

// Ask, and leave at the first byte, or before.
function leave(h, target, early) {
	return within(new Promise((resolve) => {
		const s = net.connect(h.port, '127.0.0.1');

		s.on('close', resolve);
		s.on('error', () => {});
		s.once('data', () => s.destroy());
		s.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, () => {
			if (early)
				s.destroy();
		});
	}), 'end of the connection');
}

const orCut = (target) => (e) => {
	if (target !== '/z.txt' || e.code !== 'ECONNRESET')
		throw e;
	return { status: 200 };
};

function check(r, target) {
	assert.ok([200, 206, 301, 304, 403, 404, 412, 416, 503]
	    .includes(r.status), `${target}: ${r.status}`);
	// One that is rewritten in place may be cut, or change on its way.
	if (r.status !== 200 || target === '/z.txt' || target.endsWith('/'))
		return;
	assert.ok(r.complete, target);
	const body = r.headers['content-encoding'] === 'gzip' ?
	    zlib.gunzipSync(r.body) : r.body;

	assert.ok(body.length === 0 ||
	    body.equals(Buffer.alloc(body.length, body[0])),
	    `${target} is of one piece`);
}

test('everything at once', async (t) => {
	const h = await startStatic(t, {
		keys: `cache_valid = 0ms  cache_entries = 3  gzip = on
			listing = on  cache_memory = 100k`,
		files: { 'd/index.html': '', 'x.txt': 'a', 'y.txt': 'a',
			'z.txt': 'a' },
	});
	const pids = h.pids();
	const { stop } = churn(t, h.www, CHURN);
	const client = async (seed) => {
		const roll = dice(seed);

		for (let i = 0; i < 150; i++) {
			const target = ['/x.txt', '/y.txt', '/z.txt', '/d/',
			    '/d',
				'/d/index.html', '/'][roll(7)];

			if (roll(6) === 0)
				await leave(h, target, roll(2) === 0);
			else
				check(await ask(h, target, headersOf(roll))
				    .catch(orCut(target)), target);
		}
	};

	await Promise.all([1, 2, 3, 4].map(client));
	assert.ok(await stop() > 0);
	await h.workersSatisfy((w) => w.every((one) => one.active === 0),
	    'end of all connections');
	assert.deepEqual(h.pids(), pids, 'no worker has ended');
	assert.ok((await openFiles(h)).length <= 6);
	assert.equal((await h.status()).plugin_errors, 0);
});

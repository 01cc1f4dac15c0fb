// SPDX-License-Identifier: BSD-2-Clause
// An access log that nobody reads loses whole lines, which are counted; it
// never holds up an answer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, within } from './lib/hostd.mjs';
import { ask, connect, get, serve } from './lib/http1.mjs';

async function start(t, name) {
	const fifo = path.join(fs.mkdtempSync('/tmp/hostd-fifo-'), name);

	atEnd(t, () => fs.rmSync(path.dirname(fifo), { recursive: true }));
	assert.equal((await command('mkfifo', [fifo])).code, 0);
	// Both ends, so that there is a reader that does not read.
	const fd = fs.openSync(fifo, fs.constants.O_RDWR |
	    fs.constants.O_NONBLOCK);
	const h = await serve(t, 'show_route', (so) => `
		plugin "show" { module = "${so}" }
		route "/" { plugin = "show" }
		access_log "a" { path = "${fifo}"  format = "$request_uri $status" }`,
	    { noPort: true });

	return { h, fd };
}

test('a pipe nobody reads', async (t) => {
	const { h, fd } = await start(t, 'log');
	const c = await connect(t, h.port);
	const long = 'x'.repeat(4000);
	let n = 0;

	// A pipe holds 64 KB and the worker 1 MB: far beyond both.
	for (; n < 1000; n += 10) {
		await c.send(Array.from({ length: 10 }, (_, i) =>
		    get(`/${n + i}?length=1&${long}`)).join(''));
		for (let i = 0; i < 10; i++)
			assert.equal((await c.next()).status, 200);
	}
	const { log_dropped: dropped } = await h.status();

	assert.ok(dropped > 0 && dropped < 1000, `${dropped} dropped`);
	// What was not dropped comes, whole and in order, when it is read.
	let text = '';
	const buf = Buffer.alloc(1 << 16);
	const lines = () => text.split('\n').slice(0, -1);

	await within((async () => {
		for (;;) {
			try {
				text += buf.toString('latin1', 0,
				    fs.readSync(fd, buf));
			} catch (e) {
				if (e.code !== 'EAGAIN')
					throw e;
				if (/^\/last /m.test(text))
					break;
				await ask(t, h.port, '/last');
			}
		}
	})(), 'last line');
	const numbers = lines().filter((l) => !l.startsWith('/last'))
	    .map((l) => {
		const m = /^\/(\d+)\?length=1&(x+) 200$/.exec(l);

		assert.ok(m, l.slice(0, 100));
		assert.equal(m[2].length, 4000);
		return Number(m[1]);
	    });

	assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
	assert.equal(numbers.length + (await h.status()).log_dropped, n);
	fs.closeSync(fd);
	assert.equal((await ask(t, h.port, '/')).status, 200,
	    'EPIPE is no harm');
});

test('a full disk', async (t) => {
	const h = await serve(t, 'show_route', (so) => `
		plugin "show" { module = "${so}" }
		route "/" { plugin = "show" }
		access_log "a" { path = "/dev/full" }`, { noPort: true });
	const c = await connect(t, h.port);

	for (let i = 0; i < 20; i++) {
		await c.send(get('/'));
		assert.equal((await c.next()).status, 200);
	}
	await within((async () => {
		while ((await h.status()).log_dropped < 20)
			;
	})(), 'lines counted as lost');
});

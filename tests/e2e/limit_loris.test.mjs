// SPDX-License-Identifier: BSD-2-Clause
// slowhttptest in its four modes, from one address, while wrk asks from the
// same one: its clients see no errors, and the slow ones are cut off.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, startHostd, wrk } from './lib/hostd.mjs';

const CONNECTIONS = 200;

const start = (t) => startHostd(t, {
	files: { 'www/large': Buffer.alloc(8 << 20, 'x'), 'www/a': 'small' },
	conf: `
	pool "web" { workers = 2 }
	plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
	plugin "ok" { module = "http_respond.so"  body = "hello" }
	http { head_timeout = 1s  body_timeout = 1s  send_timeout = 1s
	    min_body_rate = 10k  min_send_rate = 100k }
	route "/" { plugin = "files" }
	route "/ok" { plugin = "ok" }` });

const plain = (text) => text.replace(/\x1b\[[\d;]*[A-Za-z]/g, '');

const modes = {
	H: ['-H', '-i', '1', '-u', '/a'],
	B: ['-B', '-i', '1', '-s', '100000', '-u', '/ok'],
	R: ['-R', '-a', '5', '-b', '3000', '-u', '/large'],
	X: ['-X', '-w', '512', '-y', '1024', '-n', '1', '-z', '32', '-k', '1',
		'-u', '/large'],
};

for (const [mode, args] of Object.entries(modes))
	test(`slowhttptest -${mode}`, async (t) => {
		const h = await start(t);
		const url = args.at(-1);
		const [load, slow] = await Promise.all([
			wrk(`${h.url}/ok`, { connections: 10, seconds: 4 }),
			command('slowhttptest', ['-c', String(CONNECTIONS),
				'-r', String(CONNECTIONS), '-l', '4', '-p', '3',
				...args.slice(0, -2), '-u', h.url + url]),
		]);

		assert.equal(load.bad + load.errors, 0, load.output);
		assert.ok(load.requests > 100, load.output);
		assert.equal(slow.code, 0, slow.stderr);
		assert.match(plain(slow.stdout), /service available:\s+YES/);
		// None of them is left.
		await h.workersSatisfy((w) => w.reduce((n, x) => n + x.active,
		    0) <= 1, 'the end of the slow ones');
	});

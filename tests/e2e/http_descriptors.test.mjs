// SPDX-License-Identifier: BSD-2-Clause
// A worker out of descriptors says so, rests, and serves those who waited when
// it has some again.  (It once asked the kernel without a pause.)
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

test('more connections than descriptors', async (t) => {
	const h = await serveShow(t);
	const [w] = await h.workers();
	const has = fs.readdirSync(`/proc/${w.pid}/fd`)
	    .map(Number).sort((a, b) => a - b).at(-1) + 1;
	const r = await command('prlimit', ['--pid', String(w.pid),
		`--nofile=${has + 10}:${has + 10}`]);

	assert.equal(r.code, 0, r.stderr);
	const all = [];

	for (let i = 0; i < has + 30; i++) {
		const c = await connect(t, h.port);

		c.send(get(`/${i}`));
		all.push(c);
	}
	await h.logged(/accepting a connection \(raise the limit of open files/);
	// Each one that ends makes room for another, in the order of arrival.
	for (const [i, c] of all.entries()) {
		const a = await c.next();

		assert.equal(a.status, 200);
		assert.equal(JSON.parse(a.body).path, `/${i}`);
		c.destroy();
	}
	const last = await connect(t, h.port);

	await last.send(get('/last'));
	assert.equal((await last.next()).status, 200);
});

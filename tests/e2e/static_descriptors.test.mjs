// SPDX-License-Identifier: BSD-2-Clause
// http_static where descriptors are few.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { ask, openFiles, startStatic } from './lib/static.mjs';

const names = Array.from({ length: 100 }, (_, i) => `f${i}.txt`);
const files = Object.fromEntries(names.map((f) => [f, `this is ${f}`]));

async function limit(pid, soft, hard) {
	const r = await command('prlimit', ['--pid', String(pid),
		`--nofile=${soft}:${hard}`]);

	assert.equal(r.code, 0, r.stderr);
}

test('no more than a quarter of them is kept open', async (t) => {
	const h = await startStatic(t, { files, keys: 'cache_file_max = 0' });

	// For workers to come.
	await limit(h.child.pid, 128, 128);
	assert.equal((await h.hostctl('reload')).code, 0);
	await h.workersSatisfy((w) => w.length === 1 && w[0].generation === 2,
	    'the new worker');
	for (const f of [...names, ...names])
		assert.equal((await ask(h, `/${f}`)).text, `this is ${f}`);
	assert.equal((await openFiles(h)).length, 32);
});

test('none are left: 503, and all is well when there are', async (t) => {
	const h = await startStatic(t, { files, keys: 'cache_file_max = 0' });
	const [{ pid }] = await h.workers();
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const get = (p) => ask(h, p, {}, { agent });

	try {
		assert.equal((await get('/f0.txt')).status, 200);
		// Where the hard limit is higher, each word of the master has
		// the worker set its own again.
		await limit(pid, 0, 999);
		for (const f of names.slice(1, 20))
			assert.equal((await get(`/${f}`)).status, 503);
		assert.equal((await get('/none')).status, 503);
		await limit(pid, 999, 999);
		for (const f of names)
			assert.equal((await get(`/${f}`)).text, `this is ${f}`);
		assert.equal((await get('/none')).status, 404);
	} finally {
		agent.destroy();
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// No request fails while generations follow each other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, startHostd, tempDir, wrk }
	from './lib/hostd.mjs';
import { descriptors, descriptorsAtMost, startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

const respond = `plugin "front" {
	module = "http_respond.so"
	body = "front"
}
route "/" { plugin = "front" }
`;

// A round of a second may be one in which the machine stood still.
function assertClean(results) {
	for (const r of results) {
		assert.equal(r.errors, 0, r.output);
		assert.equal(r.bad, 0, r.output);
	}
	assert.ok(results.some((r) => r.requests > 0));
}

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stdout + r.stderr);
	return r;
}

// wrk until the work is done, in rounds; its results.
async function underWrk(h, options, work) {
	const requests = (ws) => ws.reduce((n, w) => n + w.requests, 0);
	const before = requests(await h.workers());
	const results = [];
	let done = false;
	const rounds = (async () => {
		do
			results.push(await wrk(`${h.url}/`, options));
		while (!done);
	})();

	try {
		await h.workersSatisfy((w) => requests(w) > before + 100,
		    'load');
		await work();
	} finally {
		done = true;
		await rounds;
	}
	return results;
}

test('a new plugin is built, dropped in and answers', async (t) => {
	const h = await startHostd(t, { confd: { 'front.conf': respond } });
	const dir = tempDir(t);
	const made = await command(bin('hostctl'),
	    ['plugin', 'new', 'http_route', 'greeter'], { cwd: dir });

	assert.equal(made.code, 0, made.stderr);
	const built = await command('make', ['-C', path.join(dir, 'greeter'),
		`PKG_CONFIG_PATH=${prefix}/lib/pkgconfig`]);

	assert.equal(built.code, 0, built.stdout + built.stderr);
	const results = await underWrk(h, { seconds: 1 }, async () => {
		fs.copyFileSync(path.join(dir, 'greeter/greeter.so'),
		    path.join(h.dir, 'conf.d/greeter.so'));
		await reload(h);
		const r = await fetch(`${h.url}/greeter`);

		assert.equal(r.status, 200);
		assert.equal(await r.text(), 'hello from greeter');
	});

	assertClean(results);
});

for (const [name, args] of [['keep-alive', []],
	['a connection per request', ['-H', 'Connection: close']]])
	test(`reloads under wrk, ${name}`, async (t) => {
		const h = await startHostd(t,
		    { confd: { 'front.conf': respond } });
		const results = await underWrk(h, { seconds: 1, args },
		    async () => {
			for (let i = 0; i < 5; i++)
				await reload(h);
		});

		assertClean(results);
	});

test('twenty reloads in a row', async (t) => {
	const h = await startLife(t, {
		conf: 'access_log "main" { path = "@DIR@/access.log" }' });
	const master = h.child.pid;
	const loads = ['keep', 'new'].map((kind) => new Load(h, { kind }));
	const all = new Set(await h.workers().then((w) => w.map((x) => x.pid)));
	let before;

	for (let i = 0; i < 20; i++) {
		await reload(h);
		for (const w of await h.workers())
			all.add(w.pid);
		await Promise.all(loads.map((l) => l.more(10)));
		// The first two fill what is kept for going back.
		if (i === 1) {
			await h.workersSatisfy((w) => w.length === 2,
			    'end of the old workers');
			before = descriptors(master);
		}
	}
	for (const l of loads) {
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
	assert.ok(all.size >= 42, `only ${all.size} workers`);

	await t.test('the new workers serve', async () => {
		const w = await h.workersSatisfy((ws) => ws.length === 2,
		    'end of the old workers');

		assert.deepEqual(w.map((x) => x.generation), [21, 21]);
		assert.equal((await h.status()).generation, 21);
	});

	await t.test('nothing is left of the old ones', async () => {
		await descriptorsAtMost(master, before);
		const gens = fs.readdirSync(path.join(h.dir, 'run/gen'));

		// But for those that one could go back to.
		assert.deepEqual(gens.sort(), ['18', '19', '20', '21']);
		assert.equal(fs.readdirSync(
		    path.join(h.dir, 'run/plugins')).length, 1);
		assert.equal(h.pids().length, 3);
	});
});

// SPDX-License-Identifier: BSD-2-Clause
// hostctl describe tells all about a worker, and why the one before has died.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { descriptors, startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

async function describe(h, name) {
	const r = await h.hostctl('describe', name, '--json');

	assert.equal(r.code, 0, r.stderr);
	return JSON.parse(r.stdout);
}

test('by name and by pid', async (t) => {
	const h = await startLife(t, { conf: `
		pool "web" { workers = 2  max_memory = 1g }
		listen "main" { address = "127.0.0.1:@PORT@" }
		http { max_connections = 77 }` });
	const c = new Client(h.port);

	await c.ask();
	const { pid } = c;

	// It is counted when it was answered.
	const answers = (x) => Object.values(x.latency_ms.buckets)
	    .reduce((a, b) => a + b, 0);
	const w = await until(async () => {
		const x = await describe(h, String(pid));

		return answers(x) > 0 && x;
	}, 'count');

	assert.deepEqual(await describe(h, `web.${w.slot}`).then((x) => x.pid),
	    pid);
	assert.equal(w.pool, 'web');
	assert.equal(w.pid, pid);
	assert.equal(w.state, 'ready');
	assert.equal(w.role, 'current');
	assert.equal(w.generation, 1);
	assert.equal(w.restarts, 0);
	assert.equal(w.active, 1);
	assert.equal(w.requests, 1);
	assert.equal(w.fds, descriptors(pid));
	assert.ok(w.max_fds >= w.fds && w.threads >= 1);
	assert.ok(w.rss > 1 << 20 && w.pss > 1 << 18 && w.pss <= w.rss);
	assert.deepEqual(w.plugins.map((p) => p.name), ['life']);
	assert.match(w.plugins[0].module, /^life_route \S+$/);
	assert.deepEqual(w.sockets, [{ address: `127.0.0.1:${h.port}`,
		listening: true, made_for_slot: w.slot }]);
	assert.equal(w.limits.max_connections, 77);
	assert.equal(w.limits.max_memory, 1 << 30);
	assert.ok(!('last_crash' in w));
	assert.equal(answers(w), 1);

	const text = (await h.hostctl('describe', `web.${w.slot}`)).stdout;

	for (const re of [/^worker +web\.\d$/m, /^pid +\d+$/m,
		/^state +ready$/m, /^last crash +-$/m,
		    /^memory +\S+ resident, \S+ its share$/m,
		/^plugins +life: life_route \S+$/m,
		    /^sockets +127\.0\.0\.1:\d+$/m,
		/^max_memory +1\.0g$/m, /^requests +1, p50 below \d+ ms, /m])
		assert.match(text, re);
	assert.ok(text.split('\n').every((l) => l.length < 80), text);
	c.destroy();
});

test('what the last crash was', async (t) => {
	const h = await startLife(t);
	const c = new Client(h.port);

	await c.ask();
	const dead = (await h.workers()).find((w) => w.pid === c.pid);

	c.send('/crash');
	await c.ended;
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready' && w.pid !== dead.pid),
	    'a new worker');
	const w = await describe(h, `web.${dead.slot}`);

	assert.equal(w.restarts, 1);
	assert.match(w.last_crash, /^SIGABRT in plugin life, on_headers/);
	const other = await describe(h, `web.${1 - dead.slot}`);

	assert.ok(!('last_crash' in other));
});

test('who is not there', async (t) => {
	const h = await startLife(t);

	for (const [name, why] of [['web.5', /there is no worker "web\.5"/],
		['1', /there is no worker of pid 1/],
		['web', /describe what\? {2}a worker/],
		['wbe', /there is no pool "wbe"/]]) {
		const r = await h.hostctl('describe', name);

		assert.equal(r.code, 1);
		assert.match(r.stderr, why);
	}
	assert.equal((await h.hostctl('describe')).code, 2);
});

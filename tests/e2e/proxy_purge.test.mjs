// SPDX-License-Identifier: BSD-2-Clause
// The proxy's commands: what is kept is removed by hostctl, in all workers and
// nodes, and counted.
import assert from 'node:assert/strict';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { startHostd, within } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { startRedis } from './lib/redis.mjs';

const stores = {
	memory: 'cache = memory',
	disk: 'cache = disk  cache_dir = "@DIR@/cache"',
};

// Connections of its own to each worker, so that each can be asked.
class Node {
	static async start(t, backend, keys, { workers = 1, conf = '' } = {}) {
		const n = new Node();

		n.h = await startHostd(t, { conf: `
			pool "web" { workers = ${workers} }
			${upstreamConf(backend, 'max_fails = 0', keys)}
			${conf}` });
		n.pids = (await n.h.workers()).map((w) => w.pid);
		return n;
	}

	async ask(line, c) {
		const own = c ?? await Client.connect(this.h.port);

		await own.send(`GET ${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
		const r = await own.next();

		if (!c)
			own.destroy();
		return r.headers['x-cache-status']?.[0];
	}

	async call(...args) {
		const r = await this.h.hostctl('plugin', 'call', 'proxy',
		    ...args);

		assert.equal(r.code, 0, r.stderr);
		return r.stdout;
	}

	async stats() {
		const r = await this.h.hostctl('plugin', 'call', '--json',
		    'proxy', 'cache');

		assert.equal(r.code, 0, r.stderr);
		return JSON.parse(r.stdout).workers.map((w) => w.result);
	}

	// Until every worker keeps what is below path.
	async fill(...paths) {
		const full = (all) =>
		    all.every((s) => s.entries >= paths.length);

		await within((async () => {
			do
				for (const p of paths)
					await this.ask(p);
			while (!full(await this.stats()));
		})(), 'cache that is full');
	}
}

const keeps = (t) => recorder(t, (r) => plain(r.target,
    'Cache-Control: max-age=60'));
const sum = (list, key) => list.reduce((n, s) => n + s[key], 0);

for (const [store, keys] of Object.entries(stores)) {
	test(`${store}: purge, over two workers`, async (t) => {
		const n = await Node.start(t, await keeps(t), keys,
		    { workers: 2 });
		const share = store === 'memory' ? 2 : 1;

		await n.fill('/a/1', '/a/2', '/b');
		assert.equal(await n.call('purge', 'http://a/a/1'),
		    `removed ${share}, in 2 workers\n`);
		assert.ok((await n.stats()).every((s) => s.entries === 2));
		assert.equal(await n.ask('/a/1'), 'MISS');
		assert.equal(await n.ask('/b'), 'HIT');
		await n.fill('/a/1', '/a/2', '/b');
		assert.equal(await n.call('purge', 'http://a/a/*', 'http://a/b',
		    'http://a/none'), `removed ${3 * share}, in 2 workers\n`);
		assert.ok((await n.stats()).every((s) => s.entries === 0));
		await n.fill('/a/1', '/b');
		assert.equal(await n.call('purge', 'all'),
		    `removed ${2 * share}, in 2 workers\n`);
		assert.equal(await n.call('purge', 'all'),
		    'removed 0, in 2 workers\n');
		const events = await n.h.hostctl('events');

		assert.match(events.stdout,
		    /plugin proxy: command purge all: done by 1 of 1 worker/);
	});

	test(`${store}: purge, over two nodes`, async (t) => {
		const redis = await startRedis(t);
		const conf = `plugin "redis" { module = "pubsub_redis.so"
			url = "${redis.url}" }`;
		const backend = await keeps(t);
		const one = await Node.start(t, backend, keys, { conf });
		const two = await Node.start(t, backend, keys, { conf });

		await one.h.logged('redis is up');
		await two.h.logged('redis is up');
		// When nodes meet, each may have missed the other's words, and
		// forgets what it has in memory.
		await within((async () => {
			do {
				await one.fill('/x', '/y');
				await two.fill('/x', '/y');
				await one.call('purge', 'http://a/x');
			} while (await two.ask('/y') !== 'HIT');
		})(), 'two nodes that know each other');
		await one.fill('/x', '/y');
		await two.fill('/x', '/y');
		assert.equal(await one.call('purge', 'http://a/x'),
		    'removed 2, in 2 workers\n');
		assert.equal(await two.ask('/x'), 'MISS');
		assert.equal(await two.ask('/y'), 'HIT');
	});

	test(`${store}: what it was good for`, async (t) => {
		const n = await Node.start(t, await keeps(t), keys);

		await n.ask('/x');
		await n.ask('/x');
		await n.ask('/x');
		const [s] = await n.stats();

		assert.equal(s.store, store);
		assert.deepEqual([s.entries, s.hits, s.misses, s.stale,
			s.max_bytes], [1, 2, 1, 0, 64 << 20]);
		assert.ok(s.bytes > 0 && s.bytes < 10000, `${s.bytes}`);
	});
}

test('another instance keeps what it has', async (t) => {
	const n = await Node.start(t, await keeps(t), 'cache = memory',
	    { conf: `
		plugin "other" { module = "http_proxy.so"  upstream = "app"
			cache = memory }
		route "/other/" { plugin = "other" }` });

	await n.ask('/other/x');
	await n.ask('/x');
	assert.equal(await n.call('purge', 'all'), 'removed 1, in 1 worker\n');
	assert.equal(await n.ask('/other/x'), 'HIT');
	assert.equal(await n.ask('/x'), 'MISS');
});

test('one URL in both forms has one key', async (t) => {
	const backend = await keeps(t);
	const n = await Node.start(t, backend, 'cache = memory');

	assert.equal(await n.ask('/x?y'), 'MISS');
	assert.equal(await n.ask('http://a/x?y'), 'HIT');
	assert.equal(await n.ask('http://a'), 'MISS');
	assert.equal(await n.ask('/'), 'HIT');
	assert.equal(await n.ask('http://a?z'), 'MISS');
	assert.equal(await n.ask('/?z'), 'HIT');
	assert.equal(await n.ask('http://b/x?y'), 'MISS');
	assert.equal(sum(await n.stats(), 'entries'), 4);
});

test('what makes no sense, and no cache', async (t) => {
	const n = await Node.start(t, await keeps(t), '');
	const refused = async (code, what, ...args) => {
		const r = await n.h.hostctl('plugin', 'call', 'proxy', ...args);

		assert.equal(r.code, code);
		assert.match(r.stderr, what);
	};

	await refused(1, /its cache is off/, 'purge', 'all');
	await refused(1, /its cache is off/, 'cache');
	await refused(2, /too few .* purge URL\.\.\.\|URL\*\.\.\.\|all/,
	    'purge');
	const on = await Node.start(t, await keeps(t), 'cache = memory');
	const r = await on.h.hostctl('plugin', 'call', 'proxy', 'purge', '');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /no empty key/);
});

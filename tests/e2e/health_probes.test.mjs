// SPDX-License-Identifier: BSD-2-Clause
// http_health: liveness, readiness and startup, and the dependencies behind
// readiness.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir, until } from './lib/hostd.mjs';
import { metrics, promtool, scrape } from './lib/metrics.mjs';
import { buildPlugin, testPlugin } from './lib/plugin.mjs';
import { startRedis } from './lib/redis.mjs';
import { httpServer } from './lib/servers.mjs';
import { ask } from './lib/static.mjs';
import { curl, startTls } from './lib/tls.mjs';

const conf = (keys = '', more = '') => `
	pool "web" { workers = 2 }
	plugin "health" { module = "http_health.so" ${keys} }
	plugin "m" { module = "http_metrics.so" }
	route "/health/" { plugin = "health" }
	route "/metrics" { plugin = "m" }
	${more}`;

async function probe(h, name) {
	const r = await ask(h, `/health/${name}`);

	return { code: r.status, ...JSON.parse(r.text) };
}

const becomes = (h, name, code) => until(async () => {
	const p = await probe(h, name);

	return p.code === code && p;
}, `${name} ${code}`);

test('a node without dependencies', async (t) => {
	const h = await startHostd(t, { conf: conf() });

	for (const name of ['liveness', 'readiness', 'startup']) {
		const r = await ask(h, `/health/${name}`);
		const said = JSON.parse(r.text);

		assert.equal(r.status, 200, name);
		assert.equal(said.status, 'up');
		assert.equal(said.generation, 1);
		assert.equal(said.draining, false);
		assert.equal(r.headers['cache-control'], 'no-store');
		assert.equal(r.headers['content-type'], 'application/json');
		const head = await ask(h, `/health/${name}`, {},
		    { method: 'HEAD' });

		assert.equal(head.status, 200);
		assert.equal(head.body.length, 0);
		assert.equal((await ask(h, `/health/${name}`, {},
		    { method: 'POST' })).status, 405);
	}
	assert.deepEqual((await probe(h, 'readiness')).dependencies, []);
	assert.equal((await ask(h, '/health/nothing')).status, 404);
	assert.equal((await ask(h, '/health/')).status, 404);
});

test('draining', async (t) => {
	const h = await startHostd(t, { conf: conf() });

	assert.equal((await h.hostctl('drain', '--over', '1h')).code, 0);
	const ready = await becomes(h, 'readiness', 503);

	assert.equal(ready.reason, 'draining');
	assert.equal(ready.draining, true);
	assert.equal((await probe(h, 'liveness')).code, 200);
	assert.equal((await probe(h, 'startup')).code, 200);
	assert.equal((await metrics(h)).hostd_ready, 0);
	assert.equal((await h.hostctl('undrain')).code, 0);
	await becomes(h, 'readiness', 200);
});

test('over HTTPS, and HTTP/2', async (t) => {
	const h = await startTls(t, { conf: conf() });
	const get = async (name, ...args) => {
		const r = await curl(h, '-w', '\n%{http_version} %{http_code}',
		    ...args, `${h.url}/health/${name}`);
		const [body, how] = r.stdout.split('\n');

		return [JSON.parse(body).status, how];
	};

	assert.deepEqual(await get('readiness', '--http1.1'),
	    ['up', '1.1 200']);
	for (const name of ['liveness', 'readiness', 'startup'])
		assert.deepEqual(await get(name), ['up', '2 200']);
	assert.equal((await h.hostctl('drain', '--over', '1h')).code, 0);
	await until(async () => (await get('readiness'))[1] === '2 503',
	    'readiness 503');
	assert.deepEqual(await get('readiness', '--http1.1'),
	    ['down', '1.1 503']);
	assert.deepEqual(await get('liveness'), ['up', '2 200']);
});

const sessions = (url) => `
	plugin "store" { module = "session_redis.so"  url = "${url}" }
	session "main" { store = "store" }`;

const statusOf = (p, name) =>
	p.dependencies.find((d) => d.name === name)?.status;

test('a Redis that goes and comes back', async (t) => {
	const redis = await startRedis(t);
	const h = await startHostd(t, { conf: conf('required = { "redis" }',
	    sessions(redis.url)) });

	const up = await becomes(h, 'readiness', 200);

	assert.equal(up.dependencies.length, 1);
	assert.deepEqual({ ...up.dependencies[0], since_ms: 0 }, {
		name: 'redis', instance: 'store', status: 'up', required: true,
		since_ms: 0 });
	assert.equal((await metrics(h))[
	    'redis_connection_status{plugin="store"}'], 1);
	await redis.kill();
	const down = await becomes(h, 'readiness', 503);

	assert.equal(down.status, 'down');
	assert.equal(down.reason, 'a required dependency is not up');
	assert.equal(statusOf(down, 'redis'), 'down');
	assert.ok(down.dependencies[0].detail.length > 0);
	// It is no reason to start the node anew.
	assert.equal((await probe(h, 'liveness')).code, 200);
	const said = await scrape(h);

	assert.equal(said.metrics['redis_connection_status{plugin="store"}'],
	    0);
	assert.equal(said.metrics[
	    'hostd_dependency_up{dependency="redis",owner="store"}'], 0);
	assert.equal(await promtool(said.text), '');
	await redis.start();
	assert.equal(statusOf(await becomes(h, 'readiness', 200), 'redis'),
	    'up');
});

test('a Redis that the node can do without, and says no more', async (t) => {
	const redis = await startRedis(t);
	const h = await startHostd(t, { conf: conf('details = off',
	    sessions(redis.url)) });

	await redis.kill();
	const p = await until(async () => {
		const now = await probe(h, 'readiness');

		return statusOf(now, 'redis') === 'down' && now;
	}, 'a Redis that is down');

	assert.equal(p.code, 200);
	assert.deepEqual(p.dependencies, [{ name: 'redis', instance: 'store',
		status: 'down', required: false }]);
});

test('upstreams with health checks, and what nobody has', async (t) => {
	let well = true;
	const { port } = await httpServer(t, (req, res) => {
		res.statusCode = well ? 200 : 500;
		res.end();
	});
	const h = await startHostd(t, { conf: conf('required = { "app" }', `
		upstream "app" {
			server "127.0.0.1:${port}" {}
			health { path = "/"  interval = 50ms  fall = 1  rise = 1 }
		}
		upstream "free" { server "127.0.0.1:1" {} }`) });
	const up = await becomes(h, 'readiness', 200);

	assert.deepEqual(up.dependencies, [{ name: 'upstream', instance: 'app',
		status: 'up', required: true, detail: '1 of 1 server up' }]);
	well = false;
	const down = await becomes(h, 'readiness', 503);

	assert.equal(down.dependencies[0].detail, '0 of 1 server up');
	well = true;
	await becomes(h, 'readiness', 200);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('{ "app" }', '{ "nobody" }'));
	assert.equal((await h.hostctl('reload')).code, 0);
	const missing = await becomes(h, 'readiness', 503);

	assert.match(missing.dependencies.find((d) => d.name === 'nobody')
	    .detail, /is called so/);
});

test('startup waits for all pools', async (t) => {
	const so = await buildPlugin(tempDir(t), 'ready',
	    testPlugin('ready_route'));
	const h = await startHostd(t, { ready: false,
		files: { 'ready.so': fs.readFileSync(so) },
		conf: `pool "web" { workers = 1 }
			pool "slow" { workers = 1 }
			listen "main" { address = "127.0.0.1:@PORT@" pool = "web" }
			plugin "health" { module = "http_health.so" }
			plugin "slow" { module = "@DIR@/ready.so"
				gate = "@DIR@/gate" }
			route "/health/" { plugin = "health"  pool = "web" }
			route "/" { plugin = "slow"  pool = "slow" }` });

	await h.logged(/worker slow\.0 waits for plugin slow/);
	await h.logged(/worker web\.0 .* is ready/);
	await h.listening();
	const early = await probe(h, 'startup');

	assert.equal(early.code, 503);
	assert.equal(early.reason, 'not all workers have been ready yet');
	assert.equal((await probe(h, 'readiness')).code, 503);
	assert.equal((await probe(h, 'liveness')).code, 200);
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	await becomes(h, 'startup', 200);
	await becomes(h, 'readiness', 200);
});

test('a name can not be in both lists', async (t) => {
	const h = await startHostd(t, { ready: false, conf: conf(
	    'required = { "redis" }  optional = { "redis" }') });

	await h.logged(/"redis" can't be both required and optional/);
	assert.notEqual((await h.ended).code, 0);
});

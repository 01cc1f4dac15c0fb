// SPDX-License-Identifier: BSD-2-Clause
// http_metrics: promtool and Prometheus itself take what it says, in both
// formats.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { atEnd, freePort, startHostd, tempDir, until, within, writeFiles }
    from './lib/hostd.mjs';
import { metrics, promtool, scrape, sum, untilSum } from './lib/metrics.mjs';
import { ask } from './lib/static.mjs';

const conf = `pool "web" { workers = 2 }
	plugin "m" { module = "http_metrics.so" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	plugin "bad" { module = "http_respond.so"  status = 503 }
	plugin "proxy" { module = "http_proxy.so" }
	plugin "echo" { module = "ws_echo.so" }
	upstream "app" { server "127.0.0.1:1" {} }
	route "/metrics" { plugin = "m" }
	route "/hello" { plugin = "hello" }
	route "/item/:id" { plugin = "hello" }
	route "/bad" { plugin = "bad" }
	route "/api/" { plugin = "proxy"  upstream = "app" }
	route "/echo" { plugin = "echo" }`;
const OPEN = 'application/openmetrics-text;version=1.0.0,' +
    'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

// With one request of each kind counted.
async function start(t) {
	const h = await startHostd(t, { conf });

	for (const p of ['/hello', '/item/1', '/item/2', '/bad', '/api/x', '/no'])
		await ask(h, p);
	await ask(h, '/hello', {}, { method: 'POST' });
	await untilSum(h, 1, 'http_requests_total', { method: 'POST' });
	await untilSum(h, 2, 'http_requests_total', { route: '/item/:id' });
	return h;
}

test('promtool takes the text', async (t) => {
	const h = await start(t);
	const r = await scrape(h);

	assert.equal(r.headers['content-type'],
	    'text/plain; version=0.0.4; charset=utf-8');
	assert.equal(r.headers['cache-control'], 'no-store');
	assert.equal(await promtool(r.text), '');
	assert.match(await promtool(`${r.text}\nx`), /exit status/);
});

test('routes, methods and statuses', async (t) => {
	const h = await start(t);
	const all = await metrics(h);
	const requests = Object.fromEntries(Object.entries(all)
	    .filter(([s]) => s.startsWith('http_requests_total{') &&
		!s.includes('/metrics')));

	assert.deepEqual(requests, {
		'http_requests_total{method="GET",status="200",route="/hello"}': 1,
		'http_requests_total{method="POST",status="200",route="/hello"}': 1,
		'http_requests_total{method="GET",status="200",route="/item/:id"}': 2,
		'http_requests_total{method="GET",status="503",route="/bad"}': 1,
		'http_requests_total{method="GET",status="502",route="/api/"}': 1,
		'http_requests_total{method="GET",status="404",route="none"}': 1,
	});
	assert.equal(all['http_request_duration_seconds_count' +
	    '{route="/item/:id"}'], 2);
	assert.equal(all['http_request_duration_seconds_bucket' +
	    '{route="/item/:id",le="+Inf"}'], 2);
	assert.equal(sum(all, 'hostd_upstream_failures_total',
	    { upstream: 'app' }), 1);
	assert.equal(all['hostd_worker_restarts_total{pool="web"}'], 0);
	assert.equal(all.hostd_generation, 1);
	assert.equal(sum(all, 'hostd_plugin_callbacks_total',
	    { plugin: 'hello' }) > 0, true);
	for (const w of await h.workers()) {
		const pid = { pid: w.pid };

		assert.ok(sum(all, 'process_resident_memory_bytes', pid) > 1e6);
		assert.ok(sum(all, 'process_open_fds', pid) > 5);
		assert.ok(sum(all, 'process_cpu_seconds_total', pid) > 0);
	}
});

test('which format, and how small', async (t) => {
	const h = await start(t);
	const open = await scrape(h, { accept: OPEN });

	assert.equal(open.headers['content-type'],
	    'application/openmetrics-text; version=1.0.0; charset=utf-8');
	assert.match(open.text, /\n# EOF\n$/);
	assert.match(open.text, /\n# TYPE hostd_reloads counter\n/);
	const zipped = await ask(h, '/metrics',
	    { accept: OPEN, 'accept-encoding': 'gzip' });

	assert.equal(zipped.headers['content-encoding'], 'gzip');
	assert.equal(zipped.headers.vary, 'Accept, Accept-Encoding');
	assert.match(zlib.gunzipSync(zipped.body).toString(), /\n# EOF\n$/);
	const head = await ask(h, '/metrics', {}, { method: 'HEAD' });

	assert.equal(head.status, 200);
	assert.equal(head.body.length, 0);
	assert.equal((await ask(h, '/metrics', {}, { method: 'POST' })).status,
	    405);
});

// A server of its own, and what it answers to queries.
async function prometheus(t, h) {
	const dir = tempDir(t), port = await freePort();

	writeFiles(dir, { 'prometheus.yml': `
global: { scrape_interval: 200ms, scrape_timeout: 200ms }
scrape_configs:
  - job_name: hostd
    static_configs: [{ targets: ["127.0.0.1:${h.port}"] }]
` });
	const p = spawn('prometheus', [
		`--config.file=${path.join(dir, 'prometheus.yml')}`,
		`--storage.tsdb.path=${path.join(dir, 'data')}`,
		`--web.listen-address=127.0.0.1:${port}`],
	{ stdio: ['ignore', 'ignore', 'ignore'] });
	const ended = once(p, 'close');

	atEnd(t, async () => {
		p.kill('SIGKILL');
		await within(ended, 'end of prometheus');
	});
	const get = async (what) => {
		const r = await fetch(`http://127.0.0.1:${port}/api/v1/${what}`)
		    .catch(() => null);

		return r?.ok ? (await r.json()).data : null;
	};

	return { get, value: async (query) => Number((await get(
	    `query?query=${encodeURIComponent(query)}`))?.result[0]?.value[1]) };
}

test('Prometheus scrapes it', async (t) => {
	const h = await start(t);
	const p = await prometheus(t, h);
	const target = await until(async () => {
		const all = (await p.get('targets'))?.activeTargets ?? [];

		return all[0]?.health !== 'unknown' && all[0];
	}, 'the first scrape');

	assert.equal(target.lastError, '');
	assert.equal(target.health, 'up');
	assert.equal(await until(() => p.value(
	    'sum(http_requests_total{route="/item/:id",status="200"})'),
	'the requests'), 2);
	assert.equal(await p.value('http_request_duration_seconds_bucket' +
	    '{route="/hello",le="+Inf"}'), 2);
	const kinds = await p.get('metadata?metric=http_request_duration_seconds');

	assert.equal(kinds.http_request_duration_seconds[0].type, 'histogram');
	// It has asked for OpenMetrics, where a counter is called by its name.
	const counters = await p.get('metadata?metric=http_requests');

	assert.equal(counters.http_requests[0].type, 'counter');
});

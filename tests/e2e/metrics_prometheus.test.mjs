// SPDX-License-Identifier: BSD-2-Clause
// http_metrics: promtool and Prometheus itself take what it says, in both
// formats, and the rules of the examples are about that.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { atEnd, command, freePort, startHostd, tempDir, top, until, within,
    writeFiles } from './lib/hostd.mjs';
import { metrics, promtool, scrape, sum, untilSum } from './lib/metrics.mjs';
import { ask } from './lib/static.mjs';
import { certificate } from './lib/tls.mjs';
import { block } from './lib/tls_ask.mjs';

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

	for (const p of ['/hello', '/item/1', '/item/2', '/bad', '/api/x',
	    '/no'])
		await ask(h, p);
	await ask(h, '/hello', {}, { method: 'POST' });
	for (const [route, n] of [['/hello', 2], ['/item/:id', 2], ['/bad', 1],
		['/api/', 1], ['none', 1]])
		await untilSum(h, n, 'http_requests_total', { route });
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
		'http_requests_total{method="GET",status="200",route="/hello"}':
		    1,
		'http_requests_total{method="POST",status="200",route="/hello"}': 1,
		'http_requests_total{method="GET",status="200",route="/item/:id"}': 2,
		'http_requests_total{method="GET",status="503",route="/bad"}':
		    1,
		'http_requests_total{method="GET",status="502",route="/api/"}':
		    1,
		'http_requests_total{method="GET",status="404",route="none"}':
		    1,
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

// Whatever clients send, there are no more series than the configuration has.
test('no series for what clients make up', async (t) => {
	const h = await start(t);
	const of = async () => Object.keys(await metrics(h)).filter((s) =>
	    /^http_request/.test(s) && !s.includes('/metrics'));
	const before = await of();

	for (let i = 0; i < 20; i++)
		await ask(h, `/item/made-up-${i}?x=${i}`, { host: `h${i}` });
	for (const method of ['PROPFIND', 'REPORT', 'MKCALENDAR'])
		await ask(h, '/hello', {}, { method });
	for (let i = 0; i < 20; i++)
		await ask(h, `/nowhere/${i}`);
	await untilSum(h, 22, 'http_requests_total', { route: '/item/:id' });
	await untilSum(h, 21, 'http_requests_total', { route: 'none' });
	await untilSum(h, 3, 'http_requests_total', { method: 'other' });
	const added = (await of()).filter((s) => !before.includes(s));

	assert.deepEqual(added.filter((s) => !s.includes('method="other"')),
	    []);
	assert.ok(added.length <= 2, `${added}`);
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
global: { scrape_interval: 1s, scrape_timeout: 1s }
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

	// What was not there within its second is asked for again.
	await until(async () => {
		const [target] = (await p.get('targets'))?.activeTargets ?? [];

		assert.match(target?.lastError ?? '', /^$|deadline exceeded/);
		return target?.health === 'up';
	}, 'a scrape');
	assert.equal(await until(() => p.value(
	    'sum(http_requests_total{route="/item/:id",status="200"})'),
	'the requests'), 2);
	assert.equal(await until(() => p.value(
	    'http_request_duration_seconds_bucket{route="/hello",le="+Inf"}'),
	'how long they took'), 2);
	const kinds = await p.get(
	    'metadata?metric=http_request_duration_seconds');

	assert.equal(kinds.http_request_duration_seconds[0].type, 'histogram');
	// It has asked for OpenMetrics, where a counter is called by its name.
	const counters = await p.get('metadata?metric=http_requests');

	assert.equal(counters.http_requests[0].type, 'counter');
});

// -- the rules of the examples --

const rules = path.join(top, 'examples/deploy/prometheus/alerts.yaml');

async function promtoolRun(...args) {
	const r = await command('promtool', args);

	assert.equal(r.code, 0, r.stdout + r.stderr);
	return r.stdout;
}

// What the rules say of series that begin with these values, a minute each.
async function alertsOf(t, input, at, expected) {
	const dir = tempDir(t);

	writeFiles(dir, { 'test.yml': JSON.stringify({
		rule_files: [rules], evaluation_interval: '1m',
		tests: [{ interval: '1m', input_series: Object.entries(input)
		    .map(([series, values]) => ({ series, values })),
		alert_rule_test: expected.map(([alertname, ...all]) => ({
			eval_time: at, alertname, exp_alerts: all })) }] }) });
	await promtoolRun('test', 'rules', path.join(dir, 'test.yml'));
}

test('the rules of the examples name what there is', async (t) => {
	const h = await startHostd(t, { conf: `${conf}
		${block('main', await certificate(t))}
		plugin "store" { module = "session_redis.so"
			url = "unix://@DIR@/nobody.sock" }
		session "main" { store = "store" }` });

	await ask(h, '/hello');
	const all = Object.keys(await untilSum(h, 1, 'http_requests_total',
	    { route: '/hello' })).map((s) => s.split('{')[0]);

	assert.match(await promtoolRun('check', 'config', path.join(
	    path.dirname(rules), 'prometheus.yml')), /SUCCESS: 12 rules found/);
	const text = fs.readFileSync(rules, 'utf8');
	const names = text.match(/\b(hostd|http|process|redis|websocket)_\w+/g);

	assert.ok(names.length >= 14);
	for (const name of names)
		assert.ok(all.includes(name), name);
});

test('and fire when they should', async (t) => {
	const at = { instance: 'a', job: 'hostd' };
	const series = (name, labels) => `${name}{${Object.entries({ ...at,
		...labels }).map(([k, v]) => `${k}="${v}"`)}}`;
	const requests = (status) => series('http_requests_total',
	    { route: '/', status });

	await alertsOf(t, {
		[requests('200')]: '0+90x20', [requests('503')]: '0+10x20',
		[series('hostd_last_reload_successful', {})]: '0x20',
		[series('hostd_ready', {})]: '1x20',
		[series('hostd_worker_restarts_total', { pool: 'web' })]:
		    '0+1x20',
		[series('hostd_upstream_up', { upstream: 'app', server: 'x' })]:
			'0x20',
		[series('hostd_upstream_up', { upstream: 'app', server: 'y' })]:
			'1x20',
	}, '15m', [
		['HostdErrors', { exp_labels: { instance: 'a', route: '/',
			severity: 'page' }, exp_annotations: { summary:
			'/ of a: more than a twentieth of the answers are 5xx' } }],
		['HostdReloadFailed',
		    { exp_labels: { ...at, severity: 'ticket' },
			exp_annotations:
			    { summary: 'a serves what it did before: ' +
			    'its last reload was refused' } }],
		['HostdWorkersRestart', { exp_labels: { ...at, pool: 'web',
			severity: 'page' }, exp_annotations: { summary:
			'workers of pool web of a keep dying: hostctl events' } }],
		['HostdNotReady'], ['HostdUpstreamDown'], ['HostdDown'],
	]);
	await alertsOf(t, { [requests('200')]: '0+98x20',
		[requests('503')]: '0+2x20' }, '15m', [['HostdErrors']]);
});

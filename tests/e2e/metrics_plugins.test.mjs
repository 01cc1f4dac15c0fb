// SPDX-License-Identifier: BSD-2-Clause
// What plugins count, as Prometheus reads it: one family for all blocks of a
// plugin, with its type, its help and its bounds, and times in seconds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { ask, serve } from './lib/http1.mjs';
import { metrics, promtool, scrape } from './lib/metrics.mjs';

const conf = (so) => `
	pool "web" { workers = 2 }
	plugin "a" { module = "${so}" }
	plugin "b" { module = "${so}" }
	plugin "m" { module = "http_metrics.so" }
	plugin "store" { module = "session_redis.so"
		url = "unix://@DIR@/nobody.sock" }
	session "main" { store = "store" }
	limit_req "slow" { rate = "100000/s" }
	route "/metrics" { plugin = "m" }
	route "/a" { plugin = "a"  limit_req = "slow" }
	route "/b/c" { plugin = "b" }`;

test('families, series and bounds', async (t) => {
	const h = await serve(t, 'metric_route', conf);

	for (let i = 0; i < 6; i++)
		assert.equal((await ask(t, h.port, '/a')).status, 200);
	assert.equal((await ask(t, h.port, '/b/c')).status, 200);
	const { text, metrics: all } = await scrape(h);
	const p = 'hostd_metric_route_';

	assert.equal(await promtool(text), '');
	for (const [series, value] of Object.entries({
		'requests_total{plugin="a"}': 6,
		'requests_total{plugin="b"}': 1,
		'methods_total{plugin="a",method="GET"}': 12,
		'path_bytes_bucket{plugin="a",le="2"}': 6,
		'path_bytes_bucket{plugin="b",le="2"}': 0,
		'path_bytes_bucket{plugin="b",le="4"}': 1,
		'path_bytes_bucket{plugin="b",le="+Inf"}': 1,
		'path_bytes_sum{plugin="b"}': 4,
		'path_bytes_count{plugin="b"}': 1 }))
		assert.equal(all[p + series], value, series);
	for (const line of [`# TYPE ${p}requests_total counter`,
		`# HELP ${p}requests_total Requests.`,
		`# HELP ${p}methods_total Requests by method.`,
		`# TYPE ${p}path_bytes histogram`,
		`# TYPE ${p}now gauge`])
		assert.equal(text.split(`${line}\n`).length, 2, line);
	// In milliseconds, as the plugin has it.
	assert.equal(all['hostd_session_redis_answer_seconds_bucket' +
	    '{plugin="store",le="+Inf"}'], 0);
	assert.equal(all['hostd_limit_passed_total' +
	    '{kind="limit_req",zone="slow"}'], 6);
});

test('counters outlive their workers, gauges do not', async (t) => {
	const h = await serve(t, 'metric_route', conf);

	for (let i = 0; i < 6; i++)
		assert.equal((await ask(t, h.port, '/a')).status, 200);
	assert.equal((await h.hostctl('reload')).code, 0);
	// Until the old workers have ended.
	const all = await until(async () => {
		const now = await metrics(h);

		return now['hostd_metric_route_now{plugin="a"}'] === 0 && now;
	}, 'gauges of the new workers');

	assert.equal(all['hostd_metric_route_requests_total{plugin="a"}'], 6);
});

// Bug: a brace in a value ended the labels, and nobody could read any of it.
test('braces in a value', async (t) => {
	const h = await serve(t, 'metric_route', (so) => `
		pool "web" { workers = 1 }
		plugin "a" { module = "${so}" }
		plugin "m" { module = "http_metrics.so" }
		route "/metrics" { plugin = "m" }
		route "/a" { plugin = "a" }`);

	assert.equal((await ask(t, h.port, '/a?x{y}z')).status, 200);
	const { text } = await scrape(h);

	assert.equal(await promtool(text), '');
	assert.ok(text.includes('\nhostd_metric_route_methods_total' +
	    '{plugin="a",method="x{y}z"} 2\n'), text);
});

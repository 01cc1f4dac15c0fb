// SPDX-License-Identifier: BSD-2-Clause
// What plugins count is summed over workers, kept apart by block, and outlives
// the worker that counted.
import assert from 'node:assert/strict';
import test from 'node:test';
import { command, bin, tempDir } from './lib/hostd.mjs';
import { ask, serve } from './lib/http1.mjs';
import { buildPlugin, testPlugin } from './lib/plugin.mjs';

const start = (t) => serve(t, 'metric_route', (so) => `
	pool "web" { workers = 2 }
	plugin "a" { module = "${so}" }
	plugin "b" { module = "${so}" }
	route "/a" { plugin = "a" }
	route "/b/c" { plugin = "b" }`);

const expected = {
	'hostd_metric_route_requests_total{plugin="a"}': 8,
	'hostd_metric_route_requests_total{plugin="b"}': 1,
	'hostd_metric_route_methods_total{plugin="a",method="GET"}': 16,
	'hostd_metric_route_methods_total{plugin="b",method="GET"}': 2,
	'hostd_metric_route_path_bytes{plugin="a"}':
	    { count: 8, sum: 16, buckets: { 2: 8, 4: 0, '+Inf': 0 } },
	'hostd_metric_route_path_bytes{plugin="b"}':
	    { count: 1, sum: 4, buckets: { 2: 0, 4: 1, '+Inf': 0 } },
};

const counted = ({ metrics }) => Object.fromEntries(
    Object.entries(metrics).filter(([name]) => !name.includes('_now')));

test('two blocks of one plugin count for themselves', async (t) => {
	const h = await start(t);

	for (let i = 0; i < 8; i++)
		assert.equal((await ask(t, h.port, '/a')).status, 200);
	assert.equal((await ask(t, h.port, '/b/c')).status, 200);
	const st = await h.status();

	assert.deepEqual(counted(st), expected);
	assert.equal(st.metrics['hostd_metric_route_now{plugin="b"}'], 7);
});

test('counters outlive their workers', async (t) => {
	const h = await start(t);

	for (let i = 0; i < 8; i++)
		assert.equal((await ask(t, h.port, '/a')).status, 200);
	assert.equal((await ask(t, h.port, '/b/c')).status, 200);
	const before = await h.workers();

	for (const w of before)
		process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 2 && ws.every((w) =>
	    w.state === 'ready' && !before.some((b) => b.pid === w.pid)),
	    'new workers');
	const st = await h.status();

	assert.deepEqual(counted(st), expected);
	assert.equal(st.metrics['hostd_metric_route_now{plugin="b"}'], 0);
});

test('the checker takes it, and one of a smaller SDK', async (t) => {
	const so = await buildPlugin(tempDir(t), 'metric_route',
	    testPlugin('metric_route'));
	const r = await command(bin('hostctl'), ['plugin', 'check', so]);

	assert.equal(r.code, 0, r.stdout + r.stderr);
});

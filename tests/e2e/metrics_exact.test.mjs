// SPDX-License-Identifier: BSD-2-Clause
// The figures of http_metrics are those of wrk, exactly: over four workers, and
// over reloads, upgrades, workers that are killed, and fewer workers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { command, startHostd, until } from './lib/hostd.mjs';
import { metrics, neverLess, sum, untilSum } from './lib/metrics.mjs';
import { ask } from './lib/static.mjs';
import { Program, upgraded } from './lib/upgrade.mjs';

const conf = `pool "web" { workers = 4 }
	plugin "m" { module = "http_metrics.so" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/metrics" { plugin = "m" }
	route "/hello" { plugin = "hello" }
	route "/other" { plugin = "hello" }`;

const HELLO = { method: 'GET', status: '200', route: '/hello' };
const EACH = 250;

// Each connection is a thread's, and ends it between two requests: so nothing
// is under way when wrk counts.
const script = (file) => `
	local answers = 0
	function delay() return 2 end
	function response()
		answers = answers + 1
		if answers == ${EACH} then
			wrk.thread:stop()
			local f = io.open("${file}", "a")
			f:write("x")
			f:close()
		end
	end
`;

// It would wait for the end of its time even when all threads have ended.
async function wrk(h) {
	const file = path.join(h.dir, 'each.lua');
	const ended = path.join(h.dir, 'each.ended');

	fs.writeFileSync(ended, '');
	fs.writeFileSync(file, script(ended));
	const running = promisify(execFile)('wrk', ['-t8', '-c8', '-d60s',
		'--timeout', '60s', '-s', file, `${h.url}/hello`]);

	await until(() => fs.statSync(ended).size === 8, 'end of the threads');
	running.child.kill('SIGINT');
	return running;
}

function requestsOf({ stdout }) {
	assert.doesNotMatch(stdout, /Socket errors|Non-2xx/, stdout);
	const n = Number(/(\d+) requests in/.exec(stdout)[1]);

	// Else it was its time that has ended it.
	assert.equal(n, 8 * EACH);
	return n;
}

// Of each series never less than before, whoever answers.
async function follow(h, state) {
	let last = {};

	while (!state.over) {
		const now = await metrics(h).catch(() => last);

		neverLess(last, now);
		last = now;
	}
	return last;
}

test('four workers and reloads', async (t) => {
	const h = await startHostd(t, { conf });
	const state = { over: false };
	const following = follow(h, state);
	const running = wrk(h);

	await until(async () => sum(await metrics(h), 'http_requests_total',
	    HELLO) > 0, 'the first requests');
	for (let i = 0; i < 2; i++) {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
	}
	const n = requestsOf(await running);

	state.over = true;
	await following;
	const all = await untilSum(h, n, 'http_requests_total', HELLO);

	assert.equal(sum(all, 'http_requests_total', { route: '/hello' }), n);
	assert.equal(all[
	    'http_request_duration_seconds_count{route="/hello"}'], n);
	assert.equal(all.hostd_generation, 3);
	assert.equal(all.hostd_reloads_total, 2);
	assert.equal(all['hostd_worker_restarts_total{pool="web"}'], 0);
});

test('workers that are killed, and fewer of them', async (t) => {
	const h = await startHostd(t, { conf });

	for (let i = 0; i < 40; i++)
		assert.equal((await ask(h, i % 4 ? '/hello' : '/other')).status,
		    200);

	await untilSum(h, 10, 'http_requests_total', { route: '/other' });
	const before = await untilSum(h, 30, 'http_requests_total', HELLO);
	const old = (await h.workers()).map((w) => w.pid);

	for (const pid of old)
		process.kill(pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 4 && ws.every((w) =>
	    w.state === 'ready' && !old.includes(w.pid)), 'new workers');
	let all = await untilSum(h, 30, 'http_requests_total', HELLO);

	neverLess(before, all);
	assert.equal(sum(all, 'http_requests_total', { route: '/other' }), 10);
	assert.equal(all['hostd_worker_restarts_total{pool="web"}'], 4);
	assert.equal((await h.hostctl('scale', 'web', '1')).code, 0);
	await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
	neverLess(all, all = await metrics(h));
	assert.equal(sum(all, 'http_requests_total', HELLO), 30);
	assert.equal(sum(all, 'hostd_worker_info'), 1);
});

test('an upgrade of the program, with new workers and without', async (t) => {
	const program = new Program(t);
	const h = await startHostd(t, { conf, program: program.path });
	let n = 0, all = {};

	const more = async () => {
		for (let i = 0; i < 10; i++, n++)
			assert.equal((await ask(h, '/hello')).status, 200);
		const now = await untilSum(h, n, 'http_requests_total', HELLO);

		neverLess(all, now);
		all = now;
	};

	await more();
	await upgraded(h, '--keep-workers');
	await more();
	await upgraded(h);
	await h.workersSatisfy((ws) => ws.length === 4 &&
	    ws.every((w) => w.state === 'ready'), 'new workers');
	await more();
});

test('more routes than there is room for', async (t) => {
	const routes = Array.from({ length: 300 }, (_, i) =>
	    `route "/r${i}" { plugin = "hello" }`).join('\n');
	const h = await startHostd(t, { conf: `pool "web" { workers = 1 }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		plugin "m" { module = "http_metrics.so" }
		route "/metrics" { plugin = "m" }
		${routes}` });

	for (const p of ['/r0', '/r200', '/r290', '/r299', '/r299'])
		assert.equal((await ask(h, p)).status, 200);
	const all = await untilSum(h, 3, 'http_requests_total',
	    { route: 'other' });

	assert.equal(sum(all, 'http_requests_total', { route: '/r200' }), 1);
});

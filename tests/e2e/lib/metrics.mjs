// SPDX-License-Identifier: BSD-2-Clause
// What http_metrics says, taken apart, and what promtool says of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { until, within } from './hostd.mjs';
import { ask } from './static.mjs';

// "name" or "name{a=\"b\"}" -> number; for labels without escapes.
export function parse(text) {
	const all = {};

	for (const line of text.split('\n')) {
		if (line === '' || line.startsWith('#'))
			continue;
		const [, series, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line);

		assert.ok(!(series in all), `twice: ${series}`);
		all[series] = Number(value);
	}
	return all;
}

export async function scrape(h, headers = {}) {
	const r = await ask(h, '/metrics', headers);

	assert.equal(r.status, 200, r.text);
	return { ...r, metrics: parse(r.text) };
}

export const metrics = async (h) => (await scrape(h)).metrics;

// Of all series of that name whose labels have what is given.
export const sum = (all, name, labels = {}) => Object.entries(all)
    .filter(([s]) => (s === name || s.startsWith(`${name}{`)) &&
	Object.entries(labels).every(([k, v]) => s.includes(`${k}="${v}"`)))
    .reduce((n, [, v]) => n + v, 0);

// What is counted never goes down; what is there stays there.
export function neverLess(before, after) {
	for (const [series, value] of Object.entries(before))
		if (/^[a-z_]*_(total|bucket|count|sum)\b/.test(series) &&
		    !/pid="/.test(series))
			assert.ok(after[series] >= value,
			    `${series}: ${value}, then ${after[series]}`);
}

// Until the sum is n; one that is above it already is wrong.
export function untilSum(h, n, name, labels) {
	return until(async () => {
		const all = await metrics(h);
		const now = sum(all, name, labels);

		assert.ok(now <= n, `${name} ${JSON.stringify(labels)}: ` +
		    `${now}, not ${n}`);
		return now === n && all;
	}, `${name} of ${n}`);
}

// What it complains about; "" when it is content.
export async function promtool(text) {
	const p = spawn('promtool', ['check', 'metrics']);
	let said = '';

	for (const s of [p.stdout, p.stderr])
		s.setEncoding('utf8').on('data', (d) => { said += d; });
	p.stdin.end(text);
	const [code] = await within(once(p, 'close'), 'promtool');

	return code === 0 ? said : `${said}(exit status ${code})`;
}

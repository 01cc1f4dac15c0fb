// SPDX-License-Identifier: BSD-2-Clause
// hostd with two instances of tests/plugins/count_route, "/a" and "/b".
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startHostd, tempDir } from './hostd.mjs';
import { rewrite } from './life.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

// The configuration; keys: text for the block of each.
export const countConf = ({ a = '', b = '' } = {}) =>
	`plugin "a" { module = "@DIR@/count.so" ${a} }\n` +
	`plugin "b" { module = "@DIR@/count.so" ${b} }\n` +
	'route "/a" { plugin = "a" }\n' +
	'route "/b" { plugin = "b" }\n';

// Put it in place, as of a version of its state.
export async function putCount(t, h, version = 1) {
	const so = await buildPlugin(tempDir(t), 'count',
	    testPlugin('count_route'), [`-DVERSION=${version}`]);

	fs.rmSync(`${h.dir}/count.so`, { force: true });
	fs.copyFileSync(so, `${h.dir}/count.so`);
}

// clock: of makeClock, which its time goes by.
export async function startCount(t, { keys, top = '', workers = 1,
	clock } = {}) {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'count', testPlugin('count_route'));

	return startHostd(t, {
		files: { 'count.so': fs.readFileSync(so) },
		env: clock?.env,
		conf: `drain_timeout = 1s\n${top}\n` +
		    `pool "web" { workers = ${workers} ` +
		    `${clock ? 'watchdog = 0' : ''} }\n`,
		confd: { 'count.conf': countConf(keys) },
	});
}

export const configure = (h, keys) =>
	rewrite(h, 'conf.d/count.conf', countConf(keys));

// One more; the number.
export async function count(h, who = 'a') {
	const r = await fetch(`${h.url}/${who}`,
	    { headers: { connection: 'close' } });

	assert.equal(r.status, 200);
	return Number(await r.text());
}

export async function countTo(h, n, who = 'a') {
	for (let i = 1; i <= n; i++)
		assert.equal(await count(h, who), i);
}

// Until the old workers have ended.
export async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready'),
	    'the end of the old workers');
}

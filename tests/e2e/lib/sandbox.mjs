// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/sandbox_route at "/", which does as it is asked.
import fs from 'node:fs';
import path from 'node:path';
import { startHostd, tempDir, until } from './hostd.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

// keys: of the plugin; conf: of the top level; flags: of the compiler; start:
// another one than startHostd.
export async function startSandbox(t, { keys = '', conf = '', flags = [],
    mode = 'on', start = startHostd, ...more } = {}) {
	const so = await buildPlugin(tempDir(t), 'sandboxed',
	    testPlugin('sandbox_route'), flags);

	return start(t, {
		conf: `sandbox = ${mode}
			state_dir = "@DIR@/state"
			pool "web" { workers = 1 max_restarts = 0 min_uptime = 1ms }
			${conf}`,
		confd: { 'sandboxed.conf': `
			plugin "prisoner" { module = "@DIR@/sandboxed.so" ${keys} }
			route "/" { plugin = "prisoner" }` },
		...more,
		files: { 'sandboxed.so': fs.readFileSync(so), ...more.files },
	});
}

// What came of it: "ok", an error's name, or "" if the worker has ended.
export async function attempt(h, what) {
	await h.workersSatisfy((ws) => ws.length === 1 &&
	    ws[0].state === 'ready', 'a worker');
	try {
		return await (await fetch(h.url + what)).text();
	} catch {
		return '';
	}
}

// The worker ends, and the log says why: `text`.
export async function stopped(h, what, text) {
	const from = h.log.length;
	const [{ pid }] = await h.workersSatisfy((ws) => ws.length === 1 &&
	    ws[0].state === 'ready', 'a worker');
	const result = await attempt(h, what);

	if (result !== '')
		throw new Error(`${what}: ${result}`);
	await h.logged(`(pid ${pid}, generation 1) died: stopped by the ` +
	    `sandbox in plugin prisoner, ${text}`, from);
}

export const field = (pid, name) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

export const below = (h, ...names) => path.join(h.dir, ...names);

export { until };

// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/command_route as the plugins "near", in pool web,
// and "far", in pool socket.
import fs from 'node:fs';
import { plugin } from './http1.mjs';
import { startHostd } from './hostd.mjs';

export async function startCommands(t, { web = 2, socket = 1, conf = '',
	...more } = {}) {
	const so = fs.readFileSync(await plugin('command_route'));
	const h = await startHostd(t, { ...more, files: { 'command.so': so },
		conf: `
		pool "web" { workers = ${web} }
		pool "socket" { workers = ${socket} }
		plugin "near" { module = "@DIR@/command.so" }
		plugin "far" { module = "@DIR@/command.so" }
		route "/" { plugin = "near" }
		route "/far" { plugin = "far"  pool = "socket" }
		${conf}` });

	h.call = (...args) => h.hostctl('plugin', 'call', ...args);
	// { code, ...what --json says }
	h.callJson = async (...args) => {
		const r = await h.hostctl('plugin', 'call', '--json', ...args);

		return { code: r.code, stderr: r.stderr,
			...JSON.parse(r.stdout) };
	};
	return h;
}

export const pidsOf = async (h, pool) => (await h.workers())
	.filter((w) => w.pool === pool).map((w) => w.pid);

// SPDX-License-Identifier: BSD-2-Clause
// Run the named test files and report as TAP.  They wait more than they work:
// several times as many at a time as there are processors, fewer of them where
// sanitizers make work of the waiting.  Those that take long are begun first,
// so that none of them is waited for alone; which were slow is told at the end.
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const FILES_AT_ONCE = process.env.HOSTD_BUILD === 'asan' ? 3 : 4;
const SLOW_TOLD = 15;

const slow = ['ws_reload', 'pool_restart_at', 'upgrade_load', 'worker_storm',
	'proxy_soak', 'reload_load', 'reload_crashes',
	'reload_websockets_faults', 'quickstart_nodes', 'reload_versions',
	'quickstart_chat', 'proxy_sse',
	'quickstart_login', 'dashboard_page', 'reload_unnoticed',
	'pool_nobody', 'session_kills', 'session_redis_cluster',
	'redis_cluster', 'redis_dead_node', 'tcp_chaos', 'ws_chaos',
	'ws_chat_lost', 'readme', 'auth_keys'];
const nameOf = (file) => path.basename(file, '.test.mjs');
const rank = (file) => slow.includes(nameOf(file)) ?
    slow.indexOf(nameOf(file)) : slow.length;
const files = process.argv.slice(2).map((f) => path.resolve(f))
    .sort((a, b) => rank(a) - rank(b));

// Plugins that they share, see plugin.mjs.
const built = fs.mkdtempSync(path.join(os.tmpdir(), 'hostd-built-'));

fs.chmodSync(built, 0o755);
process.env.HOSTD_BUILT = built;
process.on('exit', () => fs.rmSync(built,
    { recursive: true, force: true, maxRetries: 3 }));
for (const [signal, n] of [['SIGINT', 2], ['SIGTERM', 15]])
	process.on(signal, () => process.exit(128 + n));

const stream = run({ files, timeout: 600_000,
	concurrency: FILES_AT_ONCE * os.availableParallelism() });

stream.on('test:fail', () => {
	process.exitCode = 1;
});

// Seconds that the tests of each file took.
const took = new Map();

for (const event of ['test:pass', 'test:fail'])
	stream.on(event, ({ nesting, file, details }) => {
		if (nesting === 0 && file)
			took.set(file, (took.get(file) ?? 0) +
			    (details?.duration_ms ?? 0) / 1000);
	});
stream.on('end', () => {
	const slowest = [...took].sort((a, b) => b[1] - a[1]);

	for (const [file, s] of slowest.slice(0, SLOW_TOLD))
		console.error(`# slow: ${s.toFixed(1)} s ${nameOf(file)}`);
});
stream.compose(tap).pipe(process.stdout);

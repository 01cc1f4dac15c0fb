// SPDX-License-Identifier: BSD-2-Clause
// Run the named test files and report as TAP.  They wait more than they work:
// three times as many at a time as there are processors.
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const files = process.argv.slice(2).map((f) => path.resolve(f));

// Plugins that they share, see plugin.mjs.
const built = fs.mkdtempSync(path.join(os.tmpdir(), 'hostd-built-'));

fs.chmodSync(built, 0o755);
process.env.HOSTD_BUILT = built;
process.on('exit', () => fs.rmSync(built,
    { recursive: true, force: true, maxRetries: 3 }));
for (const [signal, n] of [['SIGINT', 2], ['SIGTERM', 15]])
	process.on(signal, () => process.exit(128 + n));

const stream = run({ files, concurrency: 3 * os.availableParallelism(),
	timeout: 600_000 });

stream.on('test:fail', () => {
	process.exitCode = 1;
});
stream.compose(tap).pipe(process.stdout);

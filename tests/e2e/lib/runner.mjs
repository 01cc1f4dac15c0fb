// SPDX-License-Identifier: BSD-2-Clause
// Run the named test files and report as TAP.  They wait more than they work:
// twice as many at a time as there are processors.
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import os from 'node:os';
import path from 'node:path';

const files = process.argv.slice(2).map((f) => path.resolve(f));
const stream = run({ files, concurrency: 2 * os.availableParallelism(),
	timeout: 300_000 });

stream.on('test:fail', () => {
	process.exitCode = 1;
});
stream.compose(tap).pipe(process.stdout);

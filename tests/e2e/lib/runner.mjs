// SPDX-License-Identifier: BSD-2-Clause
// Run the named test files, two at a time, and report as TAP.
import { run } from 'node:test';
import { tap } from 'node:test/reporters';
import path from 'node:path';

const files = process.argv.slice(2).map((f) => path.resolve(f));
const stream = run({ files, concurrency: 2, timeout: 180_000 });

stream.on('test:fail', () => {
	process.exitCode = 1;
});
stream.compose(tap).pipe(process.stdout);

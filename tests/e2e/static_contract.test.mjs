// SPDX-License-Identifier: BSD-2-Clause
// The delivered plugins keep the contract that `hostctl plugin check` holds
// every plugin to.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, tempDir, writeFiles } from './lib/hostd.mjs';
import { pattern } from './lib/static.mjs';

const text = 'a line of the file\n'.repeat(500);

for (const [what, plugin, target, set] of [
	['a file in memory', 'http_static', '/a.txt', ['root=@DIR@']],
	['a file on disk', 'http_static', '/large.bin', ['root=@DIR@']],
	['a file that is compressed', 'http_static', '/a.txt',
		['root=@DIR@', 'gzip=on']],
	['a listing', 'http_static', '/', ['root=@DIR@', 'listing=on']],
	['nothing', 'http_static', '/none', ['root=@DIR@']],
	['nothing cached', 'http_static', '/large.bin',
		['root=@DIR@', 'cache_entries=0', 'cache_file_max=0']],
	['a body', 'http_respond', '/', ['body=hello']],
	['a redirect', 'http_respond', '/x?y', ['location=/z/$rest?$args']],
	['the status', 'http_status', '/status', []],
])
	test(`${plugin}: ${what}`, async (t) => {
		const dir = tempDir(t);

		writeFiles(dir, { 'a.txt': text,
		    'large.bin': pattern(200_000) });
		const r = await command(bin('hostctl'), ['plugin', 'check',
			...set.flatMap((s) => ['--set',
			    s.replace('@DIR@', dir)]),
			'--path', target,
			path.join(prefix, `lib/hostd/plugins/${plugin}.so`)]);

		assert.equal(r.code, 0, r.stdout + r.stderr);
		assert.match(r.stdout, / 0 failed/);
	});

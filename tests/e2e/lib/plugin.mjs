// SPDX-License-Identifier: BSD-2-Clause
// Build a plugin against the installed SDK, as its author would.
import fs from 'node:fs';
import path from 'node:path';
import { command, prefix, top } from './hostd.mjs';

// source: a .c file or its text.  Returns the path of dir/name.so.
export async function buildPlugin(dir, name, source, flags = []) {
	const out = path.join(dir, `${name}.so`);
	let file = source;

	if (source.includes('\n')) {
		file = path.join(dir, `${name}.c`);
		fs.writeFileSync(file, source);
	}
	const asan = process.env.HOSTD_BUILD === 'asan' ?
	    ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'] : [];
	const r = await command(process.env.CC ?? 'gcc', ['-O1', '-g', '-Wall',
		'-Wextra', '-Werror', '-fPIC', '-shared', '-fvisibility=hidden',
		`-I${prefix}/include`, ...asan,
		`-Wl,--version-script=${prefix}/share/hostd/hostd-plugin.map`,
		...flags, '-o', out, file]);

	if (r.code !== 0)
		throw new Error(`building ${name}: ${r.stderr}`);
	return out;
}

export const testPlugin = (name) =>
	path.join(top, 'tests/plugins', name, `${name}.c`);

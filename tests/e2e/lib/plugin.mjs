// SPDX-License-Identifier: BSD-2-Clause
// Build a plugin against the installed SDK, as its author would.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { command, prefix, top } from './hostd.mjs';

// Where the runner keeps what its test files have built, if it is there.
const shared = process.env.HOSTD_BUILT;

// Put a copy at `to`, in one step.
function copy(from, to) {
	const part = `${to}.${process.pid}`;

	fs.copyFileSync(from, part);
	fs.renameSync(part, to);
}

const filesOf = (source) => !fs.statSync(source).isDirectory() ? [source] :
	fs.readdirSync(source).sort().map((name) => path.join(source, name));

/*
 * source: a .c file, its text, or a directory with all of them.  Returns the
 * path of dir/name.so.  The same text is compiled in the same way only once in
 * a run.
 */
export async function buildPlugin(dir, name, source, flags = []) {
	const out = path.join(dir, `${name}.so`);
	const isText = source.includes('\n');
	const file = isText ? path.join(dir, `${name}.c`) : source;
	const asan = process.env.HOSTD_BUILD === 'asan' ?
	    ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'] : [];
	const cc = [process.env.CC ?? 'gcc', '-O1', '-g', '-Wall',
		'-Wextra', '-Werror', '-fPIC', '-shared', '-fvisibility=hidden',
		`-I${prefix}/include`, ...asan,
		`-Wl,--version-script=${prefix}/share/hostd/hostd-plugin.map`,
		...flags];

	if (isText)
		fs.writeFileSync(file, source);
	const files = filesOf(file);
	const kept = shared && path.join(shared, createHash('sha256')
	    .update(JSON.stringify([cc, ...files.map((f) =>
		fs.readFileSync(f, 'latin1'))]))
	    .digest('hex'));

	if (kept && fs.existsSync(kept)) {
		copy(kept, out);
		return out;
	}
	const r = await command(cc[0], [...cc.slice(1), '-o', out,
		...files.filter((f) => f.endsWith('.c'))]);

	if (r.code !== 0)
		throw new Error(`building ${name}: ${r.stderr}`);
	if (kept)
		copy(out, kept);
	return out;
}

export const testPlugin = (name) =>
	path.join(top, 'tests/plugins', name, `${name}.c`);

// The application of lib/sio_app.mjs.
export const buildSioApp = (dir) => buildPlugin(dir, 'sio_app',
    path.join(top, 'tests/plugins/sio_app'));

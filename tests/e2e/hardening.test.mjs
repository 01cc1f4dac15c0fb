// SPDX-License-Identifier: BSD-2-Clause
// How the programs and plugins are linked and compiled.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, sbin } from './lib/hostd.mjs';

const dir = path.join(prefix, 'lib/hostd/plugins');
const plugins = fs.readdirSync(dir).map((f) => path.join(dir, f));
const programs = [sbin('hostd'), bin('hostctl')];
const skip = process.env.HOSTD_BUILD === 'asan' &&
    'a build with sanitizers is made to be watched';

async function readelf(...args) {
	const r = await command('readelf', ['-W', ...args]);

	assert.equal(r.code, 0, r.stderr);
	return r.stdout;
}

for (const file of [...programs, ...plugins])
	test(path.basename(file), { skip }, async (t) => {
		const head = await readelf('-h', '-l', file);
		const dynamic = await readelf('-d', file);
		const symbols = await readelf('--dyn-syms', file);

		await t.test('is loaded anywhere', () => {
			assert.match(head, /^ *Type: +DYN /m);
			assert.equal(/^ *INTERP /m.test(head),
			    programs.includes(file));
			if (programs.includes(file))
				assert.match(dynamic, /FLAGS_1.*\bPIE\b/);
		});

		await t.test('its relocations are read-only', () => {
			assert.match(head, /^ *GNU_RELRO /m);
			assert.match(dynamic,
			    /\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|FLAGS_1.*NOW/);
			assert.doesNotMatch(dynamic, /TEXTREL/);
		});

		await t.test('its stack is not executable', () => {
			const [, flags] =
			    /^ *GNU_STACK .* ([R W E]{3}) /m.exec(head);

			assert.equal(flags.trim(), 'RW');
			assert.doesNotMatch(head, /^ *LOAD .* RWE /m);
		});

		await t.test('its stack is guarded', () => {
			assert.match(symbols, / __stack_chk_fail\b/);
		});

		await t.test('buffers are checked', () => {
			assert.match(symbols, / __(\w+)_chk\b/);
		});

		await t.test('no library comes from where it was built', () => {
			assert.doesNotMatch(dynamic, /\(R(UN)?PATH\)/);
		});
	});

for (const file of plugins)
	test(`${path.basename(file)} shows one symbol`, { skip }, async () => {
		const own = (await readelf('--dyn-syms', file)).split('\n')
		    .filter((l) => / (GLOBAL|WEAK) /.test(l) &&
		    !/ UND /.test(l))
		    .map((l) => l.trim().split(/\s+/).at(-1));

		assert.deepEqual(own.map((n) => n.replace(/@.*/, '')),
		    ['hostd_plugin_v1']);
	});

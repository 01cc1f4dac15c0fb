// SPDX-License-Identifier: BSD-2-Clause
// hostd-plugins(7) has every plugin that is installed, and every key of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix } from './lib/hostd.mjs';

const plugins = path.join(prefix, 'lib/hostd/plugins');
const page = fs.readFileSync(
    path.join(prefix, 'share/man/man7/hostd-plugins.7'), 'utf8');
const sections = new Map(page.split(/^\.S[sh] /m).slice(1)
    .map((s) => [s.slice(0, s.indexOf('\n')), s]));
const TYPES = ['bool', 'duration', 'enum', 'int', 'list', 'path', 'secret',
	'size', 'string'];

// Those of a block are behind it.
const names = (keys) => keys.flatMap((k) => [k.name, ...names(k.keys ?? [])]);

for (const file of fs.readdirSync(plugins))
	test(file, async () => {
		const r = await command(bin('hostctl'), ['plugin', 'schema',
			'--json', path.join(plugins, file)]);
		const { keys } = JSON.parse(r.stdout);
		const text = sections.get(path.basename(file, '.so'));

		assert.notEqual(text, undefined);
		assert.deepEqual([...text.matchAll(
		    /^\.It Ic (\w+) (?:No = |(?:Ar title )?No \{)/gm)]
		    .map((m) => m[1]), names(keys));
		for (const [, type] of text.matchAll(/ No = Ar (.*)/g))
			assert.ok(TYPES.includes(type), type);
	});

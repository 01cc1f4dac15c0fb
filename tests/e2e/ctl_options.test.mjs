// SPDX-License-Identifier: BSD-2-Clause
// The options of every command: what hostctl takes is what its summary, its
// manual page and the completions of bash and zsh say, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bash, zsh } from './lib/complete.mjs';
import { bin, command, prefix } from './lib/hostd.mjs';

const hostctl = (...args) => command(bin('hostctl'),
    ['-s', '/absent', ...args]);
const sorted = (list) => [...new Set(list)].sort();
const letters = (from) => [...Array(26)].map((_, i) =>
    String.fromCharCode(from.charCodeAt(0) + i));

// "[-ef]" is two options, and "-N" is a number.
const apart = (option) => option.startsWith('--') ? [option] :
    [...option.slice(1)].map((c) => `-${c}`);
const optionsIn = (text) => sorted([...text.matchAll(
    /(?<=^|[\s[|])(--[a-z][a-z-]*|-[a-z]+)(?=[\s\]|]|$)/g)]
    .flatMap((m) => apart(m[1])));

const families = ['plugin', 'sio', 'upstream'];

// { command: what stands behind it }, in which "plugin check" is a command.
async function summary() {
	const text = (await hostctl('-h')).stdout;
	const all = {};

	for (const [, name, args] of text.matchAll(
	    /^  ([a-z]+)(?: .*?(?:  .*?)?)?(?::\n {15}(.*))?$/gm))
		all[name] = args ?? '';
	// Those whose arguments are in the line itself have two spaces behind.
	for (const [, name, args] of text.matchAll(
	    /^  ([a-z]+) ([[A-Z].*?) {2,}/gm))
		all[name] ||= args;
	for (const family of families) {
		delete all[family];
		const { stderr } = await hostctl(family);

		for (const part of stderr.split(
		    new RegExp(`^.*hostctl ${family} `, 'm')).slice(1)) {
			const [, name, args] = /^(\w+) (.*)$/s.exec(part);

			all[`${family} ${name}`] = args;
		}
	}
	return all;
}

const documented = async () => Object.fromEntries(
    Object.entries(await summary()).map(([name, args]) =>
	[name, optionsIn(args)]));
const commands = Object.keys(await summary());

// Operands that a command can't do without.
const needs = { describe: ['web.0'], start: ['web'], scale: ['web', '1'],
	delete: ['web'], signal: ['TERM', 'web'],
	'plugin inspect': ['/absent'], 'plugin schema': ['/absent'],
	'plugin check': ['/absent'], 'plugin new': ['nothing', 'x'],
	'upstream add': ['app', 'x:1'], 'upstream remove': ['app', 'x:1'],
	'upstream drain': ['app', 'x:1'], 'upstream enable': ['app', 'x:1'],
	'upstream down': ['app', 'x:1'],
	'upstream weight': ['app', 'x:1', '1'] };

// And those that end the options.
const ends = { 'plugin call': ['1s', 'app', 'x'],
	'sio rooms': ['x', '/'], 'sio sockets': ['x', '/'],
	'sio disconnect': ['x', '/', 's'], 'sio emit': ['x', '/', 'r', 'e'] };

// Many starts: a shell makes them, which is smaller than we are.
const SHELL = `for option in $TRIED; do
	e=$("$@" "$option" $ENDS 2>&1 >/dev/null)
	printf '%s\\0%s\\0' $? "$e"
done`;

// Whether each is known, and what was said about it: a map.
async function takeAll(name, options) {
	const { stdout } = await command('sh', ['-c', SHELL, 'sh',
		bin('hostctl'), '-s', '/absent', ...name.split(' '),
		...(needs[name] ?? [])], { env: { ...process.env,
		TRIED: options.join(' '),
		ENDS: (ends[name] ?? []).join(' ') } });
	const said = stdout.split('\0').slice(0, -1);

	assert.equal(said.length, 2 * options.length);
	return new Map(options.map((option, i) => {
		const code = Number(said[2 * i]);
		const stderr = said[2 * i + 1];
		const known = /requires an argument|is ambiguous/.test(stderr);

		if (!known && code === 2)
			assert.match(stderr,
			    /invalid option|unrecognized option/,
			    `${name} ${option}`);
		return [option, { known: known || code !== 2, stderr }];
	}));
}

// What getopt refuses is the same in every build: where starts take long, some
// of it.
const every = process.env.HOSTD_BUILD === 'asan' ? 9 : 1;
const refused = (list, may) => list.filter((o, i) => may(o) || i % every === 0);

test('there are commands, with options', async () => {
	const all = await documented();

	assert.ok(commands.length > 24, `${commands}`);
	assert.deepEqual(all.reload,
	    ['--canary', '--factor', '--for', '--parallel', '--wait']);
	assert.deepEqual(all.logs, ['-e', '-f', '-n']);
	assert.deepEqual(all.list, ['--names']);
	assert.deepEqual(all['plugin inspect'], ['--json']);
	assert.deepEqual(all.status, []);
});

for (const name of commands)
	test(`${name}: what is taken`, async () => {
		const said = (await documented())[name];
		const may = (o) => o === '--json' || said.includes(o);
		// The beginning of one stands for it, or for several.
		const begun = (o) => said.filter((s) => s.startsWith(o));
		const short = refused([...letters('a'), ...letters('A')]
		    .map((c) => `-${c}`), may);
		const long = refused(letters('a').map((c) => `--${c}`),
		    (o) => begun(o).length > 0);
		const all = await takeAll(name, [...short, ...long, ...said]);

		for (const o of short)
			assert.equal(all.get(o).known, may(o), o);
		for (const o of long) {
			const want = begun(o);
			const { known, stderr } = all.get(o);

			assert.equal(known, want.length > 0, `${o}: ${stderr}`);
			if (/is ambiguous/.test(stderr))
				assert.deepEqual(
				    sorted([...stderr.matchAll(/'(--\w+)'/g)]
				    .map((m) => m[1]).slice(1)), want);
			else
				assert.ok(want.length <= 1, `${o}: ${want}`);
		}
		for (const o of said)
			assert.ok(all.get(o).known, o);
	});

test('the manual page', async () => {
	const text = fs.readFileSync(
	    path.join(prefix, 'share/man/man8/hostctl.8'), 'utf8');
	const all = {};

	// Heads of one line, or of some up to .Xc.
	for (const [head] of text.split('The commands are:')[1].split('.Sh')[0]
	    .matchAll(/^\.It (Xo\n[^]*?\n\.Xc|.*)$/gm)) {
		const words = head.split(/\s+\.?/);
		const behind = (macro) => words.flatMap((w, i) =>
		    w === macro ? [words[i + 1]] : []);
		const [first, second] = behind('Cm');
		const name = families.includes(first) ?
		    `${first} ${second}` : first;
		const options = behind('Fl').flatMap((o) => apart(`-${o}`));

		all[name] = sorted([...(all[name] ?? []), ...options]);
	}
	assert.deepEqual(all, await documented());
});

// --json is said once, and taken everywhere.
const offered = async () => Object.fromEntries(
    Object.entries(await documented()).map(([name, options]) => [name,
	name === 'plugin new' ? options : sorted([...options, '--json'])]));

test('the completion of bash', async () => {
	const all = {};

	for (const name of commands)
		all[name] = await bash(...name.split(' '), '-');
	assert.deepEqual(all, await offered());
});

test('the completion of zsh', async () => {
	const found = await zsh(...commands.map((n) => [...n.split(' '), '-']));

	assert.deepEqual(Object.fromEntries(commands.map((name, i) =>
	    [name, found[i]])), await offered());
});

test('--json, before a command and behind it', async () => {
	for (const name of commands.filter((n) => n !== 'plugin new')) {
		const words = [...name.split(' '), ...(needs[name] ?? []),
			...(ends[name] ?? [])];

		const all = await takeAll(name, ['--json']);

		assert.equal(all.get('--json').known, true, name);
		assert.notEqual((await hostctl('--json', ...words)).code, 2,
		    name);
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// What bash and zsh complete behind hostctl: commands, and the pools and
// workers that there are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';

const bash = path.join(prefix, 'share/bash-completion/completions/hostctl');
const zsh = path.join(prefix, 'share/zsh/site-functions/_hostctl');
const env = { ...process.env,
	PATH: `${path.dirname(bin('hostctl'))}:${process.env.PATH}` };

// What bash offers for the last of the words.
async function complete(...words) {
	const script = 'source "$0"; COMP_WORDS=("$@"); ' +
	    'COMP_CWORD=$(($# - 1)); _hostctl; ' +
	    'printf "%s\\n" "${COMPREPLY[@]}"';
	const r = await command('bash', ['--norc', '-c', script, bash, 'hostctl',
		...words], { env });

	assert.equal(r.code, 0);
	assert.equal(r.stderr, '', `${words}`);
	return r.stdout.split('\n').filter(Boolean).sort();
}

async function commands() {
	const { stdout } = await command(bin('hostctl'), ['-h']);

	return [...stdout.matchAll(/^  ([a-z]+)/gm)].map((m) => m[1]);
}

test('all commands, and no others', async () => {
	const all = (await commands()).sort();

	assert.ok(all.length > 20, `${all}`);
	assert.deepEqual(await complete(''), all);
	assert.deepEqual(await complete('sta'), ['start', 'status']);
	assert.deepEqual(await complete('-s', '/x', 'und'), ['undrain']);
	const text = fs.readFileSync(zsh, 'utf8');

	assert.deepEqual([...text.matchAll(/^\t\t'([a-z]+):/gm)].map((m) => m[1])
	    .sort(), all);
});

test('options', async () => {
	assert.deepEqual(await complete('reload', '--pa'), ['--parallel']);
	assert.deepEqual(await complete('logs', '-'),
	    ['--json', '-e', '-f', '-n']);
	assert.ok((await complete('-')).includes('--socket'));
});

test('pools and workers that are running', async (t) => {
	const h = await startLife(t, { conf: `
		pool "web" { workers = 2 }
		pool "other" { workers = 1 }
		listen "main" { address = "127.0.0.1:@PORT@" }` });
	const at = (...words) => complete('-s', h.socket, ...words);
	const workers = ['other.0', 'web.0', 'web.1'];

	assert.deepEqual(await at('scale', ''), ['other', 'web']);
	assert.deepEqual(await at('scale', 'web', ''), []);
	assert.deepEqual(await at('describe', ''), workers);
	assert.deepEqual(await at('restart', 'w'), ['web', 'web.0', 'web.1']);
	assert.deepEqual(await at('logs', '-n', '5', 'o'), ['other', 'other.0']);
	assert.deepEqual(await at('signal', 'KI'), ['KILL']);
	assert.deepEqual(await at('signal', 'KILL', 'web.'), ['web.0', 'web.1']);
	await h.hostctl('scale', 'web', '+1');
	assert.ok((await at('describe', '')).includes('web.2'));
	await h.hostctl('stop', 'other');
	assert.deepEqual(await at('start', 'o'), ['other']);
});

test('nobody to ask is no noise', async () => {
	assert.deepEqual(await complete('-s', '/absent', 'scale', ''), []);
});

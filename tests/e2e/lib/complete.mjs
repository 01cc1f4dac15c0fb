// SPDX-License-Identifier: BSD-2-Clause
// What the shells offer behind hostctl, with the completions that are
// installed.
import assert from 'node:assert/strict';
import path from 'node:path';
import { bin, command, prefix } from './hostd.mjs';

const env = { ...process.env,
	PATH: `${path.dirname(bin('hostctl'))}:${process.env.PATH}` };
const bashFile = path.join(prefix,
    'share/bash-completion/completions/hostctl');
const zshDirectory = path.join(prefix, 'share/zsh/site-functions');

const bashScript = `
source "$0"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_hostctl
printf "%s\\n" "\${COMPREPLY[@]}"
`;

// For the last of the words.
export async function bash(...words) {
	const r = await command('bash', ['--norc', '-c', bashScript, bashFile,
		'hostctl', ...words], { env });

	assert.equal(r.code, 0);
	assert.equal(r.stderr, '', `${words}`);
	return r.stdout.split('\n').filter(Boolean).sort();
}

/*
 * An interactive zsh at a terminal of its own, in which ^X tells what would be
 * inserted if all matches were.
 */
const zshScript = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= PS2= RPS1='
zpty -w shell "fpath=(\${(q)1} \\$fpath)"
zpty -w shell 'autoload -Uz compinit; compinit -u -D'
zpty -w shell 'take() { _main_complete; matches=$compstate[nmatches]
compstate[insert]=all }'
zpty -w shell 'zle -C take complete-word take'
zpty -w shell 'tell() { zle take; told="$matches $BUFFER"
BUFFER="print -r \\"<\\"\\$told\\">\\""; zle accept-line }'
zpty -w shell 'zle -N tell; bindkey "^X" tell; print -r "<"re"ady>"'
zpty -r shell seen '*<ready>*'
for line in "\${@[2,-1]}"; do
	zpty -n -w shell "$line"$'\\x18'
	zpty -r shell seen '*<[0-9]## *>*'
	print -r -- "\${\${seen##*<}%%>*}"
done
zpty -d shell
`;

// Of several lines, each as its words: what is offered for their last ones.
export async function zsh(...lines) {
	const r = await command('zsh', ['-f', '-o', 'extendedglob', '-c',
		zshScript, 'zsh', zshDirectory,
		...lines.map((words) => ['hostctl', ...words].join(' '))],
		    { env });
	const told = r.stdout.split('\n').filter(Boolean);

	assert.equal(r.stderr, '');
	assert.equal(told.length, lines.length, r.stdout);
	return told.map((text, i) => {
		const [matches, ...words] = text.trim().split(/\s+/);

		return matches === '0' ? [] :
		    words.slice(lines[i].length).sort();
	});
}

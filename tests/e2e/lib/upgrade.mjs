// SPDX-License-Identifier: BSD-2-Clause
// hostd from a place of its own, where other programs can be put in its place.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { command, sbin, tempDir } from './hostd.mjs';

export const VERSION = /^hostd (\S+)/.exec(
    (await command(sbin('hostd'), ['--version'])).stdout)[1];

function replace(bytes, before, after) {
	const from = Buffer.from(before), to = Buffer.from(after);

	assert.equal(from.length, to.length);
	assert.ok(bytes.includes(from));
	for (let at = bytes.indexOf(from); at !== -1;
	    at = bytes.indexOf(from, at + 1))
		to.copy(bytes, at);
}

// The installed program under another version of the same length.  board: by
// what it knows the memory that it shares with its workers ("hsdboard").
export function versioned(version, board) {
	const bytes = fs.readFileSync(sbin('hostd'));

	replace(bytes, `${VERSION}\0`, `${version}\0`);
	if (board !== undefined)
		replace(bytes, 'hsdboard', board);
	return bytes;
}

// "0.1.0" -> "9.1.0": another version of the same length.
export const versionOf = (n) => `${n}${VERSION.slice(1)}`;

export class Program {
	constructor(t) {
		this.dir = tempDir(t);
		this.path = path.join(this.dir, 'hostd');
		this.real = path.join(this.dir, 'real');
		this.put(fs.readFileSync(sbin('hostd')));
		fs.copyFileSync(sbin('hostd'), this.real);
	}

	// In one step, as a package manager does it.
	put(bytes, mode = 0o755) {
		const next = `${this.path}.new`;

		fs.rmSync(next, { force: true });
		fs.writeFileSync(next, bytes, { mode });
		fs.chmodSync(next, mode);
		fs.renameSync(next, this.path);
	}

	// A script; REAL is a hostd that works.
	script(text) {
		this.put(`#!/bin/sh\nREAL=${this.real}\n${text}\n`);
	}

	version(n, board) {
		this.put(versioned(versionOf(n), board));
	}
}

export async function upgraded(h, ...args) {
	const r = await h.hostctl('upgrade', ...args);

	assert.equal(r.code, 0, r.stdout + r.stderr + h.log);
	return r;
}

export async function runningVersion(h) {
	const r = await h.hostctl('version', '--json');

	assert.equal(r.code, 0, r.stderr);
	return JSON.parse(r.stdout);
}

// SPDX-License-Identifier: BSD-2-Clause
// hostd as a user of its own, whom permissions and limits bind.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { atEnd, prepareHostd } from './hostd.mjs';

function chownAll(dir, uid) {
	for (const name of fs.readdirSync(dir, { recursive: true }))
		fs.chownSync(path.join(dir, name), uid, uid);
	fs.chownSync(dir, uid, uid);
}

// Options as of startHostd.  Started by root, it is a user whom nobody else is.
export async function prepareUnprivileged(t, options) {
	const h = await prepareHostd(t, options);

	h.uid = process.getuid();
	if (h.uid === 0) {
		h.uid = 100_000 + process.pid;
		chownAll(h.dir, h.uid);
		h.through = ['setpriv', '--reuid', String(h.uid), '--regid',
			String(h.uid), '--clear-groups', '--no-new-privs'];
	}
	return h;
}

export async function startUnprivileged(t, options) {
	const h = await prepareUnprivileged(t, options);

	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	await h.listening();
	return h;
}

// Change limits of processes: what is as of prlimit(1), "nproc=1:".  through:
// as of h, whose processes they are.
export function limit(pids, what, through = []) {
	for (const pid of pids) {
		const [file, ...args] = [...through, 'prlimit', '--pid',
			String(pid), `--${what}`];

		execFileSync(file, args);
	}
}

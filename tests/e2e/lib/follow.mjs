// SPDX-License-Identifier: BSD-2-Clause
// hostctl while it follows something.
import { spawn } from 'node:child_process';
import { atEnd, bin, within } from './hostd.mjs';

// text and errors so far, until(pattern), and the end: a promise of the exit
// status.
export function follow(t, h, ...args) {
	const child = spawn(bin('hostctl'), ['-s', h.socket, ...args]);
	const f = { child, text: '', errors: '' };
	const waiting = new Set();
	const look = () => waiting.forEach((w) => w());

	f.ended = new Promise((resolve) => child.on('close', (code) => {
		f.code = code;
		look();
		resolve(code);
	}));
	child.stdout.setEncoding('utf8').on('data', (d) => {
		f.text += d;
		look();
	});
	child.stderr.setEncoding('utf8').on('data', (d) => { f.errors += d; });
	f.until = (what, from = 0) => within(new Promise((resolve, reject) => {
		const check = () => {
			const m = what.exec(f.text.slice(from));

			if (!m && f.code === undefined)
				return;
			waiting.delete(check);
			if (m)
				resolve(m);
			else
				reject(new Error(`hostctl ended: ${f.text}`));
		};

		waiting.add(check);
		check();
	}), `${what}`).catch((e) => {
		e.message += `\n${f.text}${f.errors}`;
		throw e;
	});
	atEnd(t, () => child.kill());
	return f;
}

// SPDX-License-Identifier: BSD-2-Clause
// `reload_time.mjs URL WANTED COMMAND [ARGUMENT ...]`: run the command, and ask
// on one new connection after the other, until it has ended and many answers in
// a row are the wanted one.  Prints two numbers of milliseconds: until the
// first of these (or the end of the command, if that is later), and until the
// end of the command; and how many requests failed.
import { spawn } from 'node:child_process';
import http from 'node:http';

const IN_A_ROW = 50;
const [url, wanted, file, ...args] = process.argv.slice(2);

function ask() {
	return new Promise((resolve, reject) => {
		http.get(url, { agent: false }, (res) => {
			let text = '';

			res.setEncoding('utf8').on('data',
			    (d) => { text += d; });
			res.on('end', () => resolve(text.trim()));
			res.on('error', reject);
		}).on('error', reject);
	});
}

// The first connection of this process is slower than others.
await ask();
const start = performance.now();
const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
let ended;
let first;
let row = 0;
let failed = 0;

child.on('close', (code) => {
	if (code !== 0) {
		console.error(`${file} ${args.join(' ')}: ${code}`);
		process.exit(1);
	}
	ended = performance.now();
});
while (row < IN_A_ROW || ended === undefined) {
	const got = await ask().catch(() => { failed++; });

	if (got !== wanted) {
		row = 0;
		first = undefined;
		continue;
	}
	first ??= performance.now();
	row++;
}
console.log((Math.max(first, ended) - start).toFixed(1),
    (ended - start).toFixed(1), failed);

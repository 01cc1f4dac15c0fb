// SPDX-License-Identifier: BSD-2-Clause
// A program that prints one JSON object per line, read as it prints them.
import { spawn } from 'node:child_process';
import { within } from './hostd.mjs';

export class Lines {
	all = [];
	waiting = [];
	code = undefined;

	constructor(file, args) {
		let text = '';

		this.child = spawn(file, args, { stdio: ['ignore', 'pipe',
			'inherit'] });
		this.child.stdout.setEncoding('utf8').on('data', (d) => {
			const lines = (text + d).split('\n');

			text = lines.pop();
			this.all.push(...lines.map((l) => JSON.parse(l)));
			this.look();
		});
		this.ended = within(new Promise((resolve) => {
			this.child.on('close', (code, signal) => {
				this.code = signal ?? code;
				this.look();
				resolve(this.code);
			});
		}), `end of ${args.join(' ')}`, 120_000);
	}

	look() {
		this.waiting = this.waiting.filter((w) => !w());
	}

	// The first line, of all there are and come, that pred takes.
	until(pred) {
		return within(new Promise((resolve, reject) => {
			this.waiting.push(() => {
				const found = this.all.find(pred);

				if (found !== undefined)
					resolve(found);
				else if (this.code !== undefined)
					reject(
					    new Error(`ended (${this.code}) ` +
					    `after ${JSON.stringify(this.all)}`));
				return found !== undefined ||
				    this.code !== undefined;
			});
			this.look();
		}), 'line');
	}

	kill() {
		this.child.kill();
	}
}

// SPDX-License-Identifier: BSD-2-Clause
// Files that change all the time, by a thread of their own.
import { Worker } from 'node:worker_threads';
import { atEnd, within } from './hostd.mjs';

/*
 * Run `body`, code with fs and dir, again and again.  stop() waits until the
 * round under way has ended and gives how many there were.
 */
export function churn(t, dir, body) {
	const flag = new Int32Array(new SharedArrayBuffer(8));
	const w = new Worker(`
		const fs = require('node:fs');
		const { flag, dir } = require('node:worker_threads').workerData;

		while (Atomics.load(flag, 0) === 0) {
			${body}
			Atomics.add(flag, 1, 1);
		}`, { eval: true, workerData: { flag, dir } });
	const ended = new Promise((resolve, reject) => {
		w.once('exit', resolve);
		w.once('error', reject);
	});
	const stop = async () => {
		Atomics.store(flag, 0, 1);
		await within(ended, 'end of the thread');
		return Atomics.load(flag, 1);
	};

	atEnd(t, stop);
	return { stop };
}

// SPDX-License-Identifier: BSD-2-Clause
// A way to Redis that can be interrupted.
import net from 'node:net';
import { atEnd } from './hostd.mjs';

// While it holds, a connection that says `what` is kept back from there on.
export class Way {
	#all = new Set();
	#held = [];
	holds = false;

	static async open(t, redis, what) {
		const w = new Way();
		const server = net.createServer((s) => w.#take(s, redis, what));

		await new Promise((r) => server.listen(0, '127.0.0.1', r));
		atEnd(t, () => {
			w.cut();
			server.close();
		});
		w.url = `redis://127.0.0.1:${server.address().port}`;
		return w;
	}

	#take(s, redis, what) {
		const r = net.connect(redis.socket);
		let held = false;

		for (const x of [s, r]) {
			this.#all.add(x);
			x.on('error', () => {});
			x.on('close', () => {
				this.#all.delete(x);
				s.destroy();
				r.destroy();
			});
		}
		s.on('data', (d) => {
			held ||= this.holds && d.includes(what);
			if (held && this.holds)
				this.#held.push([r, d]);
			else
				r.write(d);
			this.seen?.();
		});
		r.on('data', (d) => s.write(d));
	}

	// Until it keeps back something.
	holding() {
		return new Promise((resolve) => {
			this.seen = () => this.#held.length > 0 && resolve();
			this.seen();
		});
	}

	release() {
		this.holds = false;
		for (const [r, d] of this.#held.splice(0))
			r.write(d);
	}

	cut() {
		for (const s of this.#all)
			s.destroy();
	}
}

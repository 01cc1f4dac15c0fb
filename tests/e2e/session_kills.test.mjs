// SPDX-License-Identifier: BSD-2-Clause
// kill -9 of workers in the middle of writes: the file opens, no session is
// torn, and none is lost that was answered.  HOSTD_FULL=1: 200 times.  And
// SIGSTOP.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { startAgain, startKept } from './lib/kept.mjs';
import { get, set, Visitor } from './lib/session.mjs';

const KILLS = process.env.HOSTD_FULL ? 200 : 20;
const WRITERS = 8;
const VISITS = 20;		// then somebody else comes

// Two keys that belong together.
const sizeOf = (n) => 1 + n * 7919 % 9000;

/*
 * Somebody who counts.  answered: the last number that was; asked: one that may
 * have been stored or not.
 */
class Counter {
	answered = 0;
	asked = 0;

	constructor(h) {
		this.visitor = new Visitor(h);
	}

	async next() {
		this.asked++;
		try {
			const r = await this.visitor.visit(set('n', this.asked),
			    `big=b:${sizeOf(this.asked)}`, { agent: false });

			if (r.status !== 200)
				return false;
			assert.deepEqual(JSON.parse(r.text), [['OK'], ['OK']]);
		} catch (e) {
			if (e.code === undefined || e.code === 'ERR_ASSERTION')
				throw e;
			return false;	// its worker was killed
		}
		this.answered = this.asked;
		return true;
	}

	async check() {
		const [n, b] = await this.visitor.do(get('n'), get('b'));

		// What was not answered may be there.
		assert.ok(n[1] >= this.answered && n[1] <= this.asked,
		    `${n[1]} is not ${this.answered} to ${this.asked}`);
		assert.equal(b[1].length, sizeOf(n[1]));
	}
}

class Writers {
	all = [];
	answers = 0;
	stopped = false;

	constructor(h) {
		this.h = h;
		this.done = Promise.all(Array.from({ length: WRITERS },
		    () => this.#run()));
		this.done.catch(() => this.wake?.());
	}

	async #run() {
		while (!this.stopped) {
			const c = new Counter(this.h);

			// Without a cookie there is nobody yet.
			if (!await c.next())
				continue;
			this.all.push(c);
			for (let i = 0; i < VISITS && !this.stopped; i++)
				if (await c.next()) {
					this.answers++;
					this.wake?.();
				}
		}
	}

	// Until n more have been answered.
	async more(n) {
		const until = this.answers + n;

		while (this.answers < until)
			await Promise.race([this.done,
			    new Promise((resolve) => {
				this.wake = resolve;
			})]);
	}

	async stop() {
		this.stopped = true;
		await this.done;
	}
}

async function killOne(h, i) {
	const workers = await h.workers();
	const { pid } = workers[i % workers.length];

	process.kill(pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 4 && ws.every((w) =>
	    w.state === 'ready' && w.pid !== pid), 'it back');
}

for (const sync of ['on', 'off'])
	test(`sync = ${sync}`, async (t) => {
		const h = await startKept(t, {
			store: `sync = ${sync}  sweep_interval = 200ms` });
		const writers = new Writers(h);
		const check = async () => {
			for (const c of writers.all)
				await c.check();
		};

		for (let i = 0; i < KILLS; i++) {
			await writers.more(7 + i % 13);
			await killOne(h, i);
		}
		await writers.stop();
		assert.ok(writers.all.length >= WRITERS);
		await check();
		await h.stop('SIGQUIT');
		await startAgain(h);
		await check();
	});

// It may hold the lock of who writes: the others go on reading, and answer.
test('workers that are stopped', async (t) => {
	const h = await startKept(t, { keys: 'timeout = 300ms',
		store: 'sync = off' });
	const reader = new Visitor(h);
	const writers = new Writers(h);

	// The writers have it as well.
	await until(async () =>
	    (await reader.visit(set('a', 1))).status === 200, 'its session');
	for (let i = 0; i < 8; i++) {
		await writers.more(7 + i);
		const { pid } = (await h.workers())[i % 4];
		const others = new Set();

		process.kill(pid, 'SIGSTOP');
		// Those that it has in its queue wait for it.
		const asked = [];

		await until(async () => {
			asked.push(reader.do('pid', get('a'), { agent: false })
			    .then(([[, who], a]) => {
				assert.deepEqual(a, ['OK', 1]);
				if (who !== pid)
					others.add(who);
			}));
			return others.size >= 2;
		}, 'answers of others');
		process.kill(pid, 'SIGCONT');
		await Promise.all(asked);
	}
	await writers.stop();
	for (const c of writers.all)
		await c.check();
});

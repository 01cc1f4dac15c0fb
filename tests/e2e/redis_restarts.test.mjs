// SPDX-License-Identifier: BSD-2-Clause
// Redis is killed and started again, over and over, while everybody publishes:
// nobody crashes or grows, what is said within a node is heard by all of its
// workers, complete and in order, and what is said on the other one is heard
// again each time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { oneOnEach, startRooms } from './lib/rooms.mjs';

const ROUNDS = 20, WORKERS = 2;
const GROWTH = 2048;	// KiB that a worker may grow by from round 3 on

const rss = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// What one member hears: "red FROM N", and gaps of blue.
class Ear {
	last = new Map();	// from whom, up to what
	gaps = 0;
	wrong = [];

	constructor(node) {
		this.node = node;
	}

	push(s) {
		const [, from, n] = /^(\w+\.\w+) (\d+)$/.exec(s) ?? [];

		if (s === '~ blue gap')
			this.gaps++;
		else if (from === undefined)
			this.wrong.push(s);
		else
			this.take(from, Number(n));
	}

	take(from, n) {
		const last = this.last.get(from) ?? 0;
		const ok = from.startsWith(`${this.node}.`) ? n === last + 1 :
		    n > last;

		if (!ok)
			this.wrong.push(`${from}: ${n} behind ${last}`);
		this.last.set(from, n);
	}

	slice(n) {
		return this.wrong.slice(n);
	}
}

// Members on all workers of a node, each with an ear and a name.
async function people(t, h, node) {
	const all = await oneOnEach(t, h, WORKERS);

	for (const [i, m] of all.entries()) {
		m.name = `${node}.${i}`;
		m.said = 0;
		m.heard = new Ear(node);
		await m.do('join red');
		await m.do('follow blue');
	}
	return all;
}

// One after the other, until it is over.
async function publish(m, load) {
	while (!load.over) {
		const [code] = await m.ask(`pub red ${m.name} ${++m.said}`);

		assert.match(code, /^[01]$/);
	}
}

// Until everybody has heard so much of what everybody says from now on; with
// alone, those of its own node.
async function allHeard(all, { more = 1, alone = false } = {}) {
	const from = all.map((m) => [m.name, m.said + more]);

	for (const m of all)
		await m.until(() => from.every(([name, n]) => alone &&
		    !name.startsWith(`${m.heard.node}.`) ||
		    m.heard.last.get(name) >= n), 'what all say');
}

// Until all workers have said so many times that Redis is down.
function downTimes(h, n) {
	const count = () => h.log.split('redis is down').length - 1;

	return within(new Promise((resolve) => {
		const look = () => {
			if (count() < n)
				return;
			h.off('log', look);
			resolve();
		};

		h.on('log', look);
		look();
	}), `${n} losses of Redis in the log`);
}

test(`Redis is killed ${ROUNDS} times under load`, async (t) => {
	const redis = await startRedis(t);
	const nodes = [], all = [], load = { over: false };
	const sizes = {};

	for (const node of ['one', 'two']) {
		const h = await startRooms(t, WORKERS, { conf: `
			plugin "redis" { module = "pubsub_redis.so"
				url = "${redis.url}" retry_max = 200ms
				ping_timeout = 60s }` });

		nodes.push(h);
		all.push(...await people(t, h, node));
	}
	await redis.subscribers('red', all.length);
	const running = Promise.all(all.map((m) => publish(m, load)));

	running.catch(() => {});
	await allHeard(all);
	for (let round = 1; round <= ROUNDS; round++) {
		const gaps = all.map((m) => m.heard.gaps);

		await redis.kill();
		for (const h of nodes)
			await downTimes(h, round * WORKERS);
		// Alone, each node goes on.
		await allHeard(all, { more: 50, alone: true });
		await redis.start();
		await redis.subscribers('red', all.length);
		await allHeard(all);
		for (const [i, m] of all.entries())
			await m.until(() => m.heard.gaps > gaps[i], 'gap');
		if (round === 3 || round === ROUNDS)
			sizes[round] = all.map((m) => rss(m.pid));
		for (const m of all)
			assert.deepEqual(m.heard.wrong, []);
	}
	load.over = true;
	await running;
	t.diagnostic(`RSS: ${JSON.stringify(sizes)}; said: ${all.map(
	    (m) => m.said)}`);
	// With sanitizers, what is freed is kept for a while.
	if (process.env.HOSTD_BUILD === 'normal')
		for (const [i, n] of sizes[ROUNDS].entries())
			assert.ok(n < sizes[3][i] + GROWTH,
			    JSON.stringify(sizes));
	for (const [i, h] of nodes.entries()) {
		assert.deepEqual((await h.workers()).map((w) => w.pid).sort(),
		    all.slice(i * WORKERS, (i + 1) * WORKERS)
		    .map((m) => m.pid).sort());
		assert.deepEqual(await h.stop('SIGTERM'),
		    { code: 0, signal: null });
	}
});

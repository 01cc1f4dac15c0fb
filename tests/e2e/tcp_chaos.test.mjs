// SPDX-License-Identifier: BSD-2-Clause
// Streams whose clients and servers do whatever may happen to a connection,
// while workers are replaced.  What arrives is what was sent, as far as it
// arrives; and when all have ended, nothing of them is left.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { freePort, until, within } from './lib/hostd.mjs';
import { listen } from './lib/net.mjs';
import { servers, startGroup } from './lib/tcp.mjs';

const CLIENTS = 400;
const AT_ONCE = 40;
const bytes = crypto.randomBytes(4 << 20);

// The same again in each run that has the seed, which a failure tells.
const seed = Number(process.env.SEED ?? Date.now() % 1e6);
let state = seed;

function random(n) {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return (state >>> 8) % n;
}

const sizes = [0, 1, 100, 5000, 65536, 200000, 3 << 20];
const size = () => sizes[random(sizes.length)];

// What one side does with what it hears, and what it says itself.
function behave(s) {
	const n = size();

	switch (random(8)) {
	case 0:			// resets in the middle
		s.write(bytes.subarray(0, n + 1));
		s.once('data', () => s.resetAndDestroy());
		s.once('end', () => s.destroy());
		break;
	case 1:			// leaves at once
		s.destroy();
		break;
	case 2:			// closes, with more to read
		s.write(bytes.subarray(0, n), () => s.destroy());
		break;
	case 3:			// resets at once
		s.resetAndDestroy();
		break;
	default:		// says it and ends; reads to the end
		s.end(bytes.subarray(0, n));
	}
}

// Is what it hears a beginning of what may have been said?
function check(s, wrong) {
	let at = 0;

	s.on('error', () => {});
	s.on('data', (d) => {
		if (!d.equals(bytes.subarray(at, at + d.length)))
			wrong.push(`other bytes at ${at}`);
		at += d.length;
		if (random(50) === 0) {
			s.pause();
			setImmediate(() => s.resume());
		}
	});
}

const fds = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

test('whatever happens', async (t) => {
	const wrong = [];
	const all = [];

	for (let i = 0; i < 3; i++)
		all.push(await listen(t, (s) => {
			check(s, wrong);
			behave(s);
		}));
	const dead = await freePort();
	const h = await startGroup(t, [dead, ...all.map((s) => s.port)], {
		group: 'fail_timeout = 50ms max_conns = 30',
		conf: `pool "web" { workers = 2 }
			drain_timeout = 1h` });
	let left = CLIENTS;
	const client = async () => {
		while (left-- > 0) {
			const s = net.connect({ port: h.port,
				host: '127.0.0.1', allowHalfOpen: true });
			const closed = new Promise((r) => s.once('close', r));

			check(s, wrong);
			s.once('end', () => s.end());
			await Promise.race([closed,
				once(s, 'connect').catch(() => {})]);
			behave(s);
			await within(closed, `end of a connection (${seed})`);
		}
	};
	const clients = Array.from({ length: AT_ONCE }, client);

	for (let i = 0; i < 2; i++) {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
	}
	await Promise.all(clients);
	assert.deepEqual(wrong, [], `seed ${seed}`);
	await until(async () => {
		const { connections } = await h.status();
		const [{ servers: list }] = await servers(h);

		return connections.active === 0 && list.every((s) =>
		    s.inflight === 0 && s.upgraded === 0);
	}, `nothing open (${seed})`);
	// Pipes are kept, but not many.
	await h.workersSatisfy((w) => w.length === 2, 'two workers');
	for (const { pid } of await h.workers())
		assert.ok(fds(pid) < 120, `${fds(pid)} descriptors (${seed})`);
});

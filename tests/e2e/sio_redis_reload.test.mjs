// SPDX-License-Identifier: BSD-2-Clause
// What a server of Node's says while hostd is reloaded comes to hostd's clients
// once, and in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { call, connect } from './lib/sio.mjs';
import { acquainted, startHostdMember, startNodeMember } from
    './lib/sio_nodes.mjs';
import { startRedis } from './lib/redis.mjs';

const AHEAD = 200;	// numbers that clients may not have heard yet

const kinds = ['websocket', 'polling', 'upgrade'];

// Numbers to a room, until it is stopped; last(): the last that all have heard.
function count(io, room, last) {
	const said = { n: 0, stopping: false };

	const more = () => {
		for (let i = 0; i < 5 && said.n < last() + AHEAD; i++)
			io.to(room).emit('said', said.n++);
		if (!said.stopping)
			setImmediate(more);
	};

	more();
	return said;
}

for (const way of ['', 'static'])
	test(`numbers over reloads${way && `, sharded, ${way}`}`, async (t) => {
		const redis = await startRedis(t);
		const [h, node] = await Promise.all([startHostdMember(t, redis,
		    way && `mode = sharded  subscription_mode = ${way}`),
		    startNodeMember(t, redis, way)]);
		const sockets = await Promise.all(Array.from({ length: 12 },
		    (_, i) => connect(t, h, kinds[i % 3])));
		const one = await connect(t, node, 'websocket');

		await acquainted([...sockets, one]);
		for (const s of sockets)
			await call(s, 'join', 'r');
		// Node's next word finds the room's channel subscribed.
		await until(async () => (await call(one, 'fetch', 'r')).length ===
		    sockets.length, 'the room');
		for (const s of sockets) {
			s.got = [];
			s.on('said', (n) => s.got.push(n));
		}
		const least = () => Math.min(...sockets.map((s) => s.got.length));
		const said = count(node.io, 'r', least);

		for (let i = 0; i < 4; i++) {
			const n = said.n + AHEAD;

			await until(() => least() > n, `more than ${n} of ${
			    said.n}: ${sockets.map((s) => s.got.length)}`);
			const r = await h.hostctl('reload');

			assert.equal(r.code, 0, r.stderr);
		}
		said.stopping = true;
		await until(() => sockets.every((s) => s.got.at(-1) ===
		    said.n - 1), `the last of ${said.n}`);
		// What is not one more than what was before it.
		for (const s of sockets)
			assert.deepEqual([s.got.map((n, j) => [s.got[j - 1] ?? -1,
			    n]).filter(([a, b]) => b !== a + 1), s.id], [[], s.id]);
	});

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
import { Way } from './lib/redis_way.mjs';

const AHEAD = 200;	// numbers that clients may not have heard yet

const kinds = ['websocket', 'polling', 'upgrade'];

// Numbers to a room, until it is stopped; last(): the last that all have heard.
function count(t, io, room, last) {
	const said = { n: 0, stopping: false };

	t.after(() => { said.stopping = true; });

	const more = () => {
		for (let i = 0; i < 5 && said.n < last() + AHEAD; i++)
			io.to(room).emit('said', said.n++);
		if (!said.stopping)
			setImmediate(more);
	};

	more();
	return said;
}

const least = (sockets) => Math.min(...sockets.map((s) => s.got.length));

// Clients of hostd, who note what they hear.
async function listeners(t, h, n) {
	const sockets = await Promise.all(Array.from({ length: n }, (_, i) =>
	    connect(t, h, kinds[i % 3])));

	for (const s of sockets) {
		s.got = [];
		s.on('said', (i) => s.got.push(i));
	}
	return sockets;
}

const join = (sockets, room) => Promise.all(sockets.map((s) =>
    call(s, 'join', room)));

// All that was said, once and in order.
async function complete(said, sockets) {
	said.stopping = true;
	await until(() => sockets.every((s) => s.got.at(-1) === said.n - 1),
	    `the last of ${said.n}`);
	// What is not one more than what was before it.
	sockets.forEach((s, i) => assert.deepEqual(s.got.map((n, j) =>
	    [s.got[j - 1] ?? -1, n]).filter(([a, b]) => b !== a + 1), [],
	    kinds[i % 3]));
}

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

for (const way of ['', 'static', 'dynamic'])
	test(`numbers over reloads${way && `, sharded, ${way}`}`, async (t) => {
		const redis = await startRedis(t);
		const [h, node] = await Promise.all([startHostdMember(t, redis,
		    `hold_timeout = 1h ${way && `mode = sharded
			subscription_mode = ${way}`}`),
		    startNodeMember(t, redis, way)]);
		const sockets = await listeners(t, h, 12);
		const one = await connect(t, node, 'websocket');

		await join(sockets, 'r');
		await acquainted([...sockets, one]);
		// Node's next word finds the room's channel subscribed.
		await until(async () => (await call(one, 'fetch', 'r')).length ===
		    sockets.length, 'the room');
		const said = count(t, node.io, 'r', () => least(sockets));

		for (let i = 0; i < 4; i++) {
			const n = said.n + AHEAD;

			await until(() => least(sockets) > n, `more than ${n} of ${
			    said.n}: ${sockets.map((s) => s.got.length)}`);
			await reload(h);
		}
		await complete(said, sockets);
	});

// A hostd of one worker whose successors' word for the room r can be held up.
async function startHeldUp(t, keys = 'hold_timeout = 1h') {
	const redis = await startRedis(t);
	const way = await Way.open(t, redis, 'socket.io#/#r#');
	const [h, node] = await Promise.all([startHostdMember(t, { url: way.url },
	    `mode = sharded ${keys}`, 1), startNodeMember(t, redis, 'dynamic')]);
	const subscribed = (room) => redis.until((r) => r[1] === 1, 'PUBSUB',
	    'SHARDNUMSUB', `socket.io#/#${room}#`);
	const sockets = await listeners(t, h, 3);

	await join(sockets, 'r');
	await subscribed('r');
	way.holds = true;
	return { way, h, node, sockets, subscribed };
}

test('a worker waits until all that it subscribes is confirmed', async (t) => {
	const { way, h, node, sockets, subscribed } = await startHeldUp(t);
	const late = await listeners(t, h, 3);
	const said = count(t, node.io, 'r', () => least(sockets));
	let is = 'held';
	const reloaded = reload(h).then(() => {
		assert.equal(is, 'released');
	});

	await way.holding();
	// The successor has been told of all rooms by now.
	await join(late, 'late');
	await subscribed('late');
	const more = count(t, node.io, 'late', () => least(late));

	await until(() => least(late) > AHEAD, 'numbers of a late room');
	is = 'released';
	way.release();
	await reloaded;
	const n = said.n + AHEAD;

	await until(() => least(sockets) > n, 'numbers of the successor');
	await complete(said, sockets);
	await complete(more, late);
});

test('but not longer than hold_timeout', async (t) => {
	const { way, h, node, sockets } = await startHeldUp(t,
	    'hold_timeout = 200ms');

	await reload(h);
	await h.logged(/has not confirmed all subscriptions within hold_timeout/);
	way.release();
	const said = count(t, node.io, 'r', () => least(sockets));

	await until(() => least(sockets) > 0, 'a number');
	said.stopping = true;
});

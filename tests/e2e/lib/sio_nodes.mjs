// SPDX-License-Identifier: BSD-2-Clause
// One cluster of Socket.IO by a Redis: two hostds of two workers each, and one
// server of Node's, all with the application of sio_app.mjs.
import { atEnd, until } from './hostd.mjs';
import { npm } from './npm.mjs';
import { startRedis } from './redis.mjs';
import { call, connect, startOurs } from './sio.mjs';
import { startNode } from './sio_app.mjs';

const { createClient, createCluster } = npm('redis');
const { createAdapter, createShardedAdapter } = npm('@socket.io/redis-adapter');
const { Emitter } = npm('@socket.io/redis-emitter');

export async function redisClient(t, redis) {
	const c = createClient({ socket: { path: redis.socket,
		reconnectStrategy: 50 } });

	c.on('error', () => {});
	await c.connect();
	// What a server unsubscribes in its last moment is answered.
	atEnd(t, () => c.isReady ? c.close() : c.destroy());
	return c;
}

// sharded: which rooms have channels, as Node calls it; or nothing.
export async function startNodeMember(t, redis, sharded) {
	const pub = await redisClient(t, redis);
	const sub = await redisClient(t, redis);

	return startNode(t, { adapter: sharded ?
	    createShardedAdapter(pub, sub, { subscriptionMode: sharded }) :
	    createAdapter(pub, sub, { requestsTimeout: 20_000 }) });
}

// The same by a Redis Cluster.
export async function startNodeOfCluster(t, members, sharded) {
	const clients = [0, 1].map(() => createCluster({
		rootNodes: members.map((r) => ({ url: r.url })) }));

	for (const c of clients) {
		c.on('error', () => {});
		await c.connect();
		atEnd(t, () => c.close());
	}
	return startNode(t, { adapter: sharded ?
	    createShardedAdapter(...clients, { subscriptionMode: sharded }) :
	    createAdapter(...clients, { requestsTimeout: 20_000 }) });
}

export const startHostdMember = (t, redis, keys = '', workers = 2, conf = '',
    { clock, ...options } = {}) => startOurs(t, { requestsTimeout: 20_000,
	...options }, { clock, workers, conf: `
		plugin "nodes" { module = "socketio_redis.so"
			url = "${redis.url}" ${keys} }
		${conf}` });

export async function startEmitter(t, redis) {
	return new Emitter(await redisClient(t, redis));
}

// Clients c.a1, c.a2 of the first hostd, c.b1, c.b2 of the second, c.n1 and
// c.n2 of Node's; each of them knows all others.
export async function startNodes(t, sharded) {
	const redis = await startRedis(t);
	const keys = sharded ? `mode = sharded  subscription_mode = ${sharded}` :
	    '';
	const [a, b, n] = await Promise.all([startHostdMember(t, redis, keys),
		startHostdMember(t, redis, keys),
		startNodeMember(t, redis, sharded)]);
	const c = { redis, a, b, n };

	for (const at of ['a', 'b', 'n'])
		for (const i of [1, 2])
			c[at + i] = await connect(t, c[at], 'websocket');
	c.names = ['a1', 'a2', 'b1', 'b2', 'n1', 'n2'];
	c.all = c.names.map((name) => c[name]);
	await acquainted(c.all);
	return c;
}

// Until each of them is told of as many sockets as there are.
export const acquainted = (some, n = some.length) => Promise.all(some.map((s) =>
    until(async () => (await call(s, 'fetch', [])).length === n,
    'all nodes')));

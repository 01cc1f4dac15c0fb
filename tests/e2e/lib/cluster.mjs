// SPDX-License-Identifier: BSD-2-Clause
// Two hostd with a Redis Cluster between them, and what can be asked and done
// there.
import { agreed } from './redis.mjs';
import { Member, startRooms } from './rooms.mjs';
import { patient } from './session.mjs';

export const startNode = (t, redis, keys = '') => startRooms(t, 1, { conf: `
	plugin "redis" { module = "pubsub_redis.so"
		url = "redis://127.0.0.1:${redis.port}"
		retry_max = 200ms ${patient(keys, 'ping_timeout')} }` });

export const count = (h, what) => h.log.split(what).length - 1;

export const slotOf = (r, room) => r.command('CLUSTER', 'KEYSLOT',
    `hostd:${room}`);

// The master who has a slot, of those that can be asked.
export async function masterOf(all, slot) {
	for (const [from, to, [, port]] of await all.at(-1)
	    .command('CLUSTER', 'SLOTS'))
		if (from <= slot && slot <= to)
			return all.find((r) => r.port === port);
	throw new Error(`nobody has slot ${slot}`);
}

// Until a room has so many subscribers at a master.
export const shardSubscribers = (r, room, n) => r.until((a) => a[1] === n,
    'PUBSUB', 'SHARDNUMSUB', `hostd:${room}`);

export async function moveSlot(all, slot, from, to) {
	await agreed(all);
	await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
	await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
	for (const r of new Set([to, from, ...all]))
		await r.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
}

// Two nodes, with a socket in each.
export async function startPair(t, redis, keys) {
	const one = await startNode(t, redis, keys);
	const two = await startNode(t, redis, keys);

	await one.logged('redis is up');
	await two.logged('redis is up');
	return [one, two, await Member.open(t, one), await Member.open(t, two)];
}

export async function crosses(a, b, room, what) {
	await a.do(`but ${room} ${what}`);
	await b.until(() => b.heard.includes(what), what);
}

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO over a reload: clients whose handshake is not over yet, and those
// whom the next worker does not take.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { Way } from './lib/redis_way.mjs';
import { cookieOf, SECRET } from './lib/session.mjs';
import { call, client, connect, connected, gone, heard, startOurs } from
    './lib/sio.mjs';

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

// A store that does not answer the old worker before the new one serves.
test('a session that is looked up meanwhile', async (t) => {
	const redis = await startRedis(t);
	const way = await Way.open(t, redis, 'sess:late');
	const h = await startOurs(t, {}, { workers: 1, conf: `
		state_dir = "@DIR@/state"
		plugin "redis" { module = "session_redis.so"
			url = "${way.url}" answer_timeout = 30s }
		session "main" { store = "redis"  secret = "${SECRET}"
			timeout = 20s }` });
	const options = { extraHeaders: { Cookie: cookieOf('late') } };

	await redis.command('SET', 'sess:late', JSON.stringify({
		cookie: { path: '/', httpOnly: true, originalMaxAge: null },
		user: 'eve' }));
	way.holds = true;
	const all = ['polling', 'websocket', 'upgrade', 'polling']
	    .map((mode) => client(t, h, mode, options));
	const ready = Promise.all(all.map(connected));

	await way.holding();
	const reloaded = reload(h);

	await h.logged('draining');
	way.release();
	await Promise.all([reloaded, ready]);
	for (const s of all)
		assert.equal(await call(s, 'echo', 'here'), 'here');
	await until(() => h.log.includes('has ended'), 'its end');
	for (const s of all)
		assert.equal(await call(s, 'echo', 'still'), 'still');
});

test('sockets that the next worker refuses', async (t) => {
	const clock = await makeClock(t);
	const h = await startOurs(t, {}, { clock, workers: 1,
		conf: 'drain_timeout = 1h', more: 'max_rooms = 3' });
	const all = await Promise.all(Array.from({ length: 8 },
	    () => connect(t, h, 'websocket')));
	const speaker = await connect(t, h, 'websocket');
	const ends = all.map((s) => gone(s));
	let n = 0, open = true;

	for (const s of all)
		await call(s, 'join', ['a', 'b']);
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('max_rooms = 3', 'max_rooms = 1'));
	const talk = (async () => {
		while (open)
			await call(speaker, 'say', 'a', n++);
	})();

	await until(() => n > 10, 'words');
	await reload(h);
	const after = n;

	// They stay where they are as long as that may, and hear everything.
	await until(() => all.some((s) => heard(s, 'said').length > after),
	    'what is said now');
	await clock.passFor(h, 3601);
	assert.deepEqual(new Set(await Promise.all(ends)),
	    new Set(['transport close']));
	open = false;
	await talk;
	const got = all.map((s) => heard(s, 'said').map(([v]) => v));

	for (const list of got)
		assert.deepEqual(list, list.map((_, i) => i));
});

// SPDX-License-Identifier: BSD-2-Clause
// Sessions in Redis: what is in it, and what becomes of them when it goes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { tempDir, until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { begin, calls, outcome, serveRedisSessions, stored, untilServed }
    from './lib/redis_sessions.mjs';
import { ask, get, set, Visitor } from './lib/session.mjs';

const DAY = 86400000;
const count = (h, what) => h.log.split(what).length - 1;
const near = (ttl, want) => ttl <= want && ttl > want - 60000;

test('what is in it, and for how long', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis);
	const v = new Visitor(h);

	// Workers that are ready have Redis.
	assert.equal(await outcome(v, set('name', 'Zoé')), 'OK');
	let s = await stored(redis, v.id);

	assert.deepEqual(Object.keys(s.value), ['cookie', 'name']);
	assert.equal(Buffer.from(s.text, 'latin1').toString(),
	    JSON.stringify({ cookie: s.value.cookie, name: 'Zoé' }));
	assert.ok(near(s.ttl, DAY), s.ttl);
	await t.test('a visit lets it live longer', async () => {
		await redis.command('EXPIRE', `sess:${v.id}`, 100);
		assert.equal(await v.get(get('name')), 'Zoé');
		await redis.until((ttl) => near(ttl, DAY), 'PTTL',
		    `sess:${v.id}`);
		assert.equal((await stored(redis, v.id)).text, s.text);
	});
	await t.test('what is over is gone', async () => {
		const w = new Visitor(h);

		await w.do(set('a', 1));
		const { id } = w;

		await redis.command('PEXPIRE', `sess:${id}`, 1);
		await redis.until((s) => s === 'none', 'TYPE', `sess:${id}`);
		assert.deepEqual(await w.do(get('a')), [['OK']]);
		await w.do(set('a', 2));
		assert.notEqual(w.id, id);
	});
	await t.test('a login has another key, a logout none', async () => {
		const { id } = v;

		await v.do('regenerate', set('user', 'zoe'));
		assert.notEqual(v.id, id);
		assert.equal(await stored(redis, id), null);
		s = await stored(redis, v.id);
		assert.deepEqual([s.value.name && s.value.user,
		    near(s.ttl, DAY)], ['zoe', true]);
		await v.do('destroy');
		assert.equal(await stored(redis, v.id), null);
	});
	await t.test('a large one', async () => {
		const w = new Visitor(h);

		for (const n of [60000, 50000])
			await w.do(`big=a:${n}`, set('n', n));
		assert.equal((await w.get(get('a'))).length, 50000);
		assert.equal((await stored(redis, w.id)).value.a.length, 50000);
	});
	await t.test('an age of its own', async () => {
		const w = new Visitor(h);

		await w.do(set('a', 1), 'age=90000');
		s = await stored(redis, w.id);
		assert.equal(s.value.cookie.originalMaxAge, 90000);
		assert.ok(s.ttl <= 90000 && s.ttl > 30000, s.ttl);
	});
	assert.equal(count(h, 'Redis is'), 0, h.log);
});

test('prefix, database, connections', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis, { workers: 1,
		url: `${redis.url}?db=3`,
		store: 'prefix = "app:sess:" connections = 3' });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	assert.deepEqual(await redis.command('KEYS', '*'), []);
	// One is ours.
	await redis.until((s) => s.trim().split('\n').length === 4,
	    'CLIENT', 'LIST');
	await redis.command('SELECT', 3);
	assert.deepEqual(await redis.command('KEYS', '*'),
	    [`app:sess:${v.id}`]);
	assert.equal(await v.get(get('a')), 1);
	await t.test('an empty one', async (t) => {
		const h = await serveRedisSessions(t, redis, {
			store: 'prefix = ""' });
		const v = new Visitor(h);

		await v.do(set('a', 1));
		await redis.command('SELECT', 0);
		assert.deepEqual(await redis.command('KEYS', '*'), [v.id]);
	});
});

test('changes of two requests are both there', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis, { workers: 1 });
	const v = new Visitor(h);

	await v.do(set('n', 0));
	for (let i = 0; i < 5; i++) {
		const slow = await begin(redis, v, set(`slow${i}`, i));

		await v.twin().do(set(`fast${i}`, i));
		slow.go();
		await slow.done;
	}
	const { value } = await stored(redis, v.id);

	for (let i = 0; i < 5; i++)
		assert.deepEqual([value[`slow${i}`], value[`fast${i}`]],
		    [i, i]);
	await t.test('by a script that is sent once', async () => {
		const stats = await redis.command('INFO', 'commandstats');

		assert.equal(calls(stats, 'eval'), 1, stats);
		assert.ok(calls(stats, 'evalsha') >= 10, stats);
		await redis.command('SCRIPT', 'FLUSH');
		await v.do(set('n', 1));
		assert.equal((await stored(redis, v.id)).value.n, 1);
	});
	await t.test('one that somebody has ended stays ended', async () => {
		const slow = await begin(redis, v, set('slow', 1));
		const { id } = v;

		await v.twin().do('destroy');
		slow.go();
		await slow.done;
		assert.equal(await stored(redis, id), null);
	});
	await t.test('FLUSHALL ends all', async () => {
		const w = new Visitor(h);

		await w.do(set('a', 1));
		const { id } = w;
		const slow = await begin(redis, w, set('slow', 1));

		await redis.command('FLUSHALL');
		slow.go();
		await slow.done;
		assert.deepEqual(await redis.command('KEYS', '*'), []);
		assert.deepEqual(await w.do(get('a')), [['OK']]);
		await w.do(set('a', 2));
		assert.notEqual(w.id, id);
	});
});

test('users and passwords', async (t) => {
	const redis = await startRedis(t, { args: ['--user', 'hostd', 'on',
		'>s3cr3t!', '~sess:*', '+@all', '--requirepass', 'other'] });
	const url = redis.url.replace('unix://', 'unix://hostd@');
	const file = path.join(tempDir(t), 'password');
	const works = async (t, options) => {
		const h = await serveRedisSessions(t, redis, options);

		assert.equal(await outcome(new Visitor(h), set('a', 1)), 'OK',
		    h.log);
		return h;
	};

	fs.writeFileSync(file, 's3cr3t!\n', { mode: 0o600 });
	await works(t, { url: url.replace('hostd@', 'hostd:s3cr3t!@') });
	await works(t, { url, store: 'password = "s3cr3t!"' });
	const h = await works(t, { url, store: `password_file = "${file}"` });

	await t.test('it changes while it is used', async () => {
		await redis.command('AUTH', 'other');
		await redis.command('ACL', 'SETUSER', 'hostd', 'resetpass',
		    '>changed');
		await redis.command('CLIENT', 'KILL', 'USER', 'hostd');
		await h.logged('AUTH is: WRONGPASS');
		assert.equal(await outcome(new Visitor(h), set('a', 1)),
		    'refused');
		await redis.command('ACL', 'SETUSER', 'hostd', '>s3cr3t!');
		await untilServed(new Visitor(h), set('a', 1));
	});
	await t.test('are not shown', async () => {
		for (const what of [['status', '--json'], ['describe', 'web.0'],
			['generations', '--json'], ['test']]) {
			const r = await h.hostctl(...what);

			assert.deepEqual([r.code, r.stdout === ''], [0, false],
			    what);
			assert.ok(!(r.stdout + r.stderr).includes('s3cr3t'),
			    what);
		}
		assert.ok(!h.log.includes('s3cr3t'));
	});
	await t.test('not the right one', async (t) => {
		const h = await serveRedisSessions(t, redis, { url,
			store: 'password = "wr0ng!"' });

		await h.logged('AUTH is: WRONGPASS');
		assert.equal(await outcome(new Visitor(h), set('a', 1)),
		    'refused');
		assert.equal(count(h, 'wr0ng!'), 0);
	});
	await t.test('none', async (t) => {
		const h = await serveRedisSessions(t, redis);

		await h.logged('PING is: NOAUTH');
		assert.equal(await outcome(new Visitor(h), set('a', 1)),
		    'refused');
	});
	for (const [what, make, why] of [
		['is not there', () => fs.rmSync(file), 'No such file'],
		['is empty', () => fs.writeFileSync(file, '\n',
		    { mode: 0o600 }),
			'it is empty'],
		['has two lines', () => fs.writeFileSync(file, 'a\nb\n'),
			'it is not one line'],
		['is for everybody', () => fs.chmodSync(file, 0o644),
			'everybody may read'] ])
		await t.test(`a file that ${what}`, async (t) => {
			make();
			await assert.rejects(serveRedisSessions(t, redis, { url,
				store: `password_file = "${file}"` }),
			(e) => e.message.includes(
			    `password_file: ${file}: ${why}`));
		});
});

// What hostd-plugins(7) asks for.
test('a user who may do no more than has to be', async (t) => {
	const redis = await startRedis(t, { args: ['--user', 'default', 'on',
		'nopass', '~sess:*', '+get', '+set', '+pexpire', '+del',
		    '+eval',
		'+evalsha', '+ping'] });
	const h = await serveRedisSessions(t, redis);
	const v = new Visitor(h);

	await v.do(set('a', 1));
	await v.do(set('a', 2));
	assert.equal(await v.get(get('a')), 2);
	await v.do('regenerate');
	await v.do('destroy');
	assert.deepEqual(await v.do(get('a')), [['OK']]);
	assert.equal(count(h, 'Redis'), count(h, 'connecting to Redis'), h.log);
});

test('a user who may not write', async (t) => {
	const redis = await startRedis(t, { args: ['--user', 'default', 'on',
		'nopass', '~*', '+@all', '-set'] });
	const h = await serveRedisSessions(t, redis, { workers: 1 });
	const v = new Visitor(h);

	for (let i = 0; i < 5; i++)
		assert.equal(await outcome(v, set('a', 1)), 'refused');
	await h.logged('Redis refuses SET: NOPERM');
	assert.equal(count(h, 'Redis refuses SET: NOPERM'), 1, h.log);
});

test('Redis has no room', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis, { workers: 1 });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	await redis.command('CONFIG', 'SET', 'maxmemory', 1);
	for (let i = 0; i < 5; i++)
		assert.equal(await outcome(v, set('a', 2)), 'refused');
	assert.equal(await v.get(get('a')), 1);
	await h.logged(': OOM ');
	assert.equal(count(h, ': OOM '), 1, h.log);
	assert.equal(count(h, v.id), 0);
	await redis.command('CONFIG', 'SET', 'maxmemory', 0);
	await v.do(set('a', 2));
});

test('it has become a replica', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis, { workers: 1 });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	await redis.command('REPLICAOF', '127.0.0.1', 1);
	assert.equal(await outcome(v, set('a', 2)), 'refused');
	// The name may lead to another one now.
	await h.logged('Redis refuses EVALSHA: READONLY');
	await redis.command('REPLICAOF', 'NO', 'ONE');
	await untilServed(v, set('a', 2));
	assert.equal((await stored(redis, v.id)).value.a, 2);
});

test('it is not there', async (t) => {
	const redis = await startRedis(t);

	await redis.kill();
	const h = await serveRedisSessions(t, redis);
	const v = new Visitor(h);

	await h.logged('Redis is down');
	assert.equal(await outcome(v, set('a', 1)), 'refused');
	assert.equal(await outcome(v, 'pid'), 'OK');
	await redis.start();
	await untilServed(v, set('a', 1));
	await t.test('any more', async () => {
		await redis.kill();
		for (let i = 0; i < 10; i++)
			assert.equal(await outcome(v, get('a')), 'E_IO');
		await redis.start();
		await untilServed(v, set('a', 1));
	});
	await t.test('anonymous', async (t) => {
		const h = await serveRedisSessions(t, redis, {
			keys: 'on_error = anonymous' });
		const v = new Visitor(h);

		await v.do(set('a', 1));
		await redis.kill();
		assert.deepEqual(await v.do(get('a')), [['OK']]);
		assert.deepEqual(await v.do(set('a', 2), get('a')),
		    [['OK'], ['OK', 2]]);
		await redis.start();
	});
});

test('it says nothing', async (t) => {
	const redis = await startRedis(t), clock = await makeClock(t);
	const h = await serveRedisSessions(t, redis, { env: clock.env,
		workers: '1  watchdog = 0', keys: 'timeout = 600s',
		store: 'answer_timeout = 1000s ping_timeout = 1000s',
		conf: 'http { idle_timeout = 1d  defer_timeout = 1d }' });
	const v = new Visitor(h);
	const pass = (s) => clock.passFor(h, s);

	await v.do(set('a', 1));
	redis.pause();
	t.after(() => redis.child?.kill('SIGCONT'));
	const all = [];

	for (let i = 0; i < 20; i++)
		all.push(outcome(v, i % 2 ? get('a') : set('a', i)));
	await h.workersSatisfy(([w]) => w.active - w.idle === 20,
	    'twenty who wait');
	await pass(601);
	assert.deepEqual(new Set(await Promise.all(all)),
	    new Set(['E_TIMEOUT']));
	// It is taken for dead; who comes now is told at once.
	await pass(1000);
	await h.logged('no answer within 1000000 ms');
	for (let i = 0; i < 20; i++)
		assert.equal(await outcome(v, get('a')), 'E_IO');
	redis.resume();
	await untilServed(v, set('a', 99));
	assert.equal(await v.get(get('a')), 99);
	await h.logged('Redis is up again');
});

test('killed again and again while it is used', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis, { workers: 2 });
	const answers = new Map();
	let over = false;
	// Each has a value of its own, and never gets another's.
	const visitor = async (i) => {
		const v = new Visitor(h);

		while (!over) {
			const r = await v.visit(set('mine', i), get('mine'));
			const [[code, mine]] = await v.do(get('mine'));

			for (const c of [r.status, code])
				answers.set(c, (answers.get(c) ?? 0) + 1);
			assert.ok(r.status === 200 || r.status === 503, r.text);
			assert.ok(code === 'OK' || code === 'E_IO', code);
			assert.ok(mine === undefined || mine === i, mine);
		}
	};
	const all = Array.from({ length: 16 }, (_, i) => visitor(i));
	const v = new Visitor(h);

	for (let i = 0; i < 5; i++) {
		await untilServed(v, set('a', i));
		await redis.kill();
		assert.equal(await outcome(v, set('a', 'x')), 'E_IO');
		await redis.start();
	}
	await untilServed(v, set('a', 1));
	over = true;
	await Promise.all(all);
	assert.ok(answers.get('OK') > 0 && answers.get('E_IO') > 0, answers);
});

test('it is counted', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis);
	const v = new Visitor(h);
	const metric = async (name) => (await h.status())
	    .metrics[`hostd_session_redis_${name}`];
	const counted = (kind, what = 'calls') =>
	    metric(`${what}_total{plugin="redis",command="${kind}"}`);
	const connections = (n) => until(async () =>
	    await metric('connections{plugin="redis"}') === n,
	    `${n} connections`);

	await connections(4);
	await v.do(set('a', 1));
	await v.do(set('a', 2));
	await v.do(get('a'));
	await redis.until((s) => /cmdstat_pexpire:calls=1/.test(s), 'INFO',
	    'commandstats');
	await until(async () => await counted('touch') === 1, 'the touch');
	assert.deepEqual([await counted('get'), await counted('set'),
		await counted('delete')], [2, 2, 0]);
	await until(async () => (await metric(
	    'answer_milliseconds{plugin="redis"}')).count === 5, 'all five');
	await redis.kill();
	await connections(0);
	assert.equal(await counted('get', 'errors'), 0);
	assert.equal(await outcome(v, get('a')), 'E_IO');
	assert.equal(await counted('get', 'errors'), 1);
});

test('a reload in the middle of it refuses nobody', async (t) => {
	const redis = await startRedis(t);
	const h = await serveRedisSessions(t, redis);
	const v = new Visitor(h);
	let over = false, n = 0;

	await v.do(set('n', 0));
	const busy = (async () => {
		while (!over)
			await v.do(set('n', ++n));
	})();

	for (let i = 0; i < 3; i++)
		assert.equal((await h.hostctl('reload')).code, 0);
	over = true;
	await busy;
	assert.equal(await v.get(get('n')), n);
});

// SPDX-License-Identifier: BSD-2-Clause
// One login for hostd and Express: sessions that both read and write, in the
// Redis of both.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serveExpress } from './lib/express_sessions.mjs';
import { command, until } from './lib/hostd.mjs';
import { startRedis } from './lib/redis.mjs';
import { begin, serveRedisSessions } from './lib/redis_sessions.mjs';
import { get, SECRET, set, setRaw, Visitor } from './lib/session.mjs';

const HOUR = 3600;
const DAY = 86400;

// What redis-cli says.
async function cli(redis, ...words) {
	const r = await command('redis-cli', ['-s', redis.socket, ...words]);

	assert.equal(r.code, 0, r.stderr);
	return r.stdout.trimEnd();
}

/*
 * One browser before both: h.do and h.get are hostd's, e.get is Express'.
 *	text()	what Redis has for it
 *	ttl()	seconds that it has left there
 *	age(n)	let it have so many left
 */
async function together(t, { keys = '', store, secret, ...express } = {}) {
	const redis = await startRedis(t);
	const [hostd, app] = await Promise.all([
		serveRedisSessions(t, redis, { keys, secret,
			store: store ?? '' }),
		serveExpress(t, redis, express) ]);
	const h = new Visitor(hostd);
	const e = new Visitor(app, { path: '/e' });
	const prefix = express.prefix ?? 'sess:';
	const key = () => prefix + h.id;

	e.cookies = h.cookies;
	return { redis, h, e,
		ask: async (...steps) => {
			const r = await e.visit(...steps);

			assert.equal(r.status, 200, r.text);
			return JSON.parse(r.text).value;
		},
		keys: async () => (await cli(redis, 'KEYS', '*')).split('\n')
		    .filter((k) => k),
		text: () => cli(redis, 'GET', key()),
		ttl: async () => Number(await cli(redis, 'TTL', key())),
		age: (n) => cli(redis, 'EXPIRE', key(), n) };
}

test('logged in by hostd, and by Express', async (t) => {
	const { h, ask, keys } = await together(t);

	await h.do(set('lang', 'is'));
	const before = h.id;

	assert.equal(await ask(get('lang')), 'is');
	await h.do('regenerate', set('user', 'zoe'));
	assert.notEqual(h.id, before);
	assert.equal(await ask('id'), h.id);
	assert.deepEqual(await ask('keys'), ['lang', 'user']);
	assert.equal(await ask(get('user')), 'zoe');
	assert.deepEqual(await keys(), [`sess:${h.id}`]);
	await t.test('out by hostd', async () => {
		await h.do('destroy');
		assert.equal(await ask(get('user')), undefined);
		assert.deepEqual(await keys(), []);
	});
	await t.test('in by Express', async () => {
		await ask(set('lang', 'fr'));
		const before = h.id;

		assert.equal(await h.get(get('lang')), 'fr');
		await ask('regenerate', set('user', 'ann'));
		assert.notEqual(h.id, before);
		assert.equal(await h.get('id'), h.id);
		assert.equal(await h.get(get('user')), 'ann');
		assert.deepEqual(await keys(), [`sess:${h.id}`]);
	});
	await t.test('out by Express', async () => {
		await ask('destroy');
		assert.deepEqual(await h.do(get('user')), [['OK']]);
		assert.deepEqual(await keys(), []);
	});
	await t.test('the dead id is nobody\'s', async () => {
		const dead = h.id;

		await h.do(set('a', 1));
		assert.notEqual(h.id, dead);
		assert.equal(await ask(get('a')), 1);
	});
});

// What was not changed is left as it was, to the byte.
test('each keeps what the other has', async (t) => {
	const { h, ask, text } = await together(t);
	const odd = { 'ключ "x"\\': ['é\u2028\ud83d\ude00', -0.5, 1e21, null],
		'': { a: { b: [] } } };

	await ask(set('odd', odd), set('passport', { user: 7 }));
	const original = await text();

	await h.do(set('mine', 1));
	assert.equal(await text(), original.replace(/}$/, ',"mine":1}'));
	await ask(set('passport', { user: 8 }));
	assert.equal(await text(), original.replace('"user":7', '"user":8')
	    .replace(/}$/, ',"mine":1}'));
	await h.do('del=mine');
	assert.equal(await text(), original.replace('"user":7', '"user":8'));
	assert.deepEqual(await ask(get('odd')), odd);
	assert.deepEqual(await h.get(get('odd')), odd);
	await t.test('of what Node would write otherwise', async () => {
		const raw = '{"n": 1.50, "s":"\\u00e9\\/"}';

		await h.do(setRaw('raw', raw));
		await h.do(set('more', 1));
		assert.ok((await text()).includes(`"raw":${raw}`));
		assert.deepEqual(await ask(get('raw')), { n: 1.5, s: 'é/' });
	});
	await t.test('in turns', async () => {
		for (let i = 0; i < 20; i++) {
			await h.do(set(`h${i}`, i));
			await ask(set(`e${i}`, i));
		}
		const all = JSON.parse(await text());

		for (let i = 0; i < 20; i++)
			assert.deepEqual([all[`h${i}`], all[`e${i}`]], [i, i]);
	});
});

test('both at the same time', async (t) => {
	const { redis, h, ask, text, keys } = await together(t);

	await h.do(set('a', 1));
	for (let i = 0; i < 3; i++) {
		const slow = await begin(redis, h, set(`h${i}`, i));

		await ask(set(`e${i}`, i));
		slow.go();
		await slow.done;
	}
	const { cookie, ...all } = JSON.parse(await text());

	assert.deepEqual(all, { a: 1, h0: 0, h1: 1, h2: 2, e0: 0, e1: 1,
	    e2: 2 });
	assert.ok(cookie.path);
	// Who has logged out stays so.
	const slow = await begin(redis, h, set('late', 1));

	await ask('destroy');
	slow.go();
	await slow.done;
	assert.deepEqual(await keys(), []);
});

// Until it has that: who only reads does not wait for it.
const near = (ttl, want) => until(async () => {
	const s = await ttl();

	return s <= want && s > want - 30;
}, `${want} s left`);

for (const [name, keys, options, seconds] of [
	['until the browser ends', '', {}, DAY],
	['an hour', 'max_age = 1h', { cookie: { maxAge: HOUR * 1000 } }, HOUR],
	['an hour, rolling', 'max_age = 1h  rolling = on',
		{ rolling: true, cookie: { maxAge: HOUR * 1000 } }, HOUR],
	['until the browser ends, rolling', 'rolling = on', { rolling: true },
		DAY],
])
	test(`how long it lives: ${name}`, async (t) => {
		const { h, e, ttl, age, text } = await together(t, { keys,
			...options });
		// The attributes of the cookie that is sent, if it is.
		const sent = (r) =>
		    r.cookies.map(({ id, attributes, expires }) =>
		    [id, attributes, expires &&
		    Math.round((expires - Date.now()) /
			60000)]);
		const both = async (steps) => {
			await age(100);
			const a = sent(await h.visit(...steps(0)));

			await near(ttl, seconds);
			await age(100);
			const b = sent(await e.visit(...steps(1)));

			await near(ttl, seconds);
			assert.deepEqual(a, b);
			return a;
		};
		const first = sent(await h.visit(set('a', 0)));

		await near(ttl, seconds);
		const { cookie } = JSON.parse(await text());
		const other = new Visitor(e.h, { path: '/e' });

		assert.deepEqual(sent(
		    await other.visit(set('a', 0)))[0].slice(1),
		    first[0].slice(1));
		await t.test('read', async () =>
			assert.equal((await both(() => [get('a')])).length,
			    options.rolling ? 1 : 0));
		await t.test('changed', async () =>
			assert.equal(
			    (await both((i) => [set('a', i + 1)])).length,
			    options.rolling || seconds === HOUR ? 1 : 0));
		await t.test('as they write it', async () => {
			await e.visit(set('a', 'by Express'));
			const theirs = JSON.parse(await text()).cookie;

			// It has lost what went by while it was made.
			if (theirs.originalMaxAge)
				theirs.originalMaxAge = 60_000 *
				    Math.ceil(theirs.originalMaxAge / 60_000);
			for (const c of [cookie, theirs])
				if (c.expires)
					c.expires =
					    Math.round((Date.parse(c.expires) -
					    Date.now()) / 60000);
			assert.deepEqual(theirs, cookie);
			assert.deepEqual(Object.keys(theirs),
			    Object.keys(cookie));
		});
	});

test('secrets that change', async (t) => {
	const list = (...all) => `secret = { ${all.map((s) => `"${s}"`)
	    .join(', ')} }`;
	const { h, e, ask, redis } = await together(t, {
		secret: list('new', SECRET) });
	const cookie = () => h.cookies.get('connect.sid');

	// Express has the old one, still.
	await ask(set('a', 1));
	const old = cookie();

	assert.equal(await h.get(get('a')), 1);
	await h.do(set('b', 2));
	assert.equal(cookie(), old);
	assert.equal(await ask(get('b')), 2);
	// It can't read what is signed with the new one.
	const other = new Visitor(h.h);

	await other.do(set('a', 3));
	e.cookies = other.cookies;
	assert.equal(await ask(get('a')), undefined);
	await t.test('in Express as well', async (t) => {
		const app = await serveExpress(t, redis,
		    { secret: ['new', SECRET] });
		const e = new Visitor(app, { path: '/e' });

		for (const [cookies, a] of [[h.cookies, 1],
		    [other.cookies, 3]]) {
			e.cookies = cookies;
			assert.deepEqual((await e.visit(get('a'))).text,
			    JSON.stringify({ value: a }));
		}
		e.cookies = new Map();
		await e.visit(set('a', 4));
		h.cookies = e.cookies;
		assert.equal(await h.get(get('a')), 4);
	});
	await t.test('and the old one goes', async (t) => {
		const only = new Visitor(await serveRedisSessions(t, redis,
		    { secret: 'secret = "new"' }));

		only.cookies = other.cookies;
		assert.equal(await only.get(get('a')), 3);
		only.cookies = new Map([['connect.sid', old]]);
		assert.deepEqual(await only.do(get('a')), [['OK']]);
	});
});

test('a prefix, and a name', async (t) => {
	const { h, ask, keys } = await together(t, { keys: 'name = "app.sid"',
		store: 'prefix = "app:sess:"', prefix: 'app:sess:',
		name: 'app.sid' });

	await h.do(set('a', 1));
	assert.equal(await ask(get('a')), 1);
	assert.match((await keys()).join(), /^app:sess:[\w-]{32}$/);
	assert.deepEqual([...h.cookies.keys()], ['app.sid']);
});

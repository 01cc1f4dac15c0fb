// SPDX-License-Identifier: BSD-2-Clause
// What is asked of the store, what is in it then, and when the cookie is sent:
// each visit is made to an Express application, too, and comes to the same.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { atEnd } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { calls, cookieOf, get, SECRET, serveSessions, set, Visitor }
    from './lib/session.mjs';

const expressSession = npm('express-session');
const express = createRequire(npm.resolve('express-session'))('express');

// The steps of session_route that Express has as well.
const actions = {
	get: (q, key) => q.session[key],
	set: (q, key, value) => { q.session[key] = JSON.parse(value); },
	del: (q, key) => { delete q.session[key]; },
	keys: (q) => Object.keys(q.session).filter((k) => k !== 'cookie'),
	age: (q, ms) => { q.session.cookie.maxAge = Number(ms) || null; },
	// As protocols want it at a login: what there is, is taken along.
	regenerate: async (q) => {
		const { cookie, ...kept } = q.session;

		await new Promise((resolve) => q.session.regenerate(resolve));
		Object.assign(q.session, kept);
	},
	destroy: (q) => new Promise((resolve) => q.session.destroy(resolve)),
	save: (q) => new Promise((resolve) => q.session.save(resolve)),
	status: (q, n) => { q.res.status(Number(n)); },
};

// One more step's result, as session_route has it.
async function act(q, step) {
	const [, name, arg = '', value] =
	    /^([a-z]+)(?:=([^:]*)(?::(.*))?)?$/.exec(step);
	const r = await actions[name](q, decodeURIComponent(arg),
	    value && decodeURIComponent(value));

	return r === undefined ? ['OK'] : ['OK', r];
}

// An application with its own store; its calls are noted.
function serveExpress(t, options) {
	const app = express();
	const store = new expressSession.MemoryStore();
	const noted = [];

	for (const name of ['get', 'set', 'touch', 'destroy']) {
		const as = name === 'destroy' ? 'del' : name;
		const original = store[name];

		store[name] = function (id, ...args) {
			// One that it has just made up needs no deleting.
			if (as !== 'del' || this.sessions[id])
				noted.push(`${as} ${id}`);
			return original.call(this, id, ...args);
		};
	}
	app.use(expressSession({ secret: SECRET, store, resave: false,
		saveUninitialized: false, ...options,
		cookie: { secure: 'auto', sameSite: 'lax',
		    ...options.cookie } }));
	app.get('/s', async (q, r) => {
		const all = [];

		for (const step of new URL(q.url, 'http://a').search.slice(1)
		    .split('&'))
			all.push(await act(q, step));
		r.json(all);
	});
	return new Promise((resolve) => {
		const server = app.listen(0, '127.0.0.1', () => resolve({
			port: server.address().port, store,
			calls: () => noted.splice(0) }));

		atEnd(t, () => {
			server.closeAllConnections();
			server.close();
		});
	});
}

// -- what is compared --

const withoutTime = (text) => text?.replace(/"expires":"[^"]*"/,
    '"expires":"T"');
// In Node, originalMaxAge has lost what went by while it was made; here they
// are of whole minutes.
const wholeMinutes = (text) => text?.replace(/"originalMaxAge":(\d+)/,
    (_, n) => `"originalMaxAge":${Math.ceil(n / 60000) * 60000}`);

// Of ids, only which of them are the same.
class Names {
	#all = new Map();

	of(id) {
		if (!this.#all.has(id))
			this.#all.set(id, `id${this.#all.size + 1}`);
		return this.#all.get(id);
	}
}

async function once(v, names, steps, callsOf) {
	const r = await v.visit(...steps);
	const known = r.cookies.map((c) => [c.name, names.of(c.id), c.signed,
		c.attributes]);
	const asked = callsOf().map((c) => {
		const [what, id] = c.split(' ');

		return `${what} ${names.of(id)}`;
	});

	// Node deletes the old id before it stores the new one.
	return { status: r.status, text: r.text, cookies: known,
		calls: asked.sort() };
}

const blocks = {
	'': {},
	'save_uninitialized = on': { saveUninitialized: true },
	'resave = on': { resave: true },
	'rolling = on': { rolling: true },
	'max_age = 1h': { cookie: { maxAge: 3600_000 } },
	'rolling = on max_age = 1h': { rolling: true,
		cookie: { maxAge: 3600_000 } },
	'resave = on max_age = 1h': { resave: true,
		cookie: { maxAge: 3600_000 } },
	'save_uninitialized = on max_age = 1h': { saveUninitialized: true,
		cookie: { maxAge: 3600_000 } },
	'save_uninitialized = on resave = on rolling = on':
	    { saveUninitialized: true, resave: true, rolling: true },
};

// Requests one after the other, each a list of steps.
const visits = {
	'nothing': [[get('a')], [get('a')]],
	'a login and reading': [[set('a', 1)], [get('a')], [get('a'), 'keys']],
	'changes': [[set('a', { b: [1, 'z\u00e9'] })], [set('a', 2)],
		[set('b', null), set('c', 'x')], ['keys', get('b')]],
	'the same once more': [[set('a', 1)], [set('a', 1)], [set('a', 1)]],
	'back and forth': [[set('a', 1)], [set('a', 2), set('a', 1)],
		[set('b', 1), 'del=b']],
	'nothing in the end': [[set('a', 1), 'del=a'], ['keys']],
	'emptied': [[set('a', 1)], ['del=a'], ['keys'], [set('b', 1)]],
	'a new id': [[set('a', 1)], ['regenerate', set('user', 'x')],
		['keys'], [set('a', 2)], ['regenerate'], ['keys']],
	'a new id for nothing': [['regenerate'], [get('a')]],
	'a new id for a first one': [['regenerate', set('a', 1)], ['keys']],
	'two new ids': [[set('a', 1)], ['regenerate', 'regenerate'], ['keys']],
	'a logout': [[set('a', 1)], ['destroy'], [get('a')], [set('b', 1)],
		['keys']],
	'a logout of nobody': [['destroy'], [get('a')]],
	'changed, and out': [[set('a', 1)], [set('a', 2), 'destroy'],
		['keys']],
	'in and out': [[set('a', 1), 'destroy'], ['keys']],
	'a new id, and out': [[set('a', 1)], ['regenerate', 'destroy'],
		['keys']],
	'errors': [['status=500', set('a', 1)], ['status=404', get('a')],
		['status=302', set('a', 2)], ['status=304', get('a')]],
	'an age': [['age=60000', set('a', 1)], [get('a')], [set('a', 2)],
		['age=0', set('a', 3)], [get('a')],
		['age=120000', set('a', 4)], [get('a')]],
	'an age and a new id': [['age=60000', set('a', 1)],
		['regenerate', set('a', 2)], [get('a')]],
};

for (const [keys, options] of Object.entries(blocks))
	test(`as Node: ${keys || 'by default'}`, async (t) => {
		const h = await serveSessions(t, { keys });
		const e = await serveExpress(t, options);
		// Two stores with the same ids.
		const kept = new Map();
		const callsOfOurs = () => calls(h).map((line) => {
			const m = /^(set) (\S+) \S+ \S+ (.*)$/s.exec(line) ??
			    /^(del) (\S+)$/.exec(line);

			if (m)
				kept.set(m[2], m[3]);
			return line;
		});

		for (const [what, requests] of Object.entries(visits)) {
			const [ours, its] = [new Visitor(h), new Visitor(e)];
			const [names1, names2] = [new Names(), new Names()];

			for (const [i, steps] of requests.entries()) {
				const title = `${what}, ${i + 1}: ${steps}`;
				const [got, want] = [
					await once(ours, names1, steps,
					    callsOfOurs),
					await once(its, names2, steps,
					    e.calls) ];

				assert.deepEqual(got, want, title);
				const id = its.cookies.size > 0 ? its.id : '';

				assert.equal(withoutTime(id &&
				    kept.get(ours.id)),
				    wholeMinutes(withoutTime(id &&
				    e.store.sessions[id])),
				    title);
			}
		}
		// Cookies that are none, and one that nobody knows.
		for (const cookie of ['connect.sid=s%3Ax.y',
			cookieOf('A'.repeat(32)), cookieOf('x.y', 'other')])
			for (const steps of [[get('a')], [set('a', 1)]]) {
				const headers = { cookie };
				const forged = cookie.includes('A') ?
				    'A'.repeat(32) : '';
				const names = () => {
					const n = new Names();

					n.of(forged);
					return n;
				};

				assert.deepEqual(
				    await once(new Visitor(h, { headers }),
				    names(), steps, callsOfOurs),
				await once(new Visitor(e, { headers }), names(),
				    steps, e.calls), `${cookie} ${steps}`);
			}
	});

// -- what Node has no way to say --

test('how long the store keeps it', async (t) => {
	for (const [keys, ms] of [['', 86400_000], ['ttl = 90s', 90_000],
		['max_age = 1h', 3600_000],
		['max_age = 1h ttl = 90s', 3600_000], ['max_age = 1ms', 1]]) {
		const h = await serveSessions(t, { keys });
		const v = new Visitor(h);

		await v.do(set('a', 1));
		const first = calls(h);

		assert.equal(first.length, 1);
		assert.equal(first[0].split(' ')[2], String(ms));
		if (ms === 1)
			continue;
		await v.do(get('a'));
		assert.deepEqual(calls(h), [`get ${v.id}`,
			`touch ${v.id} ${ms}`]);
	}
});

// Node forgets it.
test('an age is a change', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);

	await v.do(set('a', 1));
	calls(h);
	const { cookies: [c] } = await v.visit('age=60000');

	assert.ok(c.attributes.includes('Expires'));
	assert.match(calls(h)[1], /^set \S+ 60000 same /);
	assert.equal((await v.visit(get('a'))).cookies.length, 0);
	assert.deepEqual(calls(h), [`get ${v.id}`, `touch ${v.id} 60000`]);
	// Nobody has one for having an age.
	const w = new Visitor(h);

	assert.equal((await w.visit('age=60000')).cookies.length, 0);
	assert.deepEqual(calls(h), []);
});

test('a plugin that asks for none costs nothing', async (t) => {
	for (const keys of ['', 'rolling = on', 'resave = on',
		'save_uninitialized = on']) {
		const h = await serveSessions(t, { keys });
		const v = new Visitor(h);

		await v.do(set('a', 1));
		calls(h);
		assert.deepEqual((await v.visit()).setCookie, []);
		assert.deepEqual((await v.visit('pid')).setCookie, []);
		assert.deepEqual((await new Visitor(h).visit('pid')).setCookie,
		    []);
		assert.deepEqual(calls(h), [], keys);
	}
});

test('a plugin that fails has stored nothing', async (t) => {
	const h = await serveSessions(t, { keys: 'rolling = on' });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	calls(h);
	const r = await v.visit(set('a', 2), 'fail');

	assert.deepEqual([r.status, r.setCookie], [500, []]);
	assert.deepEqual(calls(h), [`get ${v.id}`]);
	assert.equal(await v.get(get('a')), 1);
	// Unless it has stored it itself.
	assert.equal((await v.visit(set('a', 3), 'save', 'fail')).status, 500);
	assert.equal(await v.get(get('a')), 3);
});

test('save', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);
	const r = await v.visit('id', 'new', set('a', 1), 'save', 'id', 'new');
	const steps = JSON.parse(r.text);

	// The cookie goes with the answer all the same.
	assert.equal(r.cookies.length, 1);
	assert.deepEqual(steps[0], ['OK']);
	assert.deepEqual(steps.slice(1), [['OK', 1], ['OK'], ['OK'],
		['OK', v.id], ['OK', 0]]);
	const [first, ...more] = calls(h);

	assert.match(first, /^set \S+ 86400000 none .*"a":1}$/);
	assert.deepEqual(more, []);
	// Stored twice, if it was changed again; then there is no touch.
	await v.do(set('a', 2), 'save', set('a', 3));
	assert.deepEqual(calls(h).map((c) => c.replace(/ .*,/, ' ')),
	    [`get ${v.id}`, 'set "a":2}', 'set "a":3}']);
	await v.do(set('a', 4), 'save');
	assert.deepEqual(calls(h).map((c) => c.replace(/ .*,/, ' ')),
	    [`get ${v.id}`, 'set "a":4}']);
	await v.do('save');
	assert.equal(calls(h)[1].split(' ')[0], 'touch');
});

test('too late', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);
	const late = ['E_STATE'];

	assert.deepEqual(await v.do(set('a', 1), 'begin', set('a', 2), get('a'),
	    'del=a', 'keys', 'age=1', 'regenerate', 'destroy', 'save'),
	[['OK'], ['OK'], late, late, late, late, late, late, late, late]);
	assert.equal(await v.get(get('a')), 1);
	calls(h);
	// Not opened in time.
	assert.deepEqual(await v.do('begin', 'open', get('a')),
	    [['OK'], late, late]);
	assert.deepEqual(calls(h), []);
	// After the end.
	assert.deepEqual(await v.do('destroy', get('a'), set('a', 1), 'del=a',
	    'keys', 'age=1', 'regenerate'),
	[['OK'], late, late, late, late, late, late]);
});

test('handles', async (t) => {
	const h = await serveSessions(t, { conf: `plugin "other" {
			module = "@DIR@/other.so" }
		route "/other" { plugin = "other" }`, files: { 'other.so':
		(await import('node:fs')).readFileSync(await (await import(
		    './lib/http1.mjs')).plugin('session_route')) } });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	const all = await v.do('open', 'misuse');

	assert.deepEqual(all[1], ['OK', [...Array(14).fill('E_INVAL'),
		...Array(12).fill('E_GONE')]]);
	assert.deepEqual(await v.do('opens=3'), [['OK', 3]]);
	assert.deepEqual(await v.do('open', 'thread'), [['OK'], ['E_THREAD']]);
	// Of a request that has ended.
	assert.deepEqual(await v.do('last', get('a'), set('a', 2), 'save'),
	    [['OK'], ['E_GONE'], ['E_GONE'], ['E_GONE']]);
	// Of another instance: while its request goes on.
	const other = new Visitor(h, { path: '/other' });

	other.cookies = v.cookies;
	const held = v.begin('handle', 'body', 'keys');
	let id;

	for (id = 1n; id < 1n << 40n; id += 1n << 32n)
		for (let i = 0n; i < 4n; i++)
			assert.deepEqual(await other.do(`use=${id + i}`,
			    get('a')), [['OK'], ['E_GONE']]);
	held.go();
	assert.deepEqual((await held.done).slice(1), [['OK'], ['OK', ['a']]]);
});

test('values', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);
	const raw = (text) => `set=k:${encodeURIComponent(text)}`;

	for (const text of ['1', '-0.5e+10', '12345678901234567890', 'null',
		'true', '""', '"\\u0000\\ud83d\\ude00"', '[ 1 , 2 ]',
		'{"a": {"b":[]}}', '{"a":1,"a":2}', '"\u20ac"', '  "a"  ',
		'{"__proto__":1}']) {
		await v.do(raw(text));
		const r = await v.visit(get('k'));

		// Byte for byte.
		assert.equal(r.text, `[["OK",${text.trim()}]]`);
	}
	for (const text of ['', ' ', '{', '[1,]', '{"a"}', "'a'", 'NaN', '01',
		'undefined', '"a', '1 2', '"\u0001"', '"\\x"', '"\\ud83d', '.5',
		'['.repeat(900)])
		assert.deepEqual(await v.do(raw(text)), [['E_INVAL']], text);
	assert.deepEqual(await v.do('set=k:%ff', 'settext=k:%ff',
	    'set=%ff:1', 'set=cookie:1', 'set=:1', `set=${'x'.repeat(256)}:1`,
	    `set=${'x'.repeat(255)}:1`),
	[...Array(6).fill(['E_INVAL']), ['OK']]);
	assert.deepEqual(await v.do('settext=t:a"\\%0a%e2%82%ac', 'text=t',
	    get('t'), 'settext=t:', 'text=t', 'text=none', 'set=n:1', 'text=n'),
	[['OK'], ['OK', 'a"\\\n\u20ac'], ['OK', 'a"\\\n\u20ac'], ['OK'],
		['OK', ''], ['OK'], ['OK'], ['E_INVAL']]);
	// Readable, not writable.
	const [, cookie] = (await v.do(get('cookie')))[0];

	assert.equal(cookie.originalMaxAge, null);
	assert.deepEqual(await v.do('del=cookie', get('cookie')),
	    [['OK'], ['OK', cookie]]);
});

test('max_size', async (t) => {
	const h = await serveSessions(t, { keys: 'max_size = 1k' });
	const v = new Visitor(h);

	assert.deepEqual(await v.do('big=a:2000', set('b', 1)),
	    [['E_FULL'], ['OK']]);
	assert.deepEqual(await v.do('big=a:800', 'big=c:800', 'big=b:3',
	    'keys'), [['OK'], ['E_FULL'], ['OK'], ['OK', ['b', 'a']]]);
	assert.equal((await v.get(get('a'))).length, 800);
	assert.deepEqual(await v.do('big=a:810', 'del=a', 'big=c:800'),
	    [['OK'], ['OK'], ['OK']]);
	assert.deepEqual(await v.get('keys'), ['b', 'c']);
});

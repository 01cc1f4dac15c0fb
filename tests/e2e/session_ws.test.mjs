// SPDX-License-Identifier: BSD-2-Clause
// Sessions of WebSockets: that of the upgrade's request, as the store has it at
// the time, whatever became of it, and in the next worker, too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { atEnd, until, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { called, calls, cookieOf, get, order, serveSessions, set, Visitor,
    words }
    from './lib/session.mjs';

const { WebSocket } = npm('ws');

// A WebSocket of v.  first: what came of the steps of its upgrade; do(...):
// those of a message, get(...): the value of the last.
async function open(t, v, ...steps) {
	const cookie = [...v.cookies].map(([k, x]) => `${k}=${x}`).join('; ');
	const ws = new WebSocket(`ws://127.0.0.1:${v.h.port}${v.path}?${
		steps.join('&')}`, { headers: { ...v.headers,
		...(cookie && { cookie }) } });
	const messages = [];
	let wake = () => {};
	const s = { ws, closed: new Promise((resolve) => {
		ws.on('close', resolve);
	}) };
	const next = () => within((async () => {
		while (messages.length === 0)
			await new Promise((r) => { wake = r; });
		return JSON.parse(messages.shift());
	})(), 'a message');

	ws.on('message', (d) => { messages.push(d.toString()); wake(); });
	ws.on('upgrade', (r) => { s.upgrade = r; });
	atEnd(t, () => ws.terminate());
	await within(new Promise((resolve, reject) => {
		ws.on('open', resolve);
		ws.on('error', reject);
		ws.on('unexpected-response', (q, r) => {
			reject(new Error(`status ${r.statusCode}`));
			q.destroy();
		});
	}), 'the upgrade');
	s.first = await next();
	s.do = (...all) => { ws.send(all.join('&')); return next(); };
	s.get = async (...all) => {
		const r = await s.do(...all);

		assert.deepEqual(r.map(([code]) => code), r.map(() => 'OK'));
		return r.at(-1)[1];
	};
	return s;
}

async function visitor(h, ...steps) {
	const v = new Visitor(h);

	await v.do(...steps);
	calls(h);
	return v;
}

test('from the upgrade on', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('user', 'alice'));
	const s = await open(t, v, get('user'), 'id', 'new');

	assert.deepEqual(s.first, [['OK', 'alice'], ['OK', v.id], ['OK', 0]]);
	assert.equal(s.upgrade.headers['set-cookie'], undefined);
	assert.deepEqual(calls(h), [`get ${v.id}`, `touch ${v.id} 86400000`]);
	assert.equal(await s.get(get('user')), 'alice');
	assert.equal(await s.get('id'), v.id);
	assert.equal(await s.get('new'), 0);
	// Nobody needs to have asked for it there.
	const quiet = await open(t, v);

	calls(h);
	assert.deepEqual(quiet.first, []);
	assert.equal(await quiet.get(get('user')), 'alice');
	assert.deepEqual(calls(h), [`get ${v.id}`]);
});

test('changed in the upgrade', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);
	// The 101 has the cookie of a new one.
	const s = await open(t, v, set('a', 1), 'new');
	const [line] = s.upgrade.headers['set-cookie'];

	assert.deepEqual(words(h), ['set']);
	v.cookies.set('connect.sid', /=([^;]*)/.exec(line)[1]);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await s.get(get('a')), 1);
	assert.equal(await s.get('id'), v.id);
	// A new id, by the upgrade.
	const old = v.twin();
	const r = await open(t, v, 'regenerate', set('b', 1));

	v.cookies.set('connect.sid',
	    /=([^;]*)/.exec(r.upgrade.headers['set-cookie'][0])[1]);
	assert.notEqual(v.id, old.id);
	assert.deepEqual(await r.get('keys'), ['a', 'b']);
	assert.equal(await old.get('new'), 1);
	// The other one's has ended.
	assert.deepEqual(await s.do('new', get('a')), [['OK', 1], ['OK']]);
	// Destroyed there.
	const d = await open(t, v, 'destroy');

	assert.deepEqual(await d.do('new', 'keys', 'save'),
	    [['OK', 1], ['OK', []], ['E_NOTSUP']]);
	assert.equal(await v.get('new'), 1);
});

test('what requests change meanwhile', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	for (let i = 2; i < 5; i++) {
		await v.do(set('a', i));
		assert.equal(await s.get(get('a')), i);
	}
	// Loaded once in a message, unless it asks again.
	await v.do(set('a', 5));
	assert.deepEqual(await s.do(set('a', 9), 'open', get('a')),
	    [['OK'], ['OK'], ['OK', 5]]);
	await v.do('destroy');
	assert.deepEqual(await s.do('new', get('a'), set('a', 6), 'save'),
	    [['OK', 1], ['OK'], ['OK'], ['E_NOTSUP']]);
	assert.deepEqual(await v.do(get('a')), [['OK']]);
});

test('save', async (t) => {
	const h = await serveSessions(t, { keys: 'max_age = 1h' });
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	calls(h);
	// Unless it is saved, nothing is.
	assert.deepEqual(await s.do(set('a', 2), get('a')),
	    [['OK'], ['OK', 2]]);
	assert.equal(await v.get(get('a')), 1);
	assert.ok(!words(h).includes('set'));
	assert.deepEqual(await s.do(set('a', 2), 'save', get('a')),
	    [['OK'], ['OK'], ['OK', 2]]);
	assert.equal(await v.get(get('a')), 2);
	assert.deepEqual(words(h), ['get', 'set', 'get', 'touch']);
	await s.do('savenow');
	assert.deepEqual(calls(h).slice(1), [`touch ${v.id} 3600000`]);
	await s.do('age=60000', 'save');
	assert.match(calls(h)[1], /^set \S+ 60000 same/);
	assert.deepEqual(await s.do('big=b:100000', 'regenerate'),
	    [['E_FULL'], ['E_NOTSUP']]);
});

test('what both change', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	calls(h);
	const held = v.begin('open', 'body', set('b', 1));

	await called(h, 'get');
	assert.deepEqual(await s.do(set('c', 1), 'save'), [['OK'], ['OK']]);
	held.go();
	await held.done;
	assert.deepEqual((await s.get('keys')).sort(), ['a', 'b', 'c']);
	assert.deepEqual((await v.get('keys')).sort(), ['a', 'b', 'c']);
	// Destroyed while the socket has it.
	calls(h);
	order(h, 'set 0 hold');
	const saved = s.do('open', set('d', 1), 'save');

	await called(h, 'set');
	order(h, 'set 0 hold', '');
	await v.do('destroy');
	order(h);
	assert.deepEqual((await saved).at(-1), ['E_STATE']);
	assert.equal(await v.get('new'), 1);
});

test('a logout by the socket', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	assert.deepEqual(await s.do('destroy', get('a')),
	    [['OK'], ['E_STATE']]);
	// With save only.
	assert.equal(await v.get(get('a')), 1);
	assert.deepEqual(await s.do('destroy', 'save'), [['OK'], ['OK']]);
	assert.equal(await v.get('new'), 1);
	assert.equal(await s.get('new'), 1);
});

test('without a session', async (t) => {
	const h = await serveSessions(t, { conf: `
		route "/off" { plugin = "s"  session = off }` });

	for (const cookie of ['', 'connect.sid=s%3Ax.y', cookieOf('unknown')]) {
		const s = await open(t, new Visitor(h, { headers:
			cookie ? { cookie } : {} }));

		assert.deepEqual(await s.do('new', 'keys', set('a', 1),
		    get('a'),
		    'save'), [['OK', 1], ['OK', []], ['OK'], ['OK', 1],
			['E_NOTSUP']]);
		assert.ok(!words(h).includes('set'));
	}
	const off = await open(t, new Visitor(h, { path: '/off' }));

	assert.deepEqual(await off.do('open', get('a')),
	    [['E_NOTSUP'], ['E_NOTSUP']]);
	// A cookie that it gets later is the next one's.
	const v = new Visitor(h);
	const s = await open(t, v);

	await v.do(set('a', 1));
	assert.equal(await s.get('new'), 1);
});

test('misuse', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);
	const [, [, codes]] = await s.do('open', 'misuse');

	assert.equal(codes[0], 'E_GONE');
	assert.deepEqual(codes.slice(1), [...Array(13).fill('E_INVAL'),
		...Array(12).fill('E_GONE')]);
	assert.deepEqual(await s.do('open', 'thread'), [['OK'], ['E_THREAD']]);
	const handle = await s.get('handle');

	// It stays the same, and is nobody else's.
	assert.equal(await s.get('handle'), handle);
	s.ws.terminate();
	await s.closed;
	await within((async () => {
		for (;;) {
			const [, [code]] = await v.do(`use=${handle}`,
			    get('a'));

			if (code === 'E_GONE')
				return;
		}
	})(), 'the end of the socket');
});

for (const [keys, code, ...faults] of [
	['', 'E_IO', 'fail -7', 'later -7', 'value x'],
	['timeout = 200ms', 'E_TIMEOUT', 'never']
]) test(`faults: ${faults}`, async (t) => {
	const h = await serveSessions(t, { keys });
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	for (const how of faults) {
		order(h, `get 0 ${how}`);
		assert.deepEqual(await s.do('open'), [[code]], how);
		// The upgrade is answered, whatever the plugin has found out.
		assert.deepEqual((await open(t, v, 'open')).first, [[code]]);
		order(h, `set 0 ${how.replace('value x', 'fail -4')}`);
		const [, [saved]] = await s.do(set('a', 2), 'save');

		assert.match(saved, /^E_(IO|TIMEOUT|FULL)$/);
		await assert.rejects(open(t, v, set('a', 3)), /status 503/);
	}
	order(h);
	assert.equal(await s.get(get('a')), 1);
});

// What they wanted is done all the same.
test('sockets that go while the store thinks', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const s = await open(t, v);

	for (const op of ['get', 'set', 'touch'])
		for (let i = 0; i < 5; i++) {
			const gone = await open(t, v);

			calls(h);
			order(h, `${op} 0 hold`);
			gone.ws.send({ get: 'open',
			    set: `${set('a', 10 + i)}&save`,
				touch: 'save' }[op]);
			await called(h, op);
			gone.ws.terminate();
			await gone.closed;
			await s.get('pid');
			order(h);
			if (op === 'set')
				await until(async () =>
				    await s.get(get('a')) === 10 + i, 'it');
		}
	// Asked again before it is there.
	calls(h);
	order(h, 'get 0 hold');
	const twice = s.do('opens=2', get('a'));

	await called(h, 'get');
	order(h);
	assert.deepEqual(await twice, [['E_STATE'], ['OK', 14]]);
});

// -- over a reload --

test('it moves along', async (t) => {
	const h = await serveSessions(t, { lmdb: true, conf:
		'pool "web" { workers = 2 }' });
	const v = await visitor(h, set('user', 'alice'));
	const all = [];

	for (let i = 0; i < 6; i++)
		all.push(await open(t, v));
	const nobody = await open(t, new Visitor(h));
	const before = new Set(await Promise.all(all.map((s) => s.get('pid'))));

	for (let n = 1; n < 4; n++) {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		for (const s of all)
			await within((async () => {
				while (before.has(await s.get('pid')))
					;
			})(), 'another worker');
		for (const [i, s] of all.entries()) {
			assert.equal(await s.get(get('user')), 'alice');
			assert.equal(await s.get('id'), v.id);
			assert.deepEqual(await s.do('count=n', 'save'),
			    [['OK', (n - 1) * 6 + i + 1], ['OK']]);
		}
		assert.equal(await v.get(get('n')), n * 6);
		assert.deepEqual(await nobody.do('new', 'save'),
		    [['OK', 1], ['E_NOTSUP']]);
		for (const s of all)
			before.add(await s.get('pid'));
	}
	await v.do('destroy');
	for (const s of all)
		assert.equal(await s.get('new'), 1);
});

test('it moves to where its sessions are no more', async (t) => {
	const h = await serveSessions(t, { lmdb: true, conf:
		'pool "web" { workers = 1 }' });
	const v = await visitor(h, set('user', 'alice'));
	const s = await open(t, v);
	const pid = await s.get('pid');
	const text = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile, text.replace('session "main"',
	    'session "other"'));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await within((async () => {
		while (await s.get('pid') === pid)
			;
	})(), 'another worker');
	assert.deepEqual(await s.do('open'), [['E_NOTSUP']]);
	// And back: it has it still.
	fs.writeFileSync(h.confFile, text);
	assert.equal((await h.hostctl('reload')).code, 0);
	await within((async () => {
		while ((await s.do('open'))[0][0] !== 'OK')
			;
	})(), 'the sessions');
	assert.equal(await s.get(get('user')), 'alice');
});

// SPDX-License-Identifier: BSD-2-Clause
// ws_chat: people have the names that they have logged in by.
import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { Person } from './lib/chat.mjs';
import { Client, serveLogin } from './lib/login.mjs';
import { npm } from './lib/npm.mjs';
import { called, calls, order } from './lib/session.mjs';

const { WebSocket } = npm('ws');

const start = (t, options = {}) => serveLogin(t, { ...options,
	session: 'timeout = 60s', conf: `
	plugin "chat" { module = "ws_chat.so"  ${options.chat ?? ''} }
	route "/chat" { plugin = "chat" }
	route "/open" { plugin = "chat"  session = off }` });

// With the cookies of that client.
const open = (t, h, c, path = '/chat') => Person.open(t, h, path,
    { Cookie: [...c.jar].map(([k, v]) => `${k}=${v}`).join('; ') });

// Somebody whose session has that.
async function client(h, user) {
	const c = new Client(h);

	if (user !== undefined)
		await c.get(`/s?set=user:${encodeURIComponent(
		    JSON.stringify(user))}`);
	return c;
}

test('the name of a login, and no other', async (t) => {
	const h = await start(t);
	const c = new Client(h);

	await c.login();
	const ada = await open(t, h, c);
	const bob = await Person.open(t, h);

	assert.equal(ada.welcome.user, 'ada');
	assert.equal('user' in bob.welcome, false);
	await bob.join('tea', 'ada');
	ada.send('join', { room: 'tea', name: 'Ada' });
	assert.equal((await ada.next('error')).code, 'bad_name');
	await ada.join('tea');
	assert.equal((await bob.next('joined', (m) => m.login)).name, 'ada');
	assert.equal((await ada.say('tea', 'really')).login, true);
	assert.equal((await bob.hears('really')).login, true);
	assert.equal('login' in await bob.say('tea', 'not so really'), false);
	assert.equal('login' in await ada.hears('not so really'), false);
	assert.deepEqual(await bob.list('tea'), ['ada', 'ada']);
	// Who has the same session has the same name.
	const twin = await open(t, h, c);

	assert.deepEqual((await twin.join('tea', 'ada')).map((m) =>
	    m.login === true), [true, false]);
	await ada.close();
	await bob.next('left', (m) => m.login === true);
});

test('it moves along, and a logout does not end it', async (t) => {
	const h = await start(t, { lmdb: true });
	const c = new Client(h);

	await c.login();
	const ada = await open(t, h, c);

	await ada.join('tea');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await ada.say('tea', 'moved')).login, true);
	const { csrf } = await c.whoami();

	assert.equal((await c.post('/logout', { csrf })).status, 303);
	assert.equal((await ada.say('tea', 'still here')).login, true);
	assert.equal('user' in (await open(t, h, c)).welcome, false);
	assert.equal((await h.hostctl('reload')).code, 0);
	ada.send('leave', { room: 'tea' });
	await ada.next('left');
	ada.send('join', { room: 'tea', name: 'Bob' });
	assert.equal((await ada.next('error')).code, 'bad_name');
});

test('what is no name', async (t) => {
	const h = await start(t, { chat: 'max_name = 10' });

	for (const user of [undefined, null, 7, { name: 'ada' }, '', ' ada',
		'a\u0000b', 'a\nb', 'a\u200bb', 'x'.repeat(11)]) {
		const p = await open(t, h, await client(h, user));

		assert.equal('user' in p.welcome, false, JSON.stringify(user));
		await p.join('tea', 'Bob');
	}
	assert.equal((await open(t, h, await client(h, 'x'.repeat(10))))
	    .welcome.user, 'x'.repeat(10));
	// Where there are no sessions.
	const p = await open(t, h, await client(h, 'ada'), '/open');

	assert.equal('user' in p.welcome, false);
	const off = await start(t, { chat: 'user_key = ""' });
	const q = await open(t, off, await client(off, 'ada'));

	assert.equal('user' in q.welcome, false);
	await q.join('tea', 'Bob');
	const other = await start(t, { chat: 'user_key = "name"' });
	const n = new Client(other);

	await n.get('/s?set=name:%22Zo%C3%A9%22');
	assert.equal((await open(t, other, n)).welcome.user, 'Zo\u00e9');
});

test('a store that is late, or away', async (t) => {
	const h = await start(t);
	const c = await client(h, 'ada');
	const cookie = { Cookie: `connect.sid=${c.session}` };
	const answer = () => within(new Promise((resolve) => {
		const s = new WebSocket(`ws://127.0.0.1:${h.port}/chat`,
		    { headers: cookie });

		s.on('unexpected-response', (q, r) => resolve(r.statusCode));
		s.on('error', () => {});
	}), 'an answer');

	calls(h);
	order(h, 'get 0 hold');
	const coming = open(t, h, c);

	await called(h, 'get');
	order(h, '');
	assert.equal((await coming).welcome.user, 'ada');
	order(h, 'get 0 fail -7');
	assert.equal(await answer(), 503);
	// Who has no cookie needs no store.
	const p = await Person.open(t, h);

	assert.equal('user' in p.welcome, false);
	// Who leaves meanwhile is forgotten.
	calls(h);
	order(h, 'get 0 hold');
	const s = new WebSocket(`ws://127.0.0.1:${h.port}/chat`,
	    { headers: cookie });

	s.on('error', () => {});
	await called(h, 'get');
	s.terminate();
	order(h, '');
	assert.equal((await open(t, h, c)).welcome.user, 'ada');
});

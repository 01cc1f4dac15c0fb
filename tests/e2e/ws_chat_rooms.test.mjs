// SPDX-License-Identifier: BSD-2-Clause
// Join, talk, see who is there, leave; by one worker and by several.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat, texts } from './lib/chat.mjs';

test('the first message says who serves', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const p = await Person.open(t, h);
	const { node } = await h.status();
	const w = (await h.workers()).find((x) => x.pid === p.pid);

	assert.deepEqual(p.welcome, { type: 'welcome', node,
		worker: `web.${w.slot} pid ${w.pid}` });
});

test('two people on two workers talk', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const [ada, bob] = await oneOnEach(t, h, 2);

	assert.deepEqual(await ada.join('lobby', 'Ada'), []);
	assert.deepEqual(await bob.join('lobby', 'Bob'), []);
	const joined = await ada.next('joined');

	assert.deepEqual(joined, { type: 'joined', room: 'lobby', name: 'Bob',
		id: joined.id });
	const before = Date.now();
	const said = await ada.say('lobby', 'Good morning!');

	assert.deepEqual(said, { type: 'message', room: 'lobby', name: 'Ada',
		id: said.id, text: 'Good morning!', time: said.time });
	assert.ok(said.time >= before - 1 && said.time <= Date.now(), 'now');
	assert.deepEqual(await bob.hears('Good morning!'), said);
	const answer = await bob.say('lobby',
	    'And you?\n\u{1f44b} "<b>"\u0001');

	assert.deepEqual(await ada.hears(answer.text), answer);
	assert.notEqual(answer.id, said.id);
	assert.deepEqual(await ada.list('lobby'), ['Ada', 'Bob']);
	assert.deepEqual(await bob.list('lobby'), ['Ada', 'Bob']);
	assert.deepEqual([ada.unread, bob.unread], [[], []]);
});

test('whoever leaves hears no more, and is not there', async (t) => {
	const h = await startChat(t);
	const ada = await Person.open(t, h), bob = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await ada.join('den');
	await bob.join('lobby', 'Bob');
	bob.send('leave', { room: 'lobby' });
	const left = await ada.next('left');

	assert.deepEqual(left, { type: 'left', room: 'lobby', name: 'Bob',
		id: left.id });
	assert.deepEqual(await bob.next('left'), left);
	await ada.say('lobby', 'alone');
	assert.deepEqual(await ada.list('lobby'), ['Ada']);
	assert.deepEqual(await ada.list('den'), ['Ada']);
	assert.equal(await bob.refused({ type: 'list', room: 'lobby' }),
	    'not_joined');
	assert.deepEqual(bob.unread, []);
});

test('whoever closes, or is lost, has left all rooms', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const [ada, bob] = await oneOnEach(t, h, 2);
	const eve = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await ada.join('den');
	for (const room of ['lobby', 'den']) {
		await bob.join(room, 'Bob');
		await eve.join(room, 'Eve');
	}
	await bob.close();
	eve.socket.terminate();
	for (const name of ['Bob', 'Eve'])
		for (const room of ['lobby', 'den'])
			await ada.next('left', (m) => m.name === name &&
			    m.room === room);
	assert.deepEqual(await ada.list('lobby'), ['Ada']);
});

test('rooms are apart, and what is said in one is heard there', async (t) => {
	const h = await startChat(t);
	const ada = await Person.open(t, h), bob = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await ada.join('den');
	await bob.join('den', 'Bob');
	await ada.say('lobby', 'for the lobby');
	await ada.say('den', 'for the den');
	assert.equal((await bob.next('message')).text, 'for the den');
	assert.deepEqual(bob.unread, []);
});

test('a connection has one name, and another once it has left', async (t) => {
	const h = await startChat(t);
	const p = await Person.open(t, h), other = await Person.open(t, h);

	await other.join('lobby', 'Other');
	await p.join('lobby', 'Ada');
	assert.equal(await p.refused({ type: 'join', room: 'den',
	    name: 'Bob' }), 'bad_name');
	await p.join('den', 'Ada');
	p.send('leave', { room: 'lobby' });
	p.send('leave', { room: 'den' });
	await p.join('lobby', 'Bob');
	assert.deepEqual(await p.list('lobby'), ['Bob', 'Other']);
	assert.equal((await p.say('lobby', 'x')).name, 'Bob');
});

test('joining again is told to nobody else', async (t) => {
	const h = await startChat(t);
	const ada = await Person.open(t, h), bob = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await ada.next('joined');
	await ada.say('lobby', 'x');
	assert.deepEqual(texts(await bob.join('lobby', 'Bob')), ['x']);
	assert.deepEqual(await ada.list('lobby'), ['Ada', 'Bob']);
	assert.deepEqual(ada.unread, []);
	bob.send('leave', { room: 'lobby' });
	await ada.next('left');
	assert.deepEqual(await ada.list('lobby'), ['Ada']);
});

test('a room with a key\'s own prefix; two plugins are apart', async (t) => {
	const h = await startChat(t, { keys: 'prefix = "a b/"', conf: `
		plugin "other" { module = "ws_chat.so" }
		route "/other" { plugin = "other" }` });
	const ada = await Person.open(t, h);
	const bob = await Person.open(t, h, '/other');

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	await ada.say('lobby', 'x');
	await bob.say('lobby', 'y');
	assert.deepEqual(ada.unread, []);
	assert.deepEqual(bob.unread, []);
});

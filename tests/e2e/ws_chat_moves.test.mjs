// SPDX-License-Identifier: BSD-2-Clause
// A chat goes on over reloads: nobody has to connect again, nobody is said to
// have left or come, nothing is missing, nothing comes twice.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Person, startChat, texts } from './lib/chat.mjs';

// Until the old workers have ended.
async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready'),
	    'the end of the old workers');
}

const news = (p) => p.unread.filter((m) =>
	m.type === 'joined' || m.type === 'left');

test('the rooms that they are in, and their names', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const ada = await Person.open(t, h);
	const bob = await Person.open(t, h);
	const guest = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	await ada.join('hall');
	await bob.join('lobby', 'Bob');
	await ada.next('joined', (m) => m.name === 'Bob');
	for (let i = 0; i < 3; i++) {
		await reload(h);
		await ada.say('lobby', `a ${i}`);
		await bob.hears(`a ${i}`);
		await bob.say('lobby', `b ${i}`);
		await ada.hears(`b ${i}`);
		await ada.say('hall', `h ${i}`);
		assert.deepEqual(await ada.list('lobby'), ['Ada', 'Bob']);
		assert.deepEqual(news(ada).concat(news(bob)), []);
	}
	assert.equal(await bob.refused({ type: 'join', room: 'hall',
		name: 'Rob' }), 'bad_name');
	ada.send('leave', { room: 'hall' });
	await ada.next('left', (m) => m.room === 'hall');
	assert.equal(await ada.refused({ type: 'message', room: 'hall',
		text: 'x' }), 'not_joined');
	// Who was nowhere is where it was.
	assert.deepEqual(texts(await guest.join('lobby', 'Eve')),
	    ['a 0', 'b 0', 'a 1', 'b 1', 'a 2', 'b 2']);
	await ada.close();
	await bob.next('left', (m) => m.name === 'Ada');
});

test('while they talk', async (t) => {
	const h = await startChat(t, { workers: 2, keys: 'history = 0' });
	const people = [];
	const said = [];
	let talking = true;

	for (const name of ['Ada', 'Bob', 'Cy', 'Dan']) {
		const p = await Person.open(t, h);

		await p.join('lobby', name);
		people.push(p);
	}
	const talk = async (p, name) => {
		for (let i = 0; talking; i++) {
			p.send('message',
			    { room: 'lobby', text: `${name} ${i}` });
			said.push(`${name} ${i}`);
			await Promise.all(people.map((q) => q.until(() =>
			    q.unread.find((m) => m.text === `${name} ${i}`),
			'that message')));
		}
	};
	const talkers = [talk(people[1], 'B'), talk(people[2], 'C')];

	for (let i = 0; i < 4; i++)
		await reload(h);
	talking = false;
	await Promise.all(talkers);
	for (const p of people) {
		const heard = texts(
		    p.unread.filter((m) => m.type === 'message'));

		for (const who of ['B', 'C'])
			assert.deepEqual(heard.filter((s) => s.startsWith(who)),
			    said.filter((s) => s.startsWith(who)));
	}
});

test('what was asked is answered', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const ada = await Person.open(t, h);
	let asked = 0, answered = 0;

	await ada.join('lobby', 'Ada');
	let reloading = true;
	const asking = (async () => {
		while (reloading || asked < 10) {
			asked++;
			assert.deepEqual(await ada.list('lobby'), ['Ada']);
			answered++;
		}
	})();

	for (let i = 0; i < 3; i++)
		await reload(h);
	reloading = false;
	await asking;
	assert.equal(answered, asked);
});

test('rooms of another prefix: they leave, and come back', async (t) => {
	const h = await startChat(t, { conf: 'drain_timeout = 5s' });
	const ada = await Person.open(t, h);

	await ada.join('lobby', 'Ada');
	const conf = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile, conf.replace('"ws_chat.so"',
	    '"ws_chat.so" prefix = "talk/"'));
	await reload(h);
	assert.equal(await ada.end(), 1012);
	await h.logged(/plugin chat: load of a socket, of state version 1/);
	const again = await Person.open(t, h);

	await again.join('lobby', 'Ada');
	assert.deepEqual(await again.list('lobby'), ['Ada']);
	await again.say('lobby', 'after');
});

// SPDX-License-Identifier: BSD-2-Clause
// A worker that stalls loses messages; its people are given what is kept then.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, Person, startChat } from './lib/chat.mjs';
import { atEnd } from './lib/hostd.mjs';

test('what a stalled worker has missed comes as history', async (t) => {
	const h = await startChat(t, { workers: 2, keys: 'history = 50',
		conf: 'pubsub { queue = 256k }' });
	const [ada, bob] = await oneOnEach(t, h, 2);
	const filler = '.'.repeat(1900);

	await ada.join('lobby', 'Ada');
	await bob.join('lobby', 'Bob');
	atEnd(t, () => {
		try { process.kill(bob.pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(bob.pid, 'SIGSTOP');
	const said = [];

	for (let i = 0; i < 500; i++)
		said.push(await ada.say('lobby', `${i} ${filler}`));
	process.kill(bob.pid, 'SIGCONT');
	const kept = said.slice(-50);

	assert.deepEqual((await bob.next('history')).messages, kept);
	assert.ok(bob.unread.filter((m) => m.type === 'message').length <
	    said.length, 'some were lost on the way');
	// Others in the room, and those who come, are as they were.
	const eve = await Person.open(t, h);

	assert.deepEqual(await eve.join('lobby', 'Eve'), kept);
	await eve.say('lobby', 'hello');
	await bob.hears('hello');
	await ada.hears('hello');
});

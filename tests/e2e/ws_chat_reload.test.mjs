// SPDX-License-Identifier: BSD-2-Clause
// What was said is remembered over reloads, and when workers are fewer.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Person, startChat, texts } from './lib/chat.mjs';
import { until } from './lib/hostd.mjs';

const history = async (t, h, name) => {
	const p = await Person.open(t, h);
	const said = texts(await p.join('lobby', name));

	return { p, said };
};

// Until the old workers have ended.
async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready'),
	    'the end of the old workers');
}

test('reloads, with nobody in the room', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const { p: ada } = await history(t, h, 'Ada');
	const said = [];

	for (let i = 0; i < 20; i++) {
		said.push(`before ${i}`);
		await ada.say('lobby', `before ${i}`);
	}
	await ada.close();
	for (let i = 0; i < 3; i++) {
		await reload(h);
		for (const name of ['Bob', 'Eve', 'Kim', 'Lee']) {
			const one = await history(t, h, name);

			assert.deepEqual(one.said, said);
			await one.p.close();
		}
		const { p } = await history(t, h, 'Mia');

		said.push(`after ${i}`);
		await p.say('lobby', `after ${i}`);
		await p.close();
	}
});

test('a reload while they talk: nothing is missing, nothing twice',
    async (t) => {
	const h = await startChat(t, { workers: 2,
		keys: 'history = 1000' });
	const said = [];
	let talking = true;
	const talk = async (name) => {
		for (let i = 0, p; talking; i++) {
			try {
				p ??= (await history(t, h, name)).p;
				said.push(await p.say('lobby', `${name} ${i}`));
			} catch {
				p = undefined;	// it is to come again
			}
		}
	};
	const talkers = ['Ada', 'Bob', 'Cy'].map(talk);

	for (let i = 0; i < 3; i++)
		await reload(h);
	await until(() => said.length > 200, 'that much is said');
	talking = false;
	await Promise.all(talkers);
	const dan = await Person.open(t, h);
	const kept = await dan.join('lobby', 'Dan');
	const ids = new Set(kept.map((m) => m.id));

	assert.equal(ids.size, kept.length);
	assert.ok(kept.length > 100);
	assert.deepEqual(said.filter((m) => m.time > kept[0].time &&
	    !ids.has(m.id)), []);
});

test('a worker that is let go', async (t) => {
	const h = await startChat(t, { workers: 2 });
	const { p: ada } = await history(t, h, 'Ada');

	await ada.say('lobby', 'hello');
	await ada.close();
	assert.equal((await h.hostctl('scale', 'web', '1')).code, 0);
	await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
	assert.deepEqual((await history(t, h, 'Bob')).said, ['hello']);
});

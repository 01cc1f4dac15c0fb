// SPDX-License-Identifier: BSD-2-Clause
// Who comes back is told what came meanwhile: all of it, once, in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { oneConnection, publish } from './lib/publish.mjs';
import { startSse, Stream, tell } from './lib/sse.mjs';

const back = (t, h, id, options = {}) => Stream.open(t, h, '/events/news',
    { ...options, headers: { 'Last-Event-ID': id } });
const numbers = (from, to) =>
	Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

// A listener that has heard that many; its last id.
async function hears(t, h, texts) {
	const s = await Stream.open(t, h);

	await tell(h, ...texts);
	await s.texts(texts.length);
	return s;
}

test('what came behind the last id', async (t) => {
	const h = await startSse(t);
	const s = await hears(t, h, numbers(1, 3));

	s.close();
	await tell(h, ...numbers(4, 6));
	const again = await back(t, h, s.id);

	assert.deepEqual(await again.texts(3), numbers(4, 6));
	await tell(h, '7');
	assert.deepEqual(await again.texts(1), ['7']);
	// The same by the address, which the header goes before.
	const asked = await Stream.open(t, h,
	    `/events/news?x=1&last_event_id=${s.id}&last_event_id=0`);

	assert.deepEqual(await asked.texts(4), numbers(4, 7));
	const both = await Stream.open(t, h,
	    '/events/news?last_event_id=0', { headers: { 'Last-Event-ID':
		again.id } });

	await tell(h, '8');
	assert.deepEqual(await both.texts(1), ['8']);
});

test('0 asks for everything, and nothing for what comes', async (t) => {
	const h = await startSse(t, { keys: 'history = 3' });
	const s = await hears(t, h, numbers(1, 5));
	const all = await Stream.open(t, h, '/events/news?last_event_id=0');

	assert.deepEqual(await all.texts(3), numbers(3, 5));
	const none = await Stream.open(t, h);

	await tell(h, '6');
	assert.deepEqual(await none.texts(1), ['6']);
	assert.deepEqual(await s.texts(1), ['6']);
});

test('an id that nobody remembers: a gap, then everything', async (t) => {
	const h = await startSse(t, { keys: 'history = 3' });
	const first = await hears(t, h, ['0']);

	await tell(h, ...numbers(1, 5));
	for (const id of [first.id, 'x', '1-', '-1', '1-2-3', 'ffff-99',
		'0-0', `${'f'.repeat(16)}-${'9'.repeat(19)}`, 'f'.repeat(5000),
		'0x1-1', ' ', '+1-+1']) {
		const s = await back(t, h, id);

		if (id !== ' ') {
			const gap = await s.next();

			assert.deepEqual([gap.type, gap.id], ['gap', ''], id);
			assert.deepEqual(await s.texts(3), numbers(3, 5));
		}
		s.close();
	}
});

test('without a history there is a gap', async (t) => {
	const h = await startSse(t, { keys: 'history = 0' });
	const s = await hears(t, h, ['1']);
	const again = await back(t, h, s.id);

	assert.equal((await again.next()).type, 'gap');
	await tell(h, '2');
	assert.deepEqual(await again.texts(1), ['2']);
});

test('at another worker, of messages of all workers', async (t) => {
	const h = await startSse(t, { workers: 3 });
	const s = await hears(t, h, ['0']);

	s.close();
	// Each is a connection of its own, so at some worker.
	for (const n of numbers(1, 30))
		await tell(h, n);
	for (let i = 0; i < 12; i++) {
		const again = await back(t, h, s.id);

		assert.deepEqual(await again.texts(30), numbers(1, 30));
		again.close();
	}
});

test('nothing is lost or doubled while messages keep coming', async (t) => {
	const h = await startSse(t, { workers: 2, keys: 'history = 1000' });
	const n = 600;
	const got = [];
	const first = await Stream.open(t, h);
	// By one connection, so by one worker: they have an order.
	const agent = oneConnection();
	const speaker = (async () => {
		for (let i = 0; i < n; i++)
			await publish(h, { channel: 'public/news',
				message: String(i) }, { agent });
	})();

	await within((async () => {
		for (let s = first; got.length < n;) {
			let e;

			// Some of it; what else has come counts as not seen.
			for (let i = 0; i <= got.length % 7 && got.length < n;
			    i++) {
				e = await s.next();
				got.push(e.data);
			}
			s.close();
			s = await back(t, h, e.id);
		}
	})(), 'all of them');
	await speaker;
	agent.destroy();
	assert.deepEqual(got, numbers(0, n - 1));
});

test('many who come back at once', async (t) => {
	const h = await startSse(t, { workers: 2 });
	const s = await hears(t, h, ['0']);

	s.close();
	await tell(h, ...numbers(1, 50));
	const all = await Promise.all(Array.from({ length: 200 }, () =>
	    back(t, h, s.id)));

	await tell(h, '51');
	for (const one of all)
		assert.deepEqual(await one.texts(51), numbers(1, 51));
});

test('a history larger than what may be pending', async (t) => {
	const h = await startSse(t, { keys: 'max_pending = 1k' });
	const s = await hears(t, h, ['0']);
	const texts = numbers(1, 50).map((x) => `${x} ${'.'.repeat(50_000)}`);

	s.close();
	for (const x of texts)
		await tell(h, x);
	const again = await back(t, h, s.id);

	assert.deepEqual(await again.texts(50), texts);
});

// SPDX-License-Identifier: BSD-2-Clause
// Many requests of one session at once: whose changes are in it afterwards.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { atEnd } from './lib/hostd.mjs';
import { called, calls, get, order, serveSessions, set, Visitor } from
    './lib/session.mjs';

// Each a list of steps.  All have read the session before the first of them
// changes it; what came of each.
async function overlap(h, v, ...each) {
	const all = [];

	for (const steps of each) {
		const w = v.twin();

		calls(h);
		all.push({ w, ...w.begin('open', 'body', ...steps) });
		await called(h, 'get');
	}
	// In that order.
	for (const one of all) {
		one.go();
		one.status = await one.done.then(() => 200,
		    (e) => Number(/(\d+) !== 200/.exec(e.message)?.[1] ?? e));
	}
	return all;
}

const statuses = (all) => all.map((one) => one.status);

async function visitor(h, ...steps) {
	const v = new Visitor(h);

	await v.do(...steps);
	return v;
}

// Its content, as an object.
async function content(v) {
	const keys = (await v.get('keys')).sort();
	const all = keys.length > 0 ? await v.do(...keys.map(get)) : [];

	return Object.fromEntries(keys.map((k, i) => [k, all[i][1]]));
}

test('different keys', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 0), set('gone', 1));
	const all = await overlap(h, v, [set('b', 1)], [set('c', 2)],
	    ['del=gone'], [set('d', { e: [] })], [set('a', 3)], [get('a')]);

	assert.deepEqual(statuses(all), Array(6).fill(200));
	assert.deepEqual(await content(v), { a: 3, b: 1, c: 2, d: { e: [] } });
});

test('the same key', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 0));

	// The later one, and what else the others have set.
	await overlap(h, v, [set('a', 1), set('b', 1)],
	    [set('a', 2), set('c', 1)], [set('a', 3), 'del=b'],
	    [set('a', 0)]);
	assert.deepEqual(await content(v), { a: 3, b: 1, c: 1 });
	await overlap(h, v, [set('a', 4)], ['del=a']);
	assert.deepEqual(await content(v), { b: 1, c: 1 });
	await overlap(h, v, ['del=b'], [set('b', 2)]);
	assert.deepEqual(await content(v), { b: 2, c: 1 });
	// Nobody adds up what two have counted.
	await overlap(h, v, ['count=n'], ['count=n']);
	assert.deepEqual(await content(v), { b: 2, c: 1, n: 1 });
});

test('saved in the middle', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 0));

	await overlap(h, v,
	    [set('a', 1), 'save', set('b', 1), 'save', set('c', 1)],
	    [set('d', 1), 'save', 'savenow', set('e', 1), 'savenow',
		set('f', 1)]);
	assert.deepEqual(await content(v),
	    { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 });
});

test('what somebody has ended is not brought back', async (t) => {
	const h = await serveSessions(t);

	for (const steps of [[set('a', 2)], ['save'], [set('a', 2), 'save'],
		['count=n'], ['del=a'], [get('a')], ['age=60000']])
		for (const end of ['destroy', 'regenerate']) {
			const v = await visitor(h, set('a', 1));
			const old = v.twin();
			const [first, second] = await overlap(h, v, [end],
			    steps);
			const what = `${end}, ${steps}`;

			assert.equal(first.status, 200, what);
			assert.equal(second.status, 200, what);
			assert.deepEqual(await old.do('new', get('a')),
			    [['OK', 1], ['OK']], what);
			if (end === 'regenerate')
				assert.deepEqual(await content(first.w),
				    { a: 1 }, what);
		}
});

test('two at a login', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));
	const old = v.twin();
	const [x, y] = await overlap(h, v, ['regenerate', set('u', 'x')],
	    ['regenerate', set('u', 'y')]);

	assert.notEqual(x.w.id, y.w.id);
	assert.deepEqual(await content(x.w), { a: 1, u: 'x' });
	assert.deepEqual(await content(y.w), { a: 1, u: 'y' });
	assert.equal(await old.get('new'), 1);
	// A login and a logout.
	const [p, q] = await overlap(h, x.w, ['destroy'], ['destroy']);

	assert.deepEqual(statuses([p, q]), [200, 200]);
});

test('too much together', async (t) => {
	const h = await serveSessions(t, { keys: 'max_size = 1k' });
	const v = await visitor(h, set('a', 1));
	const all = await overlap(h, v, ['big=b:600'], ['big=c:600'],
	    [set('d', 1)]);

	assert.deepEqual(statuses(all), [200, 503, 200]);
	assert.deepEqual(await content(v), { a: 1, b: 'x'.repeat(600), d: 1 });
});

test('what somebody else has stored is nonsense', async (t) => {
	const h = await serveSessions(t);
	const v = await visitor(h, set('a', 1));

	calls(h);
	const { go, done } = v.begin('open', 'body', set('a', 2));

	await called(h, 'get');
	order(h, 'set 1 fail -9', 'get 0 value [1]');
	go();
	await assert.rejects(done, /503 !== 200/);
	order(h);
	assert.equal(await v.get(get('a')), 1);
});

test('a store that can not compare: the last one as a whole', async (t) => {
	const h = await serveSessions(t, { flags: '0' });
	const v = await visitor(h, set('a', 0));

	await overlap(h, v, [set('b', 1)], [set('c', 1)], [get('a')]);
	assert.deepEqual(await content(v), { a: 0, c: 1 });
	calls(h);
	await v.do(set('d', 1));
	assert.match(calls(h)[1], /^set \S+ \d+ any /);
});

// -- as it comes --

for (const lmdb of [false, true])
	test(`a storm${lmdb ? ' on four workers' : ''}`, async (t) => {
		const h = await serveSessions(t, { lmdb });
		const v = await visitor(h, set('start', 0));
		// As many as browsers have connections of.
		const agents = Array.from({ length: 6 }, () =>
			new http.Agent({ keepAlive: true, maxSockets: 1 }));
		const pids = new Set();
		const want = { start: 0 };

		if (!lmdb)
			order(h, 'any 0 behind');

		atEnd(t, () => agents.forEach((a) => a.destroy()));
		// Who counts its own key, one request behind the other.
		await Promise.all(agents.map(async (agent, n) => {
			const w = v.twin();

			for (let i = 1; i <= 40; i++) {
				const all = await w.do(`count=k${n}`,
				    set(`l${n}_${i}`, i), `del=l${n}_${i - 1}`,
				    'pid', { agent });

				assert.deepEqual(all[0], ['OK', i]);
				pids.add(all.at(-1)[1]);
				// The kernel may have given all to one worker.
				if (lmdb)
					agent.destroy();
			}
			want[`k${n}`] = 40;
			want[`l${n}_40`] = 40;
		}));
		assert.deepEqual(await content(v), want);
		if (lmdb)
			assert.ok(pids.size > 1, 'more than one worker');
	});

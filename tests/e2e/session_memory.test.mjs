// SPDX-License-Identifier: BSD-2-Clause
// session_memory: sessions of one worker, as many as it may have, until they or
// it end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHostd, until } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { get, SECRET, set, Visitor } from './lib/session.mjs';

async function start(t, store, keys = '') {
	const so = await plugin('session_route');

	return startHostd(t, { conf: `
		pool "web" { workers = 1 }
		plugin "kept" { module = "session_memory.so"  ${store} }
		plugin "s" { module = "${so}" }
		session "main" { store = "kept"  secret = "${SECRET}"  ${keys} }
		route "/s" { plugin = "s" }` });
}

const countOf = async (h) => {
	const r = await h.hostctl('plugin', 'call', 'kept', 'count');

	assert.equal(r.code, 0, r.stderr);
	return Number(/"sessions":\s*(\d+)/.exec(r.stdout)[1]);
};

test('as many as there may be', async (t) => {
	const h = await start(t, 'max_sessions = 10');
	const first = new Visitor(h);
	const come = async () =>
	    (await new Visitor(h).visit(set('a', 1))).status;

	await first.get(set('a', 1));
	for (let i = 1; i < 10; i++)
		assert.equal(await come(), 200);
	assert.equal(await come(), 503);
	assert.equal(await countOf(h), 10);
	await h.logged('there are max_sessions, 10; no new ones are taken');
	assert.equal(await first.get(get('a')), 1);
	await first.do('destroy');
	assert.equal(await come(), 200);
	assert.equal(await come(), 503);
});

test('their end', async (t) => {
	const h = await start(t, 'max_sessions = 10', 'ttl = 1s');
	const v = new Visitor(h);

	await v.get(set('a', 1));
	await v.twin().get(get('a'));
	await until(async () => await countOf(h) === 0, 'nobody left');
	assert.equal(await v.get(get('a')), undefined);
});

test('changes at the same time, a logout, and a reload', async (t) => {
	const h = await start(t, '');
	const v = new Visitor(h);

	await v.get(set('a', 1));
	await Promise.all(['b', 'c', 'd'].map((k) => v.get(set(k, k))));
	assert.deepEqual((await v.get('keys')).sort(), ['a', 'b', 'c', 'd']);
	await v.do('destroy');
	assert.equal(await v.get(get('a')), undefined);
	await v.get(set('a', 2));
	assert.equal((await h.hostctl('reload')).code, 0);
	assert.equal(await v.get(get('a')), undefined);
});

// SPDX-License-Identifier: BSD-2-Clause
// Idle connections of a worker that was replaced may ask once more, for half of
// its time; they used to hold it until its deadline.
import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const start = (t) => serveShow(t, 'idle_timeout = 1h', 'drain_timeout = 2s');

async function idle(t, h) {
	const c = await connect(t, h.port);

	await c.send(get('/'));
	assert.equal((await c.next()).status, 200);
	return c;
}

async function reload(h) {
	const [{ pid }] = await h.workers();
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.logged(new RegExp(`pid ${pid}\\] draining`));
	return pid;
}

test('closed before the deadline', async (t) => {
	const h = await start(t);
	const all = [await idle(t, h), await idle(t, h), await idle(t, h)];
	const pid = await reload(h);

	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	for (const c of all) {
		assert.equal(await c.end(), '');
		assert.equal(c.error, undefined);
	}
	assert.doesNotMatch(h.log, /drain deadline/);
});

test('asked once more: answered, and closed then', async (t) => {
	const h = await start(t);
	const c = await idle(t, h);
	const pid = await reload(h);

	await c.send(get('/again'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	c.destroy();
	// It has nothing more to wait for.
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	assert.doesNotMatch(h.log, /drain deadline/);
});

test('a new connection is the successor\'s, and stays', async (t) => {
	const h = await start(t);
	const old = await idle(t, h);
	const pid = await reload(h);
	const c = await idle(t, h);

	await within(old.end(), 'close of the old one');
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	await c.send(get('/'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.connection, undefined);
});

// SPDX-License-Identifier: BSD-2-Clause
// Idle connections of a worker that is replaced go on in the next; those that
// nobody takes may ask once more, for half of its time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { freePort, until } from './lib/hostd.mjs';
import { connect, get, serveShow } from './lib/http1.mjs';

const start = (t, more = '', options = {}) => serveShow(t,
    'idle_timeout = 1d', `drain_timeout = 1h ${more}`, options);

async function idle(t, port) {
	const c = await connect(t, port);

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

test('they stay open, and the old worker ends', async (t) => {
	const h = await start(t);
	const all = [];

	for (let i = 0; i < 20; i++)
		all.push(await idle(t, h.port));
	// One that has not said anything yet.
	all.push(await connect(t, h.port));
	for (let i = 0; i < 3; i++) {
		const pid = await reload(h);

		await h.logged(new RegExp(`pid ${pid}\\] ending`));
		for (const c of all) {
			await c.send(get('/'));
			const r = await c.next();

			assert.equal(r.status, 200);
			assert.equal(r.headers.connection, undefined);
		}
	}
	assert.doesNotMatch(h.log, /drain deadline/);
	// One is counted when it was answered.
	const { connections } = await until(async () => {
		const s = await h.status();

		return s.requests.total === all.length * 4 - 1 && s;
	}, 'count of all requests');

	assert.equal(connections.active, all.length);
});

// Their address is configured no more, so nobody takes them.
async function unwanted(t, n, env) {
	const port = await freePort();
	const h = await start(t, `listen "more" { address = "127.0.0.1:${port}" }
	    pool "web" { workers = 1  watchdog = 0 }`, { env });
	const all = [];

	for (let i = 0; i < n; i++)
		all.push(await idle(t, port));

	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace(/listen "more" \{.*\}/, ''));
	return { h, all, pid: await reload(h) };
}

// Answered, and closed then.
async function asksOnceMore(c) {
	await c.send(get('/again'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
	c.destroy();
}

test('one that nobody takes is closed before the deadline', async (t) => {
	const clock = await makeClock(t);
	const { h, all: [c, d, e], pid } = await unwanted(t, 3, clock.env);

	// By then it has seen to all that it drains.
	await asksOnceMore(d);
	clock.pass(2000);
	// That it has something to do.
	await e.send('G');
	assert.equal(await c.end(), '');
	assert.equal(c.error, undefined);
	e.destroy();
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	assert.doesNotMatch(h.log, /drain deadline/);
});

test('or asks once more: answered, and closed then', async (t) => {
	const { h, all: [c], pid } = await unwanted(t, 1);

	await asksOnceMore(c);
	// It has nothing more to wait for.
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	assert.doesNotMatch(h.log, /drain deadline/);
});

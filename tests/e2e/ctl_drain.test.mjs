// SPDX-License-Identifier: BSD-2-Clause
// hostctl drain: the node says that it is not ready, and its clients leave,
// while whoever comes is served; SIGTERM does the same for drain_delay.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd } from './lib/hostd.mjs';
import { held, startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';
import { handshake, open, serveEcho, Socket, untilWebsockets } from
    './lib/websocket.mjs';

const page = `
	plugin "st" { module = "http_status.so" }
	route "/status" { plugin = "st" }
	plugin "ready" { module = "http_status.so"  answer = "ready" }
	route "/ready" { plugin = "ready" }
`;
const ready = async (h) => (await fetch(`${h.url}/ready`, {
	headers: { connection: 'close' } })).status;
const fine = async (h, ...args) => {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
	return r.stdout;
};

test('not ready, and each answer asks to leave', async (t) => {
	const h = await startLife(t, { conf: page });
	const c = new Client(h.port);

	assert.equal((await c.ask()).close, false);
	assert.equal(await ready(h), 200);
	assert.equal((await h.status()).ready, true);
	assert.equal(await fine(h, 'drain', '--over', '1h'),
	    'not ready any more; clients are leaving\n');
	assert.equal(await ready(h), 503);
	const s = await h.status();

	assert.equal(s.ready, false);
	assert.equal(s.state, 'draining');
	assert.equal((await c.ask()).close, true);
	assert.equal(await c.ended, 'closed');
	// Whoever comes is served, once.
	const late = new Client(h.port);

	assert.equal((await late.ask()).close, true);
	await late.ended;

	await t.test('by workers that come later, too', async () => {
		await fine(h, 'restart');
		const another = new Client(h.port);

		await h.workersSatisfy((ws) => ws.length === 2, 'two workers');
		assert.equal((await another.ask()).close, true);
	});

	await t.test('and ready again', async () => {
		assert.equal(await fine(h, 'undrain'), 'ready again\n');
		assert.equal(await ready(h), 200);
		const again = new Client(h.port);

		assert.equal((await again.ask()).close, false);
		assert.equal((await again.ask()).close, false);
		again.destroy();
		const r = await h.hostctl('undrain');

		assert.equal(r.code, 1);
		assert.match(r.stderr, /it is ready already/);
	});
});

test('idle connections are closed within the window', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 1 }' });
	const idle = [1, 2, 3].map(() => new Client(h.port));

	for (const c of idle)
		await c.ask();
	assert.match(await fine(h, 'drain', '--over', '300ms', '--wait', '20s'),
	    /^no connection is open$/m);
	for (const c of idle)
		assert.equal(await c.ended, 'closed');
});

test('a request under way is finished; who waits hears of it',
    async (t) => {
	const h = await startLife(t, { keys: 'gate = "@DIR@/gate"' });
	const c = await held(h);
	const r = await h.hostctl('drain', '--over', '0', '--wait', '300ms');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /^hostctl: 1 connections are still open$/m);
	c.destroy();
});

test('WebSockets get 1012 within the window, and no new ones come',
    async (t) => {
	const h = await serveEcho(t, { conf: 'pool "web" { workers = 1 }' });
	const all = [];

	for (let i = 0; i < 5; i++)
		all.push(await open(t, h));
	await fine(h, 'drain', '--over', '500ms');
	for (const s of all) {
		assert.equal((await s.closing()).code, 1012);
		s.destroy();
	}
	const s = await Socket.connect(t, h);

	await s.send(handshake());
	assert.equal((await s.answer()).status, 503);
	s.destroy();

	await t.test('until it is ready again', async () => {
		await fine(h, 'undrain');
		const again = await open(t, h);

		await untilWebsockets(h, 1);
		await fine(h, 'drain', '--over', '1h');
		await fine(h, 'undrain');
		await again.roundtrip();
	});
});

test('SIGTERM: not ready first, for drain_delay', async (t) => {
	const clock = await makeClock(t);
	const h = await startLife(t, { env: clock.env, conf: `${page}
		drain_delay = 1h` });
	const load = new Load(h, { kind: 'new', clients: 2 });

	atEnd(t, () => load.stop());
	await load.more(10);
	h.child.kill('SIGTERM');
	await h.logged(/not ready any more/);
	assert.equal(await ready(h), 503);
	await load.more(50);
	await load.stop();
	assert.deepEqual(load.failures, []);
	clock.pass(3601);
	// The master has something to do.
	await h.hostctl('version');
	await h.ended;
});

test('a second one does not wait', async (t) => {
	const h = await startLife(t, { conf: 'drain_delay = 1h' });

	h.child.kill('SIGTERM');
	await h.logged(/not ready any more/);
	h.child.kill('SIGTERM');
	await h.logged(/stopping at once/);
	await h.ended;
});

test('a worker\'s clients go to the others', async (t) => {
	const h = await startLife(t);
	const c = new Client(h.port);

	await c.ask();
	const { pid } = c;
	const w = (await h.workers()).find((x) => x.pid === pid);

	assert.equal(await fine(h, 'drain', `web.${w.slot}`),
	    `drained; hostctl undrain web.${w.slot} brings it back\n`);
	await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
	assert.equal((await c.ask()).status, 200);
	assert.notEqual(c.pid, pid);
	const last = await h.hostctl('drain', String(c.pid));

	assert.equal(last.code, 1);
	assert.match(last.stderr, /it is the only worker of pool "web"; hostctl stop web/);
	await fine(h, 'undrain', `web.${w.slot}`);
	assert.deepEqual((await h.workers()).map((x) => x.slot), [0, 1]);
	c.destroy();
});

test('a worker is back in the place it had', async (t) => {
	const h = await startLife(t, { conf: 'pool "web" { workers = 4 }' });
	const slots = async () => (await h.workers())
	    .filter((w) => w.state === 'ready').map((w) => w.slot);
	const [, , third] = await h.workers();
	const refused = async (re, ...args) => {
		const r = await h.hostctl(...args);

		assert.equal(r.code, 1, `${args}`);
		assert.match(r.stderr, re);
	};

	await fine(h, 'drain', 'web.0');
	await fine(h, 'drain', 'web.3');
	assert.match(await fine(h, 'drain', String(third.pid)),
	    /^drained; hostctl undrain brings it back, by its name, such as/m);
	await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
	assert.match(await fine(h, 'undrain', 'web.2'), /^it serves again$/m);
	assert.deepEqual(await slots(), [1, 2]);

	await t.test('also after an upgrade and a reload', async () => {
		await fine(h, 'upgrade');
		assert.deepEqual(await slots(), [1, 2]);
		await fine(h, 'undrain', 'web.3');
		assert.deepEqual(await slots(), [1, 2, 3]);
	});

	await t.test('but not one that was not drained', async () => {
		const not = /web\.\d+ has not been drained; hostctl scale web \+1/;

		for (const name of ['web.1', 'web.3', 'web.4', 'web.4000'])
			await refused(not, 'undrain', name);
		for (const name of ['web', 'web.', 'wbe.0', '1', 'web.-1'])
			await refused(/is not a worker's place, such as web\.0/,
			    'undrain', name);
		await fine(h, 'scale', 'web', '+1');
		await refused(not, 'undrain', 'web.0');
		assert.deepEqual(await slots(), [0, 1, 2, 3]);
	});

	await t.test('and not in a pool that is stopped', async () => {
		await fine(h, 'drain', 'web.0');
		await fine(h, 'stop', 'web');
		await refused(/pool "web" is stopped; hostctl start web/,
		    'undrain', 'web.0');
	});
});

test('wrong usage', async (t) => {
	const h = await startLife(t);

	for (const args of [['drain', '--over'], ['drain', '--over', 'x'],
		['drain', '--wait', 'x'], ['drain', 'web.0', 'web.1'],
		['drain', '--over', '1s', 'web.0'], 
		['undrain', 'web.0', 'web.1'], ['undrain', '--x', '--y']])
		assert.equal((await h.hostctl(...args)).code, 2, `${args}`);
	const r = await h.hostctl('drain', 'web');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /a pool is stopped, with hostctl stop web/);
});

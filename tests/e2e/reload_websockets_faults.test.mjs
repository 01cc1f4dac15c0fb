// SPDX-License-Identifier: BSD-2-Clause
// What stands in the way of a WebSocket that is to go on in another worker, and
// what becomes of it and of the others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, startHostd, until } from './lib/hostd.mjs';
import { plugin } from './lib/http1.mjs';
import { closing, CONT, frame, open, PONG, TEXT, text, untilWebsockets } from
    './lib/websocket.mjs';

async function start(t, { drain = '1h', keys = '', env } = {}) {
	return startHostd(t, { env, conf: `
		pool "web" { workers = 1  watchdog = 0 }
		drain_timeout = ${drain}
		plugin "moving" { module = "${await plugin('moving_ws')}" }
		plugin "other" { module = "${await plugin('moving_ws')}" }
		websocket { ping_interval = 0 }
		route "/moving" { plugin = "moving" websocket { ${keys} } }
		route "/other" { plugin = "other" }` });
}

// h.half(s): more than half of the hour of the worker that drains is over,
// which has this socket.
async function startHour(t) {
	const clock = await makeClock(t);
	const h = await start(t, { env: clock.env });

	h.half = async (s) => {
		clock.pass(2000);
		// It has something to do.
		await s.send(frame(PONG, ''));
	};
	return h;
}

async function ask(s, command) {
	await s.send(text(command));
	return (await s.message()).data.toString();
}

async function openAs(t, h, mode = 'plain', path = '/moving') {
	const s = await open(t, h, path);

	assert.equal(await ask(s, `mode ${mode}`), mode);
	assert.equal(await ask(s, 'count'), '1');
	s.pid = await ask(s, 'who');
	return s;
}

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
}

const settled = (h) => h.workersSatisfy((ws) => ws.length === 1 &&
    ws[0].state === 'ready', 'end of the old worker');

// It is in another process, and what was known of it is there.
async function hasMoved(s, count = 2) {
	const pid = await ask(s, 'who');

	assert.notEqual(pid, s.pid);
	s.pid = pid;
	assert.equal(await ask(s, 'count'), String(count));
}

// Those who ask before it do so once more there.
async function haveMoved(all, count = 2) {
	for (const s of all)
		await until(async () => {
			const pid = await ask(s, 'who');
			const moved = pid !== s.pid;

			s.pid = pid;
			return moved;
		}, 'a move');
	for (const s of all)
		assert.equal(await ask(s, 'count'), String(count));
}

async function isSentAway(s) {
	assert.equal((await s.closing()).code, 1012);
	await s.send(closing(1012));
	await s.end();
	s.finish();
}

for (const [mode, log] of [
	['stay', null],
	['fail', /plugin moving: a socket of \/moving can't move: its save returned HOSTD_E_IO/],
	['big', /plugin moving: a socket of \/moving can't move: its save returned HOSTD_E_FULL/],
	['refuse', /plugin moving: load of a socket, of state version 7, returned HOSTD_E_INVAL/],
])
	test(`${mode}: it is sent away, and the others go on`, async (t) => {
		const h = await startHour(t);
		const all = [await openAs(t, h), await openAs(t, h, mode),
			await openAs(t, h)];

		await reload(h);
		await haveMoved([all[0], all[2]]);
		await h.half(all[1]);
		await isSentAway(all[1]);
		await settled(h);
		if (log)
			assert.match(h.log, log);
		else
			assert.doesNotMatch(h.log, /can't move/);
		await untilWebsockets(h, 2);
	});

test('as much state as there may be', async (t) => {
	const h = await start(t);
	const all = [];

	for (let i = 0; i < 50; i++)
		all.push(await openAs(t, h, 'full'));
	await reload(h);
	await settled(h);
	for (const s of all)
		await hasMoved(s);
});

test('a load that crashes: it is sent away, and those behind it go on',
    async (t) => {
	const h = await startHour(t);
	const all = [];

	for (let i = 0; i < 20; i++)
		all.push(await openAs(t, h, i === 7 ? 'crash' : 'plain'));
	for (const s of all.slice(10))
		assert.equal(await ask(s, 'join red'), '0');
	await reload(h);
	// Those that were taken before it have ended with their worker.
	for (const s of all.slice(0, 7))
		await s.end();
	await haveMoved(all.slice(8));
	await h.half(all[7]);
	await isSentAway(all[7]);
	await settled(h);
	assert.match(h.log, /died: SIGABRT in plugin moving, load/);
});

test('the successor is killed while it takes them', async (t) => {
	const h = await start(t, { drain: '20s' });
	const all = [];

	for (let i = 0; i < 300; i++)
		all.push(await openAs(t, h, 'full'));
	const r = h.hostctl('reload');
	const from = h.log.length;

	// As soon as it is there, while it takes the first of them.
	const [, pid] = await h.logged(
	    /web\.0 \(pid (\d+), generation 2\) is ready/, from);

	process.kill(Number(pid), 'SIGKILL');
	await r;
	await settled(h);
	let cut = 0;

	// Those that it had taken have gone with it; no other.
	for (const s of all)
		if (s.closed)
			cut++;
		else
			await hasMoved(s).catch((e) => {
				assert.match(e.message, /FIN|ECONNRESET|EPIPE/);
				cut++;
			});
	t.diagnostic(`${cut} of 300 had been taken`);
	await untilWebsockets(h, 300 - cut);
	const s = await openAs(t, h);

	await reload(h);
	await settled(h);
	await hasMoved(s);
});

test('its route is configured no more, or its plugin is another one',
    async (t) => {
	const h = await startHour(t);
	const a = await openAs(t, h), b = await openAs(t, h, 'plain', '/other');
	const before = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile, before.replace('route "/moving"',
	    'route "/elsewhere"'));
	await reload(h);
	await haveMoved([b]);
	await h.half(a);
	await isSentAway(a);
	await settled(h);
	fs.writeFileSync(h.confFile, before.replace(/plugin "other" .*/,
	    'plugin "other" { module = "ws_echo.so" }'));
	await reload(h);
	await h.logged(/gen 2 .*draining/);
	await h.half(b);
	await isSentAway(b);
	await settled(h);
});

test('in the middle of a message, and of a header', async (t) => {
	const h = await start(t);
	const whole = await openAs(t, h), half = await openAs(t, h);
	const header = await openAs(t, h);
	const bytes = text('count');

	await half.send(frame(TEXT, 'co', { fin: false }));
	await half.roundtrip();
	await header.send(bytes.subarray(0, 1));
	await whole.roundtrip();
	await reload(h);
	await haveMoved([whole]);
	// It goes where it was begun.
	await half.send(frame(CONT, 'unt'));
	assert.equal((await half.message()).data.toString(), '2');
	await header.send(bytes.subarray(1));
	assert.equal((await header.message()).data.toString(), '2');
	await settled(h);
	await hasMoved(half, 3);
	await hasMoved(header, 3);
});

test('with output that its client does not read', async (t) => {
	const h = await start(t, { drain: '20s',
		keys: 'max_output = 64m' });
	const slow = await openAs(t, h), fast = await openAs(t, h);

	slow.socket.pause();
	await slow.send(text('fill 20000000'));
	await fast.roundtrip();
	await reload(h);
	await haveMoved([fast]);
	assert.equal((await h.workers()).length, 2);
	await slow.skip(10 + 20000000);
	await settled(h);
	await hasMoved(slow);
});

test('one that never comes to rest is sent away in time', async (t) => {
	const h = await startHour(t);
	const s = await openAs(t, h);

	await s.send(frame(TEXT, 'co', { fin: false }));
	await s.roundtrip();
	await reload(h);
	await h.logged(/gen 1 .*draining/);
	await s.roundtrip();
	await h.half(s);
	assert.equal((await s.closing()).code, 1012);
	await s.send(frame(CONT, 'unt'), closing(1012));
	await s.end();
	s.finish();
	await settled(h);
	assert.doesNotMatch(h.log, /drain deadline/);
});

test('a plugin that does what it may not do while it goes', async (t) => {
	const h = await start(t);
	const s = await openAs(t, h, 'meddle'), other = await openAs(t, h);

	assert.equal(await ask(s, 'join red'), '0');
	assert.equal(await ask(other, 'join red'), '0');
	await reload(h);
	await settled(h);
	await h.logged(
	    'save: send -9 close -9 pause -9 join -9 leave -9 label -9');
	await h.logged(
	    'load: send -9 close -9 pause -9 join 0 leave 0 label 0');
	await h.logged('moved: count 1 send -9');
	// What was published then has come, once, in order.
	for (const x of [s, other]) {
		assert.equal((await x.message()).data.toString(), 'save');
		assert.equal((await x.message()).data.toString(), 'load');
	}
	await hasMoved(s);
	await hasMoved(other);
});

test('two reloads, one behind the other', async (t) => {
	const h = await start(t, { drain: '20s' });
	const all = [];

	for (let i = 0; i < 200; i++)
		all.push(await openAs(t, h, 'full'));
	for (let i = 0; i < 4; i++)
		await reload(h);
	await settled(h);
	for (const s of all)
		await hasMoved(s);
});

const untilStopped = (pid) => until(() => /^State:\s+T/m.test(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8')), `stop of ${pid}`);

test('all is stopped while they are on their way, and nobody takes them',
    async (t) => {
	const h = await start(t, { drain: '60s' });
	const all = [await openAs(t, h, 'halt')];

	for (let i = 0; i < 20; i++)
		all.push(await openAs(t, h));
	const r = h.hostctl('reload');
	const [, pid] = await h.logged(
	    /web\.0 \(pid (\d+), generation 2\) is ready/);

	atEnd(t, () => {
		try { process.kill(Number(pid),
		    'SIGCONT'); } catch { /* gone */ }
	});
	await untilStopped(pid);
	h.child.kill('SIGTERM');
	// When that is answered, the workers have been told.
	await h.hostctl('list');
	process.kill(Number(pid), 'SIGKILL');
	for (const s of all) {
		assert.equal((await s.closing()).code, 1001);
		await s.send(closing(1001));
		await s.end();
		s.finish();
	}
	await r;
	await h.ended;
});

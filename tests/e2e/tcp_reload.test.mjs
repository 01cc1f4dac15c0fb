// SPDX-License-Identifier: BSD-2-Clause
// TCP connections while workers are replaced: they stay until they end, or
// until drain_timeout; new ones are the next worker's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { connect, echo, first, servers, startGroup } from './lib/tcp.mjs';

async function reload(h) {
	const pids = (await h.workers()).map((w) => w.pid);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	for (const pid of pids)
		await h.logged(new RegExp(`pid ${pid}\\] draining`));
	return pids;
}

// One that has heard its server's name.
async function joined(t, h) {
	const c = await connect(t, h.port);

	await c.bytes(1);
	return c;
}

async function ping(c, text) {
	const before = c.unread.length;

	await c.send(text);
	assert.equal((await c.bytes(before + text.length)).slice(before), text);
}

test('open ones go on, in the worker that has them', async (t) => {
	const a = await echo(t, 'a');
	const h = await startGroup(t, [a.port], { conf: 'drain_timeout = 1h' });
	const c = await joined(t, h);

	await ping(c, 'one');
	const [pid] = await reload(h);

	await ping(c, 'two');
	assert.equal(await first(t, h.port, 1), 'a');
	const [{ servers: [one] }] = await servers(h);

	assert.equal(one.upgraded >= 1, true);
	c.finish();
	assert.equal(await c.end(), 'aonetwo');
	await h.logged(new RegExp(`pid ${pid}\\] ending`));
	assert.doesNotMatch(h.log, /are cut/);
});

test('until drain_timeout, and how many were cut is logged', async (t) => {
	const a = await echo(t, 'a');
	const h = await startGroup(t, [a.port],
	    { conf: 'drain_timeout = 500ms' });
	const all = [];

	for (let i = 0; i < 3; i++) {
		all.push(await joined(t, h));
		await ping(all[i], 'x');
	}
	const [pid] = await reload(h);

	for (const c of all)
		await c.end();
	await h.logged(new RegExp(`pid ${pid}\\] 3 TCP connections are cut`));
	await until(async () => {
		const [{ servers: [one] }] = await servers(h);

		return one.inflight === 0 && one.upgraded === 0;
	}, 'nothing open');
});

test('another upstream, and another mode, for new ones', async (t) => {
	const [a, b] = [await echo(t, 'a'), await echo(t, 'b')];
	const h = await startGroup(t, [a.port], { conf: `drain_timeout = 1h
		upstream "next" { server "127.0.0.1:${b.port}" { } }` });
	const conf = fs.readFileSync(h.confFile, 'utf8');
	const c = await joined(t, h);

	await ping(c, 'x');
	fs.writeFileSync(h.confFile,
	    conf.replace('upstream = "app"', 'upstream = "next"'));
	await reload(h);
	assert.equal(await first(t, h.port, 1), 'b');
	await ping(c, 'y');
	fs.writeFileSync(h.confFile,
	    conf.replace('mode = stream', '').replace('upstream = "app"', ''));
	await reload(h);
	assert.match(await first(t, h.port, 12,
	    'GET / HTTP/1.1\r\nHost: a\r\n' + '\r\n'), /^HTTP\/1.1 404/);
	await ping(c, 'z');
	c.finish();
	await c.end();
});

test('no connection fails while workers are replaced', async (t) => {
	const [a, b] = [await echo(t, 'a'), await echo(t, 'b')];
	const h = await startGroup(t, [a.port, b.port], { conf: `
		pool "web" { workers = 2 }
		drain_timeout = 1h` });
	let going = true, n = 0;
	const client = async () => {
		for (; going; n++) {
			const c = await connect(t, h.port);

			await c.send('xyz');
			assert.match(await c.bytes(4), /^[ab]xyz$/);
			c.finish();
			await c.end();
			assert.equal(c.error, undefined);
		}
	};
	const clients = [client(), client(), client(), client()];

	for (let i = 0; i < 3; i++)
		await reload(h);
	going = false;
	await Promise.all(clients);
	assert.ok(n > 0);
});

test('a worker that is killed takes its own with it, and no counts',
    async (t) => {
	const a = await echo(t, 'a');
	const h = await startGroup(t, [a.port]);
	const c = await joined(t, h);

	await ping(c, 'x');
	const [{ pid }] = await h.workers();

	process.kill(pid, 'SIGKILL');
	await c.end();
	await h.workersSatisfy((w) => w.length === 1 && w[0].pid !== pid &&
	    w[0].state === 'ready', 'another worker');
	assert.equal(await first(t, h.port, 1), 'a');
	await until(async () => {
		const [{ servers: [one] }] = await servers(h);

		return one.inflight === 0 && one.upgraded === 0;
	}, 'nothing open');
});

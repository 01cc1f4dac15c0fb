// SPDX-License-Identifier: BSD-2-Clause
// A new version of a plugin with each reload, under load of every kind: what is
// answered changes and never changes back, and a version that is broken is
// refused or taken back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { buildBusy, putBusy, startBusy } from './lib/busy.mjs';
import { bin } from './lib/hostd.mjs';
import { Crowd } from './lib/crowd.mjs';
import { Lines } from './lib/lines.mjs';
import { Client } from './lib/load.mjs';
import { Traffic } from './lib/traffic.mjs';

const VERSIONS = 6;
const SOCKETS = process.env.HOSTD_FULL ? 2000 : 200;

// What has happened to those who had nothing to do with it: nothing.
async function unnoticed(h, crowd, traffic) {
	await crowd.stop();
	await traffic.stop();
	assert.deepEqual(traffic.failures, []);
	assert.deepEqual(crowd.closed, []);
	assert.deepEqual(crowd.wrong, []);
	assert.doesNotMatch(h.log, /drain deadline|can't move|not held/);
}

// pid and version of who answers on a new connection.
async function ask(h) {
	const c = new Client(h.port);
	const { body } = await c.ask('/busy/now?0', true);

	c.destroy();
	return body.split(' ').map(Number);
}

test('a new version with each reload', async (t) => {
	const h = await startBusy(t, 3);
	const crowd = await Crowd.open(t, h, SOCKETS);
	const traffic = await Traffic.begin(t, h);

	for (let version = 2; version <= VERSIONS; version++) {
		putBusy(h, await buildBusy(t, version));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		traffic.reloads++;
		traffic.least = version;
		assert.equal((await ask(h))[1], version);
	}
	// Whoever is connected since the first comes to the last.
	await crowd.until(() => crowd.members.every((m) =>
	    m.version === VERSIONS), 'the last version');
	await traffic.settled((last) => last.version === VERSIONS);
	await unnoticed(h, crowd, traffic);
});

test('broken versions are refused', async (t) => {
	const h = await startBusy(t, 3);
	const crowd = await Crowd.open(t, h, SOCKETS);
	const traffic = await Traffic.begin(t, h);
	const good = await buildBusy(t, 2);
	const before = (await h.workers()).map((w) => w.pid);
	const bad = [
		[await buildBusy(t, 3, 1), /\(busy\.so\): built to fail$/m],
		[await buildBusy(t, 3, 2),
			/trying it failed: SIGABRT in plugin busy, create$/m],
		[good.subarray(0, 2000), /busy\.so: /],
		[Buffer.from('no plugin\n'), /busy\.so.*not a shared object/],
	];

	for (const [so, why] of bad) {
		const { answers } = crowd;

		putBusy(h, so);
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1, r.stdout);
		assert.match(r.stderr, why);
		assert.match(r.stderr,
		    /^hostctl: not reloaded; generation 1 goes on serving$/m);
		traffic.reloads++;
		assert.equal((await ask(h))[1], 1);
		await crowd.until(() => crowd.answers > answers + SOCKETS,
		    'echoes');
	}
	assert.deepEqual((await h.workers()).map((w) => w.pid), before);
	putBusy(h, good);
	assert.equal((await h.hostctl('reload')).code, 0);
	traffic.least = 2;
	await crowd.until(() => crowd.members.every((m) => m.version === 2),
	    'the good version');
	await unnoticed(h, crowd, traffic);
});

// All clients have been answered by these workers.
async function settled(crowd, traffic, isOne) {
	const pids = () => [...crowd.pids()];

	await traffic.settled((last) => isOne(last.pid));
	await crowd.until(() => pids().every(isOne), 'answers to all');
}

async function crash(h, pid) {
	for (;;) {
		const c = new Client(h.port);

		await c.ask('/busy/now?0');
		if (c.pid === pid) {
			c.send('/busy/crash');
			await c.ended;
			return;
		}
		c.destroy();
	}
}

// Those who were connected to these fail, and nobody else; and of the new
// connections one of each client at most.
function onlyTheirs(traffic, crowd, crashed) {
	const fresh = traffic.failures.filter((f) => f.pid === 0);

	for (const f of [...traffic.failures, ...crowd.closed])
		assert.ok(f.pid === 0 || crashed.includes(f.pid),
		    JSON.stringify(f));
	assert.ok(fresh.length <= 4 * crashed.length, JSON.stringify(fresh));
	assert.ok(crowd.closed.length > 0);
}

test('one that crashes later: a canary', async (t) => {
	const h = await startBusy(t, 3);
	const crowd = await Crowd.open(t, h, SOCKETS);
	const traffic = await Traffic.begin(t, h);
	const old = (await h.workers()).map((w) => w.pid);

	putBusy(h, await buildBusy(t, 2));
	const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--canary', '1', '--for', '1d', '--json']);
	const { pid } = await go.until((l) => l.step === 'slot');

	await go.until((l) => l.step === 'canary');
	await settled(crowd, traffic, (p) => p === pid ||
	    (p !== old[0] && old.includes(p)));
	assert.ok(crowd.pids().has(pid));
	await crash(h, pid);
	assert.equal(await go.ended, 4);
	await h.workersSatisfy((ws) => ws.length === 3 && ws.every((w) =>
	    w.state === 'ready' && w.generation === 1), 'generation 1');
	await settled(crowd, traffic, (p) => p !== pid);
	assert.equal((await ask(h))[1], 1);
	await crowd.stop();
	await traffic.stop();
	onlyTheirs(traffic, crowd, [pid]);
});

test('one that crashes later: too often', async (t) => {
	const h = await startBusy(t, 3, 'max_restarts = 2  min_uptime = 1d');
	const crowd = await Crowd.open(t, h, SOCKETS);
	const traffic = await Traffic.begin(t, h);
	const crashed = [];

	traffic.goesBack = true;
	putBusy(h, await buildBusy(t, 2));
	assert.equal((await h.hostctl('reload')).code, 0);
	for (let i = 0; i < 3; i++) {
		const now = await h.workersSatisfy((ws) => ws.length === 3 &&
		    ws.every((w) => w.state === 'ready' && w.generation === 2 &&
		    !crashed.includes(w.pid)), 'three workers of generation 2');
		const pids = now.map((w) => w.pid);

		await settled(crowd, traffic, (p) => pids.includes(p));
		const [pid] = crowd.pids();

		crashed.push(pid);
		await crash(h, pid);
	}
	await h.logged(/going back from generation 2 to 1/);
	await h.workersSatisfy((ws) => ws.length === 3 && ws.every((w) =>
	    w.state === 'ready' && w.generation === 1), 'generation 1');
	assert.equal((await ask(h))[1], 1);
	await crowd.stop();
	await traffic.stop();
	onlyTheirs(traffic, crowd, crashed);
});

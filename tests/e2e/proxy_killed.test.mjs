// SPDX-License-Identifier: BSD-2-Clause
// Servers that are killed, or restarted one after the other, while clients ask.
import assert from 'node:assert/strict';
import test from 'node:test';
import { App } from './lib/app.mjs';
import { upstreamConf } from './lib/backend.mjs';
import { makeClock } from './lib/clock.mjs';
import { startHostd, until } from './lib/hostd.mjs';
import { Load } from './lib/load.mjs';

async function servers(h) {
	const r = await h.hostctl('upstream', 'list', '--json');
	const list = JSON.parse(r.stdout);

	return (list.upstreams ?? list).find((u) => u.name === 'app').servers;
}

// Until pred(server) holds of the one at that port.
function serverSatisfies(h, port, pred, what) {
	return until(async () => {
		const s = (await servers(h)).find((x) =>
		    x.server.endsWith(`:${port}`));

		return s && pred(s) && s;
	}, what);
}

async function start(t, keys = '', env = {}) {
	const apps = [];

	for (let i = 0; i < 3; i++)
		apps.push(await App.start(t));
	const h = await startHostd(t, { env, conf: `
		pool "web" { workers = 2  watchdog = 0 }
		${upstreamConf(apps, `fail_timeout = 1s ${keys}`)}` });

	return { h, apps };
}

const share = (load, app) => load.byPid.get(app.pid) ?? 0;

test('a server that is killed: others answer, and it comes back slowly',
    async (t) => {
	const clock = await makeClock(t);
	const { h, apps } = await start(t, 'slow_start = 10m', clock.env);
	let load = new Load(h, { clients: 8 });
	// GET is idempotent: what was in flight was asked of another one.
	const stop = async () => {
		await load.stop();
		assert.deepEqual(load.failures, []);
	};

	// All have had some.
	await load.more(() => apps.every((a) => share(load, a) > 20));
	await apps[0].stop('SIGKILL');
	await load.more(300);
	await serverSatisfies(h, apps[0].port, (s) => s.state === 'failed',
	    'server that has failed');
	await apps[0].again();
	// It is tried again, with a small share at first.
	await load.more(() => share(load, apps[0]) > 0);
	const slow = await serverSatisfies(h, apps[0].port, (s) =>
	    s.state === 'slow-starting' || s.state === 'up',
	    'server that comes back');

	assert.equal(slow.state, 'slow-starting');
	assert.ok(slow.share < 100, `share ${slow.share}`);
	await stop();
	clock.pass(601);
	await serverSatisfies(h, apps[0].port, (s) => s.state === 'up',
	    'server with its whole share');
	load = new Load(h, { clients: 8 });
	await load.more(600);
	const got = apps.map((a) => share(load, a));

	// Round robin again: none has less than half of its third.
	assert.ok(Math.min(...got) > 100, String(got));
	await stop();
});

test('what is not idempotent and was sent is not sent again', async (t) => {
	const { h, apps } = await start(t);
	const seen = [];
	const ask = async () => {
		while (!ask.over) {
			const r = await fetch(h.url,
			    { method: 'POST', body: 'x' });

			seen.push([r.status,
			    Number.parseInt(await r.text(), 10)]);
		}
	};
	const clients = 8;
	const all = Array.from({ length: clients }, ask);
	const answered = (n) => {
		const to = seen.length + n;

		return until(() => seen.length >= to, 'answers');
	};

	await answered(100);
	await apps[0].stop('SIGKILL');
	await answered(300);
	ask.over = true;
	await Promise.all(all);
	const failed = seen.filter(([status]) => status !== 200);

	// No more than were in flight.
	assert.ok(failed.length <= clients, JSON.stringify(failed));
	assert.ok(failed.every(([status]) => status === 502));
	for (const a of apps.slice(1))
		assert.ok(seen.some(([, pid]) => pid === a.pid));
});

for (const kind of ['keep', 'new'])
	test(`all servers restarted, one by one, connections: ${kind}`,
	    async (t) => {
		const { h, apps } = await start(t);
		const load = new Load(h, { clients: 8, kind });

		await load.more(200);
		for (const a of apps) {
			const name = `127.0.0.1:${a.port}`;
			const r = await h.hostctl('upstream', 'drain', 'app',
			    name);

			assert.equal(r.code, 0, r.stderr);
			await serverSatisfies(h, a.port,
			    (s) => s.inflight === 0 &&
			    s.state === 'draining', 'drained server');
			await a.stop();
			await a.again();
			const e = await h.hostctl('upstream', 'enable', 'app',
			    name);

			assert.equal(e.code, 0, e.stderr);
			await load.more(() => share(load, a) > 0);
		}
		await load.more(200);
		await load.stop();
		assert.deepEqual(load.failures, []);
	});

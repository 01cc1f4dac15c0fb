// SPDX-License-Identifier: BSD-2-Clause
// Of all workers one resolves names and checks servers; another takes over.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { startHostd, within } from './lib/hostd.mjs';
import { startDns } from './lib/dns.mjs';
import { httpServer, serversOf, serversSatisfy } from './lib/servers.mjs';

const WORKERS = 4;
const INTERVAL_MS = 200;
const LEADS = /\[web\.(\d+) gen (\d+) pid (\d+)\] looks after upstream servers/g;

async function start(t) {
	const app = await httpServer(t, (req, res) => {
		res.writeHead(app.fails ? 500 : 200).end();
	});
	const dns = await startDns(t, { 'app.test': { ttl: 1,
		addresses: ['127.0.0.1'] } });
	const h = await startHostd(t, { conf: `
		pool "web" { workers = ${WORKERS} }
		upstream "app" {
			server "app.test:${app.port}" { }
			server "127.0.0.2:1" { down = on }
			resolvers = {"${dns.address}"}
			resolve_min = 100ms
			resolve_timeout = 1h
			health {
				interval = ${INTERVAL_MS}ms
				jitter = 0s
				fall = 2
				rise = 2
				timeout = 1h
			}
		}` });

	return { h, app, dns };
}

// All that have taken it up, in order.
const leaders = (h) => [...h.log.matchAll(LEADS)].map((m) =>
    ({ slot: Number(m[1]), generation: Number(m[2]), pid: Number(m[3]) }));

const leads = (h, n) => within((async () => {
	while (leaders(h).length < n)
		await once(h, 'log');
	return leaders(h)[n - 1];
})(), `leader ${n}`);

const checks = (app, n) => within((async () => {
	for (let i = 0; i < n; i++)
		await once(app, 'asked');
})(), `${n} checks`);

test('there are as many checks as of one worker', async (t) => {
	const first = performance.now();
	const { h, app, dns } = await start(t);

	await checks(app, 1);
	const began = performance.now();

	await checks(app, 8);
	const took = performance.now() - began;

	// Four that do not know of each other would be done in a quarter.
	assert.ok(took > 8 * INTERVAL_MS * 0.6, `${Math.round(took)} ms`);
	assert.equal(leaders(h).length, 1);
	// At once, and again after a second.
	const asked = dns.asked.filter((q) => q === 'app.test A').length;
	const seconds = (performance.now() - first) / 1000;

	assert.ok(asked <= 1 + seconds, `${asked} times in ${seconds} s`);
});

test('killed, it is followed by another one', async (t) => {
	const { h, app, dns } = await start(t);
	const first = await leads(h, 1);

	await serversSatisfy(h, 'app', (all) => all[0].check === 'up', 'check');
	process.kill(first.pid, 'SIGKILL');
	const second = await leads(h, 2);

	assert.notEqual(second.pid, first.pid);
	await checks(app, 4);
	await dns.askedFor('app.test', 2);
	const [s] = await serversOf(h, 'app');

	assert.equal(s.state, 'up');
});

test('stopped, it is followed, and does no harm when it goes on', async (t) => {
	const { h, app, dns } = await start(t);
	const first = await leads(h, 1);

	await checks(app, 1);
	process.kill(first.pid, 'SIGSTOP');
	h.atEnd(() => process.kill(first.pid, 'SIGCONT'));
	const second = await leads(h, 2);

	assert.notEqual(second.pid, first.pid);
	await checks(app, 2);
	process.kill(first.pid, 'SIGCONT');
	await checks(app, 4);
	await dns.askedFor('app.test', 2);
	assert.equal((await serversOf(h, 'app'))[0].state, 'up');
	assert.doesNotMatch(h.log, /is down/);
	assert.equal(leaders(h).length, 2);
});

test('a reload: the new generation goes on where the old one was',
    async (t) => {
	const { h, app } = await start(t);

	app.fails = true;
	await h.logged('is down: status 500');
	const [before] = await serversOf(h, 'app');

	assert.equal((await h.hostctl('reload')).code, 0);
	const second = await leads(h, 2);

	assert.equal(second.generation, 2);
	await checks(app, 4);
	const [after] = await serversOf(h, 'app');

	assert.equal(after.id, before.id);
	assert.equal(after.state, 'failed');
	assert.ok(after.checked_ms > before.checked_ms);
	assert.equal(h.log.match(/is down/g).length, 1);
	app.fails = false;
	await h.logged('is up again');
	// Nobody of the old generation does anything any more.
	assert.ok(leaders(h).slice(1).every((l) => l.generation === 2));
});

// SPDX-License-Identifier: BSD-2-Clause
// Reloads with connections that go between pools: no request fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { atEnd, freePort, wrk } from './lib/hostd.mjs';
import { Client, get } from './lib/http1.mjs';
import { Client as Asker, Load } from './lib/load.mjs';
import { poolOf, servePools, sumsSatisfy } from './lib/pools.mjs';

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stdout + r.stderr);
}

async function client(t, where) {
	const c = await Client.connect(where);

	atEnd(t, () => c.destroy());
	return c;
}

async function ask(c, target) {
	await c.send(get(target));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.equal(r.headers.connection, undefined);
	const [pid, name] = r.body.trim().split(' ');

	return { pid: Number(pid), name };
}

// Both pools in turn, on connections that are kept.
async function alternate(h, state) {
	const c = new Asker(h.port);

	while (state.running) {
		for (const [target, name] of [['/', 'near'], ['/far', 'far'],
			['/far/2', 'far']]) {
			const a = await c.ask(target);

			assert.equal(a.status, 200);
			assert.equal(a.close, false);
			assert.equal(a.body.trim().split(' ')[1], name);
			state.answers++;
		}
	}
	c.destroy();
}

test('under load', async (t) => {
	const h = await servePools(t);
	const state = { running: true, answers: 0 };
	const loads = ['keep', 'new'].map((kind) => new Load(h,
	    { kind, path: '/far' }));
	const all = Promise.all(Array.from({ length: 6 },
	    () => alternate(h, state)));

	for (let i = 0; i < 8; i++) {
		await reload(h);
		await Promise.all(loads.map((l) => l.more(20)));
	}
	state.running = false;
	await all;
	for (const l of loads) {
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
	assert.ok(state.answers > 0);
	await h.workersSatisfy((ws) => ws.length === 4, 'end of the old ones');
	assert.doesNotMatch(h.log, /drain deadline|no worker of pool/);
});

test('under wrk', async (t) => {
	const h = await servePools(t);
	const run = wrk(`${h.url}/far`, { seconds: 3 });

	await h.workersSatisfy((ws) => ws.some((w) => w.pool === 'socket' &&
	    w.requests > 100), 'load');
	for (let i = 0; i < 4; i++)
		await reload(h);
	const r = await run;

	assert.ok(r.requests > 0, r.output);
	assert.equal(r.errors + r.bad, 0, r.output);
});

test('idle ones stay in their pool, and know where they are from',
    async (t) => {
	const h = await servePools(t);
	const c = await client(t, h.port);

	for (let i = 0; i < 3; i++) {
		assert.equal((await ask(c, '/far')).name, 'far');
		await reload(h);
		await h.workersSatisfy((ws) => ws.length === 4,
		    'end of the old ones');
		await sumsSatisfy(h, (s) => s.socket.active === 1,
		    'one in socket');
		const { pid } = await ask(c, '/far');

		assert.equal((await poolOf(h)).get(pid), 'socket');
		// The route of no pool: where it was accepted.
		const near = await ask(c, '/');

		assert.equal(near.name, 'near');
		assert.equal((await poolOf(h)).get(near.pid), 'web');
	}
});

const edit = (h, from, to) => {
	const text = fs.readFileSync(h.confFile, 'utf8');

	assert.match(text, from);
	fs.writeFileSync(h.confFile, text.replace(from, to));
};

test('a route goes to another pool and back, under load', async (t) => {
	const h = await servePools(t);
	const state = { running: true, answers: 0 };
	const all = Promise.all(Array.from({ length: 6 },
	    () => alternate(h, state)));
	const where = async () => {
		const c = await client(t, h.port);
		const { pid } = await ask(c, '/far');

		c.destroy();
		return (await poolOf(h)).get(pid);
	};

	for (let i = 0; i < 3; i++) {
		edit(h, /pool = "socket" }$/m, '}');
		await reload(h);
		assert.equal(await where(), 'web');
		edit(h, /match = prefix {2}}$/m,
		    'match = prefix  pool = "socket" }');
		await reload(h);
		assert.equal(await where(), 'socket');
	}
	state.running = false;
	await all;
	assert.doesNotMatch(h.log, /no worker of pool/);
});

test('its address is configured no more', async (t) => {
	const port = await freePort();
	const h = await servePools(t, {
		conf: `listen "main" { address = "127.0.0.1:@PORT@" }
		listen "more" { address = "127.0.0.1:${port}" }` });
	const c = await client(t, port);

	assert.equal((await ask(c, '/far')).name, 'far');
	edit(h, /^.*listen "more".*$/m, '');
	await reload(h);
	await c.send(get('/far'));
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
});

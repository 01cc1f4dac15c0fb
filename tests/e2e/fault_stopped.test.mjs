// SPDX-License-Identifier: BSD-2-Clause
// Nobody waits for a worker that is stopped: not a reload, not a scaling, not
// one who drains and would give his connections to it, and not the end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const conf = (n, drain) =>
	`drain_timeout = ${drain}\npool "web" { workers = ${n} }`;

async function stop(h, pid) {
	process.kill(pid, 'SIGSTOP');
	await h.logged(new RegExp(`pid ${pid}, generation \\d\\) has been ` +
	    'stopped by a signal'));
}

test('a reload', async (t) => {
	const h = await startLife(t, { conf: conf(2, '1s') });
	const [, victim] = await h.workers();

	await stop(h, victim.pid);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.logged(new RegExp(
	    `pid ${victim.pid}, generation 1\\) has ended`));
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.generation === 2), 'end of the other');
});

test('a connection that has to go elsewhere', async (t) => {
	const clock = await makeClock(t);
	const h = await startLife(t, { env: clock.env, conf: conf(3, '1h') });
	const ws = await h.workers();
	const clients = [];

	// Idle ones at all of them, most at the one that is to go; so the one
	// that is stopped has the fewest.
	while (!ws.every((w) => clients.some((c) => c.pid === w.pid)) ||
	    clients.filter((c) => c.pid === ws[2].pid).length < 8) {
		const c = new Client(h.port);

		await c.ask();
		if (c.pid === ws[0].pid && clients.some((d) => d.pid === c.pid))
			c.destroy();
		else
			clients.push(c);
	}
	await stop(h, ws[0].pid);
	assert.equal((await h.hostctl('scale', 'web', '2')).code, 0);
	await h.logged(new RegExp(
	    `pid ${ws[2].pid}, generation 1\\) has ended: exit status 0`));
	for (const c of clients.filter((d) => d.pid === ws[2].pid)) {
		assert.equal((await c.ask()).status, 200);
		assert.equal(c.pid, ws[1].pid);
	}
	for (const c of clients)
		c.destroy();

	await t.test('and the end', async () => {
		const from = h.log.length;
		const stop = h.hostctl('stop');

		await h.logged('draining, ', from);
		// Its hour, and the second behind it.
		clock.pass(3602);
		// The master has something to do.
		await h.hostctl('version');
		const r = await stop;

		assert.equal(r.code, 0, r.stderr);
		assert.match(h.log, /sending SIGKILL/);
	});
});

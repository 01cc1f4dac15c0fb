// SPDX-License-Identifier: BSD-2-Clause
// A generation whose workers keep crashing after its reload is taken back by
// itself, once there is one to go back to.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin } from './lib/hostd.mjs';
import { lifeConf, rewrite, startLife } from './lib/life.mjs';
import { Lines } from './lib/lines.mjs';
import { Client } from './lib/load.mjs';

const pool = (keys, workers = 2) =>
	({ conf: `pool "web" { workers = ${workers}
	    ${/min_uptime/.test(keys) ? '' : 'min_uptime = 1d'} ${keys} }` });

async function reload(h, text, code = 0) {
	rewrite(h, 'conf.d/life.conf', lifeConf(`text = "${text}"`));
	const r = await h.hostctl('reload');

	assert.equal(r.code, code, r.stderr);
}

// Crash whichever worker answers, or the one with that pid; resolves when the
// master has noticed.
async function crash(h, pid) {
	const from = h.log.length;
	let c;

	do {
		c?.destroy();
		c = new Client(h.port);
		await c.ask();
	} while (pid !== undefined && c.pid !== pid);
	c.send('/crash');
	await c.ended;
	await h.logged(`(pid ${c.pid}, generation `, from);
	await h.logged(/died: SIGABRT/, from);
}

const generation = async (h) => (await h.status()).generation;

test('more than max_restarts within min_uptime', async (t) => {
	const h = await startLife(t, pool('max_restarts = 2'));

	await reload(h, 'two');
	await crash(h);
	await crash(h);
	assert.equal(await generation(h), 2);
	const events = new Lines(bin('hostctl'),
	    ['-s', h.socket, 'events', '-f',
		'--json']);

	await crash(h);
	await h.logged(/generation 2: workers of pool web have died 3 times within min_uptime \(max_restarts is 2\), the last, web\.\d, with: SIGABRT in plugin life, on_headers; going back from generation 2 to 1/);
	await events.until((l) => (l.event?.event ?? l.event) ===
	    'reload.rolled-back');
	await h.workersSatisfy((ws) => ws.length === 2 && ws.every((w) =>
	    w.generation === 1 && w.state === 'ready'), 'generation 1');
	events.kill();
	await events.ended;
	const s = await h.status();

	assert.equal(s.generation, 1);
	assert.deepEqual([s.rolled_back.from, s.rolled_back.to], [2, 1]);
	assert.match(s.rolled_back.why, /have died 3 times/);
	const [failed] = JSON.parse(
	    (await h.hostctl('generations', '--json')).stdout);

	assert.deepEqual([failed.generation, failed.state], [2, 'failed']);

	await t.test('and what served before goes on, whatever it does',
	    async () => {
		const from = h.log.length;

		for (let i = 0; i < 3; i++)
			await crash(h);
		await h.logged('there is no generation to go back to', from);
		await h.workersSatisfy((ws) => ws.every((w) =>
		    w.state === 'ready'), 'workers that are back');
		assert.equal(await generation(h), 1);
	});

	await t.test('the next reload makes up for it', async () => {
		await reload(h, 'three');
		assert.equal((await h.status()).rolled_back, undefined);
	});
});

test('the first generation has none before it', async (t) => {
	const h = await startLife(t, pool('max_restarts = 1'));

	await crash(h);
	await crash(h);
	await h.logged('there is no generation to go back to');
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'workers that are back');
});

test('after min_uptime it has proved itself', async (t) => {
	const h = await startLife(t,
	    pool('max_restarts = 1 min_uptime = 500ms'));

	await reload(h, 'two');
	await h.workersSatisfy((ws) => ws.every((w) => w.generation === 2 &&
	    w.uptime_ms > 1000), 'workers that have served for a while');
	for (let i = 0; i < 3; i++)
		await crash(h);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'workers that are back');
	assert.equal(await generation(h), 2);
	assert.ok(!h.log.includes('going back'));
});

test('0: as often as they like', async (t) => {
	const h = await startLife(t, pool('max_restarts = 0'));

	await reload(h, 'two');
	for (let i = 0; i < 8; i++)
		await crash(h);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'workers that are back');
	assert.equal(await generation(h), 2);
});

test('who is killed from outside has not crashed', async (t) => {
	const h = await startLife(t, pool('max_restarts = 1'));

	await reload(h, 'two');
	for (let i = 0; i < 4; i++) {
		const [{ pid }] = await h.workersSatisfy((ws) =>
		    ws.length === 2 && ws.every((w) => w.state === 'ready'),
		    'workers');

		process.kill(pid, 'SIGKILL');
		await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws.every((w) => w.pid !== pid && w.state === 'ready'),
		    'another one');
	}
	assert.equal(await generation(h), 2);
});

test('back over one that was bad as well', async (t) => {
	const h = await startLife(t, pool('max_restarts = 1', 1));

	await reload(h, 'two');
	await reload(h, 'three');
	for (const to of [2, 1]) {
		const from = h.log.length;

		await crash(h);
		await crash(h);
		await h.workersSatisfy((ws) => ws.length === 1 &&
		    ws[0].generation === to && ws[0].state === 'ready',
		    `generation ${to}`);
		await h.logged(new RegExp(
		    `generation \\d: workers of pool web .*` +
		    `; going back from generation ${to + 1} to ${to}`));
		await h.logged(new RegExp(`serving generation ${to}$`, 'm'),
		    from);
	}
	assert.equal((await h.status()).rolled_back.from, 2);
});

test('a way back that is barred', async (t) => {
	const h = await startLife(t, { ...pool('max_restarts = 1'),
		keys: 'bomb = "@DIR@/bomb"' });
	const bomb = path.join(h.dir, 'bomb');

	await reload(h, 'two');
	fs.writeFileSync(bomb, '');
	const ws = await h.workersSatisfy((all) => all.length === 2 &&
	    all.every((w) => w.generation === 2), 'generation 2');

	for (const { pid } of ws)
		await crash(h, pid);
	await h.logged(/rollback: worker web\.\d of generation 1 did not get ready: SIGABRT in plugin life, create/);
	await h.logged('rollback refused; generation 2 goes on serving');
	await h.workersSatisfy((all) => all.length === 2 && all.every((w) =>
	    w.generation === 2 && w.state === 'ready'), 'generation 2 again');
	assert.equal((await h.status()).rolled_back, undefined);

	await t.test('is tried again', async () => {
		fs.rmSync(bomb);
		await crash(h);
		await h.workersSatisfy((all) => all.length === 2 &&
		    all.every((w) => w.generation === 1 &&
		    w.state === 'ready'), 'generation 1');
	});
});

test('while it is being rolled out', async (t) => {
	const h = await startLife(t, pool('max_restarts = 1', 3));
	// The canary is over at once, and then the second one does not come.
	const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--canary', '1', '--for', '1d', '--json']);
	const { pid } = await go.until((l) => l.step === 'slot');

	await go.until((l) => l.step === 'canary');
	process.kill(pid, 'SIGKILL');
	// It was not its fault.
	await h.workersSatisfy((ws) => ws.filter((w) => w.state === 'ready')
	    .length === 3 && ws.every((w) => w.pid !== pid), 'another one');
	const r = await h.hostctl('rollback');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await go.ended, 4);
	assert.equal(await generation(h), 1);
});

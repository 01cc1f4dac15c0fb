// SPDX-License-Identifier: BSD-2-Clause
// hostctl restart replaces workers by others of the same generation, and no
// request fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

const two = `
	pool "web" { workers = 2 }
	pool "other" { workers = 1 }
	listen "main" { address = "127.0.0.1:@PORT@" }
`;
const settled = (h, n) => h.workersSatisfy((ws) => ws.length === n &&
    ws.every((w) => w.state === 'ready'), `${n} workers`);
const pids = (ws) => ws.map((w) => w.pid);

async function restart(h, ...args) {
	const r = await h.hostctl('restart', ...args);

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /^restarted, generation 1 is served$/m);
}

test('a worker, a pool, all, under load', async (t) => {
	const h = await startLife(t, { conf: two });
	const loads = [new Load(h, { clients: 4 }),
		new Load(h, { kind: 'new' })];
	let before = await settled(h, 3);
	const after = async (changed, ...args) => {
		await restart(h, ...args);
		const now = await settled(h, 3);

		assert.deepEqual(now.map((w, i) => w.pid !== before[i].pid),
		    changed, args.join());
		assert.ok(now.every((w) => w.generation === 1));
		// It was nobody's fault.
		assert.ok(now.every((w) => w.restarts === 0));
		before = now;
	};

	// In the order of the status: other.0, web.0, web.1.
	await after([false, false, true], 'web.1');
	await after([false, true, false], String(before[1].pid));
	await after([false, true, true], 'web');
	await after([true, false, false], 'other');
	await after([true, true, true]);
	for (const l of loads) {
		await l.more(50);
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
});

test('files that changed do not matter to it', async (t) => {
	const h = await startLife(t);

	fs.rmSync(path.join(h.dir, 'life.so'));
	fs.writeFileSync(h.confFile, 'nonsense {');
	const before = await settled(h, 2);

	await restart(h, 'web');
	const after = await settled(h, 2);

	assert.ok(!pids(after).some((p) => pids(before).includes(p)));
	assert.equal(await (await fetch(h.url)).text()
	    .then((s) => s.replace(/^\d+ /, '')), 'one\n');
});

test('one that does not get ready leaves the old one', async (t) => {
	const h = await startLife(t, { keys: 'bomb = "@DIR@/bomb"' });
	const before = await settled(h, 2);

	fs.writeFileSync(path.join(h.dir, 'bomb'), '');
	const r = await h.hostctl('restart', 'web');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /worker web\.0 of generation 1 did not get ready: /);
	assert.match(r.stderr, /not restarted; generation 1 goes on serving/);
	fs.rmSync(path.join(h.dir, 'bomb'));
	assert.deepEqual(pids(await settled(h, 2)), pids(before));
	assert.equal((await fetch(h.url)).status, 200);
});

test('who is not there is not restarted', async (t) => {
	const h = await startLife(t);

	for (const [name, why] of [
		['wbe', /there is no pool "wbe"/],
		['web.7', /there is no worker "web\.7"; see hostctl list/],
		['web.-1', /there is no worker "web\.-1"/],
		[String(h.child.pid), /there is no worker of pid \d+$/m],
		['1', /there is no worker of pid 1$/m],
		['99999999999999999999', /there is no worker /],
	]) {
		const r = await h.hostctl('restart', name);

		assert.equal(r.code, 1, name);
		assert.match(r.stderr, why);
	}
	assert.equal((await h.hostctl('restart', 'web', 'web')).code, 2);
});

test('as JSON', async (t) => {
	const h = await startLife(t);
	const r = await h.hostctl('restart', '--json');
	const lines = r.stdout.trimEnd().split('\n').map((l) => JSON.parse(l));

	assert.deepEqual(lines.map((l) => l.worker), ['web.0', 'web.1',
		undefined]);
	assert.ok(lines[0].progress.startsWith('web.0: '));
	assert.deepEqual(lines.at(-1), { ok: true, generation: 1,
		outcome: 'done' });
});

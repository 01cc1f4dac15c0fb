// SPDX-License-Identifier: BSD-2-Clause
// Connections of a plugin: whose they are, and that they end with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import test from 'node:test';
import { until, within } from './lib/hostd.mjs';
import { ask } from './lib/http1.mjs';
import { descriptorsAtMost, descriptors } from './lib/life.mjs';
import { blackHole, listen, run, startNet } from './lib/net.mjs';

const E_GONE = -3;
const E_STATE = -9;
const E_THREAD = -8;

test('a handle is stale when the connection has ended', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t);
	const { id } = await run(t, h, 'hold', { host, port });

	// The last of them closes it; after that it is gone.
	assert.deepEqual(await run(t, h, 'poke', { id }), [0, 0, 0, 0]);
	await h.logged('closed 0: closed by the plugin');
	assert.deepEqual(await run(t, h, 'poke', { id }),
	    [E_GONE, E_GONE, E_GONE, E_GONE]);
	assert.deepEqual(await run(t, h, 'poke', { id: 0 }),
	    [E_GONE, E_GONE, E_GONE, E_GONE]);
	// Another takes its place, under another name.
	const next = await run(t, h, 'hold', { host, port });

	assert.notEqual(next.id, id);
	assert.deepEqual(await run(t, h, 'poke', { id }),
	    [E_GONE, E_GONE, E_GONE, E_GONE]);
});

test('a handle is its instance\'s only', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t);
	const { id } = await run(t, h, 'hold', { host, port });
	const r = await ask(t, h.port, `/o/poke?id=${id}`);

	assert.deepEqual(r.json, [E_GONE, E_GONE, E_GONE, E_GONE]);
	assert.deepEqual(await run(t, h, 'poke', { id }), [0, 0, 0, 0]);
});

test('before it is connected there is nothing to send to', async (t) => {
	const h = await startNet(t);
	const hole = await blackHole(t);
	const answer = run(t, h, 'run', { ...hole, timeout: 60000 });
	const [, id] = await h.logged(/started (\d+)/);

	assert.deepEqual(await run(t, h, 'poke', { id }),
	    [E_STATE, 0, E_STATE, 0]);
	assert.equal((await answer).story, 'close');
});

test('another thread may not', async (t) => {
	const h = await startNet(t);
	const { host, port } = await listen(t);
	const { id } = await run(t, h, 'hold', { host, port });

	assert.deepEqual(await run(t, h, 'thread', { id }),
	    Array(5).fill(E_THREAD));
	await h.logged('plugin net: called net connect from a thread of its own');
	assert.deepEqual(await run(t, h, 'poke', { id }), [0, 0, 0, 0]);
});

test('a reload ends them, once, and the next worker has its own', async (t) => {
	const h = await startNet(t);
	const s = await listen(t);
	const hole = await blackHole(t);

	await run(t, h, 'hold', { host: s.host, port: s.port });
	const old = await s.socket();
	const ended = once(old.resume(), 'end');
	let from = h.log.length;
	const lost = run(t, h, 'run', { ...hole, timeout: 60000 })
	    .catch(() => 'cut');

	await h.logged(/started (\d+)/, from);
	from = h.log.length;
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	// The request that waits for the black hole holds the old worker.
	await run(t, h, 'hold', { host: s.host, port: s.port });
	assert.equal(old.destroyed, false);
	const w = await until(async () => (await h.workers()).find((x) =>
	    x.state === 'draining'), 'a worker that drains');

	process.kill(w.pid, 'SIGTERM');
	await within(ended, 'end of the old connection');
	await h.logged(
	    /closed 0: the instance ends[^]*closed 0: the instance ends[^]*destroyed/,
	    from);
	assert.equal(h.log.slice(from).match(/closed /g).length, 2);
	assert.equal(await lost, 'cut');
});

test('one that is made in create', async (t) => {
	let connections = 0;
	const s = await listen(t, (c) => {
		connections++;
		c.resume().on('end', () => c.end());
	});
	const h = await startNet(t, `early = ${s.port}`);

	await h.logged('connected ');
	const ended = once(await s.socket(), 'close');
	const from = h.log.length;
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await h.logged('closed 0: the instance ends', from);
	await within(ended, 'end of the old connection');
	// The probe, whose loop does not run, has made none.
	await h.logged('connected ', from);
	await s.socket();
	assert.equal(connections, 2);
});

test('one that is made in a create which fails', async (t) => {
	const s = await listen(t);
	const h = await startNet(t);
	const file = h.confFile;

	fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(
	    /plugin "net" \{/, `plugin "net" { refuse = on early = ${s.port}`));
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr, /connect: 0/);
	assert.doesNotMatch(h.log, /died/);
});

test('no descriptor is left of any', async (t) => {
	const h = await startNet(t);
	const hole = await blackHole(t);
	const { host, port } = await listen(t, (s) => s.end('x'));
	const [w] = await h.workers();
	const before = descriptors(w.pid);

	for (let i = 0; i < 20; i++)
		await Promise.all([
			run(t, h, 'run', { host, port, shut: 'eof' }),
			run(t, h, 'run', { host, port, close: 'start' }),
			run(t, h, 'run', { ...hole, timeout: 1 }),
		]);
	await descriptorsAtMost(w.pid, before);
});

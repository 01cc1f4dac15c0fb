// SPDX-License-Identifier: BSD-2-Clause
// Nothing that is done to the files of a running generation reaches it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { rewrite, startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

const so = (h) => path.join(h.dir, 'life.so');

for (const [what, act] of [
	['deleted', (h) => fs.rmSync(so(h))],
	['truncated', (h) => fs.truncateSync(so(h))],
	['overwritten in place', (h) => {
		const fd = fs.openSync(so(h), 'r+');

		fs.writeSync(fd, Buffer.alloc(fs.fstatSync(fd).size, 0xff));
		fs.closeSync(fd);
	}],
	['replaced', (h) => {
		fs.writeFileSync(`${so(h)}.new`, 'no plugin');
		fs.renameSync(`${so(h)}.new`, so(h));
	}],
	['deleted with all configuration', (h) => {
		fs.rmSync(so(h));
		fs.rmSync(path.join(h.dir, 'conf.d'), { recursive: true });
		fs.rmSync(h.confFile);
	}],
])
	test(`the plugin is ${what}`, async (t) => {
		const h = await startLife(t, { keys: 'text = "kept"' });
		const load = new Load(h);
		const [first, second] = await h.workers();

		await load.more(100);
		act(h);
		await load.more(100);
		await load.stop();
		assert.deepEqual(load.failures, []);
		assert.deepEqual((await h.workers()).map((w) => w.pid),
		    [first.pid, second.pid]);

		// What comes back is what was there.
		process.kill(first.pid, 'SIGKILL');
		process.kill(second.pid, 'SIGKILL');
		const back = await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws.every((w) => w.state === 'ready' && w.restarts === 1),
		    'workers that are back');
		const c = new Client(h.port);
		const a = await c.ask();

		c.destroy();
		assert.match(a.body, /^\d+ kept\n$/);
		assert.ok(back.some((w) => w.pid === c.pid));

		const r = await h.hostctl('reload');

		assert.equal(r.code, 1, r.stdout);
		const d = new Client(h.port);

		assert.match((await d.ask()).body, /^\d+ kept\n$/);
		d.destroy();
	});

test('a change takes effect with the reload, not before', async (t) => {
	const h = await startLife(t, { keys: 'text = "old"' });
	const [first] = await h.workers();

	rewrite(h, 'conf.d/life.conf', 'plugin "life" {\n' +
	    '	module = "@DIR@/life.so"\n	text = "new"\n}\n' +
	    'route "/" { plugin = "life" }\n');
	process.kill(first.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.every((w) => w.state === 'ready') &&
	    ws[0].pid !== first.pid, 'the worker back');
	const ask = async () => {
		const c = new Client(h.port);
		const { body } = await c.ask('/', true);

		c.destroy();
		return body.split(' ')[1];
	};

	for (let i = 0; i < 8; i++)
		assert.equal(await ask(), 'old\n');
	assert.equal((await h.hostctl('reload')).code, 0);
	for (let i = 0; i < 8; i++)
		assert.equal(await ask(), 'new\n');
});

// Such as those that clean up below /tmp.
test('a run directory that somebody has emptied', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);

	for (const name of ['gen', 'plugins'])
		fs.rmSync(path.join(h.dir, 'run', name), { recursive: true });
	// What it was started from is gone.
	assert.equal((await h.hostctl('restart')).code, 1);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await h.hostctl('restart')).code, 0);
	assert.equal(fs.statSync(path.join(h.dir, 'run/gen')).mode & 0o777,
	    0o700);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

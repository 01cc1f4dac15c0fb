// SPDX-License-Identifier: BSD-2-Clause
// A plugin holds back its worker until it is ready itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, startHostd, tempDir } from './lib/hostd.mjs';
import { Lines } from './lib/lines.mjs';
import { rewrite } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';
import { buildPlugin, testPlugin } from './lib/plugin.mjs';

const gate = (h) => path.join(h.dir, 'gate');
const conf = (keys = '') =>
	`plugin "slow" { module = "@DIR@/ready.so" gate = "@DIR@/gate" ${keys} }` +
	'\nroute "/" { plugin = "slow" }\n';

async function start(t, { keys, open = true, ...more } = {}) {
	const so = await buildPlugin(tempDir(t), 'ready',
	    testPlugin('ready_route'));

	return startHostd(t, {
		files: { 'ready.so': fs.readFileSync(so),
			...(open ? { gate: '' } : {}) },
		confd: { 'slow.conf': conf(keys) },
		...more,
	});
}

async function ask(h, url = '/') {
	const c = new Client(h.port);
	const { body } = await c.ask(url, true);

	c.destroy();
	return body.trimEnd();
}

test('a start waits for it', async (t) => {
	const h = await start(t, { open: false, ready: false,
		keys: 'holds = 3' });

	// The last reason that was given.
	await h.logged(/worker web\.\d waits for plugin slow: the gate, again/);
	assert.deepEqual((await h.workers()).map((w) => w.state),
	    ['starting', 'starting']);
	assert.ok(!h.log.includes('is ready'));
	fs.writeFileSync(gate(h), '');
	await h.logged('serving generation 1');
	assert.match(await ask(h), /^\d+ one$/);
	// Too late, nothing held, no reason.
	assert.equal(await ask(h, '/late'), '-9 -9 -1');
});

test('a reload waits for it, and who is there goes on', async (t) => {
	const h = await start(t);
	const before = await h.workers();
	const load = new Load(h.port);

	fs.rmSync(gate(h));
	rewrite(h, 'conf.d/slow.conf', conf('text = "two"'));
	const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--json']);
	const waits = await go.until((l) => l.step === 'waits');

	assert.equal(waits.worker, 'web.0');
	assert.equal(waits.reason, 'plugin slow: the gate');
	assert.equal(waits.progress, 'web.0 waits for plugin slow: the gate');
	assert.match(await ask(h), / one$/);
	await load.more(50);
	const ws = await h.workers();

	assert.equal(ws.length, 3);
	assert.ok(before.every((b) => ws.some((w) => w.pid === b.pid)));
	fs.writeFileSync(gate(h), '');
	assert.equal(await go.ended, 0);
	assert.match(await ask(h), / two$/);
	await load.more(50);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

test('not for longer than ready_timeout', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1s' });

	fs.rmSync(gate(h));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, /worker web\.0 of generation 2 did not get ready: not ready in time: it still waits for plugin slow: the gate; see ready_timeout/);
	assert.match(await ask(h), / one$/);
	assert.equal((await h.workersSatisfy((ws) => ws.length === 2,
	    'end of the new one')).length, 2);
});

test('a refusal has a reason', async (t) => {
	const h = await start(t);

	fs.writeFileSync(gate(h), 'no database at 10.0.0.1');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1, r.stdout);
	assert.match(r.stderr, new RegExp('^hostctl: worker web\\.0 of ' +
	    `generation 2 did not get ready: ${h.dir}/conf.d/slow.conf:1: ` +
	    'plugin "slow" \\(ready\\.so\\): it is not ready: no database at ' +
	    '10\\.0\\.0\\.1$', 'm'));
	assert.match(await ask(h), / one$/);
});

test('a reload that is taken back while it waits', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1h' });

	fs.rmSync(gate(h));
	const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--json']);

	await go.until((l) => l.step === 'waits');
	assert.equal((await h.hostctl('rollback')).code, 0);
	assert.equal(await go.ended, 1);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'the old ones alone');
});

test('a stop does not wait for it', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1h' });
	const [{ pid }] = await h.workers();

	fs.rmSync(gate(h));
	const from = h.log.length;

	process.kill(pid, 'SIGKILL');
	await h.logged('waits for plugin slow: the gate', from);
	assert.equal((await h.stop()).code, 0);
	assert.ok(!h.log.includes('sending SIGKILL'), h.log);
});

test('a master that is killed does not leave it behind', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1h' });
	const [{ pid }] = await h.workers();

	fs.rmSync(gate(h));
	const from = h.log.length;

	process.kill(pid, 'SIGKILL');
	await h.logged('waits for plugin slow: the gate', from);
	h.child.kill('SIGKILL');
	// All that have our pipes have ended then.
	await h.ended;
});

test('when plugins are tried, nobody waits', async (t) => {
	const h = await start(t);

	fs.rmSync(gate(h));
	const r = await h.hostctl('test', '-c', h.confFile);

	assert.equal(r.code, 0, r.stderr);
});

test('hostctl plugin check', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'ready', testPlugin('ready_route'));
	const check = (...args) => command(bin('hostctl'), ['plugin', 'check',
		...args, so]);

	fs.writeFileSync(path.join(dir, 'gate'), '');
	const open = await check('--set', `gate=${dir}/gate`);

	assert.equal(open.code, 0, open.stdout);
	assert.match(open.stdout, /^pass +readiness +holds back its worker for 5 ms$/mi);
	const shut = await check('--set', `gate=${dir}/absent`);

	assert.equal(shut.code, 0, shut.stdout);
	assert.match(shut.stdout, /^pass +readiness +would not be ready within \d+ ms: the gate$/mi);
	assert.match(shut.stdout, /^skip +life +its worker would not get ready: the gate$/mi);
});

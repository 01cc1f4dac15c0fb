// SPDX-License-Identifier: BSD-2-Clause
// A plugin holds back its worker until it is ready itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { bin, command, startHostd, tempDir, within } from './lib/hostd.mjs';
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

// The last line of the answer.
function control(h, request) {
	const s = net.connect(h.socket);
	let text = '';

	return within(new Promise((resolve, reject) => {
		s.setEncoding('utf8').on('data', (d) => {
			const ends = (text += d).split('\n').slice(0, -1)
			    .map((l) => JSON.parse(l)).filter((l) => 'ok' in l);

			if (ends.length > 0)
				resolve(ends[0]);
		});
		s.on('error', reject);
		s.on('close', () => reject(new Error(`closed after ${text}`)));
		s.write(`${JSON.stringify(request)}\n`);
	}), 'answer').finally(() => s.destroy());
}

test('a start waits for it', async (t) => {
	const h = await start(t, { open: false, ready: false,
		keys: 'holds = 3', conf: 'ready_timeout = 1h' });

	// The last reason that was given.
	await h.logged(/worker web\.\d waits for plugin slow: the gate, again/);
	assert.deepEqual((await h.workers()).map((w) => w.state),
	    ['starting', 'starting']);
	assert.ok(!h.log.includes('is ready'));
	// Meanwhile nothing is there to be changed; the first one of these
	// ended the master.
	for (const request of [
		{ cmd: 'scale', name: 'web.0', more: 1 },
		{ cmd: 'start-pool', name: 'web.0' },
		    { cmd: 'scale', pool: 'web' }])
		assert.equal((await control(h, request)).ok, false);
	const r = await h.hostctl('drain', 'web.0');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /is under way; try again when it has ended/);
	fs.writeFileSync(gate(h), '');
	await h.logged('serving generation 1');
	assert.match(await ask(h), /^\d+ one$/);
	// Too late, nothing held, no reason.
	assert.equal(await ask(h, '/late'), '-9 -9 -1');
});

test('a reload waits for it, and who is there goes on', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1h' });
	const before = await h.workers();
	const load = new Load(h);

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
	const clock = await makeClock(t);
	const h = await start(t, { env: clock.env, conf: `
		ready_timeout = 1h
		pool "web" { workers = 2  watchdog = 0 }` });

	fs.rmSync(gate(h));
	const go = new Lines(bin('hostctl'), ['-s', h.socket, 'reload',
		'--json']);

	await go.until((l) => l.step === 'waits');
	clock.pass(3601);
	// The master has something to do.
	await h.status();
	assert.equal(await go.ended, 1);
	assert.match(go.all.find((l) => 'error' in l).error, /^worker web\.0 of generation 2 did not get ready: not ready in time: it still waits for plugin slow: the gate; see ready_timeout/);
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

// The one whose predecessor yields late was taken for one that had come back;
// the reload ended too soon, and the next one lost a worker that was starting.
test('a rollback counts none that it does not wait for', async (t) => {
	const h = await start(t, { conf: 'ready_timeout = 1h\n' +
	    'pool "web" { workers = 4 }' });
	const late = (await h.workers())[2];

	rewrite(h, 'conf.d/slow.conf', conf('text = "two"'));
	process.kill(late.pid, 'SIGSTOP');
	const go = new Lines(bin('hostctl'), ['-s', h.socket, '--json',
		'reload', '--canary', '3', '--for', '1d']);

	await h.logged(/worker web\.2 \(pid \d+, generation 2\) is ready/);
	fs.rmSync(gate(h));
	const back = h.hostctl('rollback');

	await go.until((l) => l.step === 'back');
	await go.until((l) => l.step === 'waits' && l.worker === 'web.0' &&
	    go.all.indexOf(l) > go.all.findIndex((b) => b.step === 'back'));
	process.kill(late.pid, 'SIGCONT');
	await h.logged(`worker web.2 (pid ${late.pid}, generation 1) has ended`);
	fs.writeFileSync(gate(h), '');
	assert.equal((await back).code, 0);
	assert.equal(await go.ended, 4);
	const steps = go.all.map((l) => l.step);

	assert.deepEqual(go.all.slice(steps.indexOf('back'))
	    .filter((l) => l.step === 'slot').map((l) => [l.worker, l.done]),
	    [['web.0', 1], ['web.1', 2], ['web.2', 3]]);
	assert.ok((await h.workersSatisfy((ws) => ws.length === 4, 'four'))
	    .every((w) => w.generation === 1 && w.state === 'ready'));
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

// A worker that waited for its next try was in no list.
test('a reason that is no UTF-8', async (t) => {
	const h = await start(t);
	const [w] = await h.workers();

	fs.writeFileSync(gate(h), Buffer.from('caf\xe9', 'latin1'));
	process.kill(w.pid, 'SIGKILL');
	const [first] = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws[0].state === 'waiting' && ws[0].cause.includes('caf'),
	    'a worker that waits');

	assert.equal(first.slot, 0);
	assert.match(first.cause, /caf\?/);
});

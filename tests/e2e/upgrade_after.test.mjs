// SPDX-License-Identifier: BSD-2-Clause
// After an upgrade everything goes on as before it, and what happens during one
// is not lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, bin, until, within } from './lib/hostd.mjs';
import { descriptors, descriptorsAtMost, rewrite, startLife } from
    './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';
import { Program, runningVersion, upgraded, versionOf } from
    './lib/upgrade.mjs';

const conf = `
	pid_file = "@DIR@/pid"
	error_log = "@DIR@/error.log"
	access_log "main" { path = "@DIR@/access.log" }
	listen "main" { address = "127.0.0.1:@PORT@" }
	listen "unix" { address = "unix:@DIR@/web.sock" }`;

async function start(t, options = {}) {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path, ...options });

	return { h, program };
}

const pidsOf = async (h) => (await h.workers()).map((w) => w.pid);
const ready = (h, n, gen) => h.workersSatisfy((ws) => ws.length === n &&
    ws.every((w) => w.state === 'ready' &&
    (gen === undefined || w.generation === gen)), `${n} workers`);

test('the new master does what the old one did', async (t) => {
	const { h } = await start(t);

	await upgraded(h, '--keep-workers');
	await t.test('a worker that dies comes back', async () => {
		for (let i = 1; i <= 2; i++) {
			const [w] = await ready(h, 2);

			process.kill(w.pid, 'SIGKILL');
			const [back] = await h.workersSatisfy((ws) =>
			    ws.length === 2 && ws[0].pid !== w.pid &&
			    ws[0].state === 'ready', 'its successor');

			assert.equal(back.restarts, i);
			await upgraded(h, '--keep-workers');
		}
	});
	await t.test('hostctl scale', async () => {
		for (const n of [4, 1, 3]) {
			const r = await h.hostctl('scale', 'web', `${n}`);

			assert.equal(r.code, 0, r.stderr);
			await ready(h, n);
			await upgraded(h, '--keep-workers');
			await ready(h, n);
		}
		// What was scaled by hand stays so.
		await upgraded(h);
		await ready(h, 3, 2);
	});
	await t.test('hostctl reload', async () => {
		assert.equal((await h.hostctl('reload')).code, 0);
		await ready(h, 3, 3);
		const r = await h.hostctl('rollback');

		assert.equal(r.code, 0, r.stderr);
		await ready(h, 3, 2);
		await upgraded(h, '--keep-workers');
		const back = await h.hostctl('generations', '--json');

		assert.equal(back.code, 0, back.stderr);
		assert.deepEqual(JSON.parse(back.stdout)
		    .map((g) => [g.generation, g.state]),
		    [[3, 'kept'], [2, 'serving'], [1, 'previous']]);
	});
	await t.test('requests are answered', async () => {
		const c = new Client(h.port);

		assert.equal((await c.ask()).status, 200);
		c.destroy();
	});
});

test('a worker that drains goes on, and its end is noticed', async (t) => {
	const { h } = await start(t, { keys: 'gate = "@DIR@/gate"',
		conf: 'drain_timeout = 60s' });
	const c = new Client(h.port);

	c.send('/hold');
	await h.workersSatisfy((ws) => ws.some((w) => w.active > w.idle),
	    'a request under way');
	assert.equal((await h.hostctl('reload')).code, 0);
	await upgraded(h, '--keep-workers');
	await h.workersSatisfy((ws) => ws.length === 3 &&
	    ws.some((w) => w.state === 'draining'), 'a worker that drains');
	fs.writeFileSync(path.join(h.dir, 'gate'), '');
	assert.equal((await c.answer()).status, 200);
	c.destroy();
	await ready(h, 2, 2);
	assert.equal(h.pids().length, 3);
});

test('a worker that does not end is still ended', async (t) => {
	const { h } = await start(t, { conf: 'drain_timeout = 1s' });
	const all = await pidsOf(h);

	for (const pid of all)
		process.kill(pid, 'SIGSTOP');
	assert.equal((await h.hostctl('reload')).code, 0);
	await upgraded(h, '--keep-workers');
	await ready(h, 2, 2);
	for (const pid of all)
		await h.logged(new RegExp(`pid ${pid}.*sending SIGKILL|` +
		    `pid ${pid}.*SIGKILL`));
});

test('nothing is left after a stop', async (t) => {
	const { h } = await start(t, { conf, ready: false });

	await h.listening();
	await until(async () => (await h.hostctl('status')).stdout
	    .includes('serving'), 'serving');
	await upgraded(h, '--keep-workers');
	await upgraded(h);
	const r = await h.hostctl('stop');

	assert.equal(r.code, 0, r.stderr);
	assert.deepEqual(await within(h.ended, 'end of hostd'),
	    { code: 0, signal: null });
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run')), ['lock']);
	assert.ok(!fs.existsSync(path.join(h.dir, 'web.sock')));
	assert.ok(!fs.existsSync(path.join(h.dir, 'pid')));
});

test('log files are reopened', async (t) => {
	const { h } = await start(t, { conf:
	    'access_log "main" { path = "@DIR@/access.log" }' });
	const file = path.join(h.dir, 'access.log');
	const ask = async () => {
		const c = new Client(h.port);

		await c.ask();
		c.destroy();
	};
	const lines = (n) => within((async () => {
		while (fs.readFileSync(file, 'utf8').split('\n').length <= n)
			await ask();
	})(), `${n} lines`);

	await upgraded(h, '--keep-workers');
	await lines(2);
	fs.renameSync(file, `${file}.1`);
	assert.equal((await h.hostctl('logs', 'reopen')).code, 0);
	await lines(2);
});

// How many descriptors of a process are sockets that listen on a port.
function listeners(pid, port) {
	const where = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	const inodes = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n')
	    .map((line) => line.trim().split(/\s+/))
	    .filter(([, local, , state]) => local?.endsWith(where) &&
		state === '0A').map((fields) => `socket:[${fields[9]}]`);

	return fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
		try {
			return inodes.includes(
			    fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
		} catch {
			return false;	// closed meanwhile
		}
	}).length;
}

// Its sockets are lent to the other one, once.
test('a worker that waits for its next try', async (t) => {
	const { h } = await start(t, { keys: 'bomb = "@DIR@/bomb"',
		conf: 'pool "web" { workers = 2  max_restarts = 0 }' });
	const [w, other] = await h.workers();

	fs.writeFileSync(path.join(h.dir, 'bomb'), 'exit');
	process.kill(w.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws[0].state === 'waiting' &&
	    ws[0].retry_in_ms > 3000, 'a long wait');
	await upgraded(h, '--keep-workers');
	const hasBoth = () => until(() => listeners(other.pid, h.port) === 2,
	    'its own socket and one that is lent');

	await hasBoth();
	const fds = descriptors(other.pid);

	for (let i = 0; i < 5; i++)
		await upgraded(h, '--keep-workers');
	await hasBoth();
	await descriptorsAtMost(other.pid, fds);
	const load = new Load(h, { kind: 'new' });

	await load.more(50);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.deepEqual([...load.byPid.keys()], [other.pid]);
	fs.rmSync(path.join(h.dir, 'bomb'));
	const [back] = await ready(h, 2);

	assert.ok(back.restarts > 2, `${back.restarts} restarts`);
});

// Requests to the master on one connection: their answers.
const control = (t, h, requests) => within(new Promise((resolve, reject) => {
	const s = net.connect(h.socket);
	let text = '';

	atEnd(t, () => s.destroy());
	s.on('error', reject);
	s.setEncoding('utf8').on('data', (d) => {
		text += d;
		const lines = text.split('\n');

		if (lines.length > requests.length)
			resolve(lines.slice(0, -1).map((l) => JSON.parse(l)));
	});
	s.write(requests.map((r) => `${JSON.stringify(r)}\n`).join(''));
}), 'answers');

test('what a worker was told and has not read yet is not lost', async (t) => {
	const { h } = await start(t, { conf: `
		pool "web" { workers = 1  watchdog = 0s }
		access_log "main" { path = "@DIR@/access.log" }` });
	const file = path.join(h.dir, 'access.log');
	const [w] = await h.workers();
	const reopen = async (n) => {
		const all = await control(t, h,
		    Array.from({ length: n }, () => ({ cmd: 'logs-reopen' })));

		assert.ok(all.every((a) => a.ok));
	};

	process.kill(w.pid, 'SIGSTOP');
	// More than the channel takes; the last one is what counts.
	await reopen(1000);
	fs.renameSync(file, `${file}.1`);
	await reopen(1);
	await upgraded(h, '--keep-workers');
	await upgraded(h, '--keep-workers');
	process.kill(w.pid, 'SIGCONT');
	await within((async () => {
		while (fs.readFileSync(file, 'utf8') === '') {
			const c = new Client(h.port);

			assert.equal((await c.ask()).status, 200);
			c.destroy();
		}
	})(), 'a line in the new file');
	assert.equal((await h.workers())[0].pid, w.pid);
});

test('workers that die meanwhile are replaced', async (t) => {
	const { h } = await start(t);

	for (let i = 0; i < 10; i++) {
		const all = await ready(h, 2);
		const upgrade = h.hostctl('upgrade', '--keep-workers');

		// Somewhere before, during or after the exec.
		for (let turn = 0; turn < i * 3; turn++)
			await new Promise((r) => setImmediate(r));
		for (const w of all)
			process.kill(w.pid, 'SIGKILL');
		assert.equal((await upgrade).code, 0);
		await h.workersSatisfy((ws) => ws.length === 2 &&
		    ws.every((w) =>
		    w.state === 'ready' && !all.some((o) => o.pid === w.pid)),
		    'the replaced workers');
	}
	assert.equal(h.pids().length, 3);
});

// hostctl upgrade; fn is called with each of its lines.
function upgradeWith(t, h, fn) {
	const ctl = spawn(bin('hostctl'), ['-s', h.socket, 'upgrade'],
	    { stdio: ['ignore', 'pipe', 'ignore'] });
	let text = '';

	atEnd(t, () => ctl.kill());
	return within(new Promise((resolve) => {
		ctl.stdout.setEncoding('utf8').on('data', (d) => {
			const lines = (text + d).split('\n');

			text = lines.pop();
			lines.forEach(fn);
		});
		ctl.on('close', resolve);
	}), 'end of hostctl upgrade');
}

for (const when of ['trying', 'hostd ', 'handing over', 'reading'])
	test(`a SIGTERM at "${when}" ends it`, async (t) => {
		const { h } = await start(t);
		let sent = false;

		await upgradeWith(t, h, (line) => {
			if (!sent && line.startsWith(when)) {
				sent = true;
				h.child.kill('SIGTERM');
			}
		});
		assert.ok(sent);
		assert.deepEqual(await within(h.ended, 'end of hostd'),
		    { code: 0, signal: null });
		assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run')),
		    ['lock']);
	});

for (const when of ['trying', 'handing over', 'reading'])
	test(`a SIGHUP at "${when}" is not lost`, async (t) => {
		const { h } = await start(t);

		rewrite(h, 'conf.d/life.conf', fs.readFileSync(path.join(h.dir,
		    'conf.d/life.conf'), 'utf8').replace('life.so"',
		    'life.so"  text = "changed"'));
		await upgradeWith(t, h, (line) => {
			if (line.startsWith(when))
				h.child.kill('SIGHUP');
		});
		await h.logged('serving generation 3');
		await ready(h, 2, 3);
	});

// The workers of before can't be seen then.
test('shared memory that is laid out otherwise', async (t) => {
	const { h, program } = await start(t);
	const before = await pidsOf(h);
	const load = new Load(h, { kind: 'new' });
	const { started_ms: since } = await h.status();

	await load.more(100);
	program.version(7, 'hsdboarX');
	await upgraded(h, '--keep-workers');
	const kept = await h.workers();

	assert.deepEqual(kept.map((w) => [w.pid, w.slot, w.generation,
		w.state]), before.map((pid, i) => [pid, i, 1, 'ready']));
	assert.ok(since > 0);
	assert.equal((await h.status()).started_ms, since);
	await load.more(100);
	// They are not taken for stuck, and one that dies comes back.
	await load.stop();
	assert.deepEqual(load.failures, []);
	process.kill(before[0], 'SIGKILL');
	const [back] = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws[0].pid !== before[0] && ws[0].state === 'ready', 'a new worker');

	assert.equal(back.restarts, 1);
	const more = new Load(h, { kind: 'new' });

	await upgraded(h);
	await more.more(100);
	await more.stop();
	assert.deepEqual(more.failures, []);
	await ready(h, 2, 2);
	program.version(8, 'hsdboarY');
	await upgraded(h);
	await ready(h, 2, 3);
	assert.equal(h.pids().length, 3);
});

// Packages are replaced a while before hostctl upgrade is called.
test('a worker that comes back before the upgrade', async (t) => {
	const { h, program } = await start(t);
	const [w, other] = await h.workers();

	program.version(7, 'hsdboarX');
	process.kill(w.pid, 'SIGKILL');
	const [back] = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws[0].pid !== w.pid && ws[0].state === 'ready', 'a new worker');

	assert.equal(fs.readlinkSync(`/proc/${back.pid}/exe`),
	    fs.readlinkSync(`/proc/${other.pid}/exe`));
	assert.equal((await h.hostctl('reload')).code, 0);
	await ready(h, 2, 2);
	await upgraded(h);
	for (const { pid } of await ready(h, 2, 3)) {
		assert.equal(fs.readlinkSync(`/proc/${pid}/exe`), program.path);
		assert.equal(fs.readFileSync(`/proc/${pid}/comm`, 'utf8'),
		    'hostd\n');
	}
});

test('SIGUSR2', async (t) => {
	const { h, program } = await start(t);

	program.version(7);
	h.child.kill('SIGUSR2');
	await h.logged('serving generation 2');
	assert.equal((await runningVersion(h)).hostd, versionOf(7));
	program.script('exit 3');
	h.child.kill('SIGUSR2');
	await h.logged(/upgrade refused: .*exit status 3; hostd \S+ goes on/);
	assert.equal((await runningVersion(h)).hostd, versionOf(7));
});

test('one thing at a time', async (t) => {
	const { h } = await start(t);
	const [reload, ...upgrades] = await Promise.all([
		h.hostctl('reload', '--wait'),
		h.hostctl('upgrade', '--keep-workers'),
		h.hostctl('upgrade'), h.hostctl('upgrade')]);

	assert.equal(reload.code, 0, reload.stderr);
	for (const r of upgrades)
		if (r.code !== 0)
			assert.match(r.stderr,
			    /is under way; try again|is being replaced/);
	await upgraded(h);
});

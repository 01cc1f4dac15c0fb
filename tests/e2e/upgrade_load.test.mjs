// SPDX-License-Identifier: BSD-2-Clause
// The master executes another program in its place, and nobody notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { atEnd, bin, within } from './lib/hostd.mjs';
import { descriptors, descriptorsAtMost, startLife } from './lib/life.mjs';
import { Lines } from './lib/lines.mjs';
import { Client, Load } from './lib/load.mjs';
import { pattern } from './lib/static.mjs';
import { Program, runningVersion, upgraded, VERSION, versionOf } from
    './lib/upgrade.mjs';
import { open, TEXT } from './lib/websocket.mjs';

const big = pattern(24 << 20);

// However long an upgrade takes, a client that waits for it is not slow.
const conf = `
	drain_timeout = 1h
	http { send_timeout = 1h }
	pid_file = "@DIR@/pid"
	access_log "main" { path = "@DIR@/access.log" }
	listen "main" { address = "127.0.0.1:@PORT@" }
	listen "unix" { address = "unix:@DIR@/web.sock" }
	plugin "echo" { module = "ws_echo.so" }
	route "/echo" { plugin = "echo" }
	plugin "files" { module = "http_static.so"  root = "@DIR@/www" }
	route "/files/" { plugin = "files" }`;

async function start(t, more = '') {
	const program = new Program(t);
	const h = await startLife(t, { program: program.path,
		conf: conf + more, files: { 'www/big': big } });

	return { h, program };
}

// The big file, of which the first bytes have come; the rest when rest() is
// called.
async function download(t, h) {
	const req = http.get(`${h.url}/files/big`, { agent: false });
	const res = await within(new Promise((resolve, reject) => {
		req.on('response', resolve);
		req.on('error', reject);
	}), 'the head of a download');
	const parts = [];

	assert.equal(res.statusCode, 200);
	atEnd(t, () => req.destroy());
	await within(new Promise((resolve) => res.once('data', (d) => {
		parts.push(d);
		res.pause();
		resolve();
	})), 'the first bytes of a download');
	return {
		rest: () => within(new Promise((resolve, reject) => {
			res.on('data', (d) => parts.push(d));
			res.on('end', () => resolve(Buffer.concat(parts)));
			res.on('error', reject);
			res.resume();
		}), 'the rest of a download'),
	};
}

const parseLines = (text) => text.trim().split('\n').map((l) => JSON.parse(l));

const pidsOf = async (h) => (await h.workers()).map((w) => w.pid);

test('under load', async (t) => {
	const { h, program } = await start(t);
	const master = h.child.pid;
	const before = await pidsOf(h);
	const loads = ['keep', 'new'].map((kind) =>
	    new Load(h, { kind, clients: 6 }));
	const ws = await open(t, h);
	const file = await download(t, h);

	await ws.echo(TEXT, 'before');
	await Promise.all(loads.map((l) => l.more(100)));

	await t.test('the workers are kept', async () => {
		program.version(7);
		const r = await upgraded(h, '--keep-workers');

		assert.equal(r.stdout, [
			`trying ${program.path}`,
			`hostd ${VERSION} -> ${versionOf(7)}`,
			'handing over',
			`hostd ${versionOf(7)} has taken over`,
			`upgraded, hostd ${versionOf(7)} runs; ` +
			    'workers are kept', ''].join('\n'));
		assert.equal((await runningVersion(h)).hostd, versionOf(7));
		assert.deepEqual(await pidsOf(h), before);
		await Promise.all(loads.map((l) => l.more(100)));
		await ws.echo(TEXT, 'after');
		assert.equal(fs.readlinkSync(`/proc/${master}/exe`),
		    program.path);
		assert.equal(Number(fs.readFileSync(path.join(h.dir, 'pid'))),
		    master);
		const st = await h.status();

		assert.equal(st.generation, 1);
		assert.ok(st.requests.total > 200, `${st.requests.total}`);
	});

	await t.test('the workers follow', async () => {
		program.version(8);
		const r = await upgraded(h);

		assert.match(r.stdout, new RegExp(
		    `^upgraded, hostd ${versionOf(8).replaceAll('.', '\\.')} ` +
		    'runs, generation 2 is served$', 'm'));
		for (const w of await h.workers())
			if (w.state === 'ready')
				assert.ok(!before.includes(w.pid), `${w.pid}`);
		await Promise.all(loads.map((l) => l.more(100)));
		await ws.echo(TEXT, 'in the new worker');
	});

	await t.test('nothing has failed', async () => {
		for (const l of loads) {
			await l.stop();
			assert.deepEqual(l.failures, []);
		}
		assert.ok((await file.rest()).equals(big));
	});
});

test('twenty in a row', async (t) => {
	const { h, program } = await start(t);
	const master = h.child.pid;
	const before = await pidsOf(h);
	const ws = await open(t, h);
	const loads = ['keep', 'new'].map((kind) => new Load(h, { kind }));
	let fds;

	for (let i = 0; i < 20; i++) {
		program.version(i % 2 ? 5 : 6);
		await upgraded(h, '--keep-workers');
		await Promise.all(loads.map((l) => l.more(10)));
		await ws.echo(TEXT, `${i}`);
		fds ??= descriptors(master);
	}
	for (const l of loads) {
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
	await descriptorsAtMost(master, fds);
	assert.deepEqual(await pidsOf(h), before);
	assert.deepEqual(h.pids().slice(1).sort(), before.sort());
	const events = parseLines((await h.hostctl('events', '--json')).stdout);

	assert.deepEqual(events.map((e) => e.n), events.map((e, i) => i + 1));
	assert.equal(events.filter((e) => e.event === 'node.upgraded').length,
	    20);
});

test('descriptors of twenty with the workers', async (t) => {
	const { h } = await start(t, 'generations_kept = 1');
	const master = h.child.pid;
	let fds;

	for (let i = 0; i < 20; i++) {
		await upgraded(h);
		await h.workersSatisfy((w) => w.length === 2,
		    'end of the old workers');
		// The first ones fill what is kept for going back.
		if (i === 2)
			fds = descriptors(master);
	}
	await descriptorsAtMost(master, fds);
	assert.equal(h.pids().length, 3);
});

// The listening socket's queue is the kernel's, whoever holds the socket.
test('who connects while nobody accepts is served later', async (t) => {
	const { h } = await start(t);
	const all = await h.workers();

	for (const w of all)
		process.kill(w.pid, 'SIGSTOP');
	const clients = Array.from({ length: 8 }, () => new Client(h.port));

	await Promise.all(clients.map((c) => c.connected));
	for (const c of clients)
		c.send();
	await upgraded(h, '--keep-workers');
	for (const w of all)
		process.kill(w.pid, 'SIGCONT');
	for (const c of clients) {
		assert.equal((await c.answer()).status, 200);
		c.destroy();
	}
});

test('hostctl events -f goes on', async (t) => {
	const { h } = await start(t);
	const follow = new Lines(bin('hostctl'), ['-s', h.socket, 'events',
		'-f', '--json']);

	await follow.until(() => true);
	await upgraded(h, '--keep-workers');
	await upgraded(h);
	await h.stop();
	await follow.ended;
	const lines = follow.all;
	const kinds = lines.map((e) => e.event);

	assert.equal(kinds.filter((k) => k === 'node.upgraded').length, 2);
	assert.deepEqual(lines.map((e) => e.n),
	    lines.map((e, i) => lines[0].n + i));
	assert.ok(kinds.includes('reload.done'), kinds.join());
});

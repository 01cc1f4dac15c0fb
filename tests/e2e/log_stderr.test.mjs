// SPDX-License-Identifier: BSD-2-Clause
// Standard error that nobody reads: a full pipe there used to stop every
// worker, and then the master, in the middle of a log line.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, prepareHostd, sbin, within } from './lib/hostd.mjs';
import { Client, get, plugin } from './lib/http1.mjs';

const ROUNDS = 40, ASKED = 100;

// A pipe as a shell makes it: it blocks who writes.
async function pipe(t, dir) {
	const fifo = path.join(dir, 'stderr');

	assert.equal((await command('mkfifo', [fifo])).code, 0);
	// A reader that does not read, so that it stays open.
	const reader = fs.openSync(fifo, fs.constants.O_RDWR);

	t.after(() => fs.closeSync(reader));
	return fs.openSync(fifo, fs.constants.O_WRONLY);
}

// With its stderr a pipe, or a socket whose other end is node's.
async function start(t, conf, socket = false) {
	const so = await plugin('promise_route');
	const h = await prepareHostd(t, { conf: `
		plugin "promise" { module = "${so}" }
		route "/" { plugin = "promise" }
		${conf}` });
	const stderr = socket ? 'pipe' : await pipe(t, h.dir);

	h.child = spawn(sbin('hostd'), ['-c', h.confFile],
	    { stdio: ['ignore', 'ignore', stderr] });
	if (socket)
		h.child.stderr.pause();
	else
		fs.closeSync(stderr);
	h.ended = new Promise((resolve) =>
	    h.child.on('exit', (code, signal) => {
		h.exited = true;
		resolve({ code, signal });
	    }));
	t.after(() => h.stop('SIGKILL'));
	await h.listening();
	return h;
}

// Each request leaves a line of a few hundred bytes.
async function ask(t, h, rounds = ROUNDS) {
	const c = await Client.connect(h.port);
	const path = `/owned?${'x'.repeat(300)}`;

	t.after(() => c.destroy());
	for (let i = 0; i < rounds; i++) {
		await c.send(get(path).repeat(ASKED));
		for (let k = 0; k < ASKED; k++)
			assert.equal((await c.next()).status, 200);
	}
	c.destroy();
}

async function goesOn(t, h) {
	for (let i = 0; i < 3; i++) {
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		await ask(t, h, 1);
	}
	assert.equal((await h.status()).generation, 4);
	h.child.kill('SIGTERM');
	assert.deepEqual(await within(h.ended, 'end of hostd'),
	    { code: 0, signal: null });
}

const access = 'access_log "a" { path = "stderr" }';

for (const [name, ...what] of [['access log, a pipe', access],
	['access log, a socket', access, true], ['error log, a pipe', ''],
	['error log, a socket', '', true]])
	test(name, async (t) => {
		const h = await start(t, ...what);

		await ask(t, h);
		assert.ok((await h.status()).log_dropped > 0);
		await goesOn(t, h);
	});

// SPDX-License-Identifier: BSD-2-Clause
// A plugin that leaks descriptors: its worker says that it can't accept, shows
// it, and goes on when it can again; or it is replaced, and takes nobody with
// it.  (It once took the master for gone when another worker was started.)
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, prepareHostd, tempDir } from './lib/hostd.mjs';
import { Client } from './lib/load.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const LIMIT = 1024;

// "/leak" opens what it can, "/free" closes it.
const source = `
#include <hostd/easy.h>
#include <fcntl.h>
#include <unistd.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	static int fds[${LIMIT}], n;
	const struct hostd_request *r = hostd_request_of(in, req);
	char text[64];

	(void)d;
	if (memcmp(r->path.p, "/leak", r->path.n) == 0)
		while (n < ${LIMIT} &&
		    (fds[n] = open("/dev/null", O_RDONLY)) != -1)
			n++;
	if (memcmp(r->path.p, "/free", r->path.n) == 0)
		while (n > 0)
			(void)close(fds[--n]);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	return hostd_respond(in, req, 200, "text/plain", text);
}

HOSTD_EASY_ROUTE("leak", "1.0", "/", on_headers)
`;

async function start(t, conf = 'pool "web" { workers = 1 }', env = {}) {
	const so = await buildPlugin(tempDir(t), 'leak', source);
	const h = await prepareHostd(t, { env, conf: `
		${conf}
		plugin "leak" { module = "${so}" }` });

	h.through = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`];
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged('serving generation');
	return h;
}

// A connection to a worker whose plugin has all descriptors there are.
async function leak(h) {
	const c = new Client(h.port);

	await c.ask('/leak');
	return c;
}

test('until they are given back', async (t) => {
	const h = await start(t);
	const c = await leak(h);
	const waiting = new Client(h.port);

	waiting.send();
	await h.logged(/accepting a connection \(raise the limit of open files or lower max_connections\): Too many open files/);
	const [w] = await h.workersSatisfy((ws) => ws[0].out_of_descriptors,
	    'want of descriptors in status');

	assert.equal(w.pid, c.pid);
	assert.match((await h.hostctl('list')).stdout,
	    /^web\.0 .* out of descriptors /m);
	assert.equal((await c.ask('/free')).status, 200);
	assert.equal((await waiting.answer()).status, 200);
	assert.equal(waiting.pid, w.pid);
	await h.workersSatisfy((ws) => !ws[0].out_of_descriptors,
	    'end of it in status');
	waiting.destroy();
	c.destroy();
});

test('until the worker is replaced', async (t) => {
	const h = await start(t);
	const c = await leak(h);
	const waiting = new Client(h.port);
	const before = c.pid;

	waiting.send();
	await h.logged('Too many open files');
	const r = await h.hostctl('restart', 'web');

	assert.equal(r.code, 0, r.stderr);
	// Both are the successor's: the one that was open, and the one that
	// could not be accepted.
	assert.equal((await waiting.answer()).status, 200);
	assert.notEqual(waiting.pid, before);
	assert.equal((await c.ask()).status, 200);
	assert.equal(c.pid, waiting.pid);
	assert.doesNotMatch(h.log, /master has gone|malformed/);
	waiting.destroy();
	c.destroy();
});

test('connections that another pool gives', async (t) => {
	const clock = await makeClock(t);
	const h = await start(t, `
		pool "web" { workers = 1  watchdog = 0 }
		pool "socket" { workers = 1  queue_timeout = 1h  watchdog = 0 }
		http { idle_timeout = 1d  head_timeout = 1d }
		plugin "near" { module = "http_respond.so"  body = "near" }
		route "/near" { plugin = "near"  pool = "web" }
		route "/" { plugin = "leak"  match = prefix  pool = "socket" }`,
	    clock.env);
	const c = await leak(h);
	const all = Array.from({ length: 100 }, () => new Client(h.port));

	await Promise.all(all.map((o) => o.connected));
	const asked = all.map((o) => o.ask('/other'));

	// Those who are answered now need nobody's leave.
	await Promise.race(asked);
	// What was sent before it has been read then, as it came last.
	const near = new Client(h.port);

	await near.ask('/near');
	clock.pass(3601);
	await near.ask('/near');
	near.destroy();
	const got = await Promise.all(asked);

	// Those for which there were some, kept back, and the others.
	for (const r of got)
		assert.ok(r.status === 200 || r.status === 503, `${r.status}`);
	assert.ok(got.some((r) => r.status === 503));
	assert.ok(got.some((r) => r.status === 200));
	assert.equal((await c.ask('/free')).status, 200);
	for (const o of all)
		assert.equal((await o.ask('/other')).status, 200);
	for (const o of [c, ...all])
		o.destroy();
});

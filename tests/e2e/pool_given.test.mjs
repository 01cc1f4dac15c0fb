// SPDX-License-Identifier: BSD-2-Clause
// What the workers of a pool are given: environment, cpus, priority; and how
// many there are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import test from 'node:test';
import { freePort, startHostd, tempDir, within } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';
import { prepareUnprivileged, startUnprivileged }
	from './lib/unprivileged.mjs';

const source = `
#include <hostd/easy.h>

/* Also where it is only tried. */
__attribute__((constructor)) static void
must_have(void)
{
	if (getenv("WHO") == NULL)
		abort();
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const char *only = getenv("ONLY_B");
	char text[256];

	(void)d;
	(void)snprintf(text, sizeof(text), "%s %s", getenv("WHO"),
	    only != NULL ? only : "-");
	return hostd_respond(in, req, 200, "text/plain", text);
}

HOSTD_EASY_ROUTE("env", "1.0", "/", on_headers)
`;

const stat = (pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '').split(' ');
const niceOf = (pid) => Number(stat(pid)[16]);
const cpusOf = (pid) => /^Cpus_allowed_list:\s+(.*)$/m.exec(
    fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
const ownNice = os.getPriority();

test('env', async (t) => {
	const so = await buildPlugin(tempDir(t), 'env', source);
	const port = await freePort();
	const h = await startHostd(t, { conf: `
		pool "a" { workers = 1 env = "WHO=a" }
		pool "b" { workers = 1 env = {"WHO=b", "ONLY_B=x=y z"} }
		listen "a" { address = "127.0.0.1:@PORT@" pool = "a" }
		listen "b" { address = "127.0.0.1:${port}" pool = "b" }
		plugin "env" { module = "${so}" }` });

	assert.equal(await (await fetch(h.url)).text(), 'a -');
	assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(),
	    'b x=y z');

	await t.test('follows a reload', async () => {
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace('"WHO=a"', '"WHO=c"'));
		assert.equal((await h.hostctl('reload')).code, 0);
		assert.equal(await (await fetch(h.url)).text(), 'c -');
	});
});

const first = Number(/^\d+/.exec(cpusOf(process.pid))[0]);

test('cpus and priority', async (t) => {
	const h = await startHostd(t, { conf: `
		pool "list" { workers = 1 affinity = ${first} nice = ${ownNice + 1} }
		pool "auto" { workers = 2 affinity = auto }
		pool "any" { workers = 1 }
		pool "but" { workers = -1 }
		listen "a" { address = "127.0.0.1:@PORT@" }` });
	const ws = await h.workers();
	const of = (pool) => ws.filter((w) => w.pool === pool)
	    .map((w) => w.pid);

	assert.deepEqual(of('list').map(cpusOf), [String(first)]);
	assert.deepEqual(of('list').map(niceOf), [ownNice + 1]);
	assert.deepEqual(of('any').map(cpusOf), [cpusOf(process.pid)]);
	assert.deepEqual(of('any').map(niceOf), [ownNice]);
	assert.equal(of('but').length,
	    Math.max(1, os.availableParallelism() - 1));
	const spread = of('auto').map(cpusOf);

	assert.ok(spread.every((s) => /^\d+$/.test(s)), `${spread}`);
	assert.equal(new Set(spread).size,
	    Math.min(2, os.availableParallelism()));

	await t.test('are kept by one that comes back', async () => {
		const [pid] = of('list');

		process.kill(pid, 'SIGKILL');
		const next = await h.workersSatisfy((list) => list.every((w) =>
		    w.state === 'ready' && w.pid !== pid), 'a new worker');
		const w = next.find((x) => x.pool === 'list');

		assert.equal(cpusOf(w.pid), String(first));
		assert.equal(niceOf(w.pid), ownNice + 1);
	});

	await t.test('a cpu that is not there', async () => {
		fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
		    .replace(`affinity = ${first} `, 'affinity = "0-1000" '));
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		assert.match(r.stderr,
		    /worker list\.0 of generation 2 did not get ready: .*hostd\.conf:\d+: affinity: there is no cpu \d+ for us/);
		assert.equal((await h.workers()).length, ws.length);
	});
});

test('a priority that is not ours to give', async (t) => {
	const conf = (nice) => `pool "web" { workers = 1\nnice = ${nice} }`;
	const h = await prepareUnprivileged(t, { conf: conf(-20) });

	h.spawn();
	assert.equal((await within(h.ended, 'end of hostd')).code, 1);
	assert.match(h.log, /hostd\.conf:\d+: nice = -20: (Permission denied|Operation not permitted); only root, or a limit RLIMIT_NICE, lets it be that low/);
	const low = await startUnprivileged(t, { conf: conf(19) });

	assert.equal(niceOf((await low.workers())[0].pid), 19);
});

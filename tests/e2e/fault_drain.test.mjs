// SPDX-License-Identifier: BSD-2-Clause
// A plugin whose drain does not return keeps its worker from ending, not the
// reload: the worker is ended in time, and the plugin named.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir } from './lib/hostd.mjs';
import { Load } from './lib/load.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const source = `
#include <hostd/easy.h>
#include <unistd.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	char text[64];

	(void)d;
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	return hostd_respond(in, req, 200, "text/plain", text);
}

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_easy), host, out, err);
}

static void
drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	(void)in;
	(void)deadline_ms;
	for (;;)
		(void)pause();
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

static const struct hostd_http_ops ops = {.struct_size = sizeof(ops),
    .on_headers = on_headers};
static const struct hostd_provide provide = {.struct_size = sizeof(provide),
    .kind = HOSTD_KIND_HTTP_ROUTE, .ops = &ops, .route = "/"};
static const struct hostd_provide *const provides[] = {&provide, NULL};

HOSTD_PLUGIN_ENTRY = {HOSTD_PREFIX(0), .id = "mire", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .drain = drain, .destroy = destroy};
`;

// A work on a thread until somebody writes to the gate.
const slow = (gate) => `
#include <hostd/easy.h>
#include <hostd/work.h>
#include <fcntl.h>
#include <unistd.h>

static void
work(void *arg)
{
	(void)arg;
	(void)close(open("${gate}", O_RDONLY));
}

static void
done(struct hostd_inst *in, void *arg, int32_t status)
{
	(void)in;
	(void)arg;
	(void)status;
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_host *host = hostd_easy_of(in)->host;
	const struct hostd_work_api *api = host->get_ext(host, HOSTD_EXT_WORK);

	(void)d;
	(void)api->submit(host, work, done, NULL);
	return hostd_respond(in, req, 200, "text/plain", "begun\\n");
}

HOSTD_EASY_ROUTE("slow", "1.0", "/", on_headers)
`;

const serve = (t, so, keys) => startHostd(t, { conf: `${keys}
	plugin "it" { module = "${so}" }` });

// The watchdog of another hostd says that time has passed.
test('one that waits for a thread is not hanging', async (t) => {
	const dir = tempDir(t);
	const gate = path.join(dir, 'gate');

	execFileSync('mkfifo', [gate]);
	const so = await buildPlugin(dir, 'slow', slow(gate));
	const pool = `sandbox_paths = {"r:${gate}"}
	    pool "web" { workers = 1 watchdog = 1s }`;
	const h = await serve(t, so, `drain_timeout = 0\n${pool}`);
	const clock = await serve(t, so, pool);
	const [{ pid }] = await h.workers();

	assert.equal(await (await fetch(h.url)).text(), 'begun\n');
	assert.equal((await h.hostctl('reload')).code, 0);
	await h.logged(`pid ${pid}] ending`);
	for (let i = 0; i < 2; i++) {
		const [w] = await clock.workersSatisfy((ws) =>
		    ws[0]?.state === 'ready', 'the clock');

		process.kill(w.pid, 'SIGSTOP');
		await clock.logged(`pid ${w.pid}, generation 1) died: stopped`);
	}
	fs.writeFileSync(gate, '');
	await h.logged(`pid ${pid}, generation 1) has ended: exit status 0`);
	assert.doesNotMatch(h.log, /watchdog/);
});

for (const [what, keys, cause] of [
	['is ended at its deadline',
	    'drain_timeout = 1s\npool "web" { workers = 1 }',
		/SIGKILL in plugin mire, drain$/m],
	['is ended by the watchdog',
	    'drain_timeout = 0\npool "web" { workers = 1 watchdog = 1s }',
		/in plugin mire, drain, for \d+ ms \(watchdog\)$/m],
])
	test(`a worker whose plugin's drain hangs ${what}`, async (t) => {
		const so = await buildPlugin(tempDir(t), 'mire', source);
		const h = await startHostd(t, { conf: `${keys}
			plugin "mire" { module = "${so}" }` });
		const [{ pid }] = await h.workers();
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		const load = new Load(h, { kind: 'new' });

		await load.more(20);
		const [line] = await h.logged(new RegExp(
		    `\\(pid ${pid}, generation 1\\) has ended: .*`));

		assert.match(line, cause);
		await load.more(20);
		await load.stop();
		assert.deepEqual(load.failures, []);
		assert.ok(!load.byPid.has(pid));
	});

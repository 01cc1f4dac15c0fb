// SPDX-License-Identifier: BSD-2-Clause
// max_memory: a worker that has grown is replaced, and nobody notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { startHostd, tempDir } from './lib/hostd.mjs';
import { Client, Load } from './lib/load.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const MAX = 192 << 20;

// "/grow" leaks what max_memory allows.
const source = `
#include <hostd/easy.h>
#include <unistd.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	static char *volatile leak;
	char text[64];

	(void)d;
	if (hostd_request_of(in, req)->path.n > 1 &&
	    (leak = malloc(${MAX})) != NULL)
		memset(leak, 1, ${MAX});
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	return hostd_respond(in, req, 200, "text/plain", text);
}

HOSTD_EASY_ROUTE("leak", "1.0", "/", on_headers)
`;

// A worker's answer to it.
async function grow(h) {
	const c = new Client(h.port);

	await c.ask('/grow');
	return c;
}

test('a worker that grows', async (t) => {
	const so = await buildPlugin(tempDir(t), 'leak', source);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 max_memory = ${MAX} }
		plugin "leak" { module = "${so}" }` });
	const before = (await h.workers()).map((w) => w.pid);
	const load = new Load(h);
	const c = await grow(h);
	const big = c.pid;

	await h.logged(new RegExp(`\\(pid ${big}, generation 1\\) has \\d+ ` +
	    `KiB resident, more than max_memory = ${MAX >> 10} KiB: ` +
	    'replacing it; that it was so soon makes max_memory look too low'));
	const after = await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready' && w.pid !== big),
	    'a new worker');

	assert.ok(after.some((w) => before.includes(w.pid)));
	assert.deepEqual(after.map((w) => [w.generation, w.restarts]),
	    [[1, 0], [1, 0]]);
	// The connection lives on.
	assert.equal((await c.ask()).status, 200);
	assert.notEqual(c.pid, big);
	await load.more(() => after.every((w) => load.byPid.get(w.pid) > 5));
	await load.stop();
	assert.deepEqual(load.failures, []);
	c.destroy();

	// Its successor waits longer; a reload of the key lets it live.
	const d = await grow(h);

	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace(`max_memory = ${MAX}`, 'max_memory = 0'));
	assert.equal((await h.hostctl('reload')).code, 0);
	d.destroy();
});

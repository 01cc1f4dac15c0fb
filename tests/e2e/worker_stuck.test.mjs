// SPDX-License-Identifier: BSD-2-Clause
// A plugin that does not come back from a callback is named in the log, in
// status and in list, until it does.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const source = (gate) => `
#include <hostd/easy.h>
#include <fcntl.h>
#include <unistd.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	/* Until somebody opens its other end. */
	(void)close(open("${gate}", O_RDONLY));
	return hostd_respond(in, req, 200, "text/plain", "back\\n");
}

HOSTD_EASY_ROUTE("stuck", "1.0", "/stuck", on_headers)
`;

test('a callback that does not return', async (t) => {
	const dir = tempDir(t);
	const gate = path.join(dir, 'gate');

	execFileSync('mkfifo', [gate]);
	const so = await buildPlugin(dir, 'stuck', source(gate));
	const h = await startHostd(t, { conf: `
		sandbox_paths = {"r:${gate}"}
		pool "web" { workers = 1 }
		plugin "sleeper" { module = "${so}" }
		route "/" { plugin = "sleeper" }` });
	const answer = fetch(h.url);

	await h.logged(new RegExp('web\\.0 \\(pid \\d+, generation 1\\) ' +
	    'has been in plugin sleeper, on_headers, for \\d+ ms and serves nobody'));
	const [w] = await h.workers();

	assert.equal(w.state, 'ready');
	assert.equal(w.stuck_in, 'sleeper, on_headers');
	assert.ok(w.stuck_ms >= 1000);
	assert.match((await h.hostctl('list')).stdout,
	    /web\.0 .* in sleeper, on_headers /);
	fs.writeFileSync(gate, '');
	assert.equal(await (await answer).text(), 'back\n');
	// Its client hears it before the callback has ended.
	await h.workersSatisfy(([after]) => after.stuck_in === undefined,
	    'end of the callback');
	assert.match((await h.hostctl('list')).stdout, /web\.0 .* ready /);
});

// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/busy_route at "/busy/", as of some version.
import fs from 'node:fs';
import path from 'node:path';
import { startHostd, tempDir } from './hostd.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

// Its .so, built anew: version is said in all answers; broken: 1 create fails,
// 2 it crashes.
export async function buildBusy(t, version, broken = 0) {
	const so = await buildPlugin(tempDir(t), 'busy',
	    testPlugin('busy_route'),
	    [`-DVERSION=${version}`, `-DBROKEN=${broken}`]);

	return fs.readFileSync(so);
}

// As packages do it: the old file stays what it is.
export function putBusy(h, so) {
	const file = path.join(h.dir, 'busy.so');

	fs.writeFileSync(`${file}.new`, so);
	fs.renameSync(`${file}.new`, file);
}

export async function startBusy(t, workers, more = '') {
	return startHostd(t, {
		files: { 'busy.so': await buildBusy(t, 1) },
		conf: `
		pool "web" { workers = ${workers} ${more} }
		http {
			max_body = 64m
			keepalive_requests = 1000000000
		}
		plugin "busy" { module = "@DIR@/busy.so" }
		route "/busy/" {
			plugin = "busy"
			websocket {
				deflate = on
				deflate_server_takeover = on
				deflate_client_takeover = on
			}
		}`,
	});
}

// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/life_route at "/".
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atEnd, Hostd, startHostd, until, within } from './hostd.mjs';
import { Client } from './load.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

let built;

// Its .so, built once for a test file.
export function lifePlugin() {
	built ??= (async () => {
		const dir = fs.mkdtempSync(path.join(os.tmpdir(),
		    'hostd-life-'));

		process.on('exit', () =>
		    fs.rmSync(dir, { recursive: true, force: true }));
		return buildPlugin(dir, 'life', testPlugin('life_route'));
	})();
	return built;
}

export const lifeConf = (keys = '') =>
	`plugin "life" { module = "@DIR@/life.so" ${keys} }\n` +
	'route "/" { plugin = "life" }\n';

// Options as of startHostd; and keys: text for the plugin's block.
export async function startLife(t, { keys, files, confd, ...more } = {}) {
	const so = fs.readFileSync(await lifePlugin());

	return startHostd(t, {
		files: { 'life.so': so, ...files },
		confd: { 'life.conf': lifeConf(keys), ...confd },
		...more,
	});
}

// A request that is under way, of a connection whose worker is known.
export async function held(h) {
	const c = new Client(h.port);
	const is = (what, pred) => h.workersSatisfy((ws) => ws.some((w) =>
	    w.pid === c.pid && pred(w)), what);

	await c.ask();
	// What is told of it may be of before that answer.
	await is('an idle connection', (w) => w.idle > 0 &&
	    w.active === w.idle);
	c.send('/hold');
	await is('a request under way', (w) => w.active > w.idle);
	return c;
}

// Change a file below the directory of h.
export function rewrite(h, name, text) {
	fs.writeFileSync(path.join(h.dir, name),
	    text.replaceAll('@DIR@', h.dir)
	    .replaceAll('@PORT@', String(h.port)));
}

export const descriptors = (pid) =>
	fs.readdirSync(`/proc/${pid}/fd`).length;

// Until a process has no more than n: that of the last hostctl's connection
// may be closed a moment after hostctl has ended.
export const descriptorsAtMost = (pid, n) => until(() => descriptors(pid) <= n,
    `return to ${n} descriptors`);

// Another hostd with the files of h.
export async function successor(t, h) {
	const next = new Hostd(h.dir, h.port);

	// Its workers, who have its output as well, may go on.
	if (h.child.exitCode === null && h.child.signalCode === null)
		await within(once(h.child, 'exit'), 'end of the master');
	next.spawn();
	atEnd(t, async () => {
		await next.stop();
		next.checkSanitizers();
	});
	await next.logged('serving generation 1');
	return next;
}

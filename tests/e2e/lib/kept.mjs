// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/session_route, whose sessions are in session_lmdb.
import fs from 'node:fs';
import path from 'node:path';
import { atEnd, prepareHostd } from './hostd.mjs';
import { plugin } from './http1.mjs';
import { prepareUnprivileged } from './unprivileged.mjs';
import { patient, SECRET } from './session.mjs';

/*
 * Its files; it is not started.
 *
 *	store	keys of the plugin "kept"; null: there is no such block, and
 *		nothing says where sessions are
 *	keys	of the block session
 *	workers	four, if nothing is said
 *	own	it runs as a user of its own, whom permissions bind
 */
export async function prepareKept(t, { store = '', keys = '', workers = 4,
	conf = '', own = false, ...options } = {}) {
	const so = await plugin('session_route');
	const prepare = own ? prepareUnprivileged : prepareHostd;
	const h = await prepare(t, { ...options, conf: `
		state_dir = "@DIR@/state"
		pool "web" { workers = ${workers} }
		${store === null ? '' :
		    `plugin "kept" { module = "session_lmdb.so"\n${store} }`}
		plugin "s" { module = "${so}" }
		session "main" { secret = "${SECRET}"
			${store === null ? '' : 'store = "kept"'}
			${patient(keys)} }
		route "/s" { plugin = "s" }
		${conf}` });

	h.instance = store === null ? 'session_lmdb' : 'kept';
	h.file = path.join(h.dir, 'state', 'plugins', h.instance,
	    'sessions.mdb');
	return h;
}

// Start it, perhaps once more.
export async function startAgain(h) {
	const from = h.log.length;

	h.exited = false;
	h.spawn();
	await h.logged(/serving generation/, from);
	await h.listening();
}

export async function startKept(t, options) {
	const h = await prepareKept(t, options);

	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await startAgain(h);
	return h;
}

// { sessions, bytes, room, max_size }
export async function countKept(h) {
	const r = await h.hostctl('plugin', 'call', h.instance, 'count');

	if (r.code !== 0)
		throw new Error(`count: ${r.stderr}\n${h.log}`);
	const text = r.stdout.slice(r.stdout.indexOf('{'));

	return JSON.parse(text);
}

// Another value for what stands in hostd.conf.
export function reconfigure(h, from, to) {
	const text = fs.readFileSync(h.confFile, 'utf8');

	if (!text.includes(from))
		throw new Error(`no ${from} in ${text}`);
	fs.writeFileSync(h.confFile, text.replace(from, to));
}

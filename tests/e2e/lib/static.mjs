// SPDX-License-Identifier: BSD-2-Clause
// hostd with the delivered plugins, asked over node's own HTTP client, which
// sends a path as it is given.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { startHostd, until, within, writeFiles } from './hostd.mjs';

// Put files below h.www.
export function put(h, files) {
	writeFiles(h.www, files);
}

export const at = (h, name) => path.join(h.www, name);

/*
 * http_static over a directory of `files`.  keys: more of the plugin's keys;
 * conf: more of the configuration; route: where it is (default "/").
 */
export async function startStatic(t, options = {}) {
	const { files = {}, keys = '', conf = '', route = '/' } = options;
	const under = Object.fromEntries(
	    Object.entries({ '.keep': '', ...files })
	    .map(([name, content]) => [`www/${name}`, content]));
	const h = await startHostd(t, {
		...options,
		files: under,
		conf: `${/^\s*pool /m.test(conf) ? '' :
		    'pool "web" { workers = 1 }'}
			plugin "static" { module = "http_static.so"
				root = "@DIR@/www"
				${keys} }
			route "${route}" { plugin = "static" }
			${conf}`,
	});

	h.www = path.join(h.dir, 'www');
	return h;
}

/*
 * One request, on a connection of its own unless options.agent is given:
 * { status, headers, body, text, complete }.  complete is false when the
 * connection ended before the answer did.
 */
export function ask(h, target, headers = {}, options = {}) {
	return within(new Promise((resolve, reject) => {
		const req = http.request({
			host: '127.0.0.1', port: h.port, path: target, headers,
			method: options.method ?? 'GET',
			agent: options.agent ?? false,
		}, (res) => {
			const parts = [];
			const done = () => {
				const body = Buffer.concat(parts);

				resolve({ status: res.statusCode, body,
					headers: res.headers,
					    raw: res.rawHeaders,
					text: body.toString(),
					complete: res.complete });
			};

			res.on('data', (d) => parts.push(d));
			res.on('end', done);
			res.on('error', done);
		});

		req.on('error', reject);
		req.end();
	}), `answer to ${target}`);
}

export const head = (h, target, headers) =>
	ask(h, target, headers, { method: 'HEAD' });

// Ask again until the answer is the wanted one: something changes behind it.
export function askUntil(h, target, headers, pred) {
	return until(async () => {
		const r = await ask(h, target, headers);

		return pred(r) && r;
	}, `the awaited answer to ${target}`);
}

// Bytes that differ wherever they are cut.
export function pattern(size, seed = 1) {
	const b = Buffer.allocUnsafe(size);

	for (let i = 0, x = seed >>> 0; i < size; i++) {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		b[i] = x >>> 24;
	}
	return b;
}

// What the one worker holds open below h.www, as paths.  An answer may be here
// before its file is closed, but not that of the request behind it.
export async function openFiles(h) {
	await ask(h, '/none');
	const pids = (await h.workers()).map((w) => w.pid);

	return pids.flatMap((pid) => {
		const dir = `/proc/${pid}/fd`;

		return fs.readdirSync(dir).map((fd) => {
			try {
				return fs.readlinkSync(path.join(dir, fd));
			} catch {
				return '';	// closed meanwhile
			}
		}).filter((to) => to.startsWith(`${h.www}/`));
	});
}

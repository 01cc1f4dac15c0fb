// SPDX-License-Identifier: BSD-2-Clause
// hostd with two pools: "web" accepts, and "socket" answers a part of it.
import fs from 'node:fs';
import { lifePlugin } from './life.mjs';
import { plugin } from './http1.mjs';
import { startHostd, until } from './hostd.mjs';

/*
 * life_route says which worker has answered: "/" in web, "/far" and below in
 * socket.  pools: keys of the blocks web and socket; conf: more.
 */
export async function servePools(t, { web = 'workers = 2',
	socket = 'workers = 2', keys = '', conf = '', ...more } = {}) {
	const so = fs.readFileSync(await lifePlugin());

	return startHostd(t, { ...more, files: { 'life.so': so, ...more.files },
		conf: `
		pool "web" { ${web} }
		pool "socket" { ${socket} }
		plugin "near" { module = "@DIR@/life.so"  text = "near" }
		plugin "far" { module = "@DIR@/life.so"  text = "far"  ${keys} }
		route "/" { plugin = "near" }
		route "/far" { plugin = "far"  match = prefix  pool = "socket" }
		${conf}` });
}

// show_route in both, for what a request looks like there.
export async function serveShows(t, { conf = '', ...more } = {}) {
	const so = await plugin('show_route');

	return startHostd(t, { ...more, conf: `
		pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		http { max_body = 1g  ${more.http ?? ''} }
		plugin "near" { module = "${so}"  label = "near" }
		plugin "far" { module = "${so}"  label = "far" }
		route "/" { plugin = "near" }
		route "/far" { plugin = "far"  pool = "socket" }
		${conf}` });
}

// Of each worker's pid.
export const poolOf = async (h) => new Map((await h.workers())
	.map((w) => [w.pid, w.pool]));

export const pidsOf = async (h, pool) => (await h.workers())
	.filter((w) => w.pool === pool).map((w) => w.pid);

// Requests that the pools have answered, and connections that they have.
export async function sums(h) {
	const all = {};

	for (const w of await h.workers()) {
		const s = all[w.pool] ??= { requests: 0, active: 0,
			accepted: 0, websockets: 0 };

		for (const k of Object.keys(s))
			s[k] += w[k] ?? 0;
	}
	return all;
}

// Until pred holds for these: a client has its answer before it is counted, and
// who gave a connection away may hear later than the client.
export const sumsSatisfy = (h, pred, what) => until(async () => {
	const all = await sums(h);

	return pred(all) && all;
}, what);

// HTTP/2 without TLS, and everything below "/far" is socket's.
export async function serveFar(t, conf = '', { web = 'workers = 1',
	socket = 'workers = 1', http = '', ...more } = {}) {
	const [flow, show, trailers] = await Promise.all(['flow_route',
		'show_route', 'trailer_route'].map(plugin));

	return startHostd(t, { ...more, files: { 'www/a': 'a' }, conf: `
		pool "web" { ${web} }
		pool "socket" { ${socket} }
		listen "main" { address = "127.0.0.1:@PORT@"  pool = "web" }
		http { h2c = on  max_body = 10m  ${http} }
		plugin "near" { module = "http_respond.so"  body = "near" }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		plugin "flow" { module = "${flow}" }
		plugin "show" { module = "${show}" }
		plugin "trailers" { module = "${trailers}" }
		plugin "static" { module = "http_static.so"  root = "www" }
		plugin "echo" { module = "ws_echo.so" }
		route "/" { plugin = "near" }
		route "/near/flow/" { plugin = "flow" }
		route "/far/hello" { plugin = "hello"  pool = "socket" }
		route "/far/flow/" { plugin = "flow"  pool = "socket" }
		route "/far/show" { plugin = "show"  pool = "socket" }
		route "/far/trailers/" { plugin = "trailers"  pool = "socket" }
		route "/far/files/" { plugin = "static"  pool = "socket" }
		route "/far/echo" { plugin = "echo"  pool = "socket" }
		${conf}` });
}

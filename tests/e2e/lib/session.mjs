// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/session_route, a store that can be told to fail, and
// visitors who keep their cookies.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { startHostd, until, within } from './hostd.mjs';
import { plugin } from './http1.mjs';
import { buildPlugin, testPlugin } from './plugin.mjs';

export const SECRET = 'keyboard cat';

// The value of a cookie, as it is meant and as it is sent.
export const sign = (id, secret = SECRET) => `s:${id}.${
	createHmac('sha256', secret).update(id).digest('base64')
	.replace(/=+$/, '')}`;
export const cookieOf = (id, secret = SECRET, name = 'connect.sid') =>
	`${name}=${encodeURIComponent(sign(id, secret))}`;

/*
 * A Set-Cookie header: { name, value, id, signed: the secret of its signature,
 * attributes: as sent, without the time of Expires, expires: ms }
 */
export function parseCookie(line, secrets = [SECRET]) {
	const [pair, ...attributes] = line.split('; ');
	const [, name, value] = /^([^=]+)=(.*)$/.exec(pair);
	const [, id] = /^s:(.*)\.[^.]*$/.exec(decodeURIComponent(value)) ?? [];
	const at = attributes.findIndex((a) => a.startsWith('Expires='));
	const expires = at < 0 ? undefined :
	    Date.parse(attributes[at].slice(8));

	if (at >= 0)
		attributes[at] = 'Expires';
	return { line, name, value, id, attributes, expires,
		signed: secrets.find((s) => id !== undefined &&
		    encodeURIComponent(sign(id, s)) === value) };
}

/* -- requests -- */

// One request; a body that is a promise is ended when that is.
export function ask(h, target, { method, headers = {}, body, agent } = {}) {
	return within(new Promise((resolve, reject) => {
		const q = http.request({ host: '127.0.0.1', port: h.port,
			path: target, agent, headers,
			method: method ?? (body ? 'POST' : 'GET') }, (r) => {
			const parts = [];

			r.on('data', (d) => parts.push(d));
			r.on('error', reject);
			r.on('end', () => resolve({ status: r.statusCode,
				headers: r.headers,
				setCookie: r.headers['set-cookie'] ?? [],
				text: Buffer.concat(parts).toString() }));
		});

		q.on('error', reject);
		if (body === undefined)
			q.end();
		else {
			q.flushHeaders();
			q.write('.');
			body.then(() => q.end(), reject);
		}
	}), `answer of ${target}`);
}

const escape = (s) => encodeURIComponent(s);

// Steps of session_route with any values.
export const set = (key, value) =>
	`set=${escape(key)}:${escape(JSON.stringify(value))}`;
export const setRaw = (key, text) => `set=${escape(key)}:${escape(text)}`;
export const get = (key) => `get=${escape(key)}`;

// Somebody with a jar.
export class Visitor {
	cookies = new Map();

	constructor(h, { path = '/s', headers = {} } = {}) {
		Object.assign(this, { h, path, headers });
	}

	// The answer; cookies come along, and stay.
	async ask(target, options = {}) {
		const cookie = [...this.cookies].map(([k, v]) => `${k}=${v}`)
		    .join('; ');
		const r = await ask(this.h, target, { ...options, headers: {
			...(cookie && { cookie }), ...this.headers,
			...options.headers } });

		r.cookies = r.setCookie.map((c) => parseCookie(c));
		for (const { name, value, expires } of r.cookies)
			if (expires === 0)
				this.cookies.delete(name);
			else
				this.cookies.set(name, value);
		return r;
	}

	// The whole answer to steps, perhaps with more for ask.
	visit(...steps) {
		const options = typeof steps.at(-1) === 'object' ? steps.pop() :
		    {};

		return this.ask(`${this.path}?${steps.join('&')}`, options);
	}

	// What came of each step.
	async do(...steps) {
		const r = await this.visit(...steps);

		assert.equal(r.status, 200, r.text);
		return JSON.parse(r.text);
	}

	// The same, but all is "OK": the value of the last.
	async get(...steps) {
		const all = await this.do(...steps);

		assert.deepEqual(all.map(([code]) => code),
		    all.map(() => 'OK'));
		return all.at(-1)[1];
	}

	// With a step "body", which waits for go(): { go, done }.
	begin(...steps) {
		let go;
		const body = new Promise((resolve) => { go = resolve; });

		return { go, done: this.do(...steps, { body }) };
	}

	// Somebody else with the same cookies.
	twin() {
		const v = new Visitor(this.h, this);

		v.cookies = new Map(this.cookies);
		return v;
	}

	get id() {
		return parseCookie(`connect.sid=${
			this.cookies.get('connect.sid')}`).id;
	}
}

/* -- the server -- */

const built = new Map();

// tests/plugins/faulty_store: FLAGS "" (compares and sets), "0", or
// "HOSTD_STORE_STATELESS".
export function faultyStore(flags = '') {
	if (!flags)
		return plugin('faulty_store');
	if (!built.has(flags)) {
		const dir = fs.mkdtempSync(
		    path.join(process.env.TMPDIR ?? '/tmp', 'plugin-'));

		fs.chmodSync(dir, 0o755);
		process.on('exit', () => fs.rmSync(dir, { recursive: true }));
		built.set(flags, buildPlugin(dir, 'faulty_store',
		    testPlugin('faulty_store'), [`-DFLAGS=${flags}`]));
	}
	return built.get(flags);
}

// keys, with time enough for a slow machine where they don't say how much.
export const patient = (keys, name = 'timeout') =>
	new RegExp(`\\b${name}\\b`).test(keys) ? keys : `${keys} ${name} = 60s`;

/*
 * hostd with session_route on "/s", whose sessions are in a store of its own:
 * faulty_store in one worker, or with lmdb: session_lmdb in four.
 *
 *	keys	of the block session
 *	route	keys of the route "/s"
 *	conf	more, perhaps a pool
 *	secret	key of the block that says it
 */
export async function serveSessions(t, { keys = '', route = '', conf = '',
	secret = `secret = "${SECRET}"`, flags = '', lmdb = false,
	...options } = {}) {
	const [store, so] = await Promise.all([
		lmdb ? 'session_lmdb.so' : faultyStore(flags),
		plugin('session_route') ]);
	const pool = /^\s*pool /m.test(conf) ? '' :
	    `pool "web" { workers = ${lmdb ? 4 : 1} }`;
	const path = lmdb ? 'path = "@DIR@/kept"' : '';
	const h = await startHostd(t, { ...options, conf: `
		${pool}
		state_dir = "@DIR@/state"
		plugin "kept" { module = "${store}"  ${path} }
		plugin "s" { module = "${so}" }
		session "main" { store = "kept"  ${secret}
			${patient(keys)} }
		route "/s" { plugin = "s"  ${route} }
		${conf}` });

	return h;
}

/* -- faulty_store -- */

// What it does from now on: "set 0 fail -7".  A character is a byte.
export function order(h, ...lines) {
	const file = path.join(h.dir, 'orders');

	// Whoever reads it has all of it, and sees that it is another one.
	fs.writeFileSync(`${file}.new`, lines.concat('').join('\n') +
	    ' '.repeat(h.orders = ((h.orders ?? 0) + 1) % 64), 'latin1');
	fs.renameSync(`${file}.new`, file);
}

// What it was called with since this was asked last: ["get ID", ...].
export function calls(h) {
	const file = path.join(h.dir, 'trace');
	const all = fs.existsSync(file) ?
	    fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
	const since = all.slice(h.calls ?? 0);

	h.calls = all.length;
	return since;
}

// The same, without what is in them: ["get", "set"].
export const words = (h) => calls(h).map((c) => c.split(' ')[0]);

// Until it has been called like that since calls() was asked.
export function called(h, what) {
	const file = path.join(h.dir, 'trace');

	return until(() => fs.existsSync(file) &&
	    fs.readFileSync(file, 'utf8').split('\n').slice(h.calls ?? 0)
	    .some((l) => l.startsWith(what)), `a call of the store: ${what}`);
}

// SPDX-License-Identifier: BSD-2-Clause
// hostd with http_login, and clients that keep their cookies.
import assert from 'node:assert/strict';
import { startHostd } from './hostd.mjs';
import { plugin } from './http1.mjs';
import { faultyStore, patient } from './session.mjs';

// Of crypt(3), as cheap as they may be: "secret", "Hello world!".
export const SECRET =
	'$2y$05$c4WoMPo3SXsafkva.HHa6u7b1XOWKqA7XZANDrnv4IVny/8ABNR66';
export const HELLO = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
export const USERS = `ada:${SECRET}\nzo\u00e9:${HELLO}\n<b>&"':${SECRET}\n`;

/*
 * keys: of http_login; users: its auth block; session: of the session block; lmdb: that store, in two
 * workers, or store: a plugin, instead of faulty_store; conf: more.
 */
export async function serveLogin(t, { keys = '', users = 'people', session = '',
    conf = '',
	auth = '', lmdb = false, store, workers = lmdb ? 2 : 1, files = {},
	...options } = {}) {
	const so = store ?? (lmdb ? 'session_lmdb.so' : await faultyStore());
	const path = lmdb ? 'path = "@DIR@/kept"' : '';

	return startHostd(t, { ...options, files: { users: USERS, ...files },
		conf: `
		pool "web" { workers = ${workers} }
		state_dir = "@DIR@/state"
		plugin "kept" { module = "${so}"  ${path} }
		session "main" { store = "kept"  ${patient(session)} }
		auth "people" { type = basic  users_file = "users"  ${auth} }
		plugin "login" { module = "http_login.so"  users = "${users}"
			${keys} }
		plugin "s" { module = "${await plugin('session_route')}" }
		route "/login" { plugin = "login" }
		route "/logout" { plugin = "login" }
		route "/whoami" { plugin = "login" }
		route "/account/" { plugin = "login" }
		route "/s" { plugin = "s" }
		${conf}` });
}

const encode = (fields) => typeof fields === 'string' ||
    Buffer.isBuffer(fields) ? fields : new URLSearchParams(fields).toString();

const unescape = (s) => s.replace(/&(amp|lt|gt|quot|#39);/g, (_, e) =>
    ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[e]);

// The hidden fields of a page, and what else has a value there.
export const fieldsOf = (html) => Object.fromEntries(
    [...html.matchAll(/<input[^>]* name="(\w+)"[^>]*>/g)].map(([tag, name]) =>
	[name, unescape(/ value="([^"]*)"/.exec(tag)?.[1] ?? '')]));

// Somebody with a jar; nothing is followed.
export class Client {
	jar = new Map();

	constructor(h, headers = {}) {
		Object.assign(this, { h, headers });
	}

	async ask(path, options = {}) {
		const cookie = [...this.jar].map(
		    ([k, v]) => `${k}=${v}`).join('; ');
		const r = await fetch(this.h.url + path, { redirect: 'manual',
			...options, headers: { ...(cookie && { cookie }),
			...this.headers, ...options.headers } });

		r.lines = r.headers.getSetCookie();
		for (const line of r.lines) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);

			if (/; Max-Age=0/.test(line))
				this.jar.delete(name);
			else
				this.jar.set(name, value);
		}
		r.body_text = await r.text();
		return r;
	}

	get(path, headers = {}) {
		return this.ask(path, { headers });
	}

	post(path, fields, headers = {}) {
		return this.ask(path, { method: 'POST', body: encode(fields),
			headers: { 'Content-Type':
			    'application/x-www-form-urlencoded',
			    ...headers } });
	}

	async json(path, options = {}) {
		const r = await this.ask(path, { ...options, headers: {
			Accept: 'application/json', ...options.headers } });

		r.json_value = JSON.parse(r.body_text);
		return r;
	}

	// The form's token.
	async token(path = '/login') {
		const r = await this.get(path);

		assert.equal(r.status, 200);
		return fieldsOf(r.body_text).csrf;
	}

	// As a browser does.
	async login(user = 'ada', password = 'secret', more = {}) {
		const csrf = await this.token();

		return this.post('/login', { user, password, csrf, ...more });
	}

	// With a form that was there before the last login.
	async loginAgain(user = 'ada', password = 'secret', more = {}) {
		const other = new Client(this.h);
		const csrf = await other.token();

		this.jar.set('hostd_login', other.jar.get('hostd_login'));
		return this.post('/login', { user, password, csrf, ...more });
	}

	async whoami() {
		const r = await this.json('/whoami');

		assert.equal(r.status, 200);
		return r.json_value;
	}

	get session() {
		return this.jar.get('connect.sid');
	}
}

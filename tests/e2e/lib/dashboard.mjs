// SPDX-License-Identifier: BSD-2-Clause
// hostd with http_dashboard, its page in Chromium, and curl.
import assert from 'node:assert/strict';
import { command, startHostd, until, within } from './hostd.mjs';
import { SECRET } from './login.mjs';
import { npm } from './npm.mjs';
import { startBrowser, Visitor } from './page.mjs';

const { WebSocket } = npm('ws');

const USERS = `ada:${SECRET}\ngrace:${SECRET}\n`;

/*
 * The dashboard is at /dashboard/, for ada and grace, whose password is
 * "secret".  keys: of the plugin; route: of its route; conf: more; start: what
 * starts it, as startTls.
 */
export async function startDashboard(t, { keys = '', route = 'auth = "people"',
	controllers = 'controllers = { "dashboard" }', conf = '', workers = 2,
	start = startHostd,
	...options } = {}) {
	const h = await start(t, { ready: false, files: { users: USERS },
		...options, conf: `
		${controllers}
		error_log = "@DIR@/error.log"
		pool "web" { workers = ${workers} }
		auth "people" { type = basic  users_file = "users" }
		plugin "dashboard" { module = "http_dashboard.so"  ${keys} }
		plugin "hello" { module = "http_respond.so"  body = "hello" }
		route "/dashboard/" { plugin = "dashboard"  ${route} }
		route "/dashboard" { plugin = "dashboard"  ${route} }
		route "/hello" { plugin = "hello" }
		${conf}` });

	await h.listening();
	await until(async () => (await h.hostctl('status')).code === 0,
	    'status');
	return h;
}

// The page, once it has been told something.
export async function openPage(t, h, { user = 'ada', ...options } = {}) {
	const browser = await startBrowser(t);
	const v = await Visitor.open(browser, 'about:blank', {
		httpCredentials: { username: user, password: 'secret' },
		    ...options });

	v.asked = [];
	v.page.on('request', (r) => v.asked.push(r.url()));
	v.page.on('websocket', (w) => v.asked.push(w.url()));
	await v.page.goto(`${h.url}/dashboard/`);
	await v.page.locator('#state.good, #state.warn').waitFor();
	return v;
}

// { status, text }; as ada, unless args say otherwise.
export async function curl(h, path, ...args) {
	const as = args.includes('-u') ? [] : ['-u', 'ada:secret'];
	const r = await command('curl', ['-sS', '-w', '\n%{http_code}', ...as,
		...args, h.url + path]);

	assert.equal(r.code, 0, r.stderr);
	const at = r.stdout.lastIndexOf('\n');

	return { status: Number(r.stdout.slice(at + 1)),
		text: r.stdout.slice(0, at) };
}

// What the WebSocket begins with, or the status it is refused with.
export function look(h, headers = {}) {
	const ws = new WebSocket(`${h.url.replace('http', 'ws')}/dashboard/live`, {
		rejectUnauthorized: false,
		headers: { Authorization: `Basic ${btoa('ada:secret')}`,
			...headers } });

	return within(new Promise((resolve, reject) => {
		ws.on('message', (m) => {
			resolve(JSON.parse(m));
			ws.close();
		});
		ws.on('unexpected-response', (q, r) => {
			resolve(r.statusCode);
			q.destroy();
		});
		ws.on('error', reject);
		ws.on('close', (code) => reject(new Error(`closed: ${code}`)));
	}), 'what the dashboard begins with');
}

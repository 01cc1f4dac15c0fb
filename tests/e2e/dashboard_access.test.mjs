// SPDX-License-Identifier: BSD-2-Clause
// Who may look at the dashboard: nobody, unless the configuration says so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { curl, look, startDashboard } from './lib/dashboard.mjs';
import { Client, serveLogin } from './lib/login.mjs';

test('by auth', async (t) => {
	const h = await startDashboard(t, { keys: 'users = { "ada" }' });
	const page = await curl(h, '/dashboard/', '-i');

	assert.equal(page.status, 200);
	assert.match(page.text, /Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;/);
	assert.match(page.text, /Cache-Control: no-store/);
	assert.match(page.text, /<h1 id="title">/);
	for (const [name, type] of [['app.js', 'text/javascript'],
		['chart.js', 'text/javascript'], ['style.css', 'text/css'],
		['icon.svg', 'image/svg+xml']]) {
		const r = await curl(h, `/dashboard/${name}`, '-i');

		assert.equal(r.status, 200);
		assert.match(r.text,
		    new RegExp(`Content-Type: ${type.replace('+',
		    '\\+')}`));
		assert.equal((await curl(h, `/dashboard/${name}`, '-u',
		    'ada:no'))
		    .status, 401);
		assert.equal((await curl(h, `/dashboard/${name}`, '-u',
		    'grace:secret')).status, 403);
	}
	assert.match((await curl(h, '/dashboard', '-i')).text,
	    /^HTTP\/1.1 308[^]*Location: dashboard\//);
	assert.equal((await curl(h, '/dashboard/none')).status, 404);
	assert.equal((await curl(h, '/dashboard/live')).status, 426);
	assert.equal((await curl(h, '/dashboard/', '-X', 'POST', '-d',
	    'x')).status, 405);

	await t.test('and the WebSocket, for our own pages', async () => {
		const hello = await look(h, { Origin: h.url,
			'Sec-Fetch-Site': 'same-origin' });

		assert.equal(hello.user, 'ada');
		assert.equal(hello.actions, false);
		assert.equal(hello.status.pools[0].name, 'web');
		assert.equal((await look(h)).user, 'ada', 'and for programs');
		for (const headers of [{ Origin: 'http://evil.example' },
			{ Origin: 'null' }, { Origin: `${h.url}0` },
			{ Origin: h.url, 'Sec-Fetch-Site': 'cross-site' },
			{ Authorization: `Basic ${btoa('grace:secret')}` }])
			assert.equal(await look(h, headers), 403,
			    JSON.stringify(headers));
		assert.equal(await look(h, { Authorization: '' }), 401);
	});
});

test('by the session of who has logged in', async (t) => {
	const h = await serveLogin(t, { conf: `
		plugin "dash" { module = "http_dashboard.so" }
		route "/dashboard/" { plugin = "dash" }` });
	const c = new Client(h);

	assert.equal((await c.get('/dashboard/')).status, 403);
	assert.equal(await look(h), 403);
	assert.equal((await c.login()).status, 303);
	assert.equal((await c.get('/dashboard/')).status, 200);
	assert.equal((await c.get('/dashboard/app.js')).status, 200);
	const cookie = [...c.jar].map(([k, v]) => `${k}=${v}`).join('; ');

	assert.equal((await look(h, { Cookie: cookie })).user, 'ada');
});

test('by nothing: not at all', async (t) => {
	const h = await startDashboard(t, { route: '' });
	const r = await curl(h, '/dashboard/');

	assert.equal(r.status, 403);
	assert.match(r.text, /neither auth nor sessions/);
	assert.equal(await look(h), 403);
	assert.match(fs.readFileSync(path.join(h.dir, 'error.log'), 'utf8'),
	    /nobody may look at the dashboard: give its route auth/);
});

test('unless it is public, and then it does nothing', async (t) => {
	const h = await startDashboard(t, { route: '', keys: 'public = on' });

	assert.equal((await curl(h, '/dashboard/')).status, 200);
	assert.equal((await look(h)).user, '');
	for (const [keys, why] of [['actions = on', /anybody could reload/],
		['users = { "ada" }', /users only some/]]) {
		fs.writeFileSync(path.join(h.dir, 'conf.d/d.conf'), `
			plugin "d" { module = "http_dashboard.so"
				public = on  ${keys} }`);
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		assert.match(r.stdout + r.stderr, why);
	}
});

test('behind something that changes Host', async (t) => {
	const h = await startDashboard(t, {
		keys: 'origins = { "https://status.example" }' });

	assert.equal((await look(h, { Origin: 'https://status.example' })).user,
	    'ada');
	assert.equal(await look(h, { Origin: h.url }), 403);
});

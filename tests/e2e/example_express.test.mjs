// SPDX-License-Identifier: BSD-2-Clause
// examples/express-together, as it is: one session for an Express application
// and for hostd in front of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, freePort, startHostd, tempDir, top, within } from
    './lib/hostd.mjs';
import { Client } from './lib/login.mjs';
import { npm } from './lib/npm.mjs';
import { startBrowser, Visitor } from './lib/page.mjs';
import { startRedis } from './lib/redis.mjs';

const example = path.join(top, 'examples/express-together');
const read = (name) => fs.readFileSync(path.join(example, name), 'utf8');

const packages = path.resolve(path.dirname(npm.resolve('express')), '..');

// server.mjs, beside the packages of the tests; its port.
async function startExpress(t, redis, secret) {
	const dir = tempDir(t);

	fs.copyFileSync(path.join(example, 'server.mjs'),
	    path.join(dir, 'server.mjs'));
	fs.writeFileSync(path.join(dir, 'session.secret'), secret);
	fs.symlinkSync(packages, path.join(dir, 'node_modules'));
	const child = spawn(process.execPath, ['server.mjs'], { cwd: dir,
		stdio: ['ignore', 'pipe', 'inherit'],
		env: { ...process.env, PORT: '0', REDIS_URL: redis.url } });
	const ended = once(child, 'exit');

	atEnd(t, async () => {
		child.kill();
		await within(ended, 'end of the application');
	});
	const [text] = await within(Promise.race([once(child.stdout, 'data'),
		ended.then(() => { throw new Error(
		    'the application ended'); })]),
	'port of the application');

	return Number(/:(\d+)\//.exec(text)[1]);
}

async function start(t, { secret = 'a secret of both\n' } = {}) {
	const redis = await startRedis(t, { port: await freePort() });
	const app = await startExpress(t, redis, secret);
	const port = await freePort();
	const h = await startHostd(t, { port,
		conf: read('hostd.conf').replace(/^(user|run_dir) = .*$/gm, '')
		    .replace(/^state_dir = .*$/m, 'state_dir = "@DIR@/state"'),
		files: { users: read('users'), 'session.secret': secret,
			'members/index.html': read('members/index.html') },
		env: { LISTEN: `127.0.0.1:${port}`, APP: `127.0.0.1:${app}`,
			REDIS_URL: redis.url } });

	return { h, redis };
}

// Who one is, by hostd, by Express, and by a page for members.
async function seen(c) {
	const members = await c.get('/members/');

	return [(await c.whoami()).user, (await c.json('/me')).json_value.user,
		members.status];
}

const HTML = { Accept: 'text/html' };
const nobody = [null, null, 303];
const sid = (c) => /^s:([^.]+)/.exec(decodeURIComponent(c.session))[1];

test('logged in by hostd, and out by either', async (t) => {
	const { h, redis } = await start(t);
	const c = new Client(h, HTML);

	assert.deepEqual(await seen(c), nobody);
	assert.equal((await c.login('ada', 'lovelace')).status, 303);
	assert.deepEqual(await seen(c), ['ada', 'ada', 200]);
	// What Express puts there stays, and what hostd has put there, too.
	assert.match((await c.get('/')).body_text,
	    /Hello ada.*seen it 1 times/s);
	assert.match((await c.get('/')).body_text, /seen it 2 times/);
	const { csrf } = await c.whoami();
	const stored = JSON.parse(await redis.command('GET', `sess:${sid(c)}`));

	assert.deepEqual(Object.keys(stored).sort(), ['cookie', 'csrf',
		'login_at', 'user', 'views']);
	assert.equal(stored.views, 2);
	assert.equal(stored.csrf, csrf);
	// Out by hostd.
	const old = sid(c);

	assert.equal((await c.post('/logout', { csrf })).status, 303);
	assert.equal(await redis.command('GET', `sess:${old}`), null);
	assert.deepEqual(await seen(c), nobody);
	// Out by Express.
	await c.login('ada', 'lovelace');
	assert.deepEqual(await seen(c), ['ada', 'ada', 200]);
	const second = sid(c);

	assert.notEqual(second, old);
	assert.equal((await c.post('/old/logout', '')).status, 303);
	assert.equal(await redis.command('GET', `sess:${second}`), null);
	assert.deepEqual(await seen(c), nobody);
});

test('logged in by Express, and out by either', async (t) => {
	const { h, redis } = await start(t);
	const c = new Client(h, HTML);
	const login = () => c.post('/old/login', { user: 'grace',
		password: 'hopper' });

	assert.equal((await c.post('/old/login', { user: 'grace',
		password: 'x' })).status, 401);
	assert.equal((await login()).status, 303);
	assert.deepEqual(await seen(c), ['grace', 'grace', 200]);
	const old = sid(c);

	assert.equal((await c.post('/old/logout', '')).status, 303);
	assert.deepEqual(await seen(c), nobody);
	await login();
	assert.notEqual(sid(c), old);
	// A logout by hostd needs its token, which the session is given then.
	assert.equal((await c.post('/logout', '')).status, 403);
	const { csrf } = await c.whoami();

	assert.equal((await c.json('/me')).json_value.user, 'grace');
	assert.equal((await c.post('/logout', { csrf })).status, 303);
	assert.equal(await redis.command('EXISTS', `sess:${sid(c)}`), 0);
	assert.deepEqual(await seen(c), nobody);
});

test('as long as either is used', async (t) => {
	const { h, redis } = await start(t);
	const c = new Client(h, HTML);

	await c.login('ada', 'lovelace');
	for (const where of ['/whoami', '/me', '/members/', '/']) {
		await redis.command('EXPIRE', `sess:${sid(c)}`, 100);
		assert.ok((await c.get(where)).status < 400);
		await redis.until((ttl) => ttl > 86000 && ttl <= 86400, 'TTL',
		    `sess:${sid(c)}`);
	}
	assert.deepEqual(await seen(c), ['ada', 'ada', 200]);
	// When it is over it is for both.
	await redis.command('DEL', `sess:${sid(c)}`);
	assert.deepEqual(await seen(c), nobody);
});

test('a second secret, and none that both have', async (t) => {
	const { h } = await start(t, { secret: 'new\nold\n' });
	const c = new Client(h, HTML);

	await c.login('ada', 'lovelace');
	assert.deepEqual(await seen(c), ['ada', 'ada', 200]);
	c.jar.set('connect.sid', c.session.replace(/\.(.)/,
	    (_, x) => x === 'A' ? '.B' : '.A'));
	assert.deepEqual(await seen(c), nobody);
});

test('a browser', async (t) => {
	const { h } = await start(t);
	const v = await Visitor.open(await startBrowser(t),
	    `${h.url}/members/`);
	const { page } = v;

	// Sent to the login, and back.
	await page.getByLabel('User').fill('ada');
	await page.getByLabel('Password').fill('lovelace');
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByText("This page is hostd's, ada.").waitFor();
	await page.getByRole('link', { name: 'Back to Express' }).click();
	await page.getByRole('heading', { name: 'Hello ada' }).waitFor();
	await page.getByRole('link', { name: 'as it used to be' }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { name: 'Hello stranger' }).waitFor();
	await page.goto(`${h.url}/members/`);
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	// It looks for an icon, which there is not.
	assert.deepEqual(v.errors.filter((e) => !/status of 404/.test(e)), []);
});

// The packages are those that it is tested with.
test('versions', () => {
	const { dependencies } = JSON.parse(read('package.json'));

	for (const [name, version] of Object.entries(dependencies))
		assert.equal(JSON.parse(
		    fs.readFileSync(path.join(packages, name,
		    'package.json'), 'utf8')).version, version, name);
});

// SPDX-License-Identifier: BSD-2-Clause
// What the dashboard's page can do, and who can't.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { curl, look, openPage, startDashboard } from './lib/dashboard.mjs';

const ready = (h, n) => h.workersSatisfy((ws) => ws.length === n &&
    ws.every((w) => w.state === 'ready'), `${n} workers`);

const logOf = (h) => fs.readFileSync(path.join(h.dir, 'error.log'), 'utf8');

// The page's cookie, as options of curl.
async function cookieOf(h, user = 'ada') {
	const { text } = await curl(h, '/dashboard/', '-u', `${user}:secret`,
	    '-D', '-', '-o', '/dev/null');
	const [, line, token] =
	    /Set-Cookie: (hostd_dashboard=([^;]+).*?)\r/.exec(text);

	return { line, token, args: ['-b', `hostd_dashboard=${token}`] };
}

const JSON_TYPE = ['-H', 'Content-Type: application/json'];
const order = (o) => ['-X', 'POST', '-d', JSON.stringify(o)];
const SCALE = order({ do: 'scale', name: 'web', number: 3 });

test('by the page', async (t) => {
	const h = await startDashboard(t, { keys: 'actions = on' });
	const v = await openPage(t, h);
	const { page } = v;
	const button = (name) => page.getByRole('button',
	    { name, exact: true });
	// It is shown for a while only: who waits has to begin before act().
	const toast = (text, act) => Promise.all([page.locator('#toast p')
	    .filter({ hasText: text }).waitFor(), act()]);
	const yes = () => page.locator('#ask-yes').click();

	await t.test('nothing without a yes', async () => {
		await button('One worker more in pool web').click();
		await page.getByText('Scale pool web to 3 workers?').waitFor();
		await button('Cancel').click();
		assert.equal((await h.workers()).length, 2);
		assert.doesNotMatch(logOf(h), /asks for/);
	});
	await t.test('scale', async () => {
		await button('One worker more in pool web').click();
		await toast('Scale web: done', yes);
		await ready(h, 3);
		assert.match(logOf(h),
		    /plugin dashboard of worker web\.\d asks for scale of web, for "ada"/);
	});
	await t.test('restart of one', async () => {
		const before = (await h.workers()).map((w) => w.pid);

		await button('Restart worker web.1').click();
		await toast('Restart web.1: done', yes);
		const after = (await ready(h, 3)).map((w) => w.pid);

		assert.equal(after.filter((p) => before.includes(p)).length, 2);
	});
	await t.test('drain and undrain', async () => {
		await button('Drain').click();
		await yes();
		await page.locator('#state.warn',
		    { hasText: 'draining' }).waitFor();
		assert.equal((await h.status()).ready, false);
		await button('Undrain').click();
		await yes();
		await page.locator('#state.good',
		    { hasText: 'serving' }).waitFor();
		assert.equal((await h.status()).ready, true);
	});
	await t.test('reload, by keys alone', async () => {
		await button('Reload').focus();
		await page.keyboard.press('Enter');
		await page.keyboard.press('Tab');
		await toast('Reload: done', () =>
		    page.keyboard.press('Enter'));
		await page.locator('#generation', { hasText: '2' }).waitFor();
	});
	await t.test('a reload that is refused says why', async () => {
		fs.writeFileSync(path.join(h.dir, 'conf.d/bad.conf'),
		    'nonsense = 1');
		await button('Reload').click();
		await toast(/bad\.conf:1: .*nonsense/, yes);
		assert.equal((await h.status()).generation, 2);
	});
	assert.deepEqual(v.errors.filter((e) => !/status of 422/.test(e)), []);
});

test('not without what the page knows', async (t) => {
	const h = await startDashboard(t, { keys: 'actions = on' });
	const c = await cookieOf(h);
	const token = ['-H', `X-CSRF-Token: ${c.token}`];
	const post = (...args) => curl(h, '/dashboard/action', ...args.flat());

	assert.match(c.line,
	    /; Path=\/dashboard\/; HttpOnly; SameSite=Strict$/);
	for (const args of [[SCALE, JSON_TYPE], [SCALE, JSON_TYPE, c.args],
		[SCALE, JSON_TYPE, token],
		[SCALE, JSON_TYPE, c.args,
		    ['-H', `X-CSRF-Token: ${'A'.repeat(32)}`]],
		[SCALE, JSON_TYPE, c.args, ['-H', 'X-CSRF-Token;']],
		[SCALE, JSON_TYPE, c.args, token,
		    ['-H', 'Origin: http://evil.example']],
		[SCALE, JSON_TYPE, c.args, token, ['-H', 'Origin: null']],
		[SCALE, JSON_TYPE, c.args, token,
		    ['-H', 'Sec-Fetch-Site: cross-site']],
		[SCALE, JSON_TYPE, c.args, token,
		    ['-H', 'Sec-Fetch-Site: same-site']]])
		assert.equal((await post(...args)).status, 403, args.join(' '));
	assert.equal((await post(SCALE, JSON_TYPE, c.args, token,
	    ['-u', 'ada:wrong'])).status, 401);
	assert.equal((await post(SCALE, c.args, token)).status, 415);
	for (const body of ['', '{', '[]', '{"do":"stop"}', '{"do":7}'])
		assert.equal((await post(['-X', 'POST', '-d', body], JSON_TYPE,
		    c.args, token)).status, 400, body);
	assert.equal((await curl(h, '/dashboard/action')).status, 405);
	assert.equal((await h.workers()).length, 2);
	assert.doesNotMatch(logOf(h), /asks for/);

	const done = await post(SCALE, JSON_TYPE, c.args, token,
	    ['-H', `Origin: ${h.url}`, '-H', 'Sec-Fetch-Site: same-origin']);

	assert.equal(done.status, 200, done.text);
	await ready(h, 3);
	const none = await post(order({ do: 'scale', name: 'none', number: 2 }),
	    JSON_TYPE, c.args, token);

	assert.equal(none.status, 422);
	assert.match(JSON.parse(none.text).text, /none/);
});

test('nor for those who may not', async (t) => {
	const h = await startDashboard(t, { keys: `actions = on
		operators = { "grace" }` });
	const act = async (server, user) => {
		const c = await cookieOf(server, user);

		return curl(server, '/dashboard/action', '-u', `${user}:secret`,
		    ...c.args, ...JSON_TYPE, ...order({ do: 'drain' }), '-H',
		    `X-CSRF-Token: ${c.token}`);
	};

	assert.match((await act(h, 'ada')).text, /none of the operators/);
	assert.equal((await look(h)).actions, false);
	assert.equal((await act(h, 'grace')).status, 200);

	const off = await startDashboard(t);
	const no = await act(off, 'ada');

	assert.equal(no.status, 403);
	assert.match(no.text, /actions are off/);
	const powerless = await startDashboard(t, { keys: 'actions = on',
		controllers: '' });
	const none = await act(powerless, 'ada');

	assert.equal(none.status, 403);
	assert.match(none.text, /controllers/);
	assert.equal((await powerless.status()).ready, true);
});

// SPDX-License-Identifier: BSD-2-Clause
// The dashboard in a browser: it shows what there is, and what happens.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { look, openPage, startDashboard } from './lib/dashboard.mjs';
import { plugin } from './lib/http1.mjs';
import { until } from './lib/hostd.mjs';
import { oneOnEach } from './lib/rooms.mjs';
import { startTls } from './lib/tls.mjs';

const row = (page, name) => page.locator('#workers tr').filter({
	has: page.getByRole('rowheader', { name, exact: true }) });

test('a live page', async (t) => {
	const h = await startDashboard(t, { conf: `
		plugin "proxy" { module = "http_proxy.so" }
		upstream "app" { server "127.0.0.1:1" {}  server "127.0.0.1:2" {} }
		route "/app/" { plugin = "proxy"  upstream = "app" }` });
	const v = await openPage(t, h);
	const { page } = v;
	const [first] = await h.workers();

	await t.test('workers as they are', async () => {
		for (const w of await h.workers()) {
			const cells = await row(page,
			    `web.${w.slot}`).locator('td')
			    .allTextContents();

			assert.deepEqual(cells.slice(0, 3),
			    ['ready', String(w.pid), '1']);
		}
		await page.locator('#workers').getByText(
		    /\d MiB$/).first().waitFor();
		assert.equal(await page.title(),
		    `hostd · ${(await h.status()).node}`);
	});
	await t.test('numbers move when requests come', async () => {
		const all = page.locator('#chart-requests b').first();
		const per = row(page, 'web.0').locator('td').nth(3);
		const latency = page.locator('#chart-latency svg');

		await until(async () => {
			await Promise.all(Array.from({ length: 40 }, () =>
			    fetch(`${h.url}/hello`)));
			// All are of the last second, in which there may have
			// been none.
			return Number(await all.textContent()) >= 5 &&
			    Number(await per.textContent()) >= 1 &&
			    /p50 \d.* ms/.test(await latency.getAttribute(
			    'aria-label'));
		}, 'requests on the page');
		assert.ok(await page.locator(
		    '#chart-requests path.line').count() >= 1);
	});
	await t.test('a server that is down', async () => {
		await fetch(`${h.url}/app/`);
		await page.locator('#upstreams .bad').first().waitFor();
		await page.locator('#upstreams').getByText(/Connection refused/)
		    .first().waitFor();
	});
	await t.test('a worker that is killed, and the next', async () => {
		process.kill(first.pid, 'SIGKILL');
		const ws = await h.workersSatisfy((all) => all.length === 2 &&
		    all.every((w) => w.state === 'ready' &&
		    w.pid !== first.pid),
		'a new worker');
		const next = ws.find((w) => w.slot === first.slot);

		await row(page, 'web.0').filter({ hasText: String(next.pid) })
		    .waitFor();
		assert.equal((await row(page, 'web.0').locator('td')
		    .allTextContents()).at(-2), '1');
	});
	await t.test('the log, by level and by words', async () => {
		const line = (text) => page.locator('#lines li').filter({
			hasText: text });

		await line('died: SIGKILL').waitFor();
		await page.getByLabel('Level').selectOption('error');
		await line('serving generation 1').waitFor({ state: 'hidden' });
		assert.ok(await line('died: SIGKILL').isVisible());
		await page.getByLabel('Contains').fill('no such words');
		await line('died: SIGKILL').waitFor({ state: 'hidden' });
		await page.getByLabel('Contains').fill('');
		fs.appendFileSync(path.join(h.dir, 'error.log'),
		    '2026-01-31T12:00:00.123Z error [x] <b>bold</b>\n');
		await line('<b>bold</b>').waitFor();
		await page.getByLabel('Level').selectOption('info');
		const texts = await page.locator('#lines li').allTextContents();

		assert.equal(texts.filter(
		    (s) => s.includes('died: SIGKILL')).length,
		    1, 'each line is there once');
	});
	await t.test('a reload: it goes on by itself', async () => {
		await page.locator(
		    '#chart-requests path.line').first().waitFor();
		assert.equal((await h.hostctl('reload')).code, 0);
		await page.locator('#generation', { hasText: '2' }).waitFor();
		await page.locator('#generations .good').waitFor();
		await h.workersSatisfy(
		    (ws) => ws.every((w) => w.generation === 2 &&
		    w.state === 'ready'), 'the new generation');
	});
	await t.test('by keys', async () => {
		await page.locator('#chart-requests svg').focus();
		await page.keyboard.press('ArrowLeft');
		await page.locator('#chart-requests .cross').waitFor({
			state: 'attached' });
		assert.match(await page.locator(
		    '#chart-requests .at').textContent(), /^\d\d:\d\d:\d\d$/);
		await page.keyboard.press('Escape');
		await page.locator('#chart-requests .cross').waitFor({
			state: 'detached' });
	});
	await t.test('400 and 1600 pixels are enough', async () => {
		for (const width of [400, 1600]) {
			await page.setViewportSize({ width, height: 800 });
			assert.ok(await page.evaluate(() =>
			    document.documentElement.scrollWidth <= innerWidth));
		}
	});
	assert.ok(await page.locator('#actions').isHidden());
	assert.ok(v.asked.length > 4);
	for (const url of v.asked.filter((u) => u !== 'about:blank'))
		assert.equal(new URL(url).host, new URL(h.url).host, url);
	v.noErrors();
});

test('the last minutes go to a successor', async (t) => {
	const h = await startDashboard(t, { workers: 1,
		conf: 'state_timeout = 1h' });
	const v = await openPage(t, h);
	const times = async () => (await look(h)).history.map(([time]) => time);

	await until(async () => (await times()).length > 1, 'two samples');
	const before = await times();

	assert.equal((await h.hostctl('reload')).code, 0);
	await h.workersSatisfy((ws) => ws.some((w) => w.generation === 2 &&
	    w.state === 'ready'), 'the new generation');
	const after = await times();

	for (const time of before)
		assert.ok(after.includes(time), `${time} in ${after}`);
	await v.page.locator('#generation', { hasText: '2' }).waitFor();
	v.noErrors();
});

test('over https', async (t) => {
	const h = await startDashboard(t, { start: startTls });
	const v = await openPage(t, h, { ignoreHTTPSErrors: true });
	const [cookie] = await v.context.cookies(`${h.url}/dashboard/`);

	await row(v.page, 'web.1').locator('.good').waitFor();
	assert.equal(await v.page.locator('#user').textContent(), 'ada');
	assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite],
	    [true, true, 'Strict']);
	const hello = await look(h, { Origin: h.url });

	assert.equal(hello.type, 'hello');
	assert.equal(hello.controls, true);
	assert.equal(await look(h, { Origin: h.url.replace('https', 'http') }),
	    403);
	v.noErrors();
});

test('rooms of all workers and pools, the largest first', async (t) => {
	const h = await startDashboard(t, { workers: 1, conf: `
		pool "socket" { workers = 2 }
		plugin "rooms" { module = "${await plugin('rooms_ws')}" }
		route "/rooms" { plugin = "rooms"  pool = "socket" }` });
	const v = await openPage(t, h);
	const rooms = () => v.page.locator(
	    '#rooms tbody tr').evaluateAll((rows) =>
	    rows.map((r) => [...r.cells].map((c) => c.textContent)));
	const shown = (wanted) => until(async () =>
	    JSON.stringify(await rooms()) === JSON.stringify(wanted),
	`rooms ${wanted}`);
	const [a, b] = await oneOnEach(t, h, 2);

	assert.ok(await v.page.locator('#s-rooms').isHidden());
	await a.do('join red');
	await b.do('join blue');
	await a.do('join <b>blue</b>');
	await b.do('join red');
	await shown([['red', '2'], ['<b>blue</b>', '1'], ['blue', '1']]);
	assert.equal(await v.page.locator('#n-rooms').textContent(), '3');
	a.close();
	await shown([['blue', '1'], ['red', '1']]);
	b.close();
	await v.page.locator('#s-rooms').waitFor({ state: 'hidden' });
	v.noErrors();
});

test('without being a controller', async (t) => {
	const h = await startDashboard(t, { controllers: '' });
	const v = await openPage(t, h);

	await v.page.locator('#no-log').waitFor();
	await v.page.locator('#no-generations').waitFor();
	assert.equal((await look(h, { Origin: h.url })).controls, false);
	await row(v.page, 'web.1').locator('.good').waitFor();
	v.noErrors();
});

test('hostd that is gone, and back', async (t) => {
	const h = await startDashboard(t);
	const v = await openPage(t, h);

	await h.stop('SIGQUIT');
	await v.page.locator('#lost').waitFor();
	h.exited = false;
	h.spawn();
	await v.page.locator('#lost').waitFor({ state: 'hidden' });
	await v.page.locator('#state.good').waitFor();
});

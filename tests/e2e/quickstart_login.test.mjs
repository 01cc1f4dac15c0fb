// SPDX-License-Identifier: BSD-2-Clause
// The quickstart's logins, by people at browsers: whoever has logged in is
// called so in the chat, whichever worker has the page, and after a reload.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { ofGeneration, startBrowser, startQuickstart, Visitor } from
    './lib/page.mjs';

// From the page, by the form, and back.
async function logIn(v, user, password) {
	await v.page.getByRole('link', { name: 'Log in' }).click();
	await v.page.getByLabel('User').fill(user);
	await v.page.getByLabel('Password').fill(password);
	await v.page.getByRole('button', { name: 'Log in' }).click();
}

const isCalled = (v, name) =>
	v.page.getByText(`Logged in as ${name}.`).waitFor();

// Until the page is with another worker than that one.
async function loadElsewhere(v, pid) {
	await until(async () => {
		await v.page.reload();
		return await v.pid() !== pid;
	}, 'another worker');
}

// The names of what was said, with whether they are those of logins.
const names = (v) => v.page.locator('#log li:has(p)').evaluateAll((all) =>
    all.map((e) => [e.querySelector('b').textContent,
	    e.querySelector('.login') !== null]));

test('a name that one logs in by, in all workers', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/#tea`);

	await logIn(ada, 'ada', 'lovelace');
	// Back in the room, and in it, without having to say who one is.
	await isCalled(ada, 'ada');
	assert.equal(new URL(ada.page.url()).hash, '#tea');
	await ada.inRoom();
	await ada.page.getByText('1 person: ada').waitFor();
	assert.equal(await ada.page.getByLabel('Your name').inputValue(),
	    'ada');
	assert.equal(await ada.page.getByLabel('Your name').isEditable(),
	    false);
	await ada.say('by my name');
	const first = await ada.pid();

	await loadElsewhere(ada, first);
	await isCalled(ada, 'ada');
	await ada.inRoom();
	await ada.say('elsewhere');
	// Somebody who only says so is not.
	const eve = await Visitor.open(browser, `${h.url}/#tea`);

	await eve.join('ada');
	await eve.say('me, too');
	await ada.hears('me, too');
	for (const v of [ada, eve]) {
		assert.deepEqual(await names(v), [['ada', true], ['ada', true],
			['ada', false]]);
		v.noErrors();
	}
});

test('over a reload of the configuration, and a killed worker', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/#tea`);

	await logIn(ada, 'grace', 'hopper');
	await isCalled(ada, 'grace');
	await ada.inRoom();
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	await ada.say('in a new worker');
	const before = await ada.pid();

	for (const w of await ofGeneration(h, 2))
		process.kill(w.pid, 'SIGKILL');
	await until(async () => await ada.page.locator('#state')
	    .getAttribute('data-state') === 'open' &&
	    await ada.pid() !== before, 'another connection');
	await ada.inRoom();
	await ada.page.reload();
	await isCalled(ada, 'grace');
	await ada.inRoom();
	await ada.say('after a crash');
	assert.deepEqual((await names(ada)).at(-1), ['grace', true]);
	ada.noErrors();
});

test('wrong, then right; and out again', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/`);
	const { page } = ada;

	await ada.join('Ada', 'tea');
	await logIn(ada, 'ada', 'byron');
	await page.getByRole('alert').filter({ hasText: 'is wrong' }).waitFor();
	assert.equal(await page.getByLabel('User').inputValue(), 'ada');
	assert.equal(await page.getByLabel('Password').inputValue(), '');
	// By the keyboard alone.
	await page.getByLabel('Password').focus();
	await page.keyboard.type('lovelace');
	await page.keyboard.press('Enter');
	await isCalled(ada, 'ada');
	await ada.inRoom();
	// The form's page says so, too.
	await page.goto(`${h.url}/login`);
	await page.getByText('You are logged in as ada.').waitFor();
	await page.getByRole('link', { name: 'Go on' }).click();
	await isCalled(ada, 'ada');
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('link', { name: 'Log in' }).waitFor();
	// Who one was before is kept.
	await ada.inRoom();
	assert.equal(await page.getByLabel('Your name').inputValue(), 'Ada');
	assert.ok(await page.getByLabel('Your name').isEditable());
	await ada.say('nobody');
	assert.deepEqual((await names(ada)).at(-1), ['Ada', false]);
	// By the button of the page.
	await logIn(ada, 'ada', 'lovelace');
	await isCalled(ada, 'ada');
	await page.goto(`${h.url}/login`);
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('link', { name: 'Log in' }).waitFor();
	assert.deepEqual(ada.errors.filter((e) => !/status of 401/.test(e)),
	    []);
});

// WCAG 2: large enough, named, and told when something is wrong.
for (const colorScheme of ['light', 'dark'])
	test(`the form, on a phone, ${colorScheme}`, async (t) => {
		const h = await startQuickstart(t);
		const browser = await startBrowser(t);
		const ada = await Visitor.open(browser, `${h.url}/login`, {
			colorScheme, viewport: { width: 320, height: 640 } });
		const { page } = ada;

		await page.getByRole('main').waitFor();
		await page.getByRole('heading', { name: 'Log in', level: 1 })
		    .waitFor();
		await page.getByRole('checkbox',
		    { name: 'Remember me' }).waitFor();
		assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 320);
		for (const e of await page.locator(
		    'input:not([type=hidden]), ' + 'button').all()) {
			const label = e.locator('xpath=ancestor::label');
			const box = await (await label.count() ? label : e)
			    .boundingBox();

			assert.ok(box.height >= 44 && box.width >= 44);
		}
		if (process.env.SCREENSHOTS)
			await page.screenshot({ path:
			    `${process.env.SCREENSHOTS}/login-${colorScheme}.png` });
		ada.noErrors();
	});

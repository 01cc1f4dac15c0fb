// SPDX-License-Identifier: BSD-2-Clause
// The quickstart's chat, by people at browsers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { oneOnEach, startBrowser, startQuickstart, Visitor } from
    './lib/page.mjs';

test('two pages of two workers chat both ways', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const [ada, bob] = await oneOnEach(browser, `${h.url}/`, 2);

	await ada.join('Ada', 'tea');
	await bob.join('Bob', 'tea');
	await ada.page.getByText('2 people: Ada, Bob').waitFor();
	await bob.page.getByText('2 people: Ada, Bob').waitFor();
	await ada.page.getByText('Bob has joined').waitFor();
	await ada.say('Good morning!');
	await bob.hears('Good morning!');
	await bob.say('gr\u00fc\u00dfe \u{1f600}');
	await ada.hears('gr\u00fc\u00dfe \u{1f600}');
	for (const v of [ada, bob]) {
		assert.deepEqual(await v.texts(),
		    ['Good morning!', 'gr\u00fc\u00dfe \u{1f600}']);
		assert.deepEqual(await v.page.locator('#log li b')
		    .allTextContents(), ['Ada', 'Bob']);
		// The page shows whom it is served by, in words and in the
		// table.
		const [, name, pid] =
		    /^(\S+) pid (\d+)$/.exec(await v.worker());

		assert.match(await v.page.locator('#state').textContent(),
		    new RegExp(`Served by ${name} pid ${pid} on \\w+`));
		await v.page.locator('tr[aria-current] td').filter({
			hasText: new RegExp(`^${pid}$`) }).waitFor({
			state: 'attached' });
	}
	await bob.close();
	await ada.page.getByText('Bob has left').waitFor();
	await ada.page.getByText('1 person: Ada').waitFor();
	ada.noErrors();
	bob.noErrors();
});

test('a worker is killed: its page comes back, and has all of it once',
    async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const [ada, bob] = await oneOnEach(browser, `${h.url}/`, 2);
	const said = [];

	await ada.join('Ada', 'tea');
	await bob.join('Bob', 'tea');
	for (let i = 0; i < 3; i++) {
		said.push(`ada ${i}`, `bob ${i}`);
		await ada.say(`ada ${i}`);
		await bob.hears(`ada ${i}`);
		await bob.say(`bob ${i}`);
		await ada.hears(`bob ${i}`);
	}
	const pid = await ada.pid();

	// So soon is what he sees of her: no time goes by for him meanwhile.
	await bob.standStill();
	process.kill(pid, 'SIGKILL');
	await ada.page.locator(`#state:not([data-worker$=" pid ${pid}"])`)
	    .waitFor();
	await bob.say('said meanwhile');
	await ada.worker();
	await ada.inRoom();
	await ada.hears('said meanwhile');
	await ada.say('back again');
	await bob.hears('back again');
	assert.notEqual(await ada.pid(), pid);
	said.push('said meanwhile', 'back again');
	assert.deepEqual(await ada.texts(), said);
	assert.deepEqual(await bob.texts(), said);
	// Who has come back so soon was not away.
	await bob.page.getByText('2 people: Ada, Bob').waitFor();
	await bob.page.clock.runFor(10_000);
	assert.equal(await bob.page.getByText('Ada has left').count(), 0);
	ada.noErrors();
	bob.noErrors();
});

test('the server is away for a while', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/`);

	await ada.join('Ada', 'tea');
	await ada.say('before');
	await h.stop();
	await ada.page.locator('#state[data-state="waiting"]').waitFor();
	// What is written now is not lost, and sent when it can be.
	await ada.page.getByLabel('Message').fill('written meanwhile');
	await ada.page.keyboard.press('Enter');
	assert.equal(await ada.page.getByLabel('Message').inputValue(),
	    'written meanwhile');
	assert.equal(await ada.focused(), 'text');
	await startQuickstart(t, { port: h.port });
	await ada.worker();
	await ada.inRoom();
	await ada.page.keyboard.press('Enter');
	await ada.hears('written meanwhile');
	assert.deepEqual(await ada.texts(), ['before', 'written meanwhile']);
	ada.noErrors();
});

test('what had not arrived is there to be sent again', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/`);
	const text = ada.page.getByLabel('Message');

	await ada.join('Ada', 'tea');
	await ada.say('this arrives');
	const pid = await ada.pid();

	process.kill(pid, 'SIGSTOP');
	await text.fill('this does not');
	await ada.page.keyboard.press('Enter');
	assert.equal(await text.inputValue(), '');
	process.kill(pid, 'SIGKILL');
	await ada.page.waitForFunction(() =>
	    document.getElementById('text').value === 'this does not');
	await ada.inRoom();
	await ada.page.keyboard.press('Enter');
	await ada.hears('this does not');
	assert.deepEqual(await ada.texts(), ['this arrives', 'this does not']);
	ada.noErrors();
});

test('by keyboard alone', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/#tea`);
	const { keyboard } = ada.page;

	await ada.worker();
	assert.equal(await ada.focused(), 'name');
	await keyboard.press('Enter');
	assert.equal(await ada.focused(), 'name');
	await keyboard.type('Ada');
	await keyboard.press('Tab');
	assert.equal(await ada.focused(), 'room');
	await keyboard.press('Enter');
	await ada.inRoom();
	assert.equal(await ada.focused(), 'text');
	await keyboard.type('no mouse');
	await keyboard.press('Enter');
	await ada.hears('no mouse');
	assert.equal(await ada.focused(), 'text');
	// All there is, in the order that one sees.
	const order = [];

	await ada.page.reload();
	await ada.inRoom();
	for (let i = 0; i < 7; i++) {
		await keyboard.press('Tab');
		order.push(await ada.focused());
	}
	assert.deepEqual(order, ['name', 'room', 'Join', 'log', 'text', 'Send',
		'The server']);
	await keyboard.press('Enter');
	assert.ok(await ada.page.getByRole('table').isVisible());
	ada.noErrors();
});

test('what a screen reader is told', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/#tea`);
	const { page } = ada;

	await ada.join('Ada');
	await page.getByRole('heading',
	    { name: 'hostd chat', level: 1 }).waitFor();
	await page.getByRole('heading', { name: 'tea', level: 2 }).waitFor();
	await page.getByRole('log', { name: 'tea' }).waitFor();
	await page.getByRole('status').filter(
	    { hasText: 'Served by' }).waitFor();
	await page.getByRole('main').waitFor();
	for (const name of ['Your name', 'Room', 'Message'])
		await page.getByRole('textbox',
		    { name, exact: true }).waitFor();
	for (const name of ['Join', 'Send'])
		await page.getByRole('button', { name }).waitFor();
	await page.getByLabel('Your name').fill('A\u200bda');
	await page.getByRole('button', { name: 'Join' }).click();
	await page.getByRole('alert').filter(
	    { hasText: 'your name has control' })
	    .waitFor();
	assert.equal(await ada.focused(), 'name');
	assert.equal(await page.getByLabel('Your name')
	    .getAttribute('aria-invalid'), 'true');
	await ada.join('Adele');
	assert.equal(await page.getByRole('alert').textContent(), '');
	ada.noErrors();
});

test('name and room are kept; the address is the room', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${h.url}/`);
	const other = await Visitor.open(browser, `${h.url}/#a%20b%2F%C3%BC`);
	const { page } = ada;

	await other.join('Other');
	await ada.join('Ada', 'tea');
	await ada.say('in tea');
	await ada.join('Ada', 'a b/\u00fc');
	assert.equal(new URL(page.url()).hash, '#a%20b%2F%C3%BC');
	await other.say('in the other');
	await ada.hears('in the other');
	assert.deepEqual(await ada.texts(), ['in the other']);
	await page.goBack();
	await ada.hears('in tea');
	assert.deepEqual(await ada.texts(), ['in tea']);
	await page.reload();
	await ada.inRoom();
	await ada.hears('in tea');
	assert.equal(await page.getByLabel('Your name').inputValue(), 'Ada');
	assert.equal(await page.getByLabel('Room',
	    { exact: true }).inputValue(), 'tea');
	ada.noErrors();
	other.noErrors();
});

test('text is text', async (t) => {
	const h = await startQuickstart(t);
	const browser = await startBrowser(t);
	const eve = await Visitor.open(browser, `${h.url}/`);
	const bob = await Visitor.open(browser, `${h.url}/`);
	const bad = '<img src=x onerror="document.title=\'x\'">';

	await bob.join('Bob', bad.slice(0, 32));
	await eve.join('<b>Eve</b>', bad.slice(0, 32));
	await eve.say(bad);
	await bob.hears(bad);
	await bob.page.getByText('2 people: <b>Eve</b>, Bob').waitFor();
	for (const v of [eve, bob]) {
		assert.equal(await v.page.title(), 'hostd chat');
		assert.equal(await v.page.locator('img, li b b, h2 *').count(),
		    0);
		v.noErrors();
	}
});

// WCAG 2: relative luminance, and the ratio of two.
const contrast = ([a, b]) => {
	const luminance = (css) => css.match(/\d+(\.\d+)?/g).slice(0, 3)
	    .map((v) => v / 255)
	    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
	    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const [dark, light] = [luminance(a),
	    luminance(b)].sort((x, y) => x - y);

	return (light + 0.05) / (dark + 0.05);
};

for (const colorScheme of ['light', 'dark'])
	test(`a phone, ${colorScheme}`, async (t) => {
		const h = await startQuickstart(t);
		const browser = await startBrowser(t);
		const ada = await Visitor.open(browser, `${h.url}/`,
		    { colorScheme,
			viewport: { width: 320, height: 640 }, hasTouch: true,
			reducedMotion: 'reduce' });
		const { page } = ada;

		await ada.join('Ada', 'a-room-with-a-rather-long-name-x');
		for (let i = 0; i < 20; i++)
			await ada.say(`message ${i} ${'w'.repeat(60)}`);
		if (process.env.SCREENSHOTS)
			await page.screenshot({ path:
			    `${process.env.SCREENSHOTS}/${colorScheme}.png` });
		await page.getByText('The server').tap();
		assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 320);
		for (const e of await page.locator('input, button, summary')
		    .all()) {
			const box = await e.boundingBox();

			assert.ok(box.height >= 44 && box.width >= 44,
			    `${await e.evaluate((x) => x.outerHTML)} is large`);
		}
		const pairs = await page.evaluate(() => {
			const back = (e) => {
				const c = getComputedStyle(e).backgroundColor;

				return /, 0\)$/.test(c) ?
				    back(e.parentElement) : c;
			};

			return [...document.querySelectorAll(
			    'h1, #state, label, ' +
			    'input, button, h2, #present, #log li, #log time, ' +
			    '#log p, summary, th, td, a, code')].map((e) =>
			    [getComputedStyle(e).color, back(e)]);
		});

		assert.ok(pairs.length > 50);
		for (const pair of pairs)
			assert.ok(contrast(pair) >= 4.5, `contrast of ${pair}`);
		// Nothing moves by itself, and the newest is in sight.
		assert.equal(await page.getByRole('button', { name: 'Join' })
		    .evaluate((e) => getComputedStyle(e).transitionDuration),
		    '0s');
		await page.waitForFunction(() => {
			const e = document.getElementById('log');

			return e.scrollHeight - e.scrollTop - e.clientHeight <
			    2;
		});
		ada.noErrors();
	});

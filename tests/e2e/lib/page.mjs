// SPDX-License-Identifier: BSD-2-Clause
// The quickstart's page in Chromium.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { atEnd, startHostd, top, WAIT_MS, within } from './hostd.mjs';
import { npm } from './npm.mjs';

const dir = path.join(top, 'examples/quickstart');

// The quickstart's own configuration, in a directory and on a port of ours.
export function startQuickstart(t, options = {}) {
	const conf = fs.readFileSync(path.join(dir, 'hostd.conf'), 'utf8')
	    .replace(/^(user|run_dir|error_log) = .*$/gm, '')
	    .replaceAll('${HOSTD_DIR}', '@DIR@')
	    .replaceAll('${HOSTD_WWW}', path.join(dir, 'www'))
	    .replaceAll('${HOSTD_LISTEN}', '127.0.0.1:@PORT@');

	const users = fs.readFileSync(path.join(dir, 'users'), 'utf8');

	return startHostd(t, { ...options, conf,
		files: { users, ...options.files } });
}

// One for all tests of a file: each has pages and a store of its own in it.
let started;

after(async () => (await started)?.close());

export async function startBrowser(t) {
	started ??= npm('playwright-core').chromium.launch({
		executablePath: '/usr/bin/chromium', args: ['--no-sandbox'],
		timeout: WAIT_MS });
	const browser = await started;

	atEnd(t, () => Promise.all(browser.contexts().map((c) => c.close())));
	return browser;
}

// One person at the page; each has a browser of their own, so to say.
export class Visitor {
	errors = [];

	static async open(browser, url, options = {}) {
		const v = new Visitor();

		v.context = await browser.newContext(options);
		v.page = await v.context.newPage();
		v.page.setDefaultTimeout(WAIT_MS);
		v.page.on('pageerror', (e) => v.errors.push(e.message));
		v.page.on('console', (m) => {
			// That a server is away is logged by the browser.
			if (m.type() === 'error' &&
			    !/WebSocket connection|ERR_|status of 5/.test(
			    m.text()))
				v.errors.push(m.text());
		});
		await v.page.goto(url);
		return v;
	}

	// Until it is served; the worker's name and pid.
	async worker() {
		const state = this.page.locator('#state[data-worker]');

		await state.waitFor();
		return state.getAttribute('data-worker');
	}

	async pid() {
		return Number(/ pid (\d+)$/.exec(await this.worker())[1]);
	}

	async join(name, room) {
		await this.page.getByLabel('Your name').fill(name);
		if (room !== undefined)
			await this.page.getByLabel('Room', { exact: true })
			    .fill(room);
		await this.page.getByRole('button', { name: 'Join' }).click();
		await this.inRoom();
	}

	inRoom() {
		return this.page.locator('#say button:enabled').waitFor();
	}

	async say(text) {
		await this.page.getByLabel('Message').fill(text);
		await this.page.getByRole('button', { name: 'Send' }).click();
		await this.hears(text);
	}

	// Until a message with that text is shown.
	hears(text) {
		return this.page.locator('#log li p').filter({
			hasText: new RegExp(
			    `^${text.replace(/[^\w ]/g, '\\$&')}$`),
		}).first().waitFor();
	}

	// What is shown, from the oldest.
	texts() {
		return this.page.locator('#log li p').allTextContents();
	}

	focused() {
		return this.page.evaluate(() => {
			const e = document.activeElement;

			return e.id || e.textContent.trim().slice(0, 10) ||
			    e.tagName;
		});
	}

	// Its timers that are started from now on wait for page.clock.
	async standStill() {
		const now = await this.page.evaluate(() => Date.now());

		await this.page.clock.install({ time: now });
		await this.page.clock.pauseAt(now + 25_000);
	}

	noErrors() {
		assert.deepEqual(this.errors, []);
	}

	close() {
		return this.context.close();
	}
}

// The workers, when those of older generations have ended.
export const ofGeneration = (h, n) => h.workersSatisfy((ws) => ws.every((w) =>
    w.generation === n && w.state === 'ready'), `only generation ${n}`);

// Visitors whose connections are with n different workers.
export async function oneOnEach(browser, url, n) {
	const all = new Map();

	await within((async () => {
		while (all.size < n) {
			const v = await Visitor.open(browser, url);
			const pid = await v.pid();

			if (all.has(pid))
				await v.close();
			else
				all.set(pid, v);
		}
	})(), `visitors of ${n} workers`);
	return [...all.values()];
}

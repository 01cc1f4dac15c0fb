// SPDX-License-Identifier: BSD-2-Clause
// The example's page in Chromium: two people chat, whose workers are replaced,
// and killed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startHostd, tempDir, top, until } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { ofGeneration, startBrowser, Visitor } from './lib/page.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const dir = path.join(top, 'examples/socketio');
const plugin = path.join(top, 'examples/plugins/sio_chat/sio_chat.c');
const client = path.join(npm.resolve('socket.io-client'), '../../../dist');

class Guest extends Visitor {
	static async open(browser, url) {
		const v = Object.setPrototypeOf(await super.open(browser, url),
		    Guest.prototype);

		await v.shows('connected');
		return v;
	}

	shows(state) {
		return this.page.locator('#state')
		    .filter({ hasText: new RegExp(`^${state}$`) }).waitFor();
	}

	async join(room) {
		await this.page.getByRole('textbox',
		    { name: 'Room' }).fill(room);
		await this.page.getByRole('button', { name: 'Join' }).click();
		await this.shows(`in ${room}`);
	}

	async say(text) {
		await this.page.getByRole('textbox',
		    { name: 'Message' }).fill(text);
		await this.page.getByRole('button', { name: 'Send' }).click();
	}

	hears(text) {
		return this.page.locator('#log li')
		    .filter({ hasText: text }).waitFor();
	}

	texts() {
		return this.page.locator('#log li').allTextContents();
	}

	id() {
		return this.page.evaluate(() => socket.id);
	}
}

async function start(t) {
	const conf = fs.readFileSync(path.join(dir, 'hostd.conf'), 'utf8')
	    .replace(/^(user|run_dir|error_log) = .*$/gm, '')
	    .replaceAll('${HOSTD_WWW}', path.join(dir, 'www'))
	    .replaceAll('${HOSTD_CLIENT}', client)
	    .replaceAll('${HOSTD_CHAT}',
	    await buildPlugin(tempDir(t), 'sio_chat',
		plugin))
	    .replaceAll('${HOSTD_LISTEN}', '127.0.0.1:@PORT@');

	return startHostd(t, { conf });
}

test('two people chat across a reload and a killed worker', async (t) => {
	const h = await start(t);
	const browser = await startBrowser(t);
	const ada = await Guest.open(browser, h.url);
	const grace = await Guest.open(browser, h.url);
	const all = [];
	const talk = async (text) => {
		for (const [who, what] of [[ada, `${text} says ada`],
			[grace, `${text} says grace`]]) {
			all.push(what);
			await who.say(what);
			await ada.hears(what);
			await grace.hears(what);
		}
	};

	await ada.join('lobby');
	await grace.join('lobby');
	await talk('first');

	await t.test('a reload goes unnoticed', async () => {
		const before = await Promise.all([ada.id(), grace.id()]);

		assert.equal((await h.hostctl('reload')).code, 0);
		await talk('reloaded');
		assert.deepEqual(await Promise.all([ada.id(), grace.id()]),
		    before);
	});

	await t.test('workers are killed', async () => {
		const before = await Promise.all([ada.id(), grace.id()]);

		for (const w of await ofGeneration(h, 2))
			process.kill(w.pid, 'SIGKILL');
		for (const [i, v] of [ada, grace].entries()) {
			await until(async () => ![undefined, before[i]]
			    .includes(await v.id()), 'another socket');
			await v.shows('in lobby');
		}
		await talk('killed');
	});
	assert.deepEqual(await ada.texts(), all);
	assert.deepEqual(await grace.texts(), all);
	ada.noErrors();
	grace.noErrors();
});

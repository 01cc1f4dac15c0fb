// SPDX-License-Identifier: BSD-2-Clause
// The quickstart's chat of two nodes with a Redis between them, by people at
// browsers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, freePort, tempDir, top, within } from './lib/hostd.mjs';
import { oneOnEach, startBrowser, startQuickstart, Visitor } from
    './lib/page.mjs';
import { startRedis } from './lib/redis.mjs';

// What README.md says is to be added.
const [added] = /^ {4}plugin "redis" .*\n {4}pubsub .*$/m.exec(
    fs.readFileSync(path.join(top, 'README.md'), 'utf8'));

async function startNode(t, redis, options = {}) {
	const h = await startQuickstart(t, { ...options, confd: {
		'redis.conf': added.replace(/redis:[^"]*/, redis.url) } });

	for (const i of [0, 1])
		await h.logged(new RegExp(`web\\.${i} .*redis is up`));
	return h;
}

const startNodes = async (t, redis) =>
	[await startNode(t, redis), await startNode(t, redis)];

const people = (v, ...names) => v.page.getByText(`${names.length} ${
    names.length === 1 ? 'person' : 'people'}: ${names.join(', ')}`,
{ exact: true }).waitFor();

// All of it, once, in this order.
async function reads(v, said) {
	await v.hears(said.at(-1));
	await v.page.waitForFunction((n) => document.querySelectorAll(
	    '#log li p').length >= n, said.length);
	assert.deepEqual(await v.texts(), said);
}

// A page that is loaded anew does not have it.
const mark = (v) => v.page.evaluate(() => {
	window.isTheSame = true;
});
const isMarked = (v) => v.page.evaluate(() => window.isTheSame === true);

test('pages of two nodes chat both ways', async (t) => {
	const redis = await startRedis(t);
	const [one, two] = await startNodes(t, redis);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, `${one.url}/#tea`);
	const bob = await Visitor.open(browser, `${two.url}/#tea`);

	await ada.join('Ada');
	// Nobody is there with whom it is kept on the other node.
	await ada.say('Is anybody here?');
	await bob.join('Bob');
	await bob.hears('Is anybody here?');
	await people(ada, 'Ada', 'Bob');
	await people(bob, 'Ada', 'Bob');
	await ada.page.getByText('Bob has joined').waitFor();
	await bob.say('I am, gr\u00fc\u00dfe \u{1f600}');
	await ada.hears('I am, gr\u00fc\u00dfe \u{1f600}');
	await ada.say('Good morning!');
	await bob.hears('Good morning!');
	const said = ['Is anybody here?', 'I am, gr\u00fc\u00dfe \u{1f600}',
		'Good morning!'];

	// Each worker of each node gives the same to who joins later.
	for (const h of [one, two]) {
		const later = await oneOnEach(browser, `${h.url}/#tea`, 2);

		for (const v of later) {
			await v.join('Cy');
			await reads(v, said);
			await people(v, 'Ada', 'Bob', 'Cy');
			await v.close();
		}
		await people(ada, 'Ada', 'Bob');
		await people(bob, 'Ada', 'Bob');
	}
	for (const v of [ada, bob]) {
		await reads(v, said);
		assert.deepEqual(await v.page.locator('#log li b')
		    .allTextContents(), ['Ada', 'Bob', 'Ada']);
	}
	await bob.close();
	await people(ada, 'Ada');
	ada.noErrors();
});

test('Redis is killed, and comes back', async (t) => {
	const redis = await startRedis(t);
	const nodes = await startNodes(t, redis);
	const browser = await startBrowser(t);
	const [ada, cy] = await oneOnEach(browser, `${nodes[0].url}/#tea`, 2);
	const [bob, dan] = await oneOnEach(browser, `${nodes[1].url}/#tea`, 2);
	const all = [ada, bob, cy, dan], names = ['Ada', 'Bob', 'Cy', 'Dan'];
	const workers = [], said = [];
	const say = async (v, text, ...hearers) => {
		await v.say(text);
		for (const w of hearers)
			await w.hears(text);
		said.push(text);
	};

	await ada.join('Ada');
	await bob.join('Bob');
	await cy.join('Cy');
	for (const v of [ada, bob, cy])
		await people(v, 'Ada', 'Bob', 'Cy');
	for (const v of all) {
		await mark(v);
		workers.push(await v.worker());
	}
	for (let i = 0; i < 3; i++) {
		const from = nodes.map((h) => h.log.length);

		const more = i === 0 ? [] : [dan];

		await say(ada, `ada ${i}`, bob, cy, ...more);
		await say(bob, `bob ${i}`, ada, cy, ...more);
		await redis.kill();
		for (const [k, h] of nodes.entries())
			await h.logged(/(redis is down[^]*){2}/, from[k]);
		// Who comes now is seen by the others later.
		if (i === 0)
			await dan.join('Dan');
		await say(ada, `ada is alone ${i}`, cy);
		await say(bob, `bob is alone ${i}`, dan);
		await say(cy, `cy is alone ${i}`, ada);
		await say(dan, `dan is alone ${i}`, bob);
		await redis.start();
		// So is what was said.
		for (const v of all)
			for (const text of said.slice(-4))
				await v.hears(text);
		await say(cy, `cy ${i}`, ada, bob, dan);
		await say(dan, `dan ${i}`, ada, bob, cy);
		for (const v of all)
			await people(v, ...names);
	}
	for (const [i, v] of all.entries()) {
		await reads(v, said);
		assert.ok(await isMarked(v), 'not loaded anew');
		assert.equal(await v.worker(), workers[i]);
		v.noErrors();
	}
});

const ends = {
	'is stopped': (h) => h.stop(),
	async 'is killed'(h) {
		for (const pid of h.pids())
			try {
				process.kill(pid, 'SIGKILL');
			} catch (e) {
				// A worker whose master is gone ends itself.
				assert.equal(e.code, 'ESRCH');
			}
		await h.ended;
	},
};

for (const [how, end] of Object.entries(ends))
	test(`a node ${how}: its page says so, and comes back with it`,
	    async (t) => {
		const redis = await startRedis(t);
		const [one, two] = await startNodes(t, redis);
		const browser = await startBrowser(t);
		const ada = await Visitor.open(browser, `${one.url}/#tea`);
		const bob = await Visitor.open(browser, `${two.url}/#tea`);
		const state = bob.page.getByRole('status');

		await ada.join('Ada');
		await bob.join('Bob');
		await people(ada, 'Ada', 'Bob');
		await bob.say('before');
		await ada.hears('before');
		await mark(bob);
		await end(two);
		await state.filter({ hasText: 'Connection lost; trying again' })
		    .waitFor();
		assert.ok(await bob.page.getByRole('button', { name: 'Send' })
		    .isDisabled());
		if (how === 'is stopped') {
			await people(ada, 'Ada');
			await ada.page.getByText('Bob has left').waitFor();
		}
		await ada.say('meanwhile');
		await startNode(t, redis, { port: two.port });
		await state.filter({ hasText: 'Served by' }).waitFor();
		await bob.inRoom();
		await bob.hears('meanwhile');
		await bob.say('after');
		await ada.hears('after');
		await ada.say('welcome back');
		await bob.hears('welcome back');
		for (const v of [ada, bob]) {
			await people(v, 'Ada', 'Bob');
			await reads(v, ['before', 'meanwhile', 'after',
				'welcome back']);
			v.noErrors();
		}
		assert.ok(await isMarked(bob), 'not loaded anew');
		// Of a node that was killed nobody has left.
		if (how === 'is killed')
			assert.equal(await ada.page.getByText('Bob has joined')
			    .count(), 1);
	});

// examples/quickstart/run on a port, and until it is ready; its URL.
async function run(t, redis) {
	const port = await freePort();
	const child = spawn(path.join(top, 'examples/quickstart/run'), {
		env: { ...process.env, BUILD: tempDir(t), PORT: port,
			REDIS_URL: redis.url },
		stdio: ['ignore', 'pipe', 'pipe'] });
	const ended = once(child, 'close');
	let log = '';

	atEnd(t, async () => {
		child.kill('SIGQUIT');
		await within(ended, `end of the quickstart\n${log}`);
		assert.doesNotMatch(log, /Sanitizer|runtime error:/);
	});
	await within(new Promise((resolve, reject) => {
		const text = (d) => {
			log += d;
			if (/serving generation/.test(log) &&
			    /redis is up[^]*redis is up/.test(log))
				resolve();
		};

		child.stdout.setEncoding('utf8').on('data', text);
		child.stderr.setEncoding('utf8').on('data', text);
		ended.then(() => reject(new Error(`it ended:\n${log}`)));
	}), 'quickstart with Redis').catch((e) => {
		e.message += `\n${log}`;
		throw e;
	});
	return `http://127.0.0.1:${port}/#tea`;
}

test('it is started with REDIS_URL', async (t) => {
	const redis = await startRedis(t);
	const browser = await startBrowser(t);
	const ada = await Visitor.open(browser, await run(t, redis));
	const bob = await Visitor.open(browser, await run(t, redis));

	await ada.join('Ada');
	await bob.join('Bob');
	await people(ada, 'Ada', 'Bob');
	await bob.say('Good morning!');
	await ada.hears('Good morning!');
	ada.noErrors();
	bob.noErrors();
});

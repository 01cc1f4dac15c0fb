// SPDX-License-Identifier: BSD-2-Clause
// Reloads that meet each other, by hostctl and by SIGHUP.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';

// Lines sent to the control socket at once, and all that comes back until
// there are that many answers.  sent is given a promise of their being sent.
function control(h, requests, sent = () => {}) {
	const s = net.connect(h.socket);
	const lines = [];
	let text = '';

	return within(new Promise((resolve, reject) => {
		s.setEncoding('utf8');
		s.on('error', reject);
		s.on('close', () => reject(new Error('closed')));
		s.on('data', (d) => {
			text += d;
			const all = text.split('\n');

			text = all.pop();
			lines.push(...all.map((l) => JSON.parse(l)));
			if (lines.filter((l) => 'ok' in l).length ===
			    requests.length)
				resolve(lines);
		});
		sent(new Promise((done) => s.write(requests.map((r) =>
		    `${JSON.stringify(r)}\n`).join(''), done)));
	}), 'answers').finally(() => s.destroy());
}

test('two at once: one is done, the other says why not', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);
	const asked = [];

	// It finds both when it goes on.
	h.child.kill('SIGSTOP');
	const answers = [0, 1].map(() => control(h, [{ cmd: 'reload' }],
	    (done) => asked.push(done)));

	await within(Promise.all(asked), 'requests').finally(() =>
	    h.child.kill('SIGCONT'));
	const both = await Promise.all(answers);
	const ends = both.map((lines) => lines.at(-1).ok);

	assert.deepEqual(ends.sort(), [false, true]);
	const no = both.find((lines) => !lines.at(-1).ok);

	assert.match(no[0].error, /a reload .*is under way/);
	assert.equal((await h.status()).generation, 2);
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

test('two of one client follow each other', async (t) => {
	const h = await startLife(t);
	const lines = await control(h, [{ cmd: 'reload' }, { cmd: 'reload' },
		{ cmd: 'version' }]);

	assert.deepEqual(lines.filter((l) => 'ok' in l).map((l) =>
	    [l.ok, l.generation]), [[true, 2], [true, 3], [true, undefined]]);
});

test('a client that leaves does not stop its reload', async (t) => {
	const h = await startLife(t);
	const s = net.connect(h.socket);

	s.write('{"cmd":"reload"}\n');
	await new Promise((resolve) => s.once('data', resolve));
	s.destroy();
	await h.logged('serving generation 2');
});

test('SIGHUP is a reload', async (t) => {
	const h = await startLife(t);
	const load = new Load(h);

	h.child.kill('SIGHUP');
	await h.logged('serving generation 2');
	assert.equal((await h.status()).generation, 2);

	await t.test('whose errors are in the log', async () => {
		const conf = path.join(h.dir, 'conf.d/z.conf');

		fs.writeFileSync(conf, '\nusr = "x"\n');
		h.child.kill('SIGHUP');
		await h.logged(`reload: ${conf}:2: `);
		await h.logged(/reload refused; generation 2 goes on serving/);
		assert.equal((await h.status()).generation, 2);
		fs.rmSync(conf);
	});

	await t.test('many at once are few', async () => {
		for (let i = 0; i < 10; i++)
			h.child.kill('SIGHUP');
		await h.logged('serving generation 4');
		await h.workersSatisfy((w) => w.length === 2 &&
		    w.every((x) => x.state === 'ready'), 'settled workers');
	});

	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

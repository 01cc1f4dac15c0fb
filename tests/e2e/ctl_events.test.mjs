// SPDX-License-Identifier: BSD-2-Clause
// hostctl events: what has happened, and with -f what happens.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { follow } from './lib/follow.mjs';
import { within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';

async function events(h, ...args) {
	const r = await h.hostctl('events', '--json', ...args);

	assert.equal(r.code, 0, r.stderr);
	return r.stdout.trimEnd().split('\n').filter(Boolean)
	    .map((l) => JSON.parse(l));
}

test('a life, told in order', async (t) => {
	const h = await startLife(t);
	const [first] = await h.workers();

	await h.hostctl('signal', 'KILL', 'web.0');
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws[0].state === 'ready' && ws[0].pid !== first.pid, 'a new worker');
	await h.hostctl('reload');
	fs.writeFileSync(path.join(h.dir, 'conf.d/bad.conf'), 'nonsense = 1');
	assert.equal((await h.hostctl('reload')).code, 1);
	await h.hostctl('scale', 'web', '3');
	await h.hostctl('logs', 'reopen');
	// Nothing more happens then.
	await h.workersSatisfy((ws) => ws.length === 3 &&
	    ws.every((w) => w.state === 'ready'), 'end of the old workers');
	const all = await events(h);

	assert.deepEqual(all.map((e) => e.n), all.map((_, i) => i + 1));
	assert.ok(all.every((e, i) => i === 0 ||
	    e.time_ms >= all[i - 1].time_ms));
	assert.ok(all.every((e) => Date.parse(e.time) === e.time_ms));
	const kinds = all.map((e) => e.event);
	let at = -1;

	for (const kind of ['node.started', 'worker.started', 'worker.ready',
		'worker.signalled', 'worker.died', 'worker.started',
		'worker.ready', 'reload.begun', 'worker.ready',
		    'worker.draining',
		'reload.done', 'reload.begun', 'reload.refused', 'pool.scaled',
		'logs.reopened']) {
		const next = kinds.indexOf(kind, at + 1);

		assert.notEqual(next, -1, `${kind} after ${at}: ${kinds}`);
		at = next;
	}
	const died = all.find((e) => e.event === 'worker.died');

	assert.equal(died.worker, 'web.0');
	assert.equal(died.pid, first.pid);
	assert.equal(died.generation, 1);
	assert.match(died.text, /^died: SIGKILL; restarting in \d+ ms$/);

	await t.test('of a worker, a pool, a process', async () => {
		const of = async (...args) =>
			new Set((await events(h, ...args)).map(
			    (e) => e.worker));

		assert.deepEqual(await of('web.0'), new Set(['web.0']));
		assert.deepEqual(await of('web'),
		    new Set(['web.0', 'web.1', 'web.2', undefined]));
		assert.ok((await events(h, String(first.pid)))
		    .every((e) => e.pid === first.pid));
	});

	await t.test('the last of them', async () => {
		assert.deepEqual(await events(h, '-n', '2'), all.slice(-2));
		assert.deepEqual(await events(h, '-n', '0'), []);
		const web1 = all.filter((e) => e.worker === 'web.1');

		assert.ok(web1.length > 0 && all.at(-1) !== web1.at(-1));
		assert.deepEqual(await events(h, '-n', '1', 'web.1'),
		    web1.slice(-1));
	});

	await t.test('for people', async () => {
		const { stdout } = await h.hostctl('events');

		assert.match(stdout, new RegExp(`^ +${died.n}  ${died.time}  ` +
		    `worker\\.died +web\\.0 \\(pid ${first.pid}\\) died: SIGKILL`,
		    'm'));
		assert.equal(stdout.trimEnd().split('\n').length, all.length);
	});
});

test('followed', async (t) => {
	const h = await startLife(t);
	const f = follow(t, h, 'events', '-f');
	const j = follow(t, h, 'events', '-f', '--json', 'web.1');

	await f.until(/node\.started/);
	await f.until(/reload\.done/);
	await j.until(/"worker\.ready"/);
	const [, second] = await h.workers();

	await h.hostctl('signal', 'KILL', 'web.1');
	await f.until(/worker\.died/);
	const [line] = await j.until(/.*"worker\.died".*/);

	assert.equal(JSON.parse(line).pid, second.pid);
	assert.doesNotMatch(j.text, /"web\.0"|"node\./);

	await t.test('until hostd ends', async () => {
		await h.stop();
		assert.equal(await within(f.ended, 'end'), 1);
		assert.match(f.errors, /hostd has ended/);
		assert.match(f.text, /node\.stopping/);
	});
});

test('of a name that nobody has', async (t) => {
	const h = await startLife(t);
	const [first] = await h.workers();

	for (const name of ['other', 'wbe.0', 'web.9', 'web.', '1', '']) {
		for (const args of [[name], ['-f', name]]) {
			const r = await h.hostctl('events', ...args);

			assert.equal(r.code, 1, name);
			assert.equal(r.stdout, '');
			assert.equal(r.stderr, `hostctl: nobody is called ` +
			    `"${name}"; pools: web; workers: web.0, web.1; ` +
			    'plugins: life\n');
		}
	}
	const r = await h.hostctl('events', '--json', 'other');

	assert.equal(r.code, 1);
	const { ok, error } = JSON.parse(r.stdout);

	assert.equal(ok, false);
	assert.match(error, /^nobody is called "other"; pools: web; /);

	await t.test('is not of one that has gone', async () => {
		await h.hostctl('scale', 'web', '1');
		await h.workersSatisfy((ws) => ws.length === 1, 'one worker');
		await h.hostctl('restart');
		await h.workersSatisfy((ws) => ws.length === 1 &&
		    ws[0].pid !== first.pid, 'end of the old one');
		for (const name of ['web.1', String(first.pid)]) {
			const all = await events(h, name);

			assert.ok(all.some((e) => e.event === 'worker.ended'));
			assert.deepEqual(await events(h, '-n', '0', name), []);
		}
	});

	await t.test('nor of a plugin that did nothing yet', async () => {
		assert.deepEqual(await events(h, 'life'), []);
	});

	await t.test('without hostd, is not asked for', async () => {
		await h.stop();
		const no = await h.hostctl('events', 'other');

		assert.equal(no.code, 3);
		assert.equal(no.stderr.trimEnd().split('\n').length, 1);
	});
});

test('the oldest are forgotten', async (t) => {
	const h = await startLife(t);

	// Two each.
	for (let n = 0; n < 1100; n += 40)
		await Promise.all(Array.from({ length: 20 }, () =>
		    h.hostctl('signal', 'CONT', 'web')));
	const all = await events(h);

	assert.equal(all.length, 1024);
	assert.ok(all[0].n > 1);
	assert.deepEqual(all.map((e) => e.n), all.map((_, i) => all[0].n + i));
});

test('wrong usage', async (t) => {
	const h = await startLife(t);

	for (const args of [['-x'], ['-n'], ['-n', 'x'], ['-n', '-1'],
		['web', 'web']])
		assert.equal((await h.hostctl('events', ...args)).code, 2,
		    `${args}`);
});

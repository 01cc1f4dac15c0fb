// SPDX-License-Identifier: BSD-2-Clause
// hostd.control/1: what plugins ask the master for, and who may.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { plugin } from './lib/http1.mjs';
import { startHostd, until } from './lib/hostd.mjs';

const E = { INVAL: -1, FULL: -4, NOTSUP: -5, TIMEOUT: -6, IO: -7 };

async function start(t, { controllers = 'controllers = { "boss" }',
	log = 'error_log = "@DIR@/error.log"', ready = false, ...more } = {}) {
	const so = await plugin('control_route');

	const h = await startHostd(t, { ready, conf: `
		${controllers}
		${log}
		pool "web" { workers = 2 }
		pool "side" { workers = 1 }
		plugin "boss" { module = "${so}" }
		plugin "clerk" { module = "${so}" }
		plugin "thief" { module = "${so}"  forge = "boss" }
		plugin "other" { module = "${so}"  forge = "boss" }
		route "/other/" { plugin = "other"  pool = "side" }
		plugin "crook" { module = "${so}"  forge = "clerk" }
		route "/boss/" { plugin = "boss" }
		route "/clerk/" { plugin = "clerk" }
		route "/thief/" { plugin = "thief" }
		route "/crook/" { plugin = "crook" }`, ...more });

	await h.listening();
	// Its log is a file.
	await until(async () => {
		const r = await h.hostctl('status', '--json');

		return r.code === 0 && JSON.parse(r.stdout).generation > 0;
	}, 'generation that is served');
	return h;
}

// The plugin's answer: { status, text }.
async function ask(h, what, who = 'boss') {
	const text = await (await fetch(`${h.url}/${who}/${what}`)).text();
	const nl = text.indexOf('\n');

	return { status: Number(text.slice(0, nl)), text: text.slice(nl + 1) };
}

const web = async (h) => (await h.workers())
    .filter((w) => w.pool === 'web');
const logOf = (h) => fs.readFileSync(path.join(h.dir, 'error.log'), 'utf8');
const logged = (h, what) => until(() => what.test(logOf(h)), what);

test('what hostctl can do', async (t) => {
	const h = await start(t);

	await t.test('scale, which is in the log with who wanted it',
	    async () => {
		assert.deepEqual((await ask(h,
		    'scale?name=web&number=3')).status, 0);
		assert.equal((await web(h)).filter((w) =>
		    w.state === 'ready').length, 3);
		await logged(h, /plugin boss of worker web\.\d asks for scale of web, for "ada\?"l""/);
		const events = await h.hostctl('events', '--json');

		assert.match(events.stdout, /"event": ?"control\.asked"/);
	});
	await t.test('drain and undrain', async () => {
		assert.equal((await ask(h, 'drain')).status, 0);
		assert.equal((await h.status()).ready, false);
		assert.equal((await ask(h, 'undrain')).status, 0);
		assert.equal((await h.status()).ready, true);
		const again = await ask(h, 'undrain');

		assert.deepEqual(again, { status: E.INVAL,
			text: 'it is ready already' });
	});
	await t.test('restart', async () => {
		const before = (await web(h)).map((w) => w.pid);

		assert.equal((await ask(h, 'restart?name=web.0')).status, 0);
		const after = await h.workersSatisfy((ws) => ws.length === 4 &&
		    ws.every((w) => w.state === 'ready'), 'four workers');

		assert.equal(after.filter((w) => before.includes(w.pid)).length,
		    2);
	});
	await t.test('reload, or why not', async () => {
		const done = await ask(h, 'reload');

		assert.equal(done.status, 0, done.text);
		assert.equal((await h.status()).generation, 2);
		fs.writeFileSync(path.join(h.dir, 'conf.d/bad.conf'),
		    'nonsense = 1');
		const refused = await ask(h, 'reload');

		fs.unlinkSync(path.join(h.dir, 'conf.d/bad.conf'));
		assert.equal(refused.status, E.INVAL);
		assert.match(refused.text, /bad\.conf:1: .*nonsense/);
		assert.equal((await h.status()).generation, 2);
	});
	await t.test('what it is about has to be there', async () => {
		for (const what of ['scale?name=nobody&number=2',
			'scale?name=web&number=0', 'scale?number=2',
			'restart?name=web.9', 'drain?name=web'])
			assert.equal((await ask(h, what)).status, E.INVAL,
			    what);
	});
});

test('what workers do not see themselves', async (t) => {
	const h = await start(t);
	const node = JSON.parse((await ask(h, 'node')).text);

	assert.equal(node.state, 'serving');
	assert.deepEqual(node.pools,
	    [{ name: 'web', target: 2, stopped: false },
		{ name: 'side', target: 1, stopped: false }]);
	assert.deepEqual(node.processes.map((p) => p.pid).sort(),
	    (await h.workers()).map((w) => w.pid).sort());
	assert.ok(node.processes.every((p) => p.rss > 1 << 20));
	assert.deepEqual(node.generations.map((g) => [g.generation, g.state]),
	    [[1, 'serving']]);

	const all = JSON.parse((await ask(h, 'events')).text).events;
	const last = all.at(-1).n;

	assert.equal(all[0].event, 'node.started');
	await h.hostctl('logs', 'reopen');
	assert.deepEqual(JSON.parse(
	    (await ask(h, `events?number=${last}`)).text)
	    .events.map((e) => [e.n, e.event]), [[last + 1, 'logs.reopened']]);

	const first = JSON.parse((await ask(h, 'log')).text);

	assert.equal(first.kind, 'file');
	assert.equal(first.text, logOf(h).slice(0, first.text.length));
	await h.hostctl('reload');
	const more = JSON.parse((await ask(h, `log?name=${first.mark}`)).text);

	assert.ok(logOf(h).startsWith(first.text + more.text));
	assert.match(more.text, /generation 2/);

	await t.test('a log that was emptied, or is long', async () => {
		await h.hostctl('flush');
		const { text } = JSON.parse((await ask(h,
		    `log?name=${more.mark}`)).text);

		assert.match(text, /log files emptied/);
		fs.appendFileSync(path.join(h.dir, 'error.log'),
		    `${'a line like others\n'.repeat(10_000)}\x1b[31m the end\nhalf`);
		const end = JSON.parse((await ask(h, 'log')).text).text;

		assert.ok(end.length <= 32 << 10 && end.length > 30_000);
		assert.match(end, /^a line like others\n/);
		assert.match(end, /\n\?\[31m the end\n$/);
	});
});

test('a log that is no file', async (t) => {
	const h = await start(t, { log: '', ready: true });
	const { kind, text } = JSON.parse((await ask(h, 'log')).text);

	assert.notEqual(kind, 'file');
	assert.equal(text, '');
});

test('who may not', async (t) => {
	const h = await start(t);

	assert.equal((await ask(h, 'may')).status, 0);
	assert.equal((await ask(h, 'may', 'clerk')).status, E.NOTSUP);
	for (const what of ['reload', 'log', 'scale?name=web&number=4'])
		assert.equal((await ask(h, what, 'clerk')).status, E.NOTSUP,
		    what);

	await t.test('nor by writing to the master itself', async () => {
		await fetch(`${h.url}/crook/scale?name=web&number=5`);
		await logged(h, /worker web\.\d \(pid \d+\) asks for what plugin "clerk" may not/);
		assert.equal((await web(h)).length, 2);
	});
	await t.test('nor a worker of a pool that has nothing to do with it',
	    async () => {
		await fetch(`${h.url}/other/reload`);
		await logged(h, /worker side\.0 \(pid \d+\) asks for what plugin "boss" may not/);
	});
	// What is documented: a worker speaks for all of its instances.
	await t.test('a worker that is taken over speaks for others',
	    async () => {
		await fetch(`${h.url}/thief/scale?name=web&number=1`);
		await h.workersSatisfy((ws) => ws.length === 2,
		    'one worker of each');
	});
});

test('nobody may by default, and names are checked', async (t) => {
	const h = await start(t, { controllers: '' });

	assert.equal((await ask(h, 'may')).status, E.NOTSUP);
	assert.equal((await ask(h, 'reload')).status, E.NOTSUP);
	await fetch(`${h.url}/thief/reload`);
	await logged(h, /asks for what plugin "boss" may not/);
	fs.writeFileSync(path.join(h.dir, 'conf.d/c.conf'),
	    '\ncontrollers = { "boss", "clerc" }');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr + r.stdout,
	    /c\.conf:2: there is no plugin "clerc"; did you mean "clerk"\?/);
});

test('limits, mistakes, and a master that has gone', async (t) => {
	const h = await start(t);

	assert.equal(await (await fetch(`${h.url}/boss/mistakes`)).text(),
	    Array(8).fill(E.INVAL).join(' '));
	assert.equal(await (await fetch(`${h.url}/boss/many`)).text(), '32\n');
	process.kill(h.child.pid, 'SIGSTOP');
	const late = await ask(h, 'node?ms=50');

	process.kill(h.child.pid, 'SIGCONT');
	assert.equal(late.status, E.TIMEOUT);
	assert.equal((await ask(h, 'node')).status, 0);
});

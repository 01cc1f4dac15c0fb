// SPDX-License-Identifier: BSD-2-Clause
// hostctl logs and flush: the ends of the log files, of all or of one worker,
// and what is added to them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { follow } from './lib/follow.mjs';
import { until } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const files = `
	error_log = "@DIR@/error.log"
	access_log "a" { path = "@DIR@/access.log"
	    format = "$worker $request_uri" }
`;

// Its log is a file: wait for the listener instead.
async function start(t, conf = files) {
	const h = await startLife(t, { conf, ready: false });

	await h.listening();
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => w.state === 'ready'), 'two workers');
	h.get = async (p) => (await fetch(h.url + p)).text();
	h.file = (name) => path.join(h.dir, name);
	return h;
}

const out = async (h, ...args) => {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
	return r.stdout;
};
const count = (text, re) => (text.match(re) ?? []).length;

// Until the access log has it: lines are written at the end of a turn.
const served = (h, what) => until(() => fs.readFileSync(h.file('access.log'),
    'utf8').includes(what), `${what} in the access log`);

test('the last lines of all', async (t) => {
	const h = await start(t);

	for (let i = 0; i < 30; i++)
		await h.get(`/n${i}`);
	await served(h, '/n29');
	const all = await out(h, 'logs');

	assert.match(all, /^error\.log  \| .* hostd \S+ starting/m);
	assert.match(all, /^access\.log \| web\.\d \/n29$/m);
	assert.equal(count(all, /^access\.log/mg), 20);
	const three = await out(h, 'logs', '-n', '3');

	assert.equal(count(three, /^access\.log/mg), 3);
	assert.equal(count(three, /^error\.log/mg), 3);
	assert.equal(await out(h, 'logs', '-n', '0'), '');
	// One file needs no name.
	assert.match(await out(h, 'logs', '-e'), /^\d{4}-\S+Z info \[master/);
	assert.doesNotMatch(await out(h, 'logs', '-e'), /\/n29/);

	await t.test('as JSON', async () => {
		const list = (await out(h, 'logs', '-n', '1', '--json'))
		    .trimEnd().split('\n').map((l) => JSON.parse(l));

		assert.deepEqual(list.map((l) => [l.log, l.path]), [
			['error_log', h.file('error.log')],
			['access_log', h.file('access.log')]]);
		assert.match(list[1].line, /^web\.\d \/n29$/);
	});
});

test('of a worker, a pool, a process', async (t) => {
	const h = await start(t);
	const [first, second] = await h.workers();

	for (let i = 0; i < 40; i++) {
		const c = new Client(h.port);

		await c.ask(`/n${i}`, true);
	}
	await served(h, '/n39');
	const one = await out(h, 'logs', 'web.0', '-n', '100');

	assert.match(one, new RegExp(`worker web\\.0 \\(pid ${first.pid}, `));
	assert.match(one, /\[web\.0 gen 1 pid/);
	assert.match(one, /web\.0 \/n/);
	assert.doesNotMatch(one, /web\.1|starting/);
	const pool = await out(h, 'logs', '-n', '100', 'web');

	assert.equal(count(pool, /^access\.log \| web\.[01] \/n/mg), 40);
	assert.doesNotMatch(pool, /starting/);
	const r = await h.hostctl('logs', '-n', '100', String(second.pid));

	assert.equal(r.code, 0);
	assert.match(r.stdout, new RegExp(
	    `worker web\\.1 \\(pid ${second.pid}`));
	assert.doesNotMatch(r.stdout, /web\.0/);

	await t.test('that has gone', async () => {
		await out(h, 'scale', 'web', '1');
		await out(h, 'restart');
		await h.workersSatisfy((ws) => ws.length === 1 &&
		    ws[0].pid !== first.pid, 'end of the old ones');
		for (const name of ['web.1', String(first.pid)])
			assert.match(await out(h, 'logs', name),
			    / has ended: /);
		// Its events are forgotten, but not the line.
		fs.appendFileSync(h.file('error.log'),
		    'x info [web.7 gen 1 pid 7] before\n');
		assert.match(await out(h, 'logs', 'web.7'), /] before$/m);
	});

	await t.test('that nobody is', async () => {
		for (const args of [['other'], ['-f', 'wbe.0'],
		    ['-n', '0', '1']]) {
			const r = await h.hostctl('logs', ...args);

			assert.equal(r.code, 1, `${args}`);
			assert.equal(r.stdout, '');
			assert.equal(r.stderr, 'hostctl: nobody is called ' +
			    `"${args.at(-1)}"; pools: web; workers: web.0; ` +
			    'plugins: life\n');
		}
		const j = await h.hostctl('logs', '--json', 'other');

		assert.equal(j.code, 1);
		assert.match(JSON.parse(j.stdout).error,
		    /^nobody is called "other"/);
	});
});

test('of a plugin', async (t) => {
	const h = await start(t);

	assert.equal(await out(h, 'logs', '-n', '0', 'life'), '');
	fs.appendFileSync(h.file('error.log'),
	    'x info [web.0 gen 1 pid 7] life: says so\n' +
	    'x info [web.0 gen 1 pid 7] lifeless: says no\n');
	const text = await out(h, 'logs', 'life');

	assert.match(text, /life: says so$/m);
	assert.match(text, /plugin life: .* built with SDK/);
	assert.doesNotMatch(text, /lifeless/);
});

test('a format that does not tell who is left out', async (t) => {
	const h = await start(t, files.replace('$worker ', ''));

	await h.get('/x');
	await served(h, '/x');
	const r = await h.hostctl('logs', 'web.0');

	assert.match(r.stderr,
	    /access\.log is left out: its format has no \$worker/);
	assert.doesNotMatch(r.stdout, /^\/x/m);
});

test('followed through renaming, emptying and reopening', async (t) => {
	const h = await start(t);
	const f = follow(t, h, 'logs', '-f', '-n', '0');
	let n = 0;
	// What comes is seen, once.
	const seen = async () => {
		const name = `/seen${n++}x`;

		// The first may come before it looks.
		do
			await h.get(name);
		while (n === 1 && !f.text.includes(name));
		await f.until(new RegExp(`${name}$`, 'm'));
		if (n > 1)
			assert.equal(count(f.text, new RegExp(name, 'g')), 1);
	};

	await seen();
	await seen();
	fs.renameSync(h.file('access.log'), h.file('access.1'));
	await seen();
	await out(h, 'logs', 'reopen');
	await seen();
	await f.until(/^error\.log  \| .* log files reopened$/m);
	await out(h, 'flush');
	await f.until(/log files emptied: 2/);
	await seen();
	fs.truncateSync(h.file('access.log'));
	await seen();
	fs.rmSync(h.file('access.log'));
	await out(h, 'logs', 'reopen');
	await seen();
	assert.equal(f.errors, '');
	await h.stop();
	await f.until(/ stopped$/m);
	f.child.kill('SIGINT');
	await f.ended;
});

test('followed, of one worker', async (t) => {
	const h = await start(t);
	const f = follow(t, h, 'logs', '-f', 'web.1');

	await f.until(/worker web\.1 .* is ready/);
	await out(h, 'restart', 'web');
	await f.until(/worker web\.1 .* has ended/);
	assert.doesNotMatch(f.text, /web\.0/);
});

test('flush empties our files and no others', async (t) => {
	const h = await start(t);

	await h.get('/x');
	await served(h, '/x');
	const before = fs.statSync(h.file('error.log')).ino;
	const text = await out(h, 'flush');

	assert.match(text, /error\.log: \d+ bytes$/m);
	assert.match(text, /access\.log: \d+ bytes$/m);
	assert.equal(fs.readFileSync(h.file('access.log'), 'utf8'), '');
	await h.get('/y');
	await served(h, '/y');
	assert.match(fs.readFileSync(h.file('access.log'), 'utf8'),
	    /^web\.\d \/y\n$/);
	assert.match(fs.readFileSync(h.file('error.log'), 'utf8'),
	    /^\S+ info \[master pid \d+\] log files emptied: 2\n/);
	assert.equal(fs.statSync(h.file('error.log')).ino, before);
	const j = JSON.parse(await out(h, 'flush', '--json'));

	assert.equal(j.ok, true);
	assert.deepEqual(j.emptied.map((f) => path.basename(f.path)),
	    ['error.log', 'access.log']);
});

test('a log that goes to stderr is said to', async (t) => {
	const h = await startLife(t);
	const r = await h.hostctl('logs');

	assert.equal(r.code, 1);
	assert.equal(r.stdout, '');
	assert.match(r.stderr,
	    /error_log goes to stderr, a (pipe|socket): whoever has started/);
	assert.equal(await out(h, 'flush'),
	    'there are no log files, only stderr\n');
});

test('who may not read it is told so', { skip: process.getuid() === 0 &&
    'root reads all' }, async (t) => {
	const h = await start(t);

	fs.chmodSync(h.file('error.log'), 0);
	const r = await h.hostctl('logs', '-e');

	assert.equal(r.code, 1);
	assert.match(r.stderr, /error\.log: Permission denied/);
});

test('wrong usage', async (t) => {
	const h = await start(t);

	for (const args of [['logs', '-x'], ['logs', '-n', 'x'],
		['logs', '-n', '-1'], ['logs', 'web', 'web'], ['logs', '-n'],
		['flush', 'web']])
		assert.equal((await h.hostctl(...args)).code, 2, `${args}`);
});

// SPDX-License-Identifier: BSD-2-Clause
// hostctl upstream --persist: what hands have changed is in a file, and stays
// over reloads and restarts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, sbin } from './lib/hostd.mjs';
import { rewrite, startLife, successor } from './lib/life.mjs';
import { byName, change, refused, servers, states } from './lib/upstream.mjs';

const A = '127.0.0.1:1';
const B = '127.0.0.1:2';
const NEW = '10.0.0.9:80';
const app = (more = '') => `upstream "app" {
	server "${A}" { weight = 2 }
	server "${B}" { }
	${more}
}`;
const start = (t, more) => startLife(t,
    { confd: { 'app.conf': app() }, ...more });
const fileOf = (h) => path.join(h.dir, 'conf.d/upstream_changes-app.conf');
const fine = async (h, ...args) => {
	const r = await h.hostctl(...args);

	assert.equal(r.code, 0, r.stderr);
	return r.stdout;
};
const is = async (h) => (await servers(h)).map((s) =>
    [s.server, s.state, s.weight]);

test('every kind of change, over a reload and a restart', async (t) => {
	const h = await start(t);

	assert.equal(await change(h, 'down', 'app', A, '--persist'),
	    '127.0.0.1:1 of app is down\n');
	await change(h, '--persist', 'add', 'app', NEW, 'weight=3');
	await change(h, 'weight', 'app', B, '5', '--persist');
	await change(h, 'drain', 'app', NEW, '--persist');
	const want = [[A, 'down', 2], [B, 'up', 5], [NEW, 'draining', 3]];

	assert.deepEqual(await is(h), want);
	assert.equal(fs.statSync(fileOf(h)).mode & 0o777, 0o644);
	assert.equal((await command(sbin('hostd'),
	    ['-t', '-c', h.confFile])).code, 0);
	const ids = (await servers(h)).map((s) => s.id);

	assert.doesNotMatch(await fine(h, 'reload'), /by hand/);
	assert.deepEqual(await is(h), want);
	assert.deepEqual((await servers(h)).map((s) => s.id), ids);
	await h.stop();
	const next = await successor(t, h);

	assert.deepEqual(await is(next), want);
	await t.test('and back', async () => {
		await change(next, 'enable', 'app', A, '--persist');
		await change(next, 'remove', 'app', NEW, '--persist');
		await change(next, 'remove', 'app', B, '--persist');
		await fine(next, 'reload');
		assert.deepEqual(await is(next), [[A, 'up', 2]]);
		await change(next, 'add', 'app', B, '--persist');
		await fine(next, 'reload');
		assert.deepEqual(await is(next), [[A, 'up', 2], [B, 'up', 1]]);
	});
});

test('only what is to be kept is kept', async (t) => {
	const h = await start(t);

	await change(h, 'add', 'app', NEW);
	await change(h, 'down', 'app', A);
	await change(h, 'weight', 'app', B, '4', '--persist');
	await fine(h, 'reload');
	assert.deepEqual(await is(h), [[A, 'up', 2], [B, 'up', 4]]);
	// One that was added for now, and then kept.
	await change(h, 'add', 'app', NEW, 'weight=3', 'max_conns=9', 'backup');
	await change(h, 'drain', 'app', NEW, '--persist');
	await fine(h, 'reload');
	const s = (await byName(h))[NEW];

	assert.deepEqual([s.state, s.weight, s.max_conns, s.backup, s.added],
	    ['draining', 3, 9, true, false]);
});

test('nothing left is no file', async (t) => {
	const h = await start(t);

	await change(h, 'add', 'app', NEW, '--persist');
	assert.ok(fs.existsSync(fileOf(h)));
	await change(h, 'remove', 'app', NEW, '--persist');
	assert.ok(!fs.existsSync(fileOf(h)));
	await change(h, 'remove', 'app', A, '--persist');
	await change(h, 'add', 'app', A, '--persist');
	assert.ok(!fs.existsSync(fileOf(h)));
	// Bug: after a reload it was added to what the configuration has.
	await change(h, 'remove', 'app', A, '--persist');
	await fine(h, 'reload');
	assert.deepEqual(await is(h), [[B, 'up', 1]]);
	await change(h, 'add', 'app', A, '--persist');
	assert.ok(!fs.existsSync(fileOf(h)));
	assert.deepEqual((await byName(h))[A].weight, 2);
	await fine(h, 'reload');
	assert.deepEqual(await is(h), [[A, 'up', 2], [B, 'up', 1]]);
	assert.equal((await byName(h))[A].added, false);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'conf.d')).sort(),
	    ['.keep', 'app.conf', 'life.conf']);
});

// Bug: it stayed removed when it was changed after that.
test('one that is back without --persist, and then changed with it',
    async (t) => {
	const h = await start(t);

	await change(h, 'remove', 'app', A, '--persist');
	await fine(h, 'reload');
	await change(h, 'add', 'app', A);
	await change(h, 'weight', 'app', A, '5', '--persist');
	await fine(h, 'reload');
	assert.deepEqual(await is(h), [[A, 'up', 5], [B, 'up', 1]]);
});

test('what is said of a server that has gone is about nothing', async (t) => {
	const h = await start(t);

	await change(h, 'weight', 'app', A, '9', '--persist');
	await change(h, 'remove', 'app', B, '--persist');
	rewrite(h, 'conf.d/app.conf', `upstream "app" { server "${NEW}" { } }`);
	await fine(h, 'reload');
	assert.deepEqual(await is(h), [[NEW, 'up', 1]]);
	// A group that has gone is somebody's mistake.
	rewrite(h, 'conf.d/app.conf', `upstream "ape" { server "${NEW}" { } }`);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 1);
	assert.match(r.stderr,
	    /upstream_changes-app\.conf:2: changes of upstream "app", which is not/);
});

test('a file that cannot be written changes nothing', async (t) => {
	const h = await start(t);

	fs.mkdirSync(path.join(h.dir, 'conf.d/.upstream_changes-app.conf.new'));
	await refused(h, /upstream_changes-app\.conf: Is a directory; nothing/,
	    'down', 'app', A, '--persist');
	assert.ok(!fs.existsSync(fileOf(h)));
	await change(h, 'down', 'app', A);
	assert.equal((await states(h))[A], 'down');
});

test('what there is no room for is not written', async (t) => {
	const full = Array.from({ length: 1022 }, (_, i) =>
	    `server "10.1.${i >> 8}.${i & 255}:80" { }`).join('\n');
	const h = await start(t, { confd: { 'app.conf': app(full) } });

	await refused(h, /there is room for 1024 servers in all/, 'add', 'app',
	    NEW, '--persist');
	assert.ok(!fs.existsSync(fileOf(h)));
	await change(h, 'remove', 'app', A, '--persist');
	await change(h, 'add', 'app', A, '--persist');
});

test('a file of somebody else is left alone', async (t) => {
	const mine = '# my own\n';
	const h = await start(t, { confd: { 'app.conf': app(),
		'upstream_changes-app.conf': mine } });

	await refused(h, /was not written by hostctl, and is left alone/,
	    'down', 'app', A, '--persist');
	assert.equal(fs.readFileSync(fileOf(h), 'utf8'), mine);
	// One of ours that somebody has broken is not made worse.
	fs.rmSync(fileOf(h));
	await change(h, 'down', 'app', A, '--persist');
	fs.appendFileSync(fileOf(h), 'upstream_changes {{{\n');
	await refused(h, /upstream_changes-app\.conf:7: /, 'enable', 'app', A,
	    '--persist');
});

test('names that need quoting', async (t) => {
	const odd = 'unix:/run/a "$b" \\c.sock';
	const h = await start(t, { confd: { 'app.conf': app() } });

	await change(h, 'add', 'app', odd, '--persist');
	await fine(h, 'reload');
	assert.deepEqual((await servers(h)).map((s) => s.server), [A, B, odd]);
	await change(h, 'down', 'app', odd, '--persist');
	await fine(h, 'reload');
	assert.equal((await states(h))[odd], 'down');
});

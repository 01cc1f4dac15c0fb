// SPDX-License-Identifier: BSD-2-Clause
// A reload that can't work is refused with one clear line, and what is running
// does not notice.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { tempDir, top, until } from './lib/hostd.mjs';
import { lifePlugin, startLife } from './lib/life.mjs';
import { Load } from './lib/load.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const pidsOf = (workers) => workers.map((w) => w.pid);

// hostctl reload, which must fail; the errors without the prefix.
async function refused(h) {
	const r = await h.hostctl('reload');
	const lines = r.stderr.trimEnd().split('\n');

	assert.equal(r.code, 1, r.stdout + r.stderr);
	assert.match(lines.pop(),
	    /^hostctl: not reloaded; generation 1 goes on serving$/);
	const errors = lines.map((l) => l.replace(/^hostctl: /, ''));

	// The log tells it to whoever was not there.
	for (const e of errors)
		await h.logged(`reload: ${e}`);
	return errors;
}

const badSource = (name) => path.join(top, 'tests/abi/bad', `${name}.c`);

// What the first lines of a bad plugin say must be said of it.
const wanted = (name) =>
	/^\/\* refused: (.*) \*\/$/m.exec(
	    fs.readFileSync(badSource(name), 'utf8'))[1];

// [name, how to put it in place (returns the file), reason]
const bad = [
	...['wrong_major', 'wrong_magic', 'missing_symbol', 'no_entry',
		'new_minor', 'null_create', 'short_entry', 'bad_route']
	    .map((name) => [name, (file) => file(name), wanted(name)]),
	['crash_in_create', (file) => file('crash_in_create'),
		/trying it failed: SIGABRT in plugin bad, create$/],
	['crash_in_constructor', (file) => file('crash_in_constructor'),
		/trying it failed: SIGABRT in plugin bad, dlopen$/],
	['a text', () => Buffer.from('no plugin\n'), 'not a shared object'],
	['an empty file', () => Buffer.alloc(0), 'the file is empty'],
	['one cut short', (file) => file('wrong_major').subarray(0, 2000),
		/bad\.so: /],
];

test('a wrong plugin', async (t) => {
	const h = await startLife(t);
	const dir = tempDir(t);
	const before = await h.workers();
	const load = new Load(h);
	const so = path.join(h.dir, 'conf.d/bad.so');

	for (const name of fs.readdirSync(path.dirname(badSource('x')))
	    .map((f) => path.basename(f, '.c'))
	    .filter((n) => bad.some((b) => b[0] === n)))
		await buildPlugin(dir, name, badSource(name));
	const file = (name) => fs.readFileSync(path.join(dir, `${name}.so`));

	for (const [name, make, reason] of bad)
		await t.test(name, async () => {
			fs.writeFileSync(so, make(file));
			const errors = await refused(h);

			assert.equal(errors.length, 1, errors.join('\n'));
			assert.ok(errors[0].includes('bad.so'), errors[0]);
			if (reason instanceof RegExp)
				assert.match(errors[0], reason);
			else
				assert.ok(errors[0].includes(reason),
				    errors[0]);
		});

	for (const [what, mode] of [['the world', 0o757], ['a group', 0o775]])
		await t.test(`one that ${what} may write`, async () => {
			fs.writeFileSync(so, fs.readFileSync(
			    await lifePlugin()));
			fs.chmodSync(so, mode);
			const errors = await refused(h);

			assert.deepEqual(errors, [`${so} may be written by ` +
			    `others; chmod go-w ${so}`]);
			fs.rmSync(so);
		});

	for (const [how, reason] of [
		['fail', /plugin "bad" \(life\.so\): told to fail$/],
		['crash', /trying it failed: SIGABRT in plugin bad, create/],
	])
		await t.test(`create that does ${how}`, async () => {
			const conf = path.join(h.dir, 'conf.d/x.conf');

			fs.writeFileSync(conf, '\n\nplugin "bad" {\n' +
			    `	module = "${h.dir}/life.so"\n` +
			    `	create = ${how}\n}\n` +
			    'route "/bad" { plugin = "bad" }\n');
			const errors = await refused(h);

			assert.equal(errors.length, 1, errors.join('\n'));
			assert.ok(errors[0].startsWith(`${conf}:3: `),
			    errors[0]);
			assert.match(errors[0], reason);
			fs.rmSync(conf);
		});

	await load.more(10);
	await load.stop();
	const after = await h.workers();

	assert.deepEqual(load.failures, []);
	assert.deepEqual(pidsOf(after), pidsOf(before));
	assert.deepEqual(after.map((w) => [w.generation, w.restarts]),
	    [[1, 0], [1, 0]]);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'run/gen')), ['1']);
	assert.equal(fs.readdirSync(path.join(h.dir, 'run/plugins')).length, 1);
	assert.equal(h.pids().length, 3);
});

test('create that does hang', async (t) => {
	const clock = await makeClock(t);
	const h = await startLife(t, { env: clock.env, conf: `
		ready_timeout = 1h
		pool "web" { workers = 2  watchdog = 0 }` });
	const conf = path.join(h.dir, 'conf.d/x.conf');
	const hangs = path.join(h.dir, 'hangs');

	fs.writeFileSync(conf, 'plugin "bad" {\n' +
	    `	module = "${h.dir}/life.so"\n	create = hang\n` +
	    `	bomb = "${hangs}"\n}\n` +
	    'route "/bad" { plugin = "bad" }\n');
	const refusal = refused(h);

	await until(() => fs.existsSync(hangs), 'create');
	clock.pass(3601);
	// The master has something to do.
	await h.status();
	const errors = await refusal;

	assert.equal(errors.length, 1, errors.join('\n'));
	assert.ok(errors[0].startsWith(`${conf}:1: `), errors[0]);
	assert.match(errors[0], /not ready in time: plugin bad is still in create/);
});

test('a broken configuration', async (t) => {
	const h = await startLife(t);
	const before = await h.workers();
	const load = new Load(h);
	const conf = path.join(h.dir, 'conf.d/y.conf');

	for (const [text, line, reason] of [
		['\nplugin "x" {\n', 2, /./],
		['\n\nlog_levle = info\n', 3, /"log_levle".*"log_level"/],
		['plugin "x" { module = "absent.so" }\n', 1,
			/absent\.so: No such file or directory/],
		['route "/x" { plugin = "lief" }\n', 1, /"lief".*"life"/],
		['listen "x" {\n\taddress = "127.0.0.1:@PORT@"\n}\n', 1,
			/already listened to by "main"/],
		['access_log "x" {\n\tpath = "/absent/log"\n}\n', 1,
			/\/absent\/log: No such file or directory/],
	]) {
		fs.writeFileSync(conf, text.replace('@PORT@', h.port));
		const errors = await refused(h);

		assert.ok(errors[0].startsWith(`${conf}:${line}: `), errors[0]);
		assert.match(errors[0], reason);
	}
	fs.rmSync(conf);
	fs.renameSync(h.confFile, `${h.confFile}.away`);
	assert.deepEqual(await refused(h),
	    [`${h.confFile}: No such file or directory`]);
	fs.renameSync(`${h.confFile}.away`, h.confFile);

	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
	assert.deepEqual(pidsOf(await h.workers()), pidsOf(before));

	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await h.workersSatisfy((w) => w.length === 2,
	    'end of the old workers')).length, 2);
});

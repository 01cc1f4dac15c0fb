// SPDX-License-Identifier: BSD-2-Clause
// hostd -t finds all mistakes of all files in one run, each with file and
// line, and says what was probably meant.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prepareHostd, sbin } from './lib/hostd.mjs';
import { lifeConf, lifePlugin } from './lib/life.mjs';

// The error lines of hostd -t, without "hostd: " and the directory.
async function errorsOf(h) {
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);
	const lines = r.stderr.trimEnd().split('\n');

	assert.equal(r.code, 1, r.stdout);
	assert.equal(r.stdout, '');
	assert.equal(lines.pop(), `hostd: ${h.confFile}: test failed`);
	return lines.map((l) => l.replace(/^hostd: /, '')
	    .replaceAll(`${h.dir}/`, ''));
}

test('the errors of several files in one run', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const h = await prepareHostd(t, {
		files: { 'life.so': so, 'hostd.conf': [
			'user = "root"',
			'run_dir = "@DIR@/run"',
			'drain_timout = 5s',			// 3
			'pool "web" {',
			'	workers = none',		// 5
			'}',
			'listen "main" {',
			'	adress = "127.0.0.1:1"',	// 8
			'	pool = "wbe"',			// 9
			'}', ''].join('\n') },
		confd: {
			'a.conf': '\n\nhttp {\n	max_head = 1k\n' +
			    '	max_header = 5\n	idle_timeout = soon\n}\n',
			'b.conf': 'plugin "life" {\n' +
			    '	module = "@DIR@/life.so"\n' +
			    '	txt = "x"\n	create = never\n}\n',
			'c.conf': 'route "/" { plugin = "lief" }\n' +
			    'route "x" { plugin = "life" }\n',
			'd.conf': 'plugin "absent" { module = "absent.so" }\n',
			'e.conf': 'rout "/x" { plugin = "life" }\n',
		},
	});
	const errors = await errorsOf(h);

	for (const [where, what] of [
		['hostd.conf:3: ', /"drain_timout".*"drain_timeout"/],
		['hostd.conf:5: ',
		    /"workers" must be "auto", -1 \(all cores but one\), or from 1 to 256/],
		['hostd.conf:8: ', /"adress".*"address"/],
		['hostd.conf:7: ', /"address"/],
		['hostd.conf:9: ', /no pool "wbe".*"web"/],
		['conf.d/a.conf:5: ', /"max_header".*"max_headers?"/],
		['conf.d/a.conf:6: ', /"idle_timeout"/],
		['conf.d/b.conf:3: ', /"txt".*"text"/],
		['conf.d/b.conf:4: ', /"create".*ok.*fail.*crash.*hang.*once/],
		['conf.d/c.conf:1: ', /no plugin "lief".*"life"/],
		['conf.d/c.conf:2: ', /route "x" does not start with "\/"/],
		['conf.d/d.conf:1: ', /"absent": .*absent\.so: No such file/],
		['conf.d/e.conf:1: ', /"rout".*"route"/],
	]) {
		const found = errors.filter((e) =>
		    e.startsWith(where) && what.test(e));

		assert.equal(found.length, 1,
		    `${where}${what}\n${errors.join('\n')}`);
	}
	assert.equal(new Set(errors).size, errors.length, errors.join('\n'));
	// max_request_line is above the max_head that is set: that is one, too.
	assert.equal(errors.length, 14, errors.join('\n'));

	await t.test('as JSON', async () => {
		for (const r of [
			await command(sbin('hostd'),
			    ['-t', '--json', '-c', h.confFile]),
			await h.hostctl('--json', 'test', '-c', h.confFile),
			await h.hostctl('test', '-c', h.confFile, '--json')]) {
			const all = JSON.parse(r.stdout);

			assert.equal(r.code, 1);
			assert.equal(r.stderr, '');
			assert.equal(all.ok, false);
			assert.equal(all.conf_file, h.confFile);
			// The same, in the same order.
			assert.deepEqual(all.errors.map((e) =>
			    `${e.file}:${e.line}: ${e.text}`
			    .replaceAll(`${h.dir}/`, '')), errors);
		}
	});
});

test('an error that is of no line, as JSON', async () => {
	const r = await command(bin('hostctl'),
	    ['test', '--json', '-c', '/absent/x.conf']);

	assert.equal(r.code, 1);
	assert.deepEqual(JSON.parse(r.stdout).errors, [
		{ text: '/absent/x.conf: No such file or directory' }]);
});

// [block, what is said of it]
const wrong = [
	['log_level = loud', /"log_level".*debug.*info.*warn.*error/],
	['drain_timeout = 5 s', /./],
	['drain_timeout = -1s', /"drain_timeout"/],
	['drain_timeout = 2d', /"drain_timeout"/],
	['ready_timeout = 1ms', /"ready_timeout"/],
	['ready_timeout = 1s 2s', /./],
	['http { max_body = lots }', /"max_body"/],
	['http { max_body = 1x }', /"max_body"/],
	['http { max_headers = 0 }', /"max_headers"/],
	['http { max_headers = 256 }', /"max_headers"/],
	['http { max_headers = 1.5 }', /"max_headers"/],
	['http { max_body = 99999999999g }', /"max_body"/],
	['http { over_limit = never }', /"over_limit".*wait.*503/],
	['http "x" { }', /"http" is a block without a title/],
	['pool { }', /"pool" is a block with a title/],
	['pool = 1', /"pool" is a block with a title/],
	['pool "a" { workers = 0 }', /"workers"/],
	['pool "a" { workers = 257 }', /"workers"/],
	['pool "a" { workers = -2 }', /"workers"/],
	['pool "web" { workers = 1 }',
	    /pool "web" is already defined at .*hostd\.conf:3/],
	['listen "x" { }', /"address"/],
	['listen "x" { address = "nowhere:80" }', /address "nowhere:80": /],
	['listen "x" { address = "127.0.0.1" }', /address "127\.0\.0\.1": /],
	['listen "x" { address = "127.0.0.1:0" }', /address/],
	['listen "x" { address = "127.0.0.1:65536" }', /address/],
	['listen "x" { address = "300.0.0.1:80" }', /address/],
	['listen "x" { address = "[::1:80" }', /address/],
	['listen "x" { address = "unix:" }', /address/],
	['listen "x" { address = "unix:relative" }', /address/],
	[`listen "x" { address = "unix:/${'a'.repeat(120)}" }`, /address/],
	['listen "x" { address = "127.0.0.1:1" permissions = 0999 }',
	    /"permissions"/],
	['listen "x" { address = "127.0.0.1:1" v6only = perhaps }', /"v6only"/],
	['listen "x" { address = "127.0.0.1:1" backlog = 0 }', /"backlog"/],
	['listen "main" { address = "127.0.0.1:1" }',
	    /listen "main" is already defined at/],
	['listen "x" { address = "127.0.0.1:@PORT@" }',
	    /already listened to by "main" at/],
	['plugin "x" { }', /needs the key "module"/],
	['plugin "x y" { module = "http_status.so" }', /name of plugin "x y"/],
	['plugin "x" { module = "/etc/passwd" }',
	    /\/etc\/passwd|passwd: not a shared object/],
	['plugin "x" { module = "/etc" }', /\/etc is not a regular file/],
	['error_page "200" { file = "x" }', /from 400 to 599/],
	['error_page "404" { file = "absent" }', /absent: No such file/],
	['access_log "x" { path = "off" format = "$nothing" }',
	    /"\$?nothing" is not a variable/],
	['access_log "x" { }', /"path"/],
	['user = ', /./],
	['user', /./],
	['= "x"', /./],
	['pool "a" {', /./],
	['}', /./],
	['user = "x', /./],
	['/* no end', /./],
	['user = "\\q"', /./],
];

for (const [block, what] of wrong)
	test(block.slice(0, 60), async (t) => {
		const h = await prepareHostd(t,
		    { confd: { 'x.conf': `\n${block}\n` } });
		const errors = await errorsOf(h);

		// What is left open is noticed at the end.
		assert.ok(errors.some(
		    (e) => /^conf\.d\/x\.conf:[23]: /.test(e) &&
		    what.test(e)), errors.join('\n'));
	});

test('a file that is no text', async (t) => {
	const h = await prepareHostd(t, {
		confd: { 'x.conf': Buffer.from([0x7f, 0, 0xff, 10, 0]) } });
	const errors = await errorsOf(h);

	assert.ok(errors.every((e) => e.startsWith('conf.d/x.conf:')),
	    errors.join('\n'));
});

test('a start says the same', async (t) => {
	const h = await prepareHostd(t, {
		confd: { 'x.conf': 'usr = "x"\n', 'y.conf': '\nfoo { }\n' } });
	const r = await command(sbin('hostd'), ['-c', h.confFile]);
	const errors = await errorsOf(h);

	assert.equal(r.code, 1);
	assert.equal(errors.length, 2);
	for (const e of errors)
		assert.ok(r.stderr.includes(`hostd: ${path.join(h.dir, e)}`),
		    r.stderr);
});

test('what is right passes', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const h = await prepareHostd(t, { files: { 'life.so': so },
		confd: { 'life.conf': lifeConf() } });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 0, r.stderr);
});

// SPDX-License-Identifier: BSD-2-Clause
// Mistakes in http_static's keys are told before anything is served.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, prepareHostd, sbin } from './lib/hostd.mjs';
import { ask, startStatic } from './lib/static.mjs';

async function check(t, keys) {
	const h = await prepareHostd(t, {
		files: { 'www/a.txt': '', 'file': '' },
		conf: `plugin "static" { module = "http_static.so"
			${keys} }
			route "/" { plugin = "static" }`,
	});

	return command(sbin('hostd'), ['-t', '-c', h.confFile]);
}

const root = 'root = "@DIR@/www"';

for (const [name, keys, why] of [
	['no root', '', /root/],
	['an empty root', 'root = ""', /root/],
	['a root that is not there', 'root = "@DIR@/none"',
		/root .*none: No such file/],
	['a root that is a file', 'root = "@DIR@/file"',
		/root .*file: Not a directory/],
	['a type without an extension', `${root} types = { "text" }`,
		/types: "text"/],
	['a type of nothing', `${root} types = { "x " }`, /types: "x "/],
	['a type of two lines', `${root} types = { "x a/b\\r\\nX: y" }`,
	    /types: /],
	['a type too long', `${root} types = { "x ${'y'.repeat(300)}" }`,
		/types: /],
	['no Cache-Control behind the pattern',
		`${root} cache_control = { "*.js" }`,
		    /cache_control: "\*\.js"/],
	['an unknown key', `${root} indx = { "a" }`, /index/],
	['too many index files', `${root} index = ` +
		'{ "1", "2", "3", "4", "5", "6", "7", "8", "9" }', /index/],
	['a negative number', `${root} cache_entries = -1`, /cache_entries/],
])
	test(name, async (t) => {
		const r = await check(t, keys);

		assert.notEqual(r.code, 0);
		assert.match(r.stderr + r.stdout, why);
	});

test('nothing is wrong', async (t) => {
	const r = await check(t, `${root} index = { "a" } types = { "x	a/b; c" }
		cache_control = { "*.js no-store, private" }`);

	assert.equal(r.code, 0, r.stderr);
});

test('a reload with a mistake changes nothing', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'a' } });
	const text = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile, text.replace('/www"', '/none"'));
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stderr + r.stdout, /none: No such file/);
	assert.equal((await ask(h, '/a.txt')).text, 'a');
	// The root may be moved; it is open.
	fs.renameSync(h.www, path.join(h.dir, 'moved'));
	assert.equal((await ask(h, '/a.txt')).text, 'a');
});

test('two instances', async (t) => {
	const h = await startStatic(t, { files: { 'a.txt': 'one',
		'sub/a.txt': 'two' },
		conf: `plugin "other" { module = "http_static.so"
				root = "@DIR@/www/sub"  listing = on }
			route "/other/" { plugin = "other" }`,
	});

	assert.equal((await ask(h, '/a.txt')).text, 'one');
	assert.equal((await ask(h, '/other/a.txt')).text, 'two');
	assert.equal((await ask(h, '/other/')).status, 200);
	assert.equal((await ask(h, '/')).status, 403);
	assert.equal((await ask(h, '/other/../a.txt')).text, 'one');
});

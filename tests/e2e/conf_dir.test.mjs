// SPDX-License-Identifier: BSD-2-Clause
// conf.d: its *.conf are read and its *.so are plugins, in name order; whoever
// claims what another has is told who that is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, prepareHostd, sbin, startHostd, tempDir }
	from './lib/hostd.mjs';
import { lifeConf, lifePlugin } from './lib/life.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const easy = (id, route) => `// SPDX-License-Identifier: BSD-2-Clause
#include <hostd/easy.h>

static int32_t
answer(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "${id}");
}

HOSTD_EASY_ROUTE("${id}", "1.0", ${route}, answer)
`;

async function built(t, id, route) {
	return fs.readFileSync(await buildPlugin(tempDir(t), id,
	    easy(id, route)));
}

async function ask(h, where) {
	const r = await fetch(h.url + where);

	return [r.status, r.status === 200 ? await r.text() : ''];
}

test('bare plugins and their routes', async (t) => {
	const h = await startHostd(t, { confd: {
		'wished.so': await built(t, 'wished', '"/my/wish"'),
		'below.so': await built(t, 'below', '"/below/"'),
		'some-name.so': await built(t, 'no_wish', 'NULL'),
		'configured.so': await built(t, 'configured', '"/default"'),
		'z.conf': 'route "/other" { plugin = "configured" }\n',
	} });

	for (const [where, what] of [
		['/my/wish', 'wished'], ['/my/wish/x', undefined],
		['/wished', undefined], ['/below/', 'below'],
		['/below/x/y', 'below'], ['/below', undefined],
		['/some-name', 'no_wish'], ['/no_wish', undefined],
		// A route that names it is instead of its own.
		['/other', 'configured'], ['/default', undefined],
	]) {
		const [status, text] = await ask(h, where);

		assert.equal(status, what === undefined ? 404 : 200, where);
		if (what !== undefined)
			assert.equal(text, what);
	}
	assert.deepEqual((await h.status()).plugins,
	    ['below', 'configured', 'some-name', 'wished']);
});

test('a plugin block needs a route, or has its own', async (t) => {
	const dir = tempDir(t);
	const none = await buildPlugin(dir, 'none', easy('none', 'NULL'));
	const own = await buildPlugin(dir, 'own', easy('own', '"/own"'));
	const h = await startHostd(t, { conf: `
		plugin "a" { module = "${none}" }
		plugin "b" { module = "${own}" }
	` });

	assert.equal((await ask(h, '/a'))[0], 404);
	assert.equal((await ask(h, '/none'))[0], 404);
	assert.deepEqual(await ask(h, '/own'), [200, 'own']);
});

test('in name order, and only what is meant', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const h = await startHostd(t, { confd: {
		// Each starts with what the one before has set up.
		'10-first.conf': '',
		'B.conf': 'log_level = info\n',
		'a.conf': 'plugin "a" { module = "@DIR@/a.so" }\n',
		'b.so': so,
		'c.conf': 'route "/c" { plugin = "b" }\n' +
		    'route "/a" { plugin = "a" }\n',
		// None of these is read.
		'.hidden.conf': 'no', 'x.conf.sample': 'no', 'y.conf~': 'no',
		'z.so.1': 'no', 'README': 'no', 'conf': 'no', '.so': 'no',
		'.conf': 'no',
	}, files: { 'a.so': so } });

	assert.deepEqual((await h.status()).plugins, ['a', 'b']);

	await t.test('errors come in that order', async () => {
		for (const f of ['c.conf', 'B.conf', '10-first.conf', 'a.conf'])
			fs.writeFileSync(path.join(h.dir, 'conf.d', f),
			    'nonsense = 1\n');
		const r = await h.hostctl('reload');
		const files = [...r.stderr.matchAll(/conf\.d\/(\S+):1: /g)]
		    .map((m) => m[1]);

		assert.deepEqual(files,
		    ['10-first.conf', 'B.conf', 'a.conf', 'c.conf']);
	});
});

// The errors of hostd -t.
async function errorsOf(h) {
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1, r.stdout);
	return r.stderr.trimEnd().split('\n').slice(0, -1)
	    .map((l) => l.replace(/^hostd: /, '').replaceAll(`${h.dir}/`, ''));
}

test('two plugins that claim one route', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const plugins = 'plugin "one" { module = "@DIR@/life.so" }\n' +
	    'plugin "two" { module = "@DIR@/life.so" }\n';

	for (const [what, routes, collides] of [
		['the same', ['"/x" {', '"/x" {'], true],
		['the same prefix', ['"/x/" {', '"/x/" {'], true],
		['the same, as prefix and not', ['"/x/" {',
			'"/x/" { match = exact'], false],
		['other parameters', ['"/:a/b" {', '"/:z/b" {'], true],
		['the same of one host', ['"/x" { host = "a"',
			'"/x" { host = { "b", "a" }'], true],
		['another host', ['"/x" { host = "a"', '"/x" { host = "b"'],
			false],
		['any host and one', ['"/x" {', '"/x" { host = "b"'], false],
		['other methods', ['"/x" { methods = "GET"',
			'"/x" { methods = "POST"'], false],
		['the same method', ['"/x" { methods = { "PUT", "GET" }',
			'"/x" { methods = "GET"'], true],
		['any method and one', ['"/x" {', '"/x" { methods = "GET"'],
			true],
	])
		await t.test(what, async () => {
			const h = await prepareHostd(t, {
				files: { 'life.so': so },
				confd: { 'a.conf': `${plugins}\n` +
				    `route ${routes[0]} plugin = "one" }\n`,
				'b.conf': `\nroute ${routes[1]} ` +
				    'plugin = "two" }\n' } });

			if (!collides) {
				const r = await command(sbin('hostd'),
				    ['-t', '-c', h.confFile]);

				assert.equal(r.code, 0, r.stderr);
				return;
			}
			const errors = await errorsOf(h);

			assert.equal(errors.length, 1, errors.join('\n'));
			assert.match(errors[0],
			    new RegExp('^conf\\.d/b\\.conf:2: ' +
			    'route "\\S+" of plugin "two" is already taken by ' +
			    'plugin "one" at conf\\.d/a\\.conf:4$'));
		});
});

test('two bare plugins that claim one route', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const h = await prepareHostd(t, {
		confd: { 'one.so': so, 'two.so': so } });

	assert.deepEqual(await errorsOf(h), ['conf.d/two.so:1: route "/" of ' +
	    'plugin "two" is already taken by plugin "one" at conf.d/one.so:1']);
});

test('two plugins of one name', async (t) => {
	const so = fs.readFileSync(await lifePlugin());
	const h = await prepareHostd(t, { files: { 'life.so': so },
		confd: { 'a.conf': lifeConf(), 'life.so': so } });
	const errors = await errorsOf(h);

	assert.ok(errors.includes(
	    'conf.d/life.so:1: plugin "life" is already ' +
	    'defined at conf.d/a.conf:1'), errors.join('\n'));
});

test('conf_dir', async (t) => {
	for (const [name, code, what] of [
		['"absent"', 1, /hostd\.conf:5: conf_dir .*absent: No such file/],
		['"hostd.conf"', 1,
		    /hostd\.conf:5: conf_dir .*: Not a directory/],
	]) {
		const h = await prepareHostd(t, { conf: `conf_dir = ${name}` });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, code);
		assert.match(r.stderr, what);
	}
	const h = await prepareHostd(t, {});

	// The default need not be there.
	fs.rmSync(path.join(h.dir, 'conf.d'), { recursive: true });
	assert.equal((await command(sbin('hostd'),
	    ['-t', '-c', h.confFile])).code, 0);
});

test('the installed configuration passes', async (t) => {
	const r = await command(sbin('hostd'), ['-t', '-c',
		path.join(prefix, 'etc/hostd/hostd.conf')]);

	assert.equal(r.code, 0, r.stderr);
	const same = await command(bin('hostctl'), ['test']);

	assert.equal(same.code, 0, same.stderr);
	t.diagnostic(r.stdout);
});

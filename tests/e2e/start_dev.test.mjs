// SPDX-License-Identifier: BSD-2-Clause
// hostd --dev: one plugin, reloaded when it is built anew, and nothing left.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, freePort, Hostd, sbin, tempDir, until, within }
	from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const source = (text, route = '"/hello"') => `
#include <hostd/easy.h>

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "${text}");
}

HOSTD_EASY_ROUTE("hello", "1.0", ${route}, on_headers)
`;

// hostd --dev with TMPDIR in a directory of the test's own.
async function startDev(t, so, port) {
	const h = new Hostd(tempDir(t), port);

	fs.mkdirSync(path.join(h.dir, 'tmp'));
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	h.spawnArgs(['--dev', so, '--port', String(port)],
	    { TMPDIR: path.join(h.dir, 'tmp') });
	return h;
}

test('a plugin alone', async (t) => {
	const dir = tempDir(t);
	const so = await buildPlugin(dir, 'my.hello', source('one'));
	const port = await freePort();
	// At once: a linker may write in several goes, which are so many
	// reloads.
	const rebuild = async (text) => fs.renameSync(await buildPlugin(
	    tempDir(t), 'my.hello', source(text)), so);
	const h = await startDev(t, path.relative(process.cwd(), so), port);
	const [, url] = await h.logged(/^(http:\S+)$/m);
	const [, socket] = await h.logged(/^\(hostctl -s (\S+);/m);

	assert.equal(url, `http://127.0.0.1:${port}/hello`);
	assert.equal(await (await fetch(url)).text(), 'one');
	h.socket = socket;
	const ws = await h.workers();

	assert.deepEqual(ws.map((w) => [w.pool, w.state]), [['dev', 'ready']]);

	await t.test('is reloaded when it is built again', async () => {
		await rebuild('two');
		await h.logged('serving generation 2');
		assert.equal(await (await fetch(url)).text(), 'two');
	});

	await t.test('and stays when that has failed', async () => {
		fs.writeFileSync(so, 'not yet');
		await h.logged('watch: waiting for the next change');
		assert.equal(await (await fetch(url)).text(), 'two');
		// What failed may have been two changes.
		const from = h.log.length;

		await rebuild('three');
		await h.logged(/serving generation \d+$/m, from);
		assert.equal(await (await fetch(url)).text(), 'three');
	});

	await t.test('goes on over an upgrade', async () => {
		const r = await h.hostctl('upgrade');

		assert.equal(r.code, 0, r.stderr);
		const n = (await h.status()).generation;

		await rebuild('four');
		await h.logged(`serving generation ${n + 1}`);
		assert.equal(await (await fetch(url)).text(), 'four');
	});

	await t.test('is reloaded when a linker writes it in place', async () => {
		await buildPlugin(dir, 'my.hello', source('five'));
		await until(async () =>
			await (await fetch(url)).text() === 'five', 'five');
	});

	await t.test('leaves nothing', async () => {
		assert.deepEqual(await h.stop('SIGINT'),
		    { code: 0, signal: null });
		assert.deepEqual(fs.readdirSync(path.join(h.dir, 'tmp')), []);
	});
});

test('one without a route has its name', async (t) => {
	const so = await buildPlugin(tempDir(t), 'bare', source('x', 'NULL'));
	const h = await startDev(t, so, await freePort());
	const [, url] = await h.logged(/^(http:\S+)$/m);

	assert.ok(url.endsWith('/bare'), url);
	assert.equal((await fetch(url)).status, 200);
});

test('one that is broken', async (t) => {
	const dir = tempDir(t);
	const so = path.join(dir, 'broken.so');

	fs.writeFileSync(so, 'text');
	const h = await startDev(t, so, await freePort());
	const { code } = await within(h.ended, 'end of hostd');

	assert.equal(code, 1);
	assert.match(h.log, /broken\.so.*not a shared object/);
	assert.deepEqual(fs.readdirSync(path.join(h.dir, 'tmp')), []);
});

test('usage', async (t) => {
	const dir = tempDir(t);

	for (const [args, code, what] of [
		[['--dev', path.join(dir, 'absent.so')], 1,
		    /absent\.so: No such file or directory/],
		[['--dev', 'a.so', '-t'], 2, /--dev goes with --port alone/],
		[['--dev', 'a.so', '-c', 'x'], 2,
		    /--dev goes with --port alone/],
		[['--port', '80'], 2, /--port goes with --dev/],
		[['--dev', 'a.so', '--port', '0'], 2, /1 to 65535, not "0"/],
		[['--dev', 'a.so', '--port', 'http'], 2,
		    /1 to 65535, not "http"/],
	]) {
		const r = await command(sbin('hostd'), args);

		assert.equal(r.code, code, r.stderr);
		assert.match(r.stderr, what);
	}
});

// SPDX-License-Identifier: BSD-2-Clause
// A full disk below both logs: nobody waits.  Lines of access logs are lost and
// counted, those of the error log are kept until there is room again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, until } from './lib/hostd.mjs';

const RELOADS = 10;

const may = async (...args) => (await command(args[0], args.slice(1))
    .catch(() => ({ code: 1 }))).code === 0;

async function start(t) {
	const h = await prepareHostd(t, { conf: `
		control = "@DIR@/control.sock"
		error_log = "@DIR@/logs/error.log"
		access_log "a" { path = "@DIR@/logs/access.log"  format = "$uri" }
		plugin "ok" { module = "http_respond.so"  body = "hello" }
		route "/" { plugin = "ok"  match = prefix }` });
	const at = path.join(h.dir, 'logs');

	fs.mkdirSync(at);
	h.socket = path.join(h.dir, 'control.sock');
	h.through = ['unshare', '-m', 'sh', '-c',
		`mount -t tmpfs -o mode=0755,size=256k none ${at} && exec "$@"`,
		'sh'];
	h.spawn();
	atEnd(t, () => h.stop('SIGQUIT'));
	await h.listening();
	// As hostd sees it.
	h.logs = path.join(`/proc/${h.child.pid}/root`, at);
	return h;
}

const ok = async (h, uri) => assert.equal((await command('curl', ['-s', '-o',
	'/dev/null', '-w', '%{http_code}', h.url + uri])).stdout, '200');

test('a full disk', async (t) => {
	if (!await may('unshare', '-m', 'true')) {
		t.skip('nothing may be mounted here');
		return;
	}
	const h = await start(t);
	const read = (name) => fs.readFileSync(path.join(h.logs, name), 'utf8');
	const has = (name, what) => until(() => what.test(read(name)) &&
	    read(name), `${what} in ${name}`);

	await has('error.log', /serving generation 1$/m);
	await ok(h, '/before');
	await has('access.log', /^\/before$/m);
	const filler = path.join(h.logs, 'filler');
	const fd = fs.openSync(filler, 'w');

	assert.throws(() => {
		for (;;)
			fs.writeSync(fd, Buffer.alloc(4096));
	}, { code: 'ENOSPC' });
	fs.closeSync(fd);
	// The rest of the page that each of them has is soon taken.
	for (let i = 0; i < 60; i++)
		await ok(h, `/${'x'.repeat(200)}`);
	for (let i = 0; i < RELOADS; i++)
		assert.equal((await h.hostctl('reload')).code, 0);
	await ok(h, '/during');
	assert.doesNotMatch(read('access.log'), /during/);
	assert.doesNotMatch(read('error.log'),
	    new RegExp(`serving generation ${RELOADS + 1}$`, 'm'));
	await until(async () => (await h.status()).log_dropped > 0,
	    'count of what is lost');

	fs.rmSync(filler);
	await until(async () => {
		await ok(h, '/after');
		return /^\/after$/m.test(read('access.log'));
	}, 'lines of the access log');
	const text = await has('error.log',
	    new RegExp(`serving generation ${RELOADS + 1}$`, 'm'));

	// The one that was torn may have others' between its parts.
	assert.ok(text.match(/serving generation \d+$/gm).length >= RELOADS);
	assert.doesNotMatch(text, /died|were dropped/);
});

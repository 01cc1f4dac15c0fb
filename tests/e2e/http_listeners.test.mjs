// SPDX-License-Identifier: BSD-2-Clause
// Listeners on IPv4, IPv6 and unix sockets serve the same.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, freePort } from './lib/hostd.mjs';
import { ask, connect, get, post, serveShow } from './lib/http1.mjs';

test('IPv6', async (t) => {
	const port = await freePort();
	await serveShow(t, '',
	    `listen "six" { address = "[::1]:${port}" }`,
	    { port, noPort: true });
	const where = { port, host: '::1' };
	const r = await ask(t, where, '/x');

	assert.equal(r.json.path, '/x');
	assert.equal(r.json.peer, '::1');
	const curl = await command('curl', ['-sS', `http://[::1]:${port}/y`]);

	assert.equal(JSON.parse(curl.stdout).host, '[::1]');
	await assert.rejects(connect(t, { port, host: '127.0.0.1' }),
	    { code: 'ECONNREFUSED' });
});

test('IPv4, IPv6 and a unix socket at once', async (t) => {
	const port = await freePort();
	const h = await serveShow(t, '', `
		listen "four" { address = "127.0.0.1:${port}" }
		listen "six" { address = "[::1]:${port}" }
		listen "unix" { address = "unix:@DIR@/http.sock" }`, { port });

	for (const [where, peer] of [
		[{ port, host: '127.0.0.1' }, '127.0.0.1'],
		[{ port, host: '::1' }, '::1'],
		[{ path: `${h.dir}/http.sock` }, 'unix']])
		assert.equal((await ask(t, where, '/')).json.peer, peer);
});

test('a unix socket: everything a port can', async (t) => {
	const h = await serveShow(t, '', `
		listen "unix" { address = "unix:@DIR@/http.sock"  permissions = "0600" }
		pool "web" { workers = 2 }`, { noPort: true });
	const where = { path: `${h.dir}/http.sock` };

	assert.equal(fs.statSync(where.path).mode & 0o777, 0o600);
	const c = await connect(t, where);

	await c.send(get('/1') + post('/2', 'body') + get('/3'));
	for (const path of ['/1', '/2', '/3'])
		assert.equal(JSON.parse((await c.next()).body).path, path);
	await c.send(get('/?length=3000000'));
	assert.equal((await c.next()).body.length, 3000000);
	c.finish();
	assert.equal(await c.end(), '');
	const r = await command('curl', ['-sS', '--unix-socket', where.path,
		'-d', 'data', 'http://name/p']);
	const seen = JSON.parse(r.stdout);

	assert.deepEqual([seen.host, seen.path, seen.body],
	    ['name', '/p', 'data']);
	// Through a reload, too.
	const one = await connect(t, where);

	await one.send(get('/'));
	await one.next();
	const reload = h.hostctl('reload');

	await h.logged('serving generation 2');
	assert.equal((await ask(t, where, '/')).status, 200);
	one.destroy();
	assert.equal((await reload).code, 0);
});

test('the sockets of a server that has stopped', async (t) => {
	const h = await serveShow(t, '', `
		listen "unix" { address = "unix:@DIR@/http.sock" }`,
	    { noPort: true });

	assert.equal((await ask(t, { path: `${h.dir}/http.sock` }, '/')).status,
	    200);
	await h.stop('SIGQUIT');
	assert.equal(fs.existsSync(`${h.dir}/http.sock`), false);
});

test('a unix socket that a killed server left is taken over', async (t) => {
	const h = await serveShow(t, '', `
		listen "unix" { address = "unix:@DIR@/http.sock" }`,
	    { noPort: true });
	const where = { path: `${h.dir}/http.sock` };

	for (const pid of h.pids().reverse())
		process.kill(pid, 'SIGKILL');
	await h.ended;
	assert.ok(fs.existsSync(where.path));
	h.exited = false;
	h.log = '';
	h.spawn();
	await h.logged('serving generation');
	assert.equal((await ask(t, where, '/')).status, 200);
});

test('a file that is no socket is not', async (t) => {
	const h = await serveShow(t, '', `
		listen "unix" { address = "unix:@DIR@/plain" }`,
	    { noPort: true, ready: false, files: { plain: 'precious' } });

	assert.equal((await h.ended).code, 1);
	assert.match(h.log, /hostd\.conf:\d+: .*\/plain/);
	assert.equal(fs.readFileSync(`${h.dir}/plain`, 'utf8'), 'precious');
});

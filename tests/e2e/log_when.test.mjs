// SPDX-License-Identifier: BSD-2-Clause
// What access logs have lines for; and when the disk is full.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command, prepareHostd, sbin, until } from './lib/hostd.mjs';
import { ask, connect, get, plugin, serveShow } from './lib/http1.mjs';

const log = (name, keys, format = '$uri') => `access_log "${name}" {
	path = "${name}.log"  format = "${format}"  ${keys} }\n`;

const read = (h, name) => fs.readFileSync(`${h.dir}/${name}`, 'utf8');
const fileHas = (h, name, what) => until(() => what.test(read(h, name)),
    `${what} in ${name}`);

test('statuses, time and variables; all have to hold', async (t) => {
	const h = await serveShow(t, '', log('all', '') +
	    log('bad', 'statuses = {"4xx", "503", "500-501"}', '$status') +
	    log('slow', 'slower_than = 1h') + log('never', 'sample = 0') +
	    log('named', 'if = "$http_x_debug"') +
	    log('both', 'if = "$http_x_debug"  statuses = {"404"}'),
	{ noPort: true });
	const c = await connect(t, h.port);
	const debug = (v) => [`X-Debug: ${v}`];

	for (const [path, ...headers] of [['/1?status=404'],
		['/2?status=404', ...debug('yes')], ['/3?status=503'],
		['/4?status=502'], ['/5?status=501', ...debug('1')],
		['/6', ...debug('0')], ['/7', ...debug('')],
		['/8', ...debug('-')], ['/9']]) {
		await c.send(get(path, ...headers));
		await c.next();
	}
	await fileHas(h, 'all.log', /^\/9$/m);
	assert.equal(read(h, 'bad.log'), '404\n404\n503\n501\n');
	assert.equal(read(h, 'slow.log'), '');
	assert.equal(read(h, 'never.log'), '');
	assert.equal(read(h, 'named.log'), '/2\n/5\n');
	assert.equal(read(h, 'both.log'), '/2\n');
});

test('a sample is about as large as it should be', async (t) => {
	const h = await serveShow(t, '', log('all', '') +
	    log('some', 'sample = 0.1'), { noPort: true });
	const c = await connect(t, h.port);
	const n = 4000;

	for (let i = 0; i < n; i += 100) {
		await c.send(get('/x').repeat(100));
		for (let k = 0; k < 100; k++)
			await c.next();
	}
	await until(() => read(h, 'all.log').split('\n').length === n + 1,
	    'all lines');
	const some = read(h, 'some.log').split('\n').length - 1;

	// Ten standard deviations.
	assert.ok(some > 210 && some < 590, `${some} of ${n}`);
});

test('mistakes', async (t) => {
	const h = await prepareHostd(t, { conf: `access_log "a" {
	path = "a.log"
	statuses = {"4x", "600"}
	sample = 2
	if = "$nothing"
}
plugin "show" { module = "${await plugin('show_route')}" }` });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr, /status "4x" is neither/);
	assert.match(r.stderr, /status "600" is neither/);
	assert.match(r.stderr, /"sample": "2" is not a share/);
	const b = await prepareHostd(t, { conf: `access_log "a" {
	path = "a.log"
	if = "$nothing"
}
plugin "show" { module = "${await plugin('show_route')}" }` });
	const s = await command(sbin('hostd'), ['-t', '-c', b.confFile]);

	assert.match(s.stderr, /access_log if: "\$nothing" is not a variable/);
});

// No file of the worker's may be larger: what a full disk looks like.
async function limit(h, bytes) {
	const [{ pid }] = await h.workers();
	const r = await command('prlimit', ['--pid', String(pid),
		`--fsize=${bytes}:`]);

	assert.equal(r.code, 0, r.stderr);
}

test('a full disk costs lines, which are counted, and nothing else',
    async (t) => {
	const h = await serveShow(t, '', log('a', ''), { noPort: true });
	const ok = async (path) => assert.equal((await ask(t, h.port, path))
	    .status, 200);

	await ok('/before');
	await fileHas(h, 'a.log', /\/before\n/);
	await limit(h, 12);
	await ok('/torn-in-the-middle');
	await h.logged(/access_log .*a\.log: File too large; lines are lost/);
	await ok('/lost');
	await until(async () => (await h.status()).log_dropped === 2,
	    'loss of that line');
	await limit(h, 'unlimited');
	await ok('/after');
	await h.logged(/access_log .*a\.log: takes lines again; \d are lost/);
	await ok('/end');
	await fileHas(h, 'a.log', /\/end\n/);
	const lines = read(h, 'a.log').split('\n');

	assert.deepEqual([lines[0], ...lines.slice(2)],
	    ['/before', '/after', '/end', '']);
	assert.ok('/torn-in-the-middle'.startsWith(lines[1]), lines[1]);
	assert.equal((h.log.match(/lines are lost, and counted/g)).length, 1);
	const { stdout } = await h.hostctl('status', '--json');

	assert.match(stdout, /"log_dropped": ?2/);
});

test('so does one that is full from the start', async (t) => {
	const h = await serveShow(t, '', `access_log "a" { path = "/dev/full" }
error_log = "@DIR@/error.log"`, { ready: false });

	await h.listening();
	for (let i = 0; i < 3; i++)
		assert.equal((await ask(t, h.port, '/')).status, 200);
	await fileHas(h, 'error.log',
	    /access_log \/dev\/full: No space left on device; lines are lost/);
});

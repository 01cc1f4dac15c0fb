// SPDX-License-Identifier: BSD-2-Clause
// hostd --daemon, its pid file, and what it tells a service manager.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, prepareHostd, sbin, tempDir, within }
    from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client } from './lib/load.mjs';

const read = (h, name) => fs.readFileSync(path.join(h.dir, name), 'utf8');

test('--daemon returns when it serves', async (t) => {
	const h = await prepareHostd(t, {
		conf: 'pid_file = "@DIR@/pid"\nerror_log = "@DIR@/log"' });
	const r = await command(sbin('hostd'), ['-c', h.confFile, '--daemon']);

	atEnd(t, () => h.hostctl('stop', '--now'));
	assert.equal(r.code, 0, r.stderr);
	assert.equal(r.stdout + r.stderr, '');
	assert.match(read(h, 'log'), /serving generation 1$/m);
	const pid = Number(read(h, 'pid'));

	assert.equal((await h.status()).pid, pid);
	assert.equal(fs.statSync(path.join(h.dir, 'pid')).mode & 0o777, 0o644);

	await t.test('in a session of its own, with nothing of ours', () => {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		const [, ppid, , session] = stat.slice(
		    stat.lastIndexOf(')') + 2).split(' ');

		assert.equal(Number(session), pid);
		assert.notEqual(Number(ppid), process.pid);
		for (const fd of [0, 1, 2])
			assert.equal(fs.readlinkSync(`/proc/${pid}/fd/${fd}`),
			    '/dev/null');
	});

	await t.test('it serves, reloads and stops', async () => {
		const c = new Client(h.port);

		assert.equal((await c.ask('/', true)).status, 404);
		assert.equal((await h.hostctl('reload')).code, 0);
		assert.match(read(h, 'log'), /serving generation 2$/m);
		assert.equal((await h.hostctl('stop')).code, 0);
		assert.ok(!fs.existsSync(path.join(h.dir, 'pid')));
	});
});

test('--daemon fails where a start fails', async (t) => {
	for (const [conf, why] of [
		['error_log = "@DIR@/log"\nplugin "x" { module = "x.so" }',
			/x\.so: No such file/],
		['', /set error_log to a file/],
		['error_log = "@DIR@/log"\npid_file = "/absent/pid"',
			/pid_file \/absent\/pid/],
	]) {
		const h = await prepareHostd(t, { conf });
		const r = await command(sbin('hostd'),
		    ['-c', h.confFile, '--daemon']);

		assert.equal(r.code, 1, conf);
		assert.match(r.stderr, why);
		assert.equal((await h.hostctl('status')).code, 3);
	}
});

test('a pid file that is another\'s stays', async (t) => {
	const h = await startLife(t, { conf: 'pid_file = "@DIR@/pid"' });

	// Written when it answers, if not before.
	await h.status();
	assert.equal(read(h, 'pid'), `${h.child.pid}\n`);
	fs.writeFileSync(path.join(h.dir, 'pid'), '1\n');
	await h.stop();
	assert.equal(read(h, 'pid'), '1\n');
});

// node has no datagram sockets of this kind.  Each message becomes a line, with
// tabs for its line ends.
const receiver = `
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t i, n = strlen(argv[argc - 1]);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[4096];
	ssize_t len;

	memcpy(sun.sun_path, argv[argc - 1], n);
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = 0;
	n += offsetof(struct sockaddr_un, sun_path);
	if (bind(fd, (struct sockaddr *)&sun, (socklen_t)n) == -1)
		return 1;
	for (puts("bound"); fflush(stdout) == 0; putchar(10)) {
		if ((len = recv(fd, buf, sizeof(buf), 0)) < 0)
			return 1;
		for (i = 0; i < (size_t)len; i++)
			putchar(buf[i] == 10 ? 9 : buf[i]);
	}
	return 1;
}
`;

// A datagram socket; next() is the next message.
async function notifySocket(t, where) {
	const dir = tempDir(t);
	const program = path.join(dir, 'receiver');

	fs.writeFileSync(`${program}.c`, receiver);
	const cc = await command(process.env.CC ?? 'gcc',
	    ['-o', program, `${program}.c`]);

	assert.equal(cc.code, 0, cc.stderr);
	const p = spawn(program, [where],
	    { stdio: ['ignore', 'pipe', 'inherit'] });
	const lines = [];
	let text = '', wake = () => {};

	atEnd(t, () => p.kill());
	p.stdout.setEncoding('utf8').on('data', (d) => {
		text += d;
		const all = text.split('\n');

		text = all.pop();
		lines.push(...all);
		wake();
	});
	const next = () => within((async () => {
		while (lines.length === 0)
			await new Promise((r) => { wake = r; });
		return lines.shift().split('\t');
	})(), 'message');

	assert.deepEqual(await next(), ['bound']);
	return next;
}

for (const kind of ['path', 'abstract'])
	test(`a service manager is told, ${kind}`, async (t) => {
		const where = `${kind === 'path' ? '' : '@'}` +
		    `${tempDir(t)}/notify`;
		const next = await notifySocket(t, where);
		const h = await startLife(t, { env: { NOTIFY_SOCKET: where } });

		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 1']);
		// It is the master's affair: workers do not have it.
		for (const w of await h.workers())
			assert.ok(!fs.readFileSync(`/proc/${w.pid}/environ`,
			    'utf8').includes('NOTIFY_SOCKET'));

		assert.equal((await h.hostctl('reload')).code, 0);
		const [reloading, usec, status] = await next();

		assert.equal(reloading, 'RELOADING=1');
		assert.match(usec, /^MONOTONIC_USEC=\d+$/);
		assert.equal(status, 'STATUS=reloading');
		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 2']);

		// A reload that fails ends as well.
		fs.writeFileSync(path.join(h.dir, 'conf.d/x.conf'), 'x');
		assert.equal((await h.hostctl('reload')).code, 1);
		assert.equal((await next())[0], 'RELOADING=1');
		assert.deepEqual(await next(),
		    ['READY=1', 'STATUS=serving generation 2']);

		h.child.kill('SIGTERM');
		assert.deepEqual(await next(), ['STOPPING=1', 'STATUS=draining']);
		await h.ended;
	});

test('a start that fails does not say that it is ready', async (t) => {
	const dir = tempDir(t);
	const next = await notifySocket(t, `${dir}/notify`);
	const h = await prepareHostd(t, { conf: 'plugin "x" { module = "x.so" }' });
	const r = await command(sbin('hostd'), ['-c', h.confFile],
	    { env: { ...process.env, NOTIFY_SOCKET: `${dir}/notify` } });

	assert.equal(r.code, 1);
	assert.deepEqual(await next(), ['STOPPING=1', 'STATUS=draining']);
});

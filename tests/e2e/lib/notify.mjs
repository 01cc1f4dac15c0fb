// SPDX-License-Identifier: BSD-2-Clause
// What a service manager is told.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { atEnd, command, tempDir, within } from './hostd.mjs';

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
export async function notifySocket(t, where) {
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

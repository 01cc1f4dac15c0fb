// SPDX-License-Identifier: BSD-2-Clause
// N requests one after the other over one connection to a unix socket, which
// may not be there yet.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const sock = process.argv[2];
let left = Number(process.argv[3]);
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const end = Buffer.from('hello, world\n');

let running = false;

function run() {
	if (running)
		return;
	running = true;
	const s = net.connect(sock);
	let seen = Buffer.alloc(0);
	s.on('error', () => {
		running = false;
		setImmediate(waitForSocket);
	});
	s.on('connect', () => s.write(request));
	s.on('data', (d) => {
		seen = Buffer.concat([seen, d]);
		if (!seen.includes(end))
			return;
		seen = Buffer.alloc(0);
		if (--left === 0) {
			watcher?.close();
			s.end();
		} else
			s.write(request);
	});
}

let watcher;
function waitForSocket() {
	watcher ??= fs.watch(path.dirname(sock), () => {
		if (fs.existsSync(sock))
			run();
	});
	if (fs.existsSync(sock))
		run();
}
waitForSocket();

// SPDX-License-Identifier: BSD-2-Clause
// `sequence.mjs SOCKET N PATH [START]`: N requests one after the other over one
// connection to a unix socket, which may not be there yet; one for START before
// them, whose cookie they have.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const [sock, times, target, start] = process.argv.slice(2);
const end = Buffer.from('hello, ');

let left = Number(times) + (start ? 1 : 0);
let request = `GET ${start ?? target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

// Nothing of an answer is behind its only line.
function answered(text) {
	const cookie = /^Set-Cookie: ([^;\r]*)/m.exec(text)?.[1];
	if (cookie)
		request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n` +
		    `Cookie: ${cookie}\r\n\r\n`;
	if (!text.startsWith('HTTP/1.1 200'))
		throw new Error(text);
}

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
		if (seen.at(-1) !== 10 || !seen.includes(end))
			return;
		answered(seen.toString());
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

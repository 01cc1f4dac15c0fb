// SPDX-License-Identifier: BSD-2-Clause
// `starts.mjs URL N`: N requests without a cookie, each of which is greeted, 16
// at a time over each of 16 connections.
import net from 'node:net';

const url = new URL(process.argv[2]);
const times = Number(process.argv[3]);
const request = `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`;
const greeting = 'hello, somebody\n';
let sent = 0;
let greeted = 0;

function ask(s, n) {
	n = Math.min(n, times - sent);
	sent += n;
	if (n > 0)
		s.write(request.repeat(n));
}

function fail(text) {
	console.error(`bench: ${greeted} of ${times} were greeted: ${text}`);
	process.exit(1);
}

function start() {
	const s = net.connect(Number(url.port), url.hostname);
	let rest = '';
	ask(s, 16);
	s.on('data', (d) => {
		const parts = (rest + d.latin1Slice()).split(greeting);
		rest = parts.pop();
		const bad = parts.find((p) => !p.startsWith('HTTP/1.1 200'));
		if (bad ?? rest.length > 4096)
			fail(bad ?? rest);
		greeted += parts.length;
		if (greeted === times)
			process.exit(0);
		ask(s, parts.length);
	});
	s.on('error', (err) => fail(err.message));
	s.on('close', () => fail('a connection was closed'));
}

for (let i = 0; i < 16; i++)
	start();

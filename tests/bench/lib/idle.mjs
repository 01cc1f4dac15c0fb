// SPDX-License-Identifier: BSD-2-Clause
// Open N connections, make one request on each, keep them idle, say so.
import net from 'node:net';

const url = new URL(process.argv[2]);
const n = Number(process.argv[3]);
const head = `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`;

function one() {
	return new Promise((resolve, reject) => {
		const s = net.connect(Number(url.port), url.hostname);
		s.on('error', reject);
		s.once('data', () => resolve(s));
		s.write(head);
	});
}

for (let i = 0; i < n; i += 100)
	await Promise.all(Array.from({ length: 100 }, one));
console.log('ready');
setInterval(() => {}, 1 << 30);

// SPDX-License-Identifier: BSD-2-Clause
// Node's http in a cluster of PM2: `plain.mjs PORT FILE` answers with what was
// in the file when it started, and ends as PM2 asks for it.
import fs from 'node:fs';
import http from 'node:http';

const [port, file] = process.argv.slice(2);
const text = fs.readFileSync(file);
const server = http.createServer((req, res) => {
	res.writeHead(200, { 'content-type': 'text/plain',
		'content-length': text.length });
	res.end(text);
});

server.keepAliveTimeout = 3_600_000;
server.listen(Number(port), '127.0.0.1');
process.on('SIGINT', () => server.close(() => process.exit(0)));

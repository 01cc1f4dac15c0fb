// SPDX-License-Identifier: BSD-2-Clause
// Node's ws, sending back what comes: `echo.mjs [deflate]`.  Prints its port.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.HOSTD_NPM, 'package.json'));
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
	host: '127.0.0.1',
	port: 0,
	backlog: 4096,
	perMessageDeflate: process.argv[2] === 'deflate',
}, () => console.log(server.address().port));

server.on('connection', (ws) => {
	ws.on('message', (data, binary) => ws.send(data, { binary }));
});

// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: what one sends to the room, all others in it get.  Prints its
// port.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.HOSTD_NPM, 'package.json'));
const { Server } = require('socket.io');

const server = http.createServer();
const io = new Server(server, {
	transports: ['websocket'],
	perMessageDeflate: false,
	serveClient: false,
});

io.on('connection', (socket) => {
	socket.join('fan');
	socket.on('m', (data) => socket.to('fan').emit('m', data));
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
	console.log(server.address().port));

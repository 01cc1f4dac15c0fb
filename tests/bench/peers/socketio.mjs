// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: "m" goes to all others in the room, "e" comes back.  With a port
// of Redis as argument it is one node of a cluster.  Prints its port.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.HOSTD_NPM, 'package.json'));
const { Server } = require('socket.io');

const options = { perMessageDeflate: false, serveClient: false };

if (process.argv[2] !== undefined) {
	const { createClient } = require('redis');
	const { createAdapter } = require('@socket.io/redis-adapter');
	const pub = createClient({ url:
	    `redis://127.0.0.1:${process.argv[2]}` });
	const sub = pub.duplicate();

	await Promise.all([pub.connect(), sub.connect()]);
	options.adapter = createAdapter(pub, sub);
}

const server = http.createServer();
const io = new Server(server, options);

io.on('connection', (socket) => {
	socket.join('fan');
	socket.on('m', (data) => socket.to('fan').emit('m', data));
	socket.on('e', (data) => socket.emit('e', data));
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
	console.log(server.address().port));

// SPDX-License-Identifier: BSD-2-Clause
// A server of its own process, as people have them behind a proxy: started,
// killed, and started again on the same port.  Answers begin with its pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { atEnd, freePort, within } from './hostd.mjs';

const program = (delay) => `
	import http from 'node:http';
	const server = http.createServer({ keepAliveTimeout: 60000 },
	    (req, res) => setTimeout(() => {
		const body = process.pid + ' ' + req.url;
		res.writeHead(200, { 'Content-Length': body.length });
		res.end(body);
	}, ${delay}));
	server.listen(Number(process.argv[1]), '127.0.0.1', () =>
	    console.log('listening'));
	// Whoever stops it lets it end what it has begun.
	process.on('SIGTERM', () => {
		server.close(() => process.exit(0));
		server.closeIdleConnections();
	});
`;

export class App {
	static async start(t, { delay = 2 } = {}) {
		const a = new App();

		a.delay = delay;
		a.port = await freePort();
		await a.again();
		atEnd(t, () => a.stop('SIGKILL'));
		return a;
	}

	// On the port that it had.
	async again() {
		this.child = spawn(process.execPath,
		    ['--input-type=module', '-e',
			program(this.delay), String(this.port)],
		    { stdio: ['ignore', 'pipe', 'inherit'] });
		this.ended = once(this.child, 'exit');
		await within(Promise.race([
			once(this.child.stdout, 'data'),
			this.ended.then(() => { throw new Error('it ended'); }),
		]), 'listener of a server');
		this.pid = this.child.pid;
	}

	async stop(signal = 'SIGTERM') {
		this.child.kill(signal);
		await within(this.ended, 'end of a server');
	}
}

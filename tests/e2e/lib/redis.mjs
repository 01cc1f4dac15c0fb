// SPDX-License-Identifier: BSD-2-Clause
// A redis-server of a test's own, and a client that can say anything to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { atEnd, freePort, tempDir, until, within } from './hostd.mjs';

// The first answer in buf, as { value, end }, or null: more is needed.
function parse(buf, at = 0) {
	const eol = buf.indexOf('\r\n', at);

	if (eol < 0)
		return null;
	const line = buf.toString('latin1', at + 1, eol);
	const n = Number(line);
	let end = eol + 2;

	switch (String.fromCharCode(buf[at])) {
	case '+':
		return { value: line, end };
	case '-':
		return { value: new Error(line), end };
	case ':':
		return { value: n, end };
	case '$':
		if (n < 0)
			return { value: null, end };
		if (buf.length < end + n + 2)
			return null;
		return { value: buf.toString('latin1', end, end + n),
			end: end + n + 2 };
	case '*': {
		const value = [];

		for (let i = 0; i < n; i++) {
			const item = parse(buf, end);

			if (!item)
				return null;
			value.push(item.value);
			end = item.end;
		}
		return { value: n < 0 ? null : value, end };
	}
	default:
		throw new Error(`not an answer: ${line}`);
	}
}

// Commands over one connection, each answered before the next is sent.
export class Client {
	#buf = Buffer.alloc(0);
	#waiting = [];

	static async connect(t, where) {
		const c = new Client();

		c.socket = net.connect(where);
		atEnd(t, () => c.socket.destroy());
		c.socket.on('data', (d) => {
			c.#buf = Buffer.concat([c.#buf, d]);
			for (let r; (r = parse(c.#buf)) !== null;) {
				c.#buf = c.#buf.subarray(r.end);
				c.#waiting.shift()?.(r.value);
			}
		});
		c.socket.on('error', () => {});
		c.socket.on('close', () => {
			for (const f of c.#waiting.splice(0))
				f(new Error('closed'));
		});
		await within(once(c.socket, 'connect'), 'Redis');
		return c;
	}

	async command(...words) {
		const all = words.map((w) => Buffer.from(String(w), 'latin1'));
		const answer = new Promise((r) => this.#waiting.push(r));

		this.socket.write(Buffer.concat([
			Buffer.from(`*${all.length}\r\n`),
			...all.flatMap((b) => [Buffer.from(`$${b.length}\r\n`),
				b, Buffer.from('\r\n')])]));
		const r = await within(answer, `answer to ${words[0]}`);

		if (r instanceof Error)
			throw r;
		return r;
	}
}

export class Redis {
	log = '';

	constructor(t, options) {
		Object.assign(this, { t, port: 0, args: [], ...options });
		this.dir ??= tempDir(t);
		this.socket = path.join(this.dir, 'redis.sock');
		this.url = this.port ? `redis://127.0.0.1:${this.port}` :
		    `unix://${this.socket}`;
		atEnd(t, () => this.kill());
	}

	async start() {
		this.child = spawn('redis-server', ['--port', this.port,
			'--bind', '127.0.0.1', '--unixsocket', this.socket,
			'--dir', this.dir, '--daemonize', 'no', '--save', '',
			'--appendonly', 'no', ...this.args].map(String),
		{ stdio: ['ignore', 'pipe', 'pipe'] });
		this.ended = once(this.child, 'exit');
		const from = this.log.length;
		const ready = new Promise((resolve, reject) => {
			const text = (d) => {
				this.log += d;
				if (/ready to accept connections/i.test(
				    this.log.slice(from)))
					resolve();
			};

			this.child.stdout.setEncoding('utf8').on('data', text);
			this.child.stderr.setEncoding('utf8').on('data', text);
			this.child.on('error', reject);
			this.child.on('exit', () =>
			    reject(
			    new Error(`redis-server ended:\n${this.log}`)));
		});

		await within(ready, 'redis-server');
		this.client = undefined;
		return this;
	}

	// At once, with all connections to it.
	async kill() {
		this.child?.kill('SIGKILL');
		await this.ended;
		this.child = undefined;
	}

	// It answers nobody any more.
	pause() {
		this.child.kill('SIGSTOP');
	}

	resume() {
		this.child.kill('SIGCONT');
	}

	async command(...words) {
		this.client ??= await Client.connect(this.t,
		    { path: this.socket });
		return this.client.command(...words);
	}

	// Until pred of the answer holds.
	async until(pred, ...words) {
		return until(async () => {
			const r = await this.command(...words);

			return pred(r) && r;
		}, `${words.join(' ')} as expected`);
	}

	// Until a channel has so many subscribers.
	subscribers(channel, n) {
		return this.until((r) => r[1] === n, 'PUBSUB', 'NUMSUB',
		    `hostd:${channel}`);
	}
}

// What hostd counts of its backend.
export async function backendOf(h) {
	const st = await h.status();

	return st.backend ?? st.status.backend;
}

export const startRedis = (t, options = {}) => new Redis(t, options).start();

let epochs = 0;

// One that may become part of a cluster, with an epoch of its own: where two
// have the same, one of them takes another some time later, and whose a slot is
// may change with it.
export async function startMember(t, nodeTimeout = 1000) {
	const r = await startRedis(t, { port: await freePort(), args: [
		'--cluster-enabled', 'yes', '--cluster-node-timeout', nodeTimeout,
		'--cluster-allow-replica-migration', 'no',
		'--cluster-port', await freePort()] });

	r.id = await r.command('CLUSTER', 'MYID');
	await r.command('CLUSTER', 'SET-CONFIG-EPOCH', ++epochs);
	return r;
}

// Until all have heard of the latest epoch: who takes a slot then has a later
// one than whoever had it.
export const agreed = (all) => until(async () => {
	const each = await Promise.all(all.map(async (r) =>
	    /^cluster_current_epoch:(\d+)/m.exec(
	    await r.command('CLUSTER', 'INFO'))[1]));

	return new Set(each).size === 1;
}, 'one epoch');

// Let them know of each other.
export async function acquaint(all) {
	for (const r of all.slice(1))
		await all[0].command('CLUSTER', 'MEET', '127.0.0.1', r.port,
		    r.args.at(-1));
	for (const r of all)
		await r.until((s) =>
		    s.trim().split('\n').length === all.length &&
		    !s.includes('handshake'), 'CLUSTER', 'NODES');
	await agreed(all);
}

// Masters that share the slots among them, and replicas of the first ones.  Who
// does not answer for nodeTimeout, in ms, is dead to the others.
export async function startCluster(t, masters = 3, replicas = 0,
    nodeTimeout = 1000) {
	const all = [];

	for (let i = 0; i < masters + replicas; i++)
		all.push(await startMember(t, nodeTimeout));
	for (const [i, r] of all.slice(0, masters).entries())
		await r.command('CLUSTER', 'ADDSLOTSRANGE',
		    Math.floor(i * 16384 / masters),
		    Math.floor((i + 1) * 16384 / masters) - 1);
	await acquaint(all);
	for (const [i, r] of all.slice(masters).entries())
		await r.command('CLUSTER', 'REPLICATE', all[i].id);
	for (const r of all)
		await r.until((s) => s.includes('cluster_state:ok') &&
		    s.includes('cluster_slots_ok:16384'), 'CLUSTER', 'INFO');
	for (const r of all.slice(masters))
		await r.until((s) => s.includes('master_link_status:up'),
		    'INFO', 'replication');
	return all;
}

// Masters of which none is going to die: nor is one taken for dead that has
// stood still.
export async function startPatientCluster(t) {
	const all = await startCluster(t);

	for (const r of all)
		await r.command('CONFIG', 'SET', 'cluster-node-timeout',
		    3_600_000);
	return all;
}

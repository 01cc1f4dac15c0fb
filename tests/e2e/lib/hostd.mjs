// SPDX-License-Identifier: BSD-2-Clause
// Start the installed hostd in a directory and on a port of its own, talk to
// it, and leave nothing behind.
import { execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export const prefix = process.env.HOSTD_PREFIX ?? '/usr/local';
export const top = process.env.HOSTD_TOP ?? process.cwd();
export const sbin = (name) => path.join(prefix, 'sbin', name);
export const bin = (name) => path.join(prefix, 'bin', name);

const SANITIZER = /ERROR: (Address|Leak)Sanitizer|runtime error:/;
export const WAIT_MS = 60_000;	// a hang, not a slow machine

// The promise, or an error that says what was waited for.
export function within(promise, what, ms = WAIT_MS) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(
		    new Error(`no ${what} within ${ms} ms`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/*
 * Until look() gives something, which is returned.  Who waits leaves the
 * processors to those who are waited for: it rests between two looks, each time
 * for a little longer.
 */
export async function until(look, what, ms = WAIT_MS) {
	let over = false;
	const loop = async () => {
		for (let rest = 1; !over; rest = Math.min(2 * rest, 50)) {
			const found = await look();

			if (found)
				return found;
			await new Promise((r) => setTimeout(r, rest));
		}
	};

	return within(loop(), what, ms).finally(() => { over = true; });
}

// Run fn when the test has ended: the last one that asked comes first, so that
// a server is stopped before its directory goes.
const endings = new WeakMap();

export function atEnd(t, fn) {
	if (!endings.has(t)) {
		endings.set(t, []);
		t.after(async () => {
			const errors = [];

			for (const f of endings.get(t).reverse())
				try {
					await f();
				} catch (e) {
					errors.push(e);
				}
			if (errors.length > 0)
				throw errors[0];
		});
	}
	endings.get(t).push(fn);
}

export function tempDir(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hostd-'));

	fs.chmodSync(dir, 0o755);
	atEnd(t, () => fs.rmSync(dir, { recursive: true, force: true }));
	return dir;
}

// A server at that place; undefined: it is taken.
function listenAt(where) {
	const s = net.createServer();

	return new Promise((resolve) => {
		s.once('error', () => resolve(undefined));
		s.listen(where, () => resolve(s));
	});
}

// One that no connection of a client is given meanwhile: those are from 32768
// on.  Nor is any other test, while nobody listens there: a name is bound
// along with it, until this process ends.
export async function freePort() {
	for (;;) {
		const port = 10_000 + Math.floor(Math.random() * 22_768);
		const claim = await listenAt(
		    { path: `\0hostd-test-port-${port}` });
		const s = claim && await listenAt({ port, host: '127.0.0.1' });

		if (s) {
			await new Promise((resolve) => s.close(resolve));
			claim.unref();
			return port;
		}
		claim?.close();
	}
}

export function writeFiles(dir, files) {
	for (const [name, content] of Object.entries(files)) {
		const file = path.join(dir, name);

		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, content);
	}
}

// Run a program to its end: { code, stdout, stderr }.
export async function command(file, args, options = {}) {
	try {
		const r = await exec(file, args, {
			timeout: 120_000, maxBuffer: 64 << 20, ...options });

		return { code: 0, ...r };
	} catch (e) {
		if (typeof e.code !== 'number')
			throw e;
		return { code: e.code, stdout: e.stdout, stderr: e.stderr };
	}
}

// When a process was started; undefined: it has ended, as a zombie has.  Its
// number alone may be another's by then.
function birth(pid) {
	try {
		const [state, ...more] = fs.readFileSync(`/proc/${pid}/stat`,
		    'utf8').replace(/^.*\) /s, '').split(' ');

		return state === 'Z' || state === 'X' ? undefined : more[18];
	} catch {
		return undefined;
	}
}

export class Hostd extends EventEmitter {
	log = '';
	exited = false;
	env = {};
	through = [];		// a command that starts it
	program = sbin('hostd');

	constructor(dir, port) {
		super();
		this.setMaxListeners(0);
		this.dir = dir;
		this.port = port;
		this.confFile = path.join(dir, 'hostd.conf');
		this.socket = path.join(dir, 'run', 'control.sock');
		this.url = `http://127.0.0.1:${port}`;
	}

	spawn(args = [], env = this.env) {
		this.spawnArgs(['-c', this.confFile, ...args], env);
	}

	spawnArgs(args, env = {}) {
		const [file, ...all] = [...this.through, this.program, ...args];

		this.child = spawn(file, all, {
			env: { ...process.env, ...env },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		for (const s of [this.child.stdout, this.child.stderr])
			s.setEncoding('utf8').on('data', (d) => {
				this.log += d;
				this.emit('log');
			});
		this.ended = new Promise((resolve) => {
			this.child.on('close', (code, signal) => {
				this.exited = true;
				this.log += `(ended: ${signal ?? code})\n`;
				this.emit('log');
				resolve({ code, signal });
			});
		});
	}

	// Until the log has what is looked for, from character `from` on.
	async logged(what, from = 0) {
		const found = () => {
			const text = this.log.slice(from);

			return what instanceof RegExp ? what.exec(text) :
			    text.includes(what);
		};

		return within(new Promise((resolve, reject) => {
			const look = () => {
				const m = found();

				if (!m && !this.exited)
					return;
				this.off('log', look);
				if (m)
					resolve(m);
				else
					reject(
					    new Error(`hostd ended before it ` +
					    `logged ${what}:\n${this.log}`));
			};

			this.on('log', look);
			look();
		}), `${what} in the log`).catch((e) => {
			e.message += `\n${this.log}`;
			throw e;
		});
	}

	// Until a connection is accepted.
	async listening(port = this.port, host = '127.0.0.1') {
		const attempt = () => new Promise((resolve) => {
			const s = net.connect(port, host);

			s.once('connect',
			    () => { s.destroy(); resolve(true); });
			s.once('error', () => resolve(false));
		});

		return until(async () => {
			const accepted = await attempt();

			if (!accepted && this.exited)
				throw new Error(`hostd ended:\n${this.log}`);
			return accepted;
		}, `listener on ${port}`);
	}

	hostctl(...args) {
		return command(bin('hostctl'), ['-s', this.socket, ...args]);
	}

	// The last line that the control socket answers, which has ok.
	async control(request) {
		const s = net.connect(this.socket).setEncoding('utf8');
		let text = '';

		return within(new Promise((resolve, reject) => {
			s.on('error', reject);
			s.on('close', () => reject(new Error('no answer')));
			s.on('data', (d) => {
				text += d;
				const lines = text.split('\n').slice(0, -1)
				    .map((l) => JSON.parse(l));
				const last = lines.find((l) => 'ok' in l);

				if (last)
					resolve(last);
			});
			s.write(`${JSON.stringify(request)}\n`);
		}), `answer to ${request.cmd}`).finally(() => s.destroy());
	}

	// As hostctl status --json says it, without a process for every look.
	async status() {
		const { ok, error, status } = await this.control(
		    { cmd: 'status' }).catch(({ message }) =>
		    ({ error: message }));

		if (!ok)
			throw new Error(`status: ${error}\n${this.log}`);
		return status;
	}

	async workers() {
		const st = await this.status();
		const pools = st.pools ?? st.status?.pools ?? [];

		return pools.flatMap((p) => p.workers.map((w) =>
		    ({ pool: p.name, ...w })));
	}

	// Until pred(workers) holds.
	async workersSatisfy(pred, what) {
		return until(async () => {
			const w = await this.workers();

			return await pred(w) && w;
		}, what);
	}

	// All processes below the master.
	pids() {
		const children = (pid) => {
			try {
				return fs.readFileSync(
				    `/proc/${pid}/task/${pid}/children`, 'utf8')
				    .trim().split(' ').filter(
				    Boolean).map(Number);
			} catch {
				return [];
			}
		};

		return this.exited ? [] :
		    [this.child.pid, ...children(this.child.pid)];
	}

	async stop(signal = 'SIGTERM') {
		if (!this.child || this.exited)
			return this.ended;
		const all = this.pids().map((pid) => [pid, birth(pid)])
		    .filter(([, born]) => born !== undefined);
		const killLeft = () => {
			const left = all.filter(([pid, born]) =>
			    birth(pid) === born).map(([pid]) => pid);

			for (const pid of left)
				try { process.kill(pid,
				    'SIGKILL'); } catch { /* gone */ }
			return left;
		};

		this.child.kill(signal);
		const end = await within(this.ended,
		    'end of hostd').catch((e) => {
			e.message += `\n${this.log}`;
			killLeft();
			throw e;
		});
		const left = killLeft();

		if (left.length > 0)
			throw new Error(`left behind: ${left}\n${this.log}`);
		return end;
	}

	checkSanitizers() {
		if (SANITIZER.test(this.log))
			throw new Error(`sanitizer report:\n${this.log}`);
	}
}

/*
 * startHostd(t, { conf, confd, files, user, args, env, port, program })
 *
 * conf is the text behind the standard head: run_dir, user and a listen block
 * on a free port (its text is left out when conf has a listen block of its
 * own).  confd and files are { name: content }, below conf.d and below the
 * directory.  @DIR@, @PORT@ and @PREFIX@ are filled in.
 */
export async function startHostd(t, options = {}) {
	const h = await prepareHostd(t, options);

	h.program = options.program ?? h.program;
	h.spawn(options.args);
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	if (options.ready !== false)
		await h.logged(/serving generation/);
	if (options.ready !== false && !options.noPort)
		await h.listening();
	return h;
}

// HOSTD_TEST_SANDBOX=on: whatever is tested has to work in a sandbox, too.
function sandboxKey(conf) {
	const mode = process.env.HOSTD_TEST_SANDBOX;

	return !mode || /^\s*sandbox\s*=/m.test(conf) ? '' :
	    ` sandbox = "${mode}"`;
}

// Its files only; it is not started.
export async function prepareHostd(t, options = {}) {
	const dir = tempDir(t);
	const port = options.port ?? await freePort();
	const h = new Hostd(dir, port);

	h.env = options.env ?? {};
	h.atEnd = (fn) => atEnd(t, fn);
	const fill = (s) => typeof s !== 'string' ? s :
	    s.replaceAll('@DIR@', dir).replaceAll('@PORT@', String(port))
	    .replaceAll('@PREFIX@', prefix);
	const conf = options.conf ?? '';
	const head = [
		`user = "${options.user ?? os.userInfo().username}"`,
		`run_dir = "${dir}/run"${sandboxKey(conf)}`,
		/^\s*pool /m.test(conf) ? '' : 'pool "web" { workers = 2 }',
		/^\s*listen /m.test(conf) ? '' :
		    `listen "main" { address = "127.0.0.1:${port}" }`,
	].join('\n');

	writeFiles(dir, {
		'hostd.conf': fill(`${head}\n${conf}\n`),
		'conf.d/.keep': '',
		...Object.fromEntries(Object.entries(options.files ?? {})
		    .map(([k, v]) => [k, fill(v)])),
		...Object.fromEntries(Object.entries(options.confd ?? {})
		    .map(([k, v]) => [`conf.d/${k}`, fill(v)])),
	});
	return h;
}

/*
 * Send bytes over a connection of our own and collect what comes until the
 * peer closes, or until `until` (text, pattern, function) is satisfied.
 * { text, closed, error }
 */
export function raw(port, bytes, options = {}) {
	const { until, pieces, host = '127.0.0.1', unix, half = false } =
	    options;
	const done = (text) => typeof until === 'function' ? until(text) :
	    until instanceof RegExp ? until.test(text) :
	    until !== undefined && text.includes(until);
	const s = unix ? net.connect({ path: unix, allowHalfOpen: true }) :
	    net.connect({ port, host, allowHalfOpen: true });
	const all = [];

	return within(new Promise((resolve) => {
		const end = (closed, error) => {
			resolve({ text: Buffer.concat(all).toString('latin1'),
				closed, error });
			s.destroy();
		};

		s.on('error', (e) => end(true, e.code));
		s.on('end', () => end(true));
		s.on('data', (d) => {
			all.push(d);
			if (done(Buffer.concat(all).toString('latin1')))
				end(false);
		});
		s.on('connect', async () => {
			s.setNoDelay(true);
			const b = Buffer.isBuffer(bytes) ? bytes :
			    Buffer.from(bytes, 'latin1');
			const step = pieces ?? (b.length || 1);

			for (let i = 0; i < b.length && !s.destroyed; i += step)
				await new Promise((r) => s.write(
				    b.subarray(i, i + step),
				    () => setImmediate(r)));
			if (half && !s.destroyed)
				s.end();
		});
	}), 'answer or close', options.ms ?? WAIT_MS).catch((e) => {
		s.destroy();
		e.message += ` (got ${JSON.stringify(
		    Buffer.concat(all).toString('latin1').slice(0, 500))})`;
		throw e;
	});
}

export const statusOf = (text) =>
	Number(/^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? 0);

// wrk for some seconds: { requests, bad, errors, output }
export async function wrk(url, { connections = 16, seconds = 2, args = [] } =
    {}) {
	const r = await command('wrk', ['-t1', `-c${connections}`,
		`-d${seconds}s`, '--timeout', `${WAIT_MS / 1000}s`, ...args,
		    url]);
	const n = (re) => Number(re.exec(r.stdout)?.[1] ?? 0);
	const e = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
	    .exec(r.stdout);

	return {
		requests: n(/(\d+) requests in/),
		bad: n(/Non-2xx or 3xx responses: (\d+)/),
		errors: e ? e.slice(1).map(Number).reduce((a, b) => a + b) : 0,
		output: r.stdout + r.stderr,
	};
}

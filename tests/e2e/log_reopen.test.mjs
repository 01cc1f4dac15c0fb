// SPDX-License-Identifier: BSD-2-Clause
// Log files that are renamed under load: hostctl logs reopen and SIGUSR1 start
// new ones, and no line is lost, doubled or torn.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { ask, connect, get, serveShow } from './lib/http1.mjs';

const conf = `
	pool "web" { workers = 2 }
	error_log = "@DIR@/error.log"
	access_log "a" { path = "access.log"  format = "$request_uri" }`;

// The master logs to its file: what start-up says is not on stderr.
async function start(t) {
	const h = await serveShow(t, '', conf, { ready: false });

	await h.listening();
	h.read = (name) => {
		try {
			return fs.readFileSync(path.join(h.dir, name),
			    'latin1');
		} catch (e) {
			if (e.code === 'ENOENT')
				return '';
			throw e;
		}
	};
	h.fileHas = (name, what) => until(() => what.test(h.read(name)),
	    `${what} in ${name}`);
	return h;
}

// Requests on some connections until stopped; says how many there were.
function load(t, h) {
	let go = true;
	const each = async (k) => {
		const c = await connect(t, h.port);
		let n = 0;

		for (; go; n += 10) {
			await c.send(Array.from({ length: 10 },
			    (_, i) => get(`/${k}.${n + i}`)).join(''));
			for (let i = 0; i < 10; i++)
				assert.equal((await c.next()).status, 200);
		}
		c.destroy();
		return n;
	};
	const all = Promise.all(Array.from({ length: 6 }, (_, k) => each(k)));

	return async () => {
		go = false;
		return (await all).reduce((a, b) => a + b);
	};
}

const ways = {
	'hostctl logs reopen': async (h) => {
		const r = await h.hostctl('logs', 'reopen');

		assert.equal(r.code, 0, r.stderr);
	},
	SIGUSR1: async (h) => process.kill(h.child.pid, 'SIGUSR1'),
};

for (const [name, reopen] of Object.entries(ways))
	test(`${name}: no line is lost`, async (t) => {
		const h = await start(t);
		const finish = load(t, h);

		for (let i = 1; i <= 5; i++) {
			await h.fileHas('access.log', /\n/);
			fs.renameSync(`${h.dir}/access.log`,
			    `${h.dir}/access.${i}`);
			await reopen(h);
			await h.fileHas('access.log', /\n/);
		}
		const n = await finish();
		const whole = () => ['access.log', ...[1, 2, 3, 4, 5].map(
		    (i) => `access.${i}`)].map(h.read).join('');

		await until(() => whole().split('\n').length - 1 >= n,
		    `${n} lines`);
		const lines = whole().trimEnd().split('\n');

		assert.equal(lines.length, n);
		assert.equal(new Set(lines).size, n, 'each once');
		for (const l of lines)
			assert.match(l, /^\/\d\.\d+$/);
	});

for (const [name, reopen] of Object.entries(ways))
	test(`${name}: the error log, too`, async (t) => {
		const h = await start(t);

		await h.fileHas('error.log', /serving generation 1/);
		fs.renameSync(`${h.dir}/error.log`, `${h.dir}/error.1`);
		await reopen(h);
		await h.fileHas('error.log', /log files reopened/);
		// Master and workers both write to the new one.
		const r = await h.hostctl('reload');

		assert.equal(r.code, 0, r.stderr);
		await h.fileHas('error.log', /master.*serving generation 2/);
		await h.fileHas('error.log', /web\.\d gen 1 .*draining/);
		assert.doesNotMatch(h.read('error.1'), /serving generation 2/);
	});

test('the old file is let go of by every process', async (t) => {
	const h = await start(t);

	await ask(t, h.port, '/');
	fs.renameSync(`${h.dir}/access.log`, `${h.dir}/access.1`);
	await ways['hostctl logs reopen'](h);
	const holds = () => h.pids().filter((pid) =>
	    fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
		try {
			return fs.readlinkSync(`/proc/${pid}/fd/${fd}`)
			    .endsWith('/access.1');
		} catch {
			return false;
		}
	    }));

	await until(() => holds().length === 0, 'closed file');
	assert.equal(h.read('access.1'), '/\n');
});

test('a log that can\'t be reopened is said, and the old one goes on',
    async (t) => {
	const h = await start(t);

	await ask(t, h.port, '/1');
	await h.fileHas('access.log', /\/1\n/);
	fs.renameSync(`${h.dir}/access.log`, `${h.dir}/access.1`);
	fs.mkdirSync(`${h.dir}/access.log`);
	const r = await h.hostctl('logs', 'reopen');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr, /access\.log/);
	await ask(t, h.port, '/2');
	await h.fileHas('access.1', /\/2\n/);
	fs.rmdirSync(`${h.dir}/access.log`);
	await ways['hostctl logs reopen'](h);
	await ask(t, h.port, '/3');
	await h.fileHas('access.log', /^\/3\n/);
});

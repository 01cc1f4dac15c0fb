// SPDX-License-Identifier: BSD-2-Clause
// Listen addresses come and go with a reload; those that stay lose nobody.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { freePort, raw, statusOf, until } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';
import { Client, Load } from './lib/load.mjs';

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function reload(h) {
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stdout + r.stderr);
}

const refusedAt = (port) => new Promise((resolve) => {
	const s = net.connect(port, '127.0.0.1');

	s.once('connect', () => { s.destroy(); resolve(false); });
	s.once('error', (e) => resolve(e.code === 'ECONNREFUSED'));
});

test('addresses are added and removed under load', async (t) => {
	const port = await freePort();
	const h = await startLife(t);
	const loads = ['keep', 'new'].map((kind) => new Load(h, { kind }));
	const conf = path.join(h.dir, 'conf.d/more.conf');
	const unix = path.join(h.dir, 'more.sock');

	for (let round = 0; round < 3; round++) {
		fs.writeFileSync(conf, `
			listen "tcp" { address = "127.0.0.1:${port}" }
			listen "six" { address = "[::1]:${port}" }
			listen "unix" { address = "unix:${unix}" permissions = 0600 }
		`);
		await reload(h);
		const mode = fs.statSync(unix).mode & 0o777;

		assert.equal(mode, 0o600);
		for (const where of [{}, { host: '::1' }, { unix }])
			assert.equal(statusOf(
			    (await raw(port, get, where)).text), 200);
		const c = new Client(port);

		await c.ask();
		fs.rmSync(conf);
		await reload(h);
		// It is open, so it is served, and told to go.
		assert.equal((await c.ask()).close, true);
		c.destroy();
		await h.workersSatisfy((w) => w.length === 2,
		    'end of the old workers');
		assert.ok(await refusedAt(port));
		assert.ok(!fs.existsSync(unix));
	}
	for (const l of loads) {
		await l.more(10);
		await l.stop();
		assert.deepEqual(l.failures, []);
	}
});

test('an address that was removed is free as soon as the reload has ended',
    async (t) => {
	const port = await freePort();
	const listen = (n) => `listen "x${n}" { address = "127.0.0.1:${port}" }`;
	const h = await startLife(t, { confd: { 'x.conf': listen(1) } });
	const c = new Client(port);

	await c.ask();		// it keeps an old worker
	fs.rmSync(path.join(h.dir, 'conf.d/x.conf'));
	await reload(h);
	const s = net.createServer();

	// The old workers close theirs when they are told to drain.
	await until(async () => {
		const e = await new Promise((resolve) => {
			s.once('error', resolve);
			s.listen(port, '127.0.0.1', () => resolve());
		});

		if (e)
			assert.equal(e.code, 'EADDRINUSE');
		return !e;
	}, 'free address');
	assert.equal((await c.ask()).status, 200);
	c.destroy();

	await t.test('and is refused while somebody else has it', async () => {
		fs.writeFileSync(path.join(h.dir, 'conf.d/x.conf'),
		    `\n${listen(2)}\n`);
		const r = await h.hostctl('reload');

		assert.equal(r.code, 1);
		assert.match(r.stderr,
		    new RegExp(`^hostctl: ${h.dir}/conf\\.d/` +
		    `x\\.conf:2: listen "x2": address 127\\.0\\.0\\.1:${port}: ` +
		    '.*another program listens there$', 'm'));
		assert.equal((await h.status()).generation, 2);
		await new Promise((resolve) => s.close(resolve));
		await reload(h);
		assert.equal(statusOf((await raw(port, get)).text), 200);
	});
});

test('a listen block moves to another pool', async (t) => {
	const conf = (pool) => `
		pool "web" { workers = 1 }
		pool "other" { workers = 1 }
		listen "main" { address = "127.0.0.1:@PORT@" pool = "${pool}" }
	`;
	const h = await startLife(t, { conf: conf('web') });
	const load = new Load(h);
	const poolOf = async () => {
		const c = new Client(h.port);

		await c.ask('/', true);
		c.destroy();
		return (await h.workers()).find((w) => w.pid === c.pid)?.pool;
	};

	assert.equal(await poolOf(), 'web');
	fs.writeFileSync(h.confFile, fs.readFileSync(h.confFile, 'utf8')
	    .replace('pool = "web"', 'pool = "other"'));
	await reload(h);
	await h.workersSatisfy((w) => w.length === 2, 'end of the old workers');
	assert.equal(await poolOf(), 'other');
	await load.more(10);
	await load.stop();
	assert.deepEqual(load.failures, []);
});

// SPDX-License-Identifier: BSD-2-Clause
// Streams of HTTP/2 that another pool answers: its worker ends, the client
// goes, nobody takes them, and workers are replaced.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { command, until, within } from './lib/hostd.mjs';
import { answerOf, connect } from './lib/http2.mjs';
import { descriptors, descriptorsAtMost } from './lib/life.mjs';
import { pidsOf, serveFar, sums } from './lib/pools.mjs';
import { text } from './lib/ws_frame.mjs';

const log = `access_log "all" { path = "@DIR@/access.log"
	format = "$pid $uri $status" }`;
const lines = (h) => fs.readFileSync(path.join(h.dir, 'access.log'), 'utf8')
	.trim().split('\n');

const kill = async (h) => process.kill((await pidsOf(h, 'socket'))[0],
    'SIGKILL');

const reset = async (s) => {
	s.on('error', () => {});
	s.resume();
	await within(new Promise((r) => s.once('close', r)), 'its end');
	return s.rstCode;
};

const upgrade = { ':method': 'CONNECT', ':protocol': 'websocket',
	'sec-websocket-version': '13' };

test('the worker is killed', async (t) => {
	const h = await serveFar(t, log);
	const [web] = await pidsOf(h, 'web');
	const c = await connect(t, h);
	const deferred = c.ask('/far/flow/defer');
	const uploading = c.open('/far/flow/gate', { ':method': 'POST' });

	uploading.write(Buffer.alloc(300000));
	await h.logged(/holding defer/);
	await h.logged(/pausing gate/);
	const begun = c.open('/far/flow/begin');

	await within(once(begun, 'response'), 'answer');
	const full = c.open('/far/flow/source?50000000');

	full.pause();
	await within(once(full, 'response'), 'answer');
	const ws = c.open('/far/echo', upgrade, { endStream: false });

	await within(once(ws, 'response'), 'answer');
	const near = c.ask('/near/flow/defer');

	await h.logged(/holding defer[^]*holding defer/);
	const over = [reset(begun), reset(full), reset(ws), reset(uploading)];
	const [answered] = await Promise.all([
		within(once(uploading, 'response'), 'answer'), kill(h)]);

	// Not begun: as from any gateway; begun: nobody may take it for all.
	assert.equal(answered[0][':status'], 502);
	uploading.end();
	assert.equal((await deferred).status, 502);
	assert.deepEqual(await Promise.all(over), [2, 2, 8, 0]);
	await h.logged(/worker of pool "socket" has ended without an answer/);
	// The connection goes on, and so does the pool.
	assert.equal((await c.ask('/near/flow/release')).status, 200);
	assert.equal((await near).body, 'released\n');
	assert.equal((await c.ask('/far/hello')).body, 'hello');
	await h.stop();
	// What was killed may have had the upgrade's line still.
	const all = lines(h).filter((l) => !/ \/far\/echo 101$/.test(l));

	assert.deepEqual(all.filter((l) => / 502$/.test(l)).sort(),
	    [`${web} /far/flow/defer 502`, `${web} /far/flow/gate 502`]);
	assert.equal(all.length, 5);
});

test('clients that go are gone there, and nothing is left', async (t) => {
	const h = await serveFar(t, log);
	const pids = [...await pidsOf(h, 'web'), ...await pidsOf(h, 'socket')];
	const c = await connect(t, h);

	await c.ask('/far/hello');
	const before = pids.map(descriptors);

	for (const name of ['begin', 'defer', 'gate', 'source?50000000']) {
		const s = c.open(`/far/flow/${name}`, name === 'gate' ?
		    { ':method': 'POST' } : {});

		s.on('error', () => {});
		s.pause();
		if (name === 'gate')
			s.write('part');
		await (/defer|gate/.test(name) ?
		    h.logged(new RegExp(`(holding|pausing) ${name}`)) :
		    within(once(s, 'response'), 'answer'));
		s.close(8);
		await h.logged(new RegExp(`ended ${name.split('?')[0]} why 1`));
	}
	const last = await connect(t, h);
	const held = last.open('/far/flow/begin');

	held.on('error', () => {});
	await within(once(held, 'response'), 'answer');
	last.session.destroy();
	await h.logged(/ended begin why 1[^]*ended begin why 1/);
	for (const [i, pid] of pids.entries())
		await descriptorsAtMost(pid, before[i]);
	await until(async () => (await sums(h)).socket.active === 0,
	    'end of all');
	await until(() => lines(h).length >= 6, 'lines in the log');
	assert.equal(lines(h).length, 6);
});

test('a client that takes nothing', async (t) => {
	const h = await serveFar(t, `plugin "more" { module = "http_static.so"
			root = "www" }
		route "/far/slow/" { plugin = "more"  pool = "socket"
			send_timeout = 300ms }`);
	const [web] = await pidsOf(h, 'web');
	const before = descriptors(web);

	// More than what waits on the way, so that there it is waited, too; and
	// less, so that it is waited only here.
	for (const n of [20 << 20, 100000]) {
		fs.writeFileSync(path.join(h.dir, 'www/file'), Buffer.alloc(n));
		await descriptorsAtMost(web, before);
		const c = await connect(t, h);
		const s = c.open('/far/slow/file');
		const closed = new Promise((r) => s.once('close', r));

		s.on('error', () => {});
		s.pause();
		await within(once(s, 'response'), 'answer');
		// The connection's is left.
		await descriptorsAtMost(web, before + 1);
		s.resume();
		await within(closed, 'its end');
		assert.notEqual(s.rstCode, 0);
		c.session.destroy();
	}
});

test('nobody is there', async (t) => {
	const h = await serveFar(t, '', { socket: 'workers = 1  ' +
	    'queue_timeout = 300ms' });
	const c = await connect(t, h);

	const [pid] = await pidsOf(h, 'socket');

	process.kill(pid, 'SIGSTOP');
	h.atEnd(() => process.kill(pid, 'SIGCONT'));
	const r = await c.ask('/far/flow/count', { ':method': 'POST' }, 'body');

	assert.equal(r.status, 503);
	assert.equal(r.headers['retry-after'], '1');
	assert.equal((await c.ask('/')).body, 'near');
});

test('a worker that does not take it in time', async (t) => {
	const h = await serveFar(t, '', { socket: 'workers = 2' });
	const c = await connect(t, h);
	const [stuck] = await pidsOf(h, 'socket');

	process.kill(stuck, 'SIGSTOP');
	h.atEnd(() => process.kill(stuck, 'SIGCONT'));
	for (const r of await Promise.all(Array.from({ length: 4 }, () =>
	    c.ask('/far/flow/count', { ':method': 'POST' }, 'body'))))
		assert.equal(r.body, '{"seen":4}');
	process.kill(stuck, 'SIGCONT');
	const all = await until(async () => {
		const { socket } = await sums(h);

		return socket.active === 0 && socket.requests >= 4 && socket;
	}, 'end of all');

	assert.equal(all.requests, 4);
});

test('a reload, with all kinds of them open', async (t) => {
	const clock = await makeClock(t);
	const pool = 'workers = 1  watchdog = 0';
	const h = await serveFar(t, 'drain_timeout = 2h', { web: pool,
		socket: pool, http: 'send_timeout = 1d', env: clock.env });
	const old = (await h.workers()).map((w) => w.pid);
	const c = await connect(t, h);
	const slow = c.open('/far/flow/source?30000000');

	slow.pause();
	await within(once(slow, 'response'), 'answer');
	const ws = c.open('/far/echo', upgrade, { endStream: false });

	await within(once(ws, 'response'), 'answer');
	ws.write(text('hello'));
	await within(once(ws, 'data'), 'echo');
	const bye = Buffer.from([0x88, 2, 1012 >> 8, 1012 & 255]);
	const done = h.hostctl('reload');
	let said = Buffer.alloc(0);

	ws.on('data', (d) => { said = Buffer.concat([said, d]); });
	for (const pid of old)
		await h.logged(new RegExp(`pid ${pid}\\] draining`));
	ws.write(text('hello'));
	await until(() => said.length > 0, 'an answer while it drains');
	// Sockets are told to go within a part of it.
	clock.pass(90 * 60);
	ws.write(text('hello'));
	await until(() => said.includes(bye), 'close');
	ws.end();
	await c.goaway;
	const answer = answerOf(slow);

	slow.resume();
	assert.equal((await answer).bytes.length, 30000000);
	await within(c.closed, 'close of the connection');
	assert.equal((await done).code, 0);
	assert.equal((await (await connect(t, h)).ask('/far/hello')).body,
	    'hello');
});

test('reloads under load', async (t) => {
	const h = await serveFar(t, '', { socket: 'workers = 2' });
	let over = false, asked = 0;

	async function client() {
		let c = await connect(t, h);

		while (!over) {
			while (c.session.closed || c.session.destroyed)
				c = await connect(t, h);
			// What came behind GOAWAY was not seen.
			const all = await Promise.all(Array.from({ length: 10 },
			    (_, i) => c.ask(i % 2 ? '/' : '/far/hello')
			    .catch((e) => {
				if (!/REFUSED_STREAM|GOAWAY/.test(e.code +
				    e.message))
					throw e;
			})));

			all.forEach((r, i) => {
				if (r === undefined)
					return;
				assert.equal(r.body, i % 2 ? 'near' : 'hello');
				asked++;
			});
		}
		c.session.close();
	}

	const clients = Array.from({ length: 4 }, client);

	for (let i = 0; i < 2; i++)
		assert.equal((await h.hostctl('reload')).code, 0);
	const all = Promise.all(clients);

	await Promise.race([all, until(() => asked > 100, 'answers')]);
	over = true;
	await all;
	const r = await command('h2load', ['-n', '200', '-c', '2', '-m', '10',
		`${h.url}/far/hello`]);

	assert.match(r.stdout, /200 succeeded/);
});

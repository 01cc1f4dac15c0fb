// SPDX-License-Identifier: BSD-2-Clause
// A plugin gives a request to the worker of its pool that serves a certain
// slot, and clients notice nothing.
import assert from 'node:assert/strict';
import path from 'node:path';
import fs from 'node:fs';
import test from 'node:test';
import { atEnd, command, startHostd, until, within } from './lib/hostd.mjs';
import { Client, get, plugin } from './lib/http1.mjs';
import { connect } from './lib/http2.mjs';
import { npm } from './lib/npm.mjs';
import { curl, startTls } from './lib/tls.mjs';

const { WebSocket } = npm('ws');

const CODE = { inval: -1, gone: -3, full: -4, state: -9, none: 99 };
const MOVED = 5;

const conf = (so, { pool = 'workers = 2', route = '', more = '' } = {}) => `
	pool "web" { ${pool} }
	http { max_body = 100m  h2c = on }
	plugin "give" { module = "${so}" }
	route "/give" { plugin = "give"  ${route} }
	${more}`;

const serve = async (t, options = {}) => startHostd(t, {
	conf: conf(await plugin('give_both'), options) });

async function ask(c, query) {
	await c.send(get(`/give?${query}`));
	const r = await c.next();

	assert.equal(r.status, 200, r.body);
	return JSON.parse(r.body);
}

async function client(t, h) {
	const c = await Client.connect(h.port);

	atEnd(t, () => c.destroy());
	return c;
}

test('one connection, to whom it wants', async (t) => {
	const h = await serve(t, { more: `access_log "all" {
		path = "@DIR@/access.log"  format = "$pid $uri $status" }` });
	const c = await client(t, h);
	const slots = [0, 1, 1, 0, 1, 0], all = [];

	await t.test('one after the other', async () => {
		for (const slot of slots) {
			all.push(await ask(c, `slot=${slot}`));
			assert.equal(all.at(-1).slot, slot);
		}
		assert.equal(new Set(all.map((a) => a.pid)).size, 2);
		assert.equal(new Set(all.map((a) => a.process)).size, 2);
		assert.equal(new Set(all.map((a) => a.node)).size, 1);
		assert.match(all[0].node, /^[0-9a-f]{16}$/);
		assert.notEqual(all[0].node, '0'.repeat(16));
		assert.deepEqual([all[0].workers, all[0].pool], [2, 'web']);
	});
	await t.test('all at once', async () => {
		await c.send(slots.map((s) => get(`/give?slot=${s}`)).join(''));
		for (const slot of slots) {
			const r = JSON.parse((await c.next()).body);

			all.push(r);
			assert.equal(r.slot, slot);
		}
	});
	await t.test('who gave it knows that it has gone', async () => {
		assert.ok(all.every((a) => a.rc === CODE.state));
		await h.logged(/given, ended/);
		assert.doesNotMatch(h.log,
		    new RegExp(`given, ended [^${MOVED}]`));
		assert.match(h.log, new RegExp(`given, ended ${MOVED}`));
	});
	await t.test('it is counted and logged once, where it is answered',
	    async () => {
		const file = path.join(h.dir, 'access.log');

		await until(async () => (await h.status()).requests.total ===
		    all.length, `${all.length} requests`);
		const lines = await until(() => {
			const l = fs.readFileSync(file,
			    'utf8').trim().split('\n');

			return l.length === all.length && l;
		}, 'all lines');

		assert.deepEqual(lines.sort(),
		    all.map((a) => `${a.pid} /give 200`).sort());
	});
});

test('to whom it cannot go', async (t) => {
	const h = await serve(t);
	const c = await client(t, h);
	const { slot: own } = await ask(c, '');

	assert.equal((await ask(c, `slot=${own}`)).rc, CODE.state);
	assert.equal((await ask(c, 'slot=2')).rc, CODE.inval);
	assert.equal((await ask(c, 'slot=4294967295')).rc, CODE.inval);
	assert.equal((await ask(c, `late=1&slot=${1 - own}`)).rc, CODE.state);
	assert.equal((await ask(c, 'bounce=1')).rc, CODE.full);
	// It is given, but its giver fails, or wants to answer it after all.
	const { slot } = await ask(c, '');

	await c.send(get(`/give?fail=1&slot=${1 - slot}`));
	assert.equal((await c.next()).status, 500);
	const again = await client(t, h), { slot: at } = await ask(again, '');

	assert.equal((await ask(again, `answer=1&slot=${1 - at}`)).slot,
	    1 - at);
	await h.logged(/again -9, answered -9/);
});

test('bodies, some of which have not come yet', async (t) => {
	const h = await serve(t);
	const file = path.join(h.dir, 'body');
	const size = 3_000_000;

	fs.writeFileSync(file, Buffer.alloc(size, 'b'));
	for (const args of [[], ['-H', 'Transfer-Encoding: chunked'],
	    ['-H', 'Expect:']]) {
		const r = await command('curl', ['-sS', '--max-time', '20',
			...[0, 1, 0].flatMap((slot, i) => [...i ? ['--next'] :
			    [],
				...args, '--data-binary', `@${file}`,
				`${h.url}/give?slot=${slot}`])]);

		assert.equal(r.code, 0, r.stderr);
		const got = r.stdout.split('}').filter(Boolean)
		    .map((x) => JSON.parse(`${x}}`));

		assert.deepEqual(got.map((g) => [g.slot, g.body]),
		    [[0, size], [1, size], [0, size]]);
	}
	for (const slot of [0, 1]) {
		const c = await client(t, h);

		await c.send(`POST /give?slot=${slot} HTTP/1.1\r\nHost: x\r\n` +
		    'Content-Length: 10\r\n\r\n12345');
		await ask(await client(t, h), '');
		await c.send(`67890${get(`/give?slot=${1 - slot}`)}`);
		const one = JSON.parse((await c.next()).body);

		assert.deepEqual([one.slot, one.body], [slot, 10]);
		assert.equal(JSON.parse((await c.next()).body).slot, 1 - slot);
	}
});

// What it is told first, and whether it can be talked to.
async function talk(t, url, options) {
	const s = new WebSocket(url, options);

	atEnd(t, () => s.terminate());
	return within(new Promise((resolve, reject) => {
		let first;

		s.on('error', reject);
		s.on('message', (data) => {
			if (first !== undefined)
				resolve({ ...first, echo: data.toString() });
			first ??= JSON.parse(data.toString());
			s.send('hello');
		});
	}), 'two messages');
}

test('WebSockets', async (t) => {
	const h = await serve(t);

	for (const slot of [0, 1, 1, 0]) {
		const r = await talk(t,
		    `ws://127.0.0.1:${h.port}/give?slot=${slot}`);

		assert.deepEqual([r.slot, r.echo], [slot, 'hello']);
	}
	const r = await talk(t, `ws://127.0.0.1:${h.port}/give?bounce=1`);

	assert.equal(r.rc, CODE.full);
	await h.logged(new RegExp(`given, ended ${MOVED}`));
});

test('streams of HTTP/2, each on its own', async (t) => {
	const h = await serve(t);
	const c = await connect(t, h);
	const body = 'b'.repeat(300_000);
	const all = await Promise.all(Array.from({ length: 40 }, (_, i) =>
	    c.ask(`/give?slot=${i % 2}`, i % 3 ? {} : { ':method': 'POST' },
		i % 3 ? undefined : body)));

	all.forEach((a, i) => {
		const r = JSON.parse(a.body);

		assert.deepEqual([a.status, r.slot, r.body],
		    [200, i % 2, i % 3 ? 0 : body.length]);
	});
	assert.equal(JSON.parse((await c.ask('/give?bounce=1')).body).rc,
	    CODE.full);
});

test('TLS', async (t) => {
	const so = await plugin('give_both');
	const h = await startTls(t, { listen: 'pool = "web"', conf: conf(so) });
	const file = path.join(h.dir, 'body');

	fs.writeFileSync(file, Buffer.alloc(500_000, 'b'));
	for (const version of ['--http1.1', '--http2']) {
		const r = await curl(h, version, '--data-binary', `@${file}`,
		    ...[0, 1, 1, 0].map((s) => `${h.url}/give?slot=${s}`));

		assert.equal(r.code, 0, r.stderr);
		assert.deepEqual(r.stdout.split('}').filter(
		    Boolean).map((x) => {
			const a = JSON.parse(`${x}}`);

			return [a.slot, a.body];
		}), [0, 1, 1, 0].map((s) => [s, 500_000]));
	}
	for (const slot of [0, 1])
		assert.equal((await talk(t,
		    `wss://localhost:${h.port}/give?slot=${slot}`,
		    { ca: fs.readFileSync(h.ca) })).slot, slot);
});

test('in a pool that others accept for', async (t) => {
	const h = await serve(t, { pool: 'workers = 1',
		route: 'pool = "socket"', more: `pool "socket" { workers = 3 }
		listen "main" { address = "127.0.0.1:@PORT@"  pool = "web" }` });
	const c = await client(t, h), two = await connect(t, h);
	const slots = [2, 0, 1, 1, 2];

	for (const slot of slots) {
		const a = await ask(c, `slot=${slot}`);

		assert.deepEqual([a.slot, a.pool, a.workers],
		    [slot, 'socket', 3]);
		assert.equal((await talk(t,
		    `ws://127.0.0.1:${h.port}/give?slot=${slot}`)).slot, slot);
	}
	const all = await Promise.all(slots.map((slot) => two.ask(
	    `/give?slot=${slot}`, { ':method': 'POST' }, 'body')));

	assert.deepEqual(all.map((a) => JSON.parse(a.body)).map((a) =>
	    [a.slot, a.body]), slots.map((s) => [s, 4]));
	assert.equal((await ask(c, 'bounce=1')).rc, CODE.full);
});

test('a worker that dies of what it was given', async (t) => {
	const h = await serve(t);
	const two = await connect(t, h);
	const { slot: own } = JSON.parse((await two.ask('/give')).body);
	const victim = (await h.workers()).find((w) => w.slot !== own);
	const answer = two.ask(`/give?hold=1&slot=${1 - own}`);

	await h.logged(/held/);
	process.kill(victim.pid, 'SIGKILL');
	assert.equal((await answer).status, 502);
	// The connection is here, and goes on.
	assert.equal(JSON.parse((await two.ask('/give')).body).slot, own);
	await until(async () => {
		const a = JSON.parse((await two.ask(
		    `/give?slot=${1 - own}`)).body);

		return a.slot !== own;
	}, 'somebody to follow');
	// Of HTTP/1 the connection itself was there.
	const c = await client(t, h);
	const other = (await h.workers()).find((w) => w.slot !== own);
	const from = h.log.length;

	await c.send(get(`/give?hold=1&slot=${1 - own}`));
	await h.logged(/held/, from);
	process.kill(other.pid, 'SIGKILL');
	await assert.rejects(c.next(), /closed/);
});

test('a limit counts it once', async (t) => {
	const h = await serve(t, { route: 'limit_req = "slow"',
		more: 'limit_req "slow" { rate = "1/m"  burst = 2  nodelay = on }' });
	const c = await client(t, h);

	for (const slot of [0, 1, 0])
		assert.equal((await ask(c, `slot=${slot}`)).slot, slot);
	await c.send(get('/give?slot=1'));
	assert.equal((await c.next()).status, 429);
});

test('one that a limit has made wait', async (t) => {
	const h = await serve(t, { route: 'limit_req = "slow"',
		more: 'limit_req "slow" { rate = "20/s"  burst = 20 }' });
	const c = await client(t, h), two = await connect(t, h);

	for (const slot of [0, 1, 0, 1]) {
		// The last part of it comes while it waits, with the next one.
		await c.send(`POST /give?slot=${slot} HTTP/1.1\r\nHost: x\r\n` +
		    'Content-Length: 6\r\n\r\nabc');
		await c.send(`def${get(`/give?slot=${slot}`)}`);
		const [one, next] = [await c.next(), await c.next()]
			.map((r) => JSON.parse(r.body));

		assert.deepEqual([one.slot, one.body], [slot, 6]);
		assert.deepEqual([next.slot, next.body], [slot, 0]);
		const r = JSON.parse((await two.ask(`/give?slot=${slot}`,
		    { ':method': 'POST' }, 'body')).body);

		assert.deepEqual([r.slot, r.body], [slot, 4]);
	}
});

test('over reloads there is always somebody in a slot', async (t) => {
	const h = await serve(t);
	const pids = new Set();
	let done = false, node;
	const asks = Array.from({ length: 4 }, async (_, i) => {
		let c = await client(t, h);

		for (let n = i; !done; n++) {
			const a = await ask(c, `slot=${n % 2}`);

			assert.equal(a.slot, n % 2, JSON.stringify(a));
			node ??= a.node;
			assert.equal(a.node, node);
			pids.add(a.pid);
			if (n % 20 === 0) {
				c.destroy();
				c = await client(t, h);
			}
		}
	});

	try {
		for (let i = 0; i < 3; i++)
			assert.equal((await h.hostctl('reload')).code, 0);
	} finally {
		done = true;
		await Promise.all(asks);
	}
	assert.ok(pids.size > 2);
	assert.doesNotMatch(h.log, / died/);
});

test('a slot whose worker has crashed, or takes nothing', async (t) => {
	const h = await serve(t, { pool:
	    'workers = 2  queue_timeout = 300ms' });
	const c = await client(t, h);
	const { slot: own } = await ask(c, '');
	const other = (await h.workers()).find((w) => w.slot !== own);

	process.kill(other.pid, 'SIGSTOP');
	try {
		const a = await ask(c, `slot=${1 - own}`);

		assert.deepEqual([a.slot, a.rc], [own, CODE.gone]);
	} finally {
		process.kill(other.pid, 'SIGKILL');
	}
	// Until it is noticed, and until another one is there.
	const codes = await until(async () => {
		const a = await ask(c, `slot=${1 - own}`);

		return a.slot !== own && a;
	}, 'somebody to follow');

	assert.notEqual(codes.pid, other.pid);
});

// SPDX-License-Identifier: BSD-2-Clause
// Routes of another pool: connections go to a worker of it and come back, and
// their clients notice nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, startHostd, until } from './lib/hostd.mjs';
import { Client, get } from './lib/http1.mjs';
import { lifePlugin } from './lib/life.mjs';
import { poolOf, servePools, serveShows, sums, sumsSatisfy } from './lib/pools.mjs';

const there = (text) => {
	const [pid, name] = text.trim().split(' ');

	return { pid: Number(pid), name };
};

async function ask(c, target, ...more) {
	await c.send(get(target, ...more));
	const r = await c.next();

	assert.equal(r.status, 200, r.body);
	return there(r.body);
}

test('one connection, two pools', async (t) => {
	const h = await servePools(t, {
		conf: 'access_log "all" { path = "@DIR@/access.log"\n' +
		    'format = "$pid $remote_addr $connection_requests $uri" }' });
	const pools = await poolOf(h);

	await t.test('curl, to and fro', async () => {
		const all = ['/', '/far', '/far/2', '/', '/', '/far'];
		const r = await command('curl', ['-sv', '--max-time', '20',
			...all.map((p) => h.url + p)]);
		const got = r.stdout.trim().split('\n').map(there);

		assert.equal(r.code, 0, r.stderr);
		assert.deepEqual(got.map((g) => g.name),
		    ['near', 'far', 'far', 'near', 'near', 'far']);
		assert.deepEqual(got.map((g) => pools.get(g.pid)),
		    ['web', 'socket', 'socket', 'web', 'web', 'socket']);
		// It stays where it is.
		assert.equal(got[1].pid, got[2].pid);
		assert.equal(got[3].pid, got[4].pid);
		assert.equal(r.stderr.match(/Connected to /g).length, 1);
		const lines = await until(() => {
			const l = fs.readFileSync(path.join(h.dir,
			    'access.log'), 'utf8').trim().split('\n');

			return l.length === all.length && l;
		}, 'all lines');

		assert.deepEqual(lines.sort(), got.map((g, i) =>
		    `${g.pid} 127.0.0.1 ${i + 1} ${all[i]}`).sort());
	});
	await t.test('what is counted, and where', async () => {
		// One of those accepted was the test's, to see that it listens.
		const { web, socket } = await sumsSatisfy(h, (s) =>
		    s.web.requests === 3 && s.socket.requests === 3,
		    'three in each');
		const { connections, requests } = await h.status();

		assert.equal(requests.total, 6);
		assert.equal(web.accepted, connections.accepted);
		assert.equal(socket.accepted, 0);
	});
	await t.test('while it is open it counts where it is', async () => {
		const c = await Client.connect(h.port);

		t.after(() => c.destroy());
		for (const [target, pool] of [['/far', 'socket'],
		    ['/', 'web']]) {
			await ask(c, target);
			// Who gave it away may hear later than the client.
			await until(async () => {
				const all = await sums(h);

				return all[pool].active === 1 &&
				    all.web.active + all.socket.active === 1;
			}, `one in ${pool}`);
		}
		c.destroy();
	});
	await t.test('many at once, to all workers of the pool', async () => {
		const all = await Promise.all(Array.from({ length: 20 },
		    () => Client.connect(h.port)));
		const got = await Promise.all(all.map((c) => ask(c, '/far')));

		all.forEach((c) => c.destroy());
		assert.equal(new Set(got.map((g) => g.pid)).size, 2);
		assert.ok(got.every((g) => pools.get(g.pid) === 'socket'));
	});
	await t.test('pipelined, alternating', async () => {
		const targets = Array.from({ length: 50 },
		    (_, i) => i % 3 === 0 ? '/' : `/far/${i}`);
		const c = await Client.connect(h.port);

		t.after(() => c.destroy());
		await c.send(targets.map((p) => get(p)).join(''));
		for (const p of targets) {
			const g = there((await c.next()).body);

			assert.equal(g.name, p === '/' ? 'near' : 'far');
			assert.equal(pools.get(g.pid),
			    p === '/' ? 'web' : 'socket');
		}
		assert.equal(c.unread, '');
		c.destroy();
	});
	await t.test('HTTP/1.0 and Connection: close', async () => {
		for (const bytes of ['GET /far HTTP/1.0\r\n\r\n',
			get('/far', 'Connection: close')]) {
			const c = await Client.connect(h.port);

			await c.send(bytes);
			assert.equal(there((await c.next()).body).name, 'far');
			assert.equal(await c.end(), '');
			assert.equal(c.error, undefined);
			c.destroy();
		}
	});
	await t.test('a client that has sent its FIN', async () => {
		const c = await Client.connect(h.port);

		await c.send(get('/') + get('/far') + get('/'));
		c.finish();
		for (const name of ['near', 'far', 'near'])
			assert.equal(there((await c.next()).body).name, name);
		assert.equal(await c.end(), '');
		assert.equal(c.error, undefined);
		c.destroy();
	});
	await t.test('clients that leave on the way', async () => {
		const none = () => h.workersSatisfy((ws) => ws.reduce((n, w) =>
		    n + (w.active ?? 0), 0) === 0, 'end of all connections');

		await none();
		for (let i = 0; i < 50; i++) {
			const c = await Client.connect(h.port);

			await c.send(get('/far').repeat(3));
			c.socket.resetAndDestroy();
		}
		await none();
	});
});

test('what a plugin sees is the same', async (t) => {
	const h = await serveShows(t);
	const seen = async (target) => (await fetch(h.url + target, {
		headers: { 'X-Forwarded-For': '192.0.2.1' } })).json();
	const near = await seen('/?x=1');
	const far = await seen('/far?x=1');

	assert.equal(near.label, 'near');
	assert.equal(far.label, 'far');
	assert.equal(far.peer, '127.0.0.1');
	assert.equal(far.query, 'x=1');
	assert.equal(far.headers, near.headers);
	assert.equal(far.host, near.host);
});

const life = (name, keys = '') =>
	`plugin "${name}" { module = "@DIR@/life.so"  text = "${name}" ${keys} }`;

async function serveLife(t, conf) {
	const h = await startHostd(t, { conf, files: {
		'life.so': fs.readFileSync(await lifePlugin()) } });
	const pools = await poolOf(h);

	return { h, from: async (url, options) => {
		const r = await fetch(url, options);
		const { pid, name } = there(await r.text());

		return `${name} ${pools.get(pid)}`;
	} };
}

test('whose a route is', async (t) => {
	const { h, from } = await serveLife(t, `
		pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		pool "third" { workers = 1 }
		listen "main" { address = "127.0.0.1:@PORT@" }
		listen "more" { address = "unix:@DIR@/third.sock"  pool = "third" }
		${life('a')}
		${life('b', 'pool = "socket"')}
		route "/a" { plugin = "a" }
		route "/a/socket" { plugin = "a"  pool = "socket" }
		route "/b/3" { plugin = "b"  pool = "third" }
		route "/b" { plugin = "b" }
		route "/m" { plugin = "a"  methods = "GET" }
		route "/m" { plugin = "b"  methods = "PUT" }
	`);
	const unix = async (target) => (await command('curl', ['-s',
		'--unix-socket', path.join(h.dir, 'third.sock'),
		`http://a${target}`])).stdout;
	const pools = await poolOf(h);

	assert.equal(await from(`${h.url}/a`), 'a web');
	assert.equal(await from(`${h.url}/a/socket`), 'a socket');
	assert.equal(await from(`${h.url}/b`), 'b socket');
	assert.equal(await from(`${h.url}/b/3`), 'b third');
	assert.equal(await from(`${h.url}/m`), 'a web');
	assert.equal(await from(`${h.url}/m`, { method: 'PUT' }), 'b socket');
	assert.equal((await fetch(`${h.url}/m`, { method: 'POST' })).status,
	    405);
	assert.equal((await fetch(`${h.url}/none`)).status, 404);
	// A route of no pool is that of the listen block.
	for (const [target, want] of [['/a', 'a third'], ['/b', 'b socket']]) {
		const { pid, name } = there(await unix(target));

		assert.equal(`${name} ${pools.get(pid)}`, want);
	}
});

test('a plugin that brings its route, in a pool', async (t) => {
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		plugin "status" { module = "http_status.so"  pool = "socket" }
	` });
	const { route } = JSON.parse((await command(bin('hostctl'), ['plugin',
		'inspect', '--json', path.join(process.env.HOSTD_PREFIX ??
		'/usr/local', 'lib/hostd/plugins/http_status.so')])).stdout
	    ).provides[0];

	assert.equal((await fetch(h.url + route)).status, 200);
	// It is counted when it was answered.
	await until(async () => (await sums(h)).socket.requests === 1, 'count');
	assert.equal((await sums(h)).web.requests, 0);
	for (const w of await h.workers())
		assert.deepEqual(w.plugins.map((p) => p.name),
		    w.pool === 'web' ? [] : ['status']);
});

test('a route that passes to one of another pool', async (t) => {
	const h = await serveShows(t, { conf: `
		route "/pass" { plugin = "near"  match = prefix }
		route "/pass/far" { plugin = "far"  match = prefix  pool = "socket" }
		route "/pass/far/near" { plugin = "near" }
	` });
	const label = async (target) => {
		const r = await fetch(h.url + target);

		return r.status === 200 ? (await r.json()).label : r.status;
	};

	assert.equal(await label('/pass/far/near'), 'near');
	assert.equal(await label('/pass/far'), 'far');
	// show_route passes whatever has that query: each of them is asked.
	assert.equal(await label('/pass/far/near?pass'), 404);
	assert.equal(await label('/pass/far?pass'), 404);
	// Where the last one that was asked is.
	await sumsSatisfy(h, ({ web, socket }) => web.requests === 3 &&
	    socket.requests === 1, 'three and one');
});

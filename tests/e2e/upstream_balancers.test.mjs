// SPDX-License-Identifier: BSD-2-Clause
// The balancers that come with hostd, through two workers and real servers.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { command, freePort, prepareHostd, sbin, startHostd, within }
	from './lib/hostd.mjs';
import { httpServer } from './lib/servers.mjs';

// n servers that say their number, and what answer(req, res, i) does first; it
// may keep the answer back.
async function startServers(t, n, answer = () => false) {
	const all = [];

	for (let i = 0; i < n; i++)
		all.push(await httpServer(t, (req, res) => {
			if (!answer(req, res, i))
				res.end(String(i));
		}));
	return all;
}

const blocks = (servers, balancer, keys = '') => `
	pool "web" { workers = 2 }
	plugin "proxy" { module = "http_proxy.so" }
	upstream "app" {
		balancer = "${balancer}"
		${servers.map((s, i) => `server "127.0.0.1:${s.port}" {
			${Array.isArray(keys) ? keys[i] : keys} }`)
		    .join('\n\t\t')}
	}
	route "/" { plugin = "proxy"  upstream = "app" }
`;

const start = (t, servers, balancer, keys, more = '') =>
	startHostd(t, { conf: blocks(servers, balancer, keys) + more });

// One request over a connection of its own: { body, cookies, port }.
function ask(h, { path: p = '/', headers = {}, localAddress } = {}) {
	return within(new Promise((resolve, reject) => {
		const req = http.get(h.url + p, { agent: false, headers,
			localAddress }, (res) => {
			let body = '';

			res.setEncoding('utf8').on('data',
			    (d) => { body += d; });
			res.on('error', reject);
			res.on('end', () => resolve({ body,
				status: res.statusCode,
				cookies: res.headers['set-cookie'] ?? [] }));
		});

		req.on('error', reject);
	}), 'answer');
}

async function askMany(h, n, options = () => ({})) {
	const counts = {};

	for (let i = 0; i < n; i++) {
		const { body, status } = await ask(h, options(i));

		assert.equal(status, 200);
		counts[body] = (counts[body] ?? 0) + 1;
	}
	return counts;
}

// How many requests each worker has had.
async function bothWorkers(h) {
	const w = await h.workers();

	assert.equal(w.length, 2);
	assert.ok(w.every((x) => x.requests > 0), JSON.stringify(w));
}

test('least_conn counts what all workers have', async (t) => {
	const held = [[], [], []];
	let arrived = () => {};
	const servers = await startServers(t, 3, (req, res, i) => {
		held[i].push(res);
		arrived();
		return true;
	});
	const h = await start(t, servers, 'least_conn', ['weight = 2', '', '']);
	const total = () => held.flat().length;
	const answers = [];

	// One after the other, each by whichever worker accepts it; all wait.
	for (let n = 1; n <= 60; n++) {
		const here = new Promise((r) => { arrived = r; });

		answers.push(ask(h));
		await within(here, `request ${n}`);
		assert.equal(total(), n);
		const busy = held.map((x) => x.length);

		assert.ok(Math.abs(busy[0] / 2 - busy[1]) <= 1 &&
		    Math.abs(busy[1] - busy[2]) <= 1, String(busy));
	}
	assert.deepEqual(held.map((x) => x.length), [30, 15, 15]);
	for (const res of held.flat())
		res.end('done');
	await Promise.all(answers);
	await bothWorkers(h);
});

test('round_robin is by weight', async (t) => {
	const servers = await startServers(t, 3);
	const h = await start(t, servers, 'round_robin',
	    ['weight = 5', '', '']);
	const counts = await askMany(h, 140);

	// Each worker has its own turn.
	assert.ok(Math.abs(counts[0] - 100) <= 5, JSON.stringify(counts));
	assert.ok(Math.abs(counts[1] - 20) <= 4, JSON.stringify(counts));
	await bothWorkers(h);
});

test('sticky_cookie: clients stay, and can\'t choose', async (t) => {
	const servers = await startServers(t, 3);
	const h = await start(t, servers, 'sticky', '', `
		plugin "sticky" { module = "sticky_cookie.so"
			secret = "0123456789abcdef0123456789abcdef"
			name = "srv"  ttl = 10m }`);
	const seen = new Set();

	for (let client = 0; client < 6; client++) {
		const first = await ask(h);

		assert.equal(first.cookies.length, 1);
		assert.match(first.cookies[0], new RegExp('^srv=[\\w-]{22}; ' +
		    'Path=/; Max-Age=600; HttpOnly; SameSite=Lax$'));
		seen.add(first.body);
		const own = first.cookies[0].split(';')[0];
		// Another path's, or a forged one, does not hide it.
		const headers = { Cookie: client % 2 === 0 ? own :
			`srv=${'A'.repeat(22)}; srv=; a=b; ${own}; srv=x` };

		for (let i = 0; i < 6; i++) {
			const next = await ask(h, { headers });

			assert.equal(next.body, first.body);
			assert.deepEqual(next.cookies, []);
		}
	}
	assert.ok(seen.size > 1);
	const forged = await ask(h,
	    { headers: { Cookie: `srv=${'A'.repeat(22)}` } });

	assert.equal(forged.cookies.length, 1);
	await bothWorkers(h);
});

test('sticky_cookie: a draining server keeps its clients', async (t) => {
	const servers = await startServers(t, 2);
	const h = await start(t, servers, 'sticky', '', `
		plugin "sticky" { module = "sticky_cookie.so"
			secret = "0123456789abcdef0123456789abcdef" }`);
	const first = await ask(h);
	const headers = { Cookie: first.cookies[0].split(';')[0] };
	const name = `127.0.0.1:${servers[first.body].port}`;
	const r = await h.hostctl('upstream', 'drain', 'app', name);

	assert.equal(r.code, 0, r.stderr);
	for (let i = 0; i < 10; i++) {
		assert.equal((await ask(h, { headers })).body, first.body);
		assert.notEqual((await ask(h)).body, first.body);
	}
	await h.hostctl('upstream', 'down', 'app', name);
	const moved = await ask(h, { headers });

	assert.notEqual(moved.body, first.body);
	assert.equal(moved.cookies.length, 1);
});

test('sticky_cookie learns an application\'s sessions, over a reload, too',
    async (t) => {
	let n = 0;
	const servers = await startServers(t, 3, (req, res) => {
		if (!req.headers.cookie)
			res.setHeader('Set-Cookie', `sid=s${++n}; Path=/`);
		return false;
	});
	const h = await start(t, servers, 'learning', '', `
		plugin "learning" { module = "sticky_cookie.so"
			mode = learn  name = "sid" }`);
	const clients = [];

	for (let i = 0; i < 9; i++) {
		const { body, cookies } = await ask(h);

		assert.equal(cookies.length, 1);	// none of ours
		clients.push({ body, Cookie: cookies[0].split(';')[0] });
	}
	assert.ok(new Set(clients.map((c) => c.body)).size > 1);
	const allStay = async () => {
		for (const { body, Cookie } of clients)
			for (let i = 0; i < 4; i++)
				if ((await ask(h, { headers: { Cookie } }))
				    .body !== body)
					return false;
		return true;
	};

	// What one worker has learned is on its way to the other.
	await within((async () => { while (!await allStay()); })(),
	    'word of sessions');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.ok(await allStay());
	await bothWorkers(h);
});

test('hash: the same path is the same server', async (t) => {
	const servers = await startServers(t, 4);
	const h = await start(t, servers, 'by_path', '', `
		plugin "by_path" { module = "hash.so"  key = "$uri" }`);
	const places = new Map();

	for (let i = 0; i < 40; i++)
		places.set(`/p${i}`,
		    (await ask(h, { path: `/p${i}?x=1` })).body);
	assert.equal(new Set(places.values()).size, 4);
	for (const [p, body] of places)
		for (let i = 0; i < 3; i++)
			assert.equal((await ask(h, { path: `${p}?${i}` })).body,
			    body);
	// When one goes, only what it had moves.
	const gone = places.get('/p0');
	const r = await h.hostctl('upstream', 'down', 'app',
	    `127.0.0.1:${servers[gone].port}`);

	assert.equal(r.code, 0, r.stderr);
	for (const [p, body] of places) {
		const now = (await ask(h, { path: p })).body;

		assert.ok(body === gone ? now !== gone : now === body, p);
	}
	await bothWorkers(h);
});

test('ip_hash: clients of one network are one', async (t) => {
	const servers = await startServers(t, 3);
	const h = await start(t, servers, 'ip_hash');
	const seen = new Set();

	for (const third of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
		const counts = await askMany(h, 6, (i) =>
		    ({ localAddress: `127.0.${third}.${i + 1}` }));

		assert.equal(Object.keys(counts).length, 1);
		seen.add(Object.keys(counts)[0]);
	}
	assert.ok(seen.size > 1);
});

for (const balancer of ['random_two', 'least_time'])
	test(`${balancer}: all servers are used`, async (t) => {
		const servers = await startServers(t, 3);
		const h = await start(t, servers, balancer);
		const counts = await askMany(h, 200);

		assert.equal(Object.keys(counts).length, 3,
		    JSON.stringify(counts));
	});

test('a server that has failed is named once, with the reason', async (t) => {
	const servers = await startServers(t, 2);
	const dead = { port: await freePort() };
	const h = await start(t, [...servers, dead], 'round_robin',
	    'max_fails = 3  fail_timeout = 1h');
	const counts = await askMany(h, 60);

	assert.deepEqual(Object.keys(counts), ['0', '1']);
	await h.logged(`127.0.0.1:${dead.port} is down`);
	const lines = h.log.split('\n').filter((l) => l.includes('is down'));

	assert.equal(lines.length, 1, h.log);
	assert.match(lines[0], new RegExp(
	    'upstream app: 127\\.0\\.0\\.1:\\d+ is ' +
	    'down: .*refused.*, 3 failures in 3600s; left alone for 3600s'));
});

test('one that is not there is refused, with one that is', async (t) => {
	const refused = async (balancer, what) => {
		const h = await prepareHostd(t, { conf: '', confd: { 'app.conf':
			'plugin "spread" { module = "least_conn.so" }\n' +
			`upstream "app" {\n\tbalancer = "${balancer}"\n` +
			'\tserver "127.0.0.1:1" { }\n}\n' } });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, 1);
		assert.match(r.stderr,
		    /app\.conf:3: upstream "app": there is no /);
		assert.match(r.stderr, what);
		assert.equal(r.stderr.match(/there is no/g).length, 1,
		    r.stderr);
	};

	await refused('least_con',
	    new RegExp('balancer "least_con": neither a ' +
	    'plugin block, nor a module /.*/least_con\\.so; did you mean ' +
	    '"least_conn"\\?'));
	await refused('spred', /did you mean "spread"\?/);
	await refused('xyzzy', /xyzzy\.so$/m);
});

test('one that is no balancer is refused with file and line', async (t) => {
	const servers = [{ port: 1 }];
	const h = await prepareHostd(t, { conf: '',
		confd: { 'app.conf':
		    'plugin "proxy" { module = "http_proxy.so" }\n' +
			'upstream "app" {\n\tbalancer = "proxy"\n' +
			`\tserver "127.0.0.1:${servers[0].port}" { }\n}\n` +
			'plugin "sticky" { module = "sticky_cookie.so" }\n' } });
	const r = await command(sbin('hostd'), ['-t', '-c', h.confFile]);

	assert.equal(r.code, 1);
	assert.match(r.stderr,
	    /app\.conf:3: upstream "app": plugin "proxy" does not provide balancer\/1/);
	assert.match(r.stderr, /app\.conf:6: .*set either secret or secret_file/);
});

// SPDX-License-Identifier: BSD-2-Clause
// Active checks: what servers are found to be by them, and how it is said.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, freePort, startHostd, tempDir, within }
	from './lib/hostd.mjs';
import { httpServer, serversOf, serversSatisfy } from './lib/servers.mjs';

const start = (t, health, servers, more = '') => startHostd(t, { conf: `
	upstream "app" {
		${servers.map((s) => `server "${s}" { max_fails = 0 }`).join('\n')}
		${more}
		health {
			interval = 100ms
			jitter = 20ms
			${/timeout/.test(health) ? '' : 'timeout = 1h'}
			${health}
		}
	}` });

const isState = (h, state, i = 0) => serversSatisfy(h, 'app',
    (all) => all[i].state === state, `state ${state}`);

// A server of bytes: fn(socket) for each connection.
async function bytesServer(t, fn, ...where) {
	const s = net.createServer(fn);

	s.listen(...(where.length > 0 ? where : [0, '127.0.0.1']));
	await within(once(s, 'listening'), 'server');
	atEnd(t, () => s.close());
	s.on('connection', (c) => {
		c.on('error', () => {});
		atEnd(t, () => c.destroy());
	});
	return s;
}

test('a server that fails is down, one that serves again is up', async (t) => {
	let status = 200;
	const app = await httpServer(t, (req, res) => {
		res.writeHead(status).end();
	});
	const h = await start(t, 'path = "/healthz?full" fall = 3 rise = 2',
	    [`127.0.0.1:${app.port}`, '127.0.0.1:1']);
	const [req] = await once(app, 'asked');

	assert.equal(req.method, 'GET');
	assert.equal(req.url, '/healthz?full');
	assert.equal(req.headers.host, `127.0.0.1:${app.port}`);
	assert.equal(req.headers.connection, 'close');
	await isState(h, 'failed', 1);
	await serversSatisfy(h, 'app', (all) => all[0].check === 'up', 'check');
	assert.equal((await serversOf(h, 'app'))[0].state, 'up');

	// The third in a row, not the first, nor the second.
	status = 500;
	let before = app.asked();

	await h.logged(`127.0.0.1:${app.port} is down: status 500, 3 checks`);
	assert.ok(app.asked() - before >= 3, `${app.asked() - before} checks`);
	const [down] = await isState(h, 'failed');

	assert.equal(down.reason, 'check: status 500');
	assert.equal(down.check, 'down');
	assert.ok(down.checked_ms > 0);
	assert.equal(down.last_check, 'status 500');
	const said = (await h.hostctl('upstream', 'list')).stdout;

	assert.match(said, new RegExp(`127\\.0\\.0\\.1:${app.port} +failed ` +
	    '.* status 500 \\S+ ago +check: status 500$', 'm'));
	status = 399;
	before = app.asked();
	await h.logged(`127.0.0.1:${app.port} is up again`);
	assert.ok(app.asked() - before >= 2, `${app.asked() - before} checks`);
	await isState(h, 'up');
	// Each change is said once, however many workers there are.
	assert.equal(h.log.split(`${app.port} is down`).length, 2);
	assert.equal(h.log.split(`${app.port} is up`).length, 2);
});

test('one that is about to change says how far it is', async (t) => {
	let status = 200;
	const app = await httpServer(t, (req, res) => {
		res.writeHead(status).end();
	});
	const h = await start(t, 'fall = 1000  rise = 1000',
	    [`127.0.0.1:${app.port}`, `127.0.0.1:${app.port + 1}`]);
	const says = (what) => serversSatisfy(h, 'app',
	    ([one]) => what.test(one.reason), `reason ${what}`);

	await isState(h, 'up');
	await serversSatisfy(h, 'app', ([one]) => one.last_check === 'passed',
	    'a check that passed');
	assert.equal((await serversOf(h, 'app'))[0].reason, '');
	status = 503;
	await says(/^check: status 503; down after 1000 like that, this is \d+$/);
	assert.equal((await serversOf(h, 'app'))[0].state, 'up');
	status = 200;
	await serversSatisfy(h, 'app', ([one]) => one.reason === '',
	    'no reason');
});

test('one that comes back slowly says how far it is', async (t) => {
	let status = 503;
	const app = await httpServer(t, (req, res) => {
		res.writeHead(status).end();
	});
	const other = await httpServer(t, (req, res) => res.end());
	const h = await start(t, 'fall = 1  rise = 3',
	    [`127.0.0.1:${app.port}`, `127.0.0.1:${other.port}`],
	    'slow_start = 1h');

	await isState(h, 'failed');
	status = 200;
	const [s] = await isState(h, 'slow-starting');

	assert.equal(s.share, 0);
	assert.match(s.reason,
	    /^slow start: 0% of its share, all of it in 3(600|5\d\d)s$/);
});

test('requests go to those that are up, in all workers', async (t) => {
	let status = 200;
	const apps = [];

	for (let i = 0; i < 2; i++)
		apps.push(await httpServer(t, (req, res) => res.writeHead(
		    i === 0 && req.url === '/healthz' ? status :
		    200).end(`${i}`)));
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 3 }
		plugin "proxy" { module = "http_proxy.so" }
		route "/" { plugin = "proxy" upstream = "app" }
		upstream "app" {
			${apps.map((a) => `server "127.0.0.1:${a.port}" { }`)
			    .join('\n')}
			health { path = "/healthz" interval = 100ms
				jitter = 10ms timeout = 1h }
		}` });
	const who = async () => {
		const all = new Set();

		for (let i = 0; i < 24; i++)
			all.add(await (await fetch(h.url,
			    { headers: { connection: 'close' } })).text());
		return [...all].sort();
	};

	assert.deepEqual(await who(), ['0', '1']);
	status = 503;
	await isState(h, 'failed');
	assert.deepEqual(await who(), ['1']);
	status = 200;
	await isState(h, 'up');
	assert.deepEqual(await who(), ['0', '1']);
});

test('what does not come in a row does not count', async (t) => {
	const app = await httpServer(t, (req, res, n) => {
		res.writeHead(n % 3 === 0 ? 200 : 500).end();
	});
	const h = await start(t, 'fall = 3', [`127.0.0.1:${app.port}`]);

	while (app.asked() < 12)
		await once(app, 'asked');
	assert.equal((await serversOf(h, 'app'))[0].state, 'up');
	assert.doesNotMatch(h.log, /is down/);
});

test('which statuses are right, and what has to be in the body', async (t) => {
	const answers = [
		(res) => res.writeHead(204).end(),
		(res) => res.writeHead(418).end('not <ready>'),
		(res) => res.writeHead(200).end('I am rea'),
		(res) => { res.writeHead(200); res.write('I am rea');
		    res.end('dy'); },
	];
	const apps = [];

	for (const answer of answers)
		apps.push(await httpServer(t, (req, res) => answer(res)));
	const h = await start(t, `fall = 1 rise = 1 method = POST
		host = "www.example.com" status = {"418", "200-204"}
		body = "ready"`, apps.map((a) => `127.0.0.1:${a.port}`));
	const [req] = await once(apps[0], 'asked');

	assert.equal(req.method, 'POST');
	assert.equal(req.headers.host, 'www.example.com');
	await isState(h, 'failed', 0);
	await isState(h, 'failed', 2);
	const all = await serversSatisfy(h, 'app',
	    (list) => list.every((s) => s.check !== 'none'), 'checks of all');

	assert.deepEqual(all.map((s) => s.state),
	    ['failed', 'up', 'failed', 'up']);
	assert.match(all[0].reason, /body/);
	assert.match(all[2].reason, /body/);
});

test('servers that hang, talk nonsense, or hang up', async (t) => {
	const hangs = 'no answer within 300 ms';
	const kinds = {
		[hangs]: () => {},
		'not an HTTP answer': (s) =>
		    s.end('SSH-2.0-OpenSSH_9.2p1\r\n\r\n'),
		'closed early': (s) => {
			s.resume();
			s.end('HTTP/1.1 200');
		},
		'status 503': (s) => {
			// At once, and without reading what is asked.
			s.end('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
		},
	};
	const servers = [];

	for (const kind of Object.values(kinds))
		servers.push(await bytesServer(t, kind));
	// Only the one that hangs must not have its time.
	for (const [i, reason] of Object.keys(kinds).entries()) {
		const h = await start(t, reason === hangs ?
		    'fall = 2 timeout = 300ms' : 'fall = 2',
		[`127.0.0.1:${servers[i].address().port}`]);
		const [s] = await isState(h, 'failed');

		assert.equal(s.reason, `check: ${reason}`);
	}
	// It hung up on the one that hangs.
	await once(servers[0], 'connection').then(([s]) =>
	    within(once(s.resume(), 'close'), 'end of a check'));
});

test('TCP: who listens is up', async (t) => {
	const port = await freePort();
	const h = await start(t, 'type = tcp fall = 2 rise = 2',
	    [`127.0.0.1:${port}`]);
	const [s] = await isState(h, 'failed');

	assert.equal(s.reason, 'check: connecting: Connection refused');
	let heard = '';
	const app = await bytesServer(t, (c) => {
		c.on('data', (d) => { heard += d; });
	}, port, '127.0.0.1');

	await h.logged(`127.0.0.1:${port} is up again`);
	// Nothing is said, and the connection is closed.
	const [c] = await once(app, 'connection');

	await within(once(c, 'close'), 'end of a check');
	assert.equal(heard, '');
});

test('a port of its own, and unix sockets', async (t) => {
	const port = await freePort();
	const socket = path.join(tempDir(t), 'app.sock');
	const admin = await httpServer(t, (req, res) => res.end());
	const app = await httpServer(t, (req, res) => res.end(), socket);
	const h = await start(t, `port = ${admin.port}`,
	    [`127.0.0.1:${port}`, `unix:${socket}`]);
	const checked = once(app, 'asked');

	assert.equal((await once(admin, 'asked'))[0].headers.host,
	    `127.0.0.1:${port}`);
	assert.equal((await checked)[0].headers.host, 'localhost');
	await serversSatisfy(h, 'app', (all) =>
	    all.every((s) => s.check === 'up'), 'checks that go well');
});

test('the PROXY protocol comes first, where servers expect it', async (t) => {
	const heard = async (version, health) => {
		let text = '';
		let h;
		const app = await bytesServer(t, (c) => {
			c.on('data', (d) => {
				text += d.toString('latin1');
				app.emit('heard', text);
			});
		});

		// There is no second one: it is not answered.
		const check = once(app, 'heard');

		h = await start(t, health, [`127.0.0.1:${app.address().port}`],
		    `proxy_protocol = ${version}`);
		await within(check, 'check');
		assert.ok(!h.exited);
		return { text, port: app.address().port };
	};
	const one = await heard('v1', 'type = http');

	assert.match(one.text, new RegExp(
	    `^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${one.port}\r\n` +
	    'GET / HTTP/1\\.1\r\n'));
	const two = await heard('v2', 'type = tcp');

	assert.match(two.text, /^\r\n\r\n\0\r\nQUIT\n/);
});

test('who is marked down is not asked', async (t) => {
	const app = await httpServer(t, (req, res) => res.end());
	const other = await httpServer(t, (req, res) => res.end());
	const h = await start(t, '', [`127.0.0.1:${app.port}`,
		`127.0.0.1:${other.port}`]);

	await once(app, 'asked');
	assert.equal((await h.hostctl('upstream', 'down', 'app',
	    `127.0.0.1:${app.port}`)).code, 0);
	await isState(h, 'down');
	// Once more, perhaps: one that was under way.
	await once(other, 'asked');
	await once(other, 'asked');
	await once(other, 'asked');
	const before = app.asked();

	while (other.asked() < 12)
		await once(other, 'asked');
	assert.equal(app.asked(), before);
	const asked = once(app, 'asked');

	assert.equal((await h.hostctl('upstream', 'enable', 'app',
	    `127.0.0.1:${app.port}`)).code, 0);
	await within(asked, 'check');
});

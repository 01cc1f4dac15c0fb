// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO for who runs it: counters, commands, the client's files, and who a
// socket's user is.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { startHostd, until } from './lib/hostd.mjs';
import { makeKeys, now, SECRET, token } from './lib/jwt.mjs';
import { Client, serveLogin } from './lib/login.mjs';
import { npm } from './lib/npm.mjs';
import { also, call, callAll, connect, connected, next } from './lib/sio.mjs';

const rulesOf = (keys) => `
	plugin "rules" {
		module = "socketio_rules.so"  ${keys}
		namespaces = {"/", "/room-*"}
		event "join" { action = join  room = "$0" }
		event "say" { action = emit  room = "$0"  as = "said"  args = "$1" }
		event "whoami" { ack = {"$id", "$user"} }
		event "secret" { require = user  ack = "\\"of $user\\"" }
	}`;

const serve = async (t, { io = '', more = '', rules = '', workers = 2 } =
    {}) => {
	const h = await startHostd(t, { conf: `
		pool "web" { workers = ${workers} }
		plugin "io" { module = "socketio.so"  ${io} }
		${rulesOf(rules)}
		route "/socket.io/" { plugin = "io" }
		${more}` });

	return Object.assign(h, { url: `http://127.0.0.1:${h.port}` });
};

test('counters', async (t) => {
	const h = await serve(t, { more: `
		plugin "metrics" { module = "http_metrics.so" }
		route "/metrics" { plugin = "metrics" }` });
	const a = await connect(t, h, 'upgrade');
	const b = await connect(t, h, 'websocket');
	const room = also(t, a, '/room-7');

	await connected(room);
	await call(a, 'join', 'tea');
	await call(b, 'join', 'tea');
	// It may come to the one behind the answer, and to the other one later.
	const said = Promise.all([a, b].map((s) => next(s, 'said')));

	await call(a, 'say', 'tea', 1);
	await said;
	b.disconnect();
	const shows = async (want) => {
		let text;

		await until(async () => {
			text = await (await fetch(`${h.url}/metrics`)).text();
			return want.every((l) => text.includes(`${l}\n`));
		}, want.join('\n')).catch((e) => {
			throw new Error(`${e.message} in\n${text.split('\n')
			    .filter((l) => l.includes('socketio')).join('\n')}`);
		});
	};
	const of = (name, labels, v) =>
	    `hostd_socketio_${name}{plugin="io"${labels}} ${v}`;

	await shows([of('sockets', ',namespace="/"', 1),
		of('sockets', ',namespace="/room-*"', 1),
		of('connections_total', ',namespace="/"', 2),
		of('events_received_total', ',namespace="/"', 3),
		of('events_sent_total', ',namespace="/"', 2),
		of('broadcasts_total', ',namespace="/"', 1),
		of('disconnects_total', ',namespace="/",' +
		    'reason="client namespace disconnect"', 1),
		of('sessions', ',transport="websocket"', 1),
		of('sessions', ',transport="polling"', 0),
		of('upgrades_total', '', 1),
		'hostd_socketio_rules_done_total{plugin="rules"} 3']);
});

test('files of the client', async (t) => {
	const dir = path.dirname(npm.resolve(
	    'socket.io-client/dist/socket.io.js'));
	const h = await serve(t, { workers: 1, io: `client_dir = "${dir}"` });
	const get = (name, headers) => fetch(`${h.url}/socket.io/${name}`,
	    { headers });

	for (const [name, type] of [['socket.io.js', 'application/javascript'],
		['socket.io.esm.min.js', 'application/javascript'],
		['socket.io.min.js.map', 'application/json']]) {
		const r = await get(name);

		assert.equal(r.status, 200);
		assert.equal(r.headers.get('content-type'),
		    `${type}; charset=utf-8`);
		assert.deepEqual(Buffer.from(await r.arrayBuffer()),
		    await readFile(path.join(dir, name)));
		const again = await get(name,
		    { 'If-None-Match': r.headers.get('etag') });

		assert.equal(again.status, 304);
	}
	assert.equal((await get('package.json')).status, 400);
	const without = await serve(t, { workers: 1 });

	assert.equal((await fetch(
	    `${without.url}/socket.io/socket.io.js`)).status, 400);
	await assert.rejects(serve(t, { io: 'client_dir = "/nowhere"' }),
	    /client_dir: \/nowhere\/socket.io.js: No such file/);
});

test('who has logged in', async (t) => {
	const h = await serveLogin(t, { conf: `
		plugin "io" { module = "socketio.so" }
		${rulesOf('')}
		plugin "members" { module = "socketio_rules.so"
			namespaces = "/members"  require_user = on
			event "whoami" { ack = {"$id", "$user"} } }
		route "/socket.io/" { plugin = "io" }` });
	const c = new Client(h);

	h.url = `http://127.0.0.1:${h.port}`;
	await c.login();
	const extraHeaders = { cookie: [...c.jar].map(([k, v]) => `${k}=${v}`)
	    .join('; ') };

	for (const mode of ['polling', 'websocket']) {
		const ada = await connect(t, h, mode, { extraHeaders });
		const members = also(t, ada, '/members');
		const bob = await connect(t, h, mode);

		assert.deepEqual(await callAll(ada, 'whoami'), [ada.id, 'ada']);
		await connected(members);
		assert.deepEqual(await callAll(members, 'whoami'),
		    [members.id, 'ada']);
		assert.deepEqual(await callAll(bob, 'whoami'), [bob.id, null]);
		assert.equal(await call(ada, 'secret'), 'of ada');
		assert.deepEqual(await call(bob, 'secret'),
		    { error: 'not authorized' });
		await assert.rejects(connected(also(t, bob, '/members')),
		    /^Error: not authorized$/);
	}
});

test('tokens', async (t) => {
	const h = await serve(t, { io: 'token_auth = "api"', more: `
		auth "api" { type = jwt  algorithm = HS256  secret = "${SECRET}"
			from = {"header", "query:access_token"} }
		plugin "guarded" { module = "socketio.so" }
		route "/guarded/" { plugin = "guarded"  auth = "api" }
		plugin "inside" { module = "socketio_rules.so"  offered_by = "guarded"
			event "whoami" { ack = "$user" } }`,
	rules: `offered_by = "io"` });
	const signer = makeKeys().HS256;
	const of = (sub, more = {}) => token(signer, { alg: 'HS256' },
	    { sub, exp: now() + 60, ...more });
	const refused = /^Error: not authorized$/;

	for (const mode of ['polling', 'websocket']) {
		const ada = await connect(t, h, mode,
		    { auth: { token: of('ada') } });
		const bob = await connect(t, h, mode);

		assert.deepEqual(await callAll(ada, 'whoami'), [ada.id, 'ada']);
		assert.deepEqual(await callAll(bob, 'whoami'), [bob.id, null]);
		const also7 = (s, auth) => connected(also(t, s, '/room-7',
		    { auth }));

		await also7(ada, { token: of('ada') });
		await assert.rejects(also7(await connect(t, h, mode,
		    { auth: { token: of('ada') } }), { token: of('eve') }),
		    refused);
		for (const bad of ['x', 7, {}, `${of('ada')}x`,
			of('ada', { exp: now() - 120 })])
			await assert.rejects(connect(t, h, mode,
			    { auth: { token: bad } }), refused);
	}
	// A route's own auth block, for all of its requests.
	const options = { path: '/guarded/',
	    query: { access_token: of('zoe') } };

	for (const mode of ['polling', 'upgrade'])
		assert.equal(await call(await connect(t, h, mode, options),
		    'whoami'), 'zoe');
	await assert.rejects(connect(t, h, 'polling', { path: '/guarded/' }));
	await assert.rejects(serve(t, { io: 'token_auth = "nobody"' }),
	    /token_auth: there is no auth block "nobody" with type = jwt/);
});

test('hostctl sio', async (t) => {
	const h = await serve(t, { more: `
		plugin "free" { module = "http_respond.so" }
		route "/free" { plugin = "free" }` });
	const sio = async (...args) => {
		const r = await h.hostctl('sio', ...args);

		assert.equal(r.code, 0, r.stderr);
		return r.stdout;
	};
	const json = async (...args) => JSON.parse(await sio(...args,
	    '--json'));
	const all = await Promise.all(['websocket', 'polling', 'upgrade',
	    'websocket'].map((mode) => connect(t, h, mode)));

	for (const s of all)
		await call(s, 'join', 'tea');
	await call(all[0], 'join', 'milk');
	const sum = (row) => Object.values(row.workers)
	    .reduce((a, b) => a + b, 0);
	const [space] = (await json('list', '/')).namespaces;

	assert.equal(space.nsp, '/');
	assert.equal(space.sockets, 4);
	assert.equal(sum(space), 4);
	assert.match(await sio('list'),
	    /^NAMESPACE +SOCKETS +WORKERS\n\/ +4 +web/);
	const { rooms } = await json('rooms', '/');

	assert.deepEqual(rooms.map((r) => [r.room, r.sockets, sum(r)]).sort(),
	    [['milk', 1, 1], ['tea', 4, 4]]);
	assert.match(await sio('rooms', '/'),
	    /^ROOM +SOCKETS +WORKERS\ntea +4 .*\nmilk +1 .*\n$/);
	assert.deepEqual((await json('rooms', '/', 'm')).rooms.length, 1);
	const { sockets } = await json('sockets', '/', 'milk');

	assert.deepEqual(sockets.map((s) => [s.id, s.peer, s.transport,
	    s.user]), [[all[0].id, '127.0.0.1', 'websocket', null]]);
	assert.equal((await json('sockets', '/')).sockets.length, 4);
	assert.match(await sio('sockets', '/', 'milk'),
	    new RegExp(`^SOCKET .*\n${all[0].id} +127.0.0.1 +websocket`));

	const said = all.map((s) => next(s, 'said'));

	await sio('emit', '/', 'tea', 'said', '"hello"', '{"a":1}');
	for (const s of said)
		assert.deepEqual(await s, ['hello', { a: 1 }]);
	const bad = await h.hostctl('sio', 'emit', '/', 'tea', 'said', 'hello');

	assert.notEqual(bad.code, 0);
	assert.match(bad.stderr, /arguments are JSON/);

	const gone = all.map((s) => next(s, 'disconnect'));

	assert.equal(await sio('disconnect', '/', all[1].id),
	    '1 socket was put out\n');
	await gone[1];
	assert.deepEqual(await json('disconnect', '/', '-not-there',
	    'room:tea'), { disconnected: 3 });
	assert.deepEqual((await gone[0])[0], 'io server disconnect');
	await Promise.all(gone);
	assert.equal((await h.hostctl('sio', 'rooms')).code, 2);
	const none = await h.hostctl('sio', 'list', '--plugin', 'free');

	assert.equal(none.code, 1);
});

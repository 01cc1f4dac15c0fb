// SPDX-License-Identifier: BSD-2-Clause
// Who a client is, wherever a route leads: to a plugin, a server, a WebSocket
// and its next worker, and the access log.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, raw, statusOf, until, within } from './lib/hostd.mjs';
import { plugin, serve } from './lib/http1.mjs';
import { makeKeys, now, SECRET, statusWith, token } from './lib/jwt.mjs';
import { npm } from './lib/npm.mjs';
import { httpServer } from './lib/servers.mjs';
import { serveSessions, set, Visitor } from './lib/session.mjs';

const { WebSocket } = npm('ws');
const { HS256 } = makeKeys();

const claims = { sub: 'alice', name: 'Zo\u00e9', list: [1, { a: 'b' }],
	empty: '', quoted: 'a"b\n', n: 1.5, exp: now() + 600 };
const good = token(HS256, { alg: 'HS256' }, claims);
const old = token(HS256, { alg: 'HS256' }, { exp: 1 });

const auth = (more = '') => `auth "api" {
	algorithm = "HS256"  secret = "${SECRET}"  ${more}
}`;
const serveWho = (t, more = '', conf = '') => serve(t, 'who_both', (so) => `
	plugin "who" { module = "${so}" }
	${auth(more)}
	route "/who" { plugin = "who"  auth = "api" }
	route "/open" { plugin = "who" }
	${conf}`);
const bearer = { headers: { Authorization: `Bearer ${good}` } };
const text = async (r) => (await r).text();

// Messages of a WebSocket, one after the other.
async function open(t, url, protocols = [], options = {}) {
	const ws = new WebSocket(url, protocols, options);
	const messages = [];
	let wake = () => {};

	ws.on('message', (d) => { messages.push(d.toString()); wake(); });
	atEnd(t, () => ws.terminate());
	await within(new Promise((resolve, reject) => {
		ws.on('open', resolve);
		ws.on('error', reject);
	}), 'the upgrade');
	return { ws, say: async (what) => {
		ws.send(what);
		await within((async () => {
			while (messages.length === 0)
				await new Promise((r) => { wake = r; });
		})(), 'an answer');
		return messages.shift().split('\n');
	} };
}

const wsUrl = (h, path = '/who') => `ws://127.0.0.1:${h.port}${path}`;

test('a plugin asks', async (t) => {
	const h = await serveWho(t);
	const ask = async (claim) => (await text(fetch(`${h.url}/who?${claim}`,
	    bearer))).split('\n');

	assert.deepEqual((await ask('sub')).slice(0, 4),
	    ['alice', JSON.stringify(claims), '"alice"', 'alice']);
	assert.deepEqual((await ask('list')).slice(2, 4),
	    ['[1,{"a":"b"}]', '[1,{"a":"b"}]']);
	assert.deepEqual((await ask('empty')).slice(2, 4), ['""', '']);
	assert.deepEqual((await ask('n')).slice(2, 4), ['1.5', '1.5']);
	assert.deepEqual((await ask('quoted')).slice(2, 5),
	    ['"a\\"b\\n"', 'a"b', '']);
	assert.deepEqual((await ask('none')).slice(2, 4), ['(none)', '(none)']);
	assert.equal((await ask('misuse'))[0], 'alice');
	// Nobody has asked who it is: HOSTD_E_NOTSUP.
	const r = (await text(fetch(`${h.url}/open?sub`, bearer))).split('\n');

	assert.equal(new Set(r.slice(0, 4)).size, 1);
	assert.match(r[0], /^\(-\d+\)$/);
});

test('where tokens are', async (t) => {
	const h = await serveWho(t, `from = {"header", "cookie:token",
		"query:access_token", "subprotocol:bearer."}`);
	const status = async (path, headers = {}) => {
		const r = await fetch(h.url + path, { headers });

		await r.arrayBuffer();
		return r.status;
	};

	assert.equal(await status('/who'), 401);
	for (const cookie of [`token=${good}`, `a=b; token=${good}; c=d`,
		`token="${good}"`, `token=${good}; token=${old}`])
		assert.equal(await status('/who', { cookie }), 200, cookie);
	for (const cookie of [`xtoken=${good}`, `token=${old}; token=${good}`,
		'token=', `Token=${good}`])
		assert.equal(await status('/who', { cookie }), 401, cookie);
	assert.equal(await status(`/who?access_token=${good}`), 200);
	assert.equal(await status(`/who?a=b&access_token=${good}&c`), 200);
	assert.equal(await status(`/who?xaccess_token=${good}`), 401);
	assert.equal(await status(`/who?access_token=${old}`), 401);
	// The header comes first, whatever else there is.
	assert.equal(await status(`/who?access_token=${good}`,
	    { Authorization: `Bearer ${old}` }), 401);
	assert.equal(await status(`/who?access_token=${old}`,
	    { Authorization: `Bearer ${good}` }), 200);
	// Who reads another one than we did reads one that was not checked.
	const { text: answer } = await raw(h.port,
	    `GET /who HTTP/1.1\r\nHost: a\r\n` +
	    `Authorization: Bearer ${good}\r\nAuthorization: Bearer ${old}\r\n` +
	    'Connection: close\r\n\r\n');

	assert.equal(statusOf(answer), 400);
	assert.match(answer, /error="invalid_request"/);
});

test('a body that nobody is to have', async (t) => {
	const h = await serveWho(t, '', `
		route "/large" { plugin = "who"  auth = "api"  max_body = 10m }`);
	const { text: answer } = await raw(h.port,
	    `POST /who HTTP/1.1\r\nHost: a\r\n` +
	    'Content-Length: 10\r\n\r\n0123456789' +
	    `GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${good}\r\n` +
	    'Connection: close\r\n\r\n');

	assert.equal(statusOf(answer), 401);
	assert.match(answer, /HTTP\/1\.1 200 OK[^]*alice/);
	// As large as the route allows it to those who may.
	const { text: large } = await raw(h.port, `POST /large HTTP/1.1\r\n` +
	    'Host: a\r\nContent-Length: 2000000\r\n\r\n', { until: '</h1>' });

	assert.equal(statusOf(large), 401);
	assert.match(large, /\r\nConnection: close\r\n/);
	assert.equal((await fetch(`${h.url}/large`, { method: 'POST',
		body: 'x'.repeat(2_000_000), ...bearer })).status, 200);
	const { text: asked } = await raw(h.port,
	    `POST /who HTTP/1.1\r\nHost: a\r\n` +
	    'Content-Length: 10\r\nExpect: 100-continue\r\n\r\n',
	    { until: '</h1>' });

	assert.equal(statusOf(asked), 401);
});

test('WebSockets', async (t) => {
	const h = await serveWho(t, 'from = {"header", "subprotocol:bearer."}');
	const { ws, say } = await open(t, wsUrl(h), [], bearer);

	assert.deepEqual((await say('name')).slice(0, 4),
	    ['alice', JSON.stringify(claims), '"Zo\u00e9"', 'Zo\u00e9']);
	assert.equal(ws.protocol, '');
	// As browsers can: the token is not agreed to, what stands beside it
	// is.
	const b = await open(t, wsUrl(h), ['chat', `bearer.${good}`]);

	assert.equal(b.ws.protocol, 'chat');
	assert.equal((await b.say('sub'))[0], 'alice');
	// Before there is a WebSocket.
	for (const [protocols, options] of [[[], {}], [['chat'], {}],
		[[`bearer.${old}`], {}],
		[[], { headers: { Authorization: `Bearer ${old}` } }]]) {
		const c = new WebSocket(wsUrl(h), protocols, options);
		const status = await within(new Promise((resolve, reject) => {
			c.on('unexpected-response', (q, r) => {
				resolve([r.statusCode,
					r.headers['www-authenticate']]);
				q.destroy();
			});
			c.on('open', () => reject(new Error('it is open')));
			c.on('error', reject);
		}), 'the refusal');

		assert.equal(status[0], 401);
		assert.match(status[1], /^Bearer realm="api"/);
	}
	const nobody = await open(t, wsUrl(h, '/open'), [], bearer);

	assert.match((await nobody.say('sub'))[0], /^\(-\d+\)$/);
});

// The upgrade waits for a hash.
test('WebSockets with a password', async (t) => {
	const h = await serve(t, 'who_both', (so) => `
		plugin "who" { module = "${so}" }
		auth "staff" { type = basic  users_file = "users" }
		route "/who" { plugin = "who"  auth = "staff" }`,
	{ files: { users: 'bob:$5$saltstring$' +
	    '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5\n' } });
	const as = (s) => ({ headers: { Authorization:
	    `Basic ${Buffer.from(s).toString('base64')}` } });

	for (let i = 0; i < 2; i++) {
		const { say } = await open(t, wsUrl(h), [],
		    as('bob:Hello world!'));

		assert.deepEqual((await say('sub')).slice(0, 4),
		    ['bob', '', '(none)', '(none)']);
	}
	await assert.rejects(open(t, wsUrl(h), [], as('bob:hello')), /401/);
	await assert.rejects(open(t, wsUrl(h), [], {}), /401/);
	assert.equal((await text(fetch(`${h.url}/who?sub`,
	    as('bob:Hello world!')))).split('\n')[0], 'bob');
});

test('the token is agreed to by nobody who was not asked', async (t) => {
	const h = await serveWho(t, 'from = "subprotocol:bearer."');
	const { text: answer } = await raw(h.port,
	    'GET /who HTTP/1.1\r\nHost: a\r\n' +
	    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
	    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
	    'Sec-WebSocket-Version: 13\r\n' +
	    `Sec-WebSocket-Protocol: bearer.${good}\r\n\r\n`,
	    { until: '\r\n\r\n' });

	assert.equal(statusOf(answer), 101);
	assert.doesNotMatch(answer, /bearer|Sec-WebSocket-Protocol/i);
});

test('over a move to another worker', async (t) => {
	const h = await serveWho(t);
	const { say } = await open(t, wsUrl(h), [], bearer);
	const nobody = await open(t, wsUrl(h, '/open'));
	const before = await say('name');
	const none = await nobody.say('name');
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	const after = await within((async () => {
		for (;;) {
			const a = await say('name');

			assert.deepEqual(a.slice(0, 4), before.slice(0, 4));
			if (a[4] !== before[4])
				return a;
		}
	})(), 'another worker');

	assert.equal(after[0], 'alice');
	assert.equal((await nobody.say('name'))[0], none[0]);
});

test('to a server', async (t) => {
	const origin = await httpServer(t, (q, r) => {
		r.end(JSON.stringify(q.headers));
	});
	const h = await serveWho(t, '', `
		upstream "app" { server "127.0.0.1:${origin.port}" { } }
		plugin "proxy" {
			module = "http_proxy.so"
			set_header = {"X-User: $remote_user",
				"X-Name: $jwt_claim_name", "X-N: $jwt_claim_n",
				"X-Quoted: <$jwt_claim_quoted>",
				"X-None: $jwt_claim_none"}
		}
		route "/app/" { plugin = "proxy"  upstream = "app"  auth = "api" }
		route "/free/" { plugin = "proxy"  upstream = "app" }`);

	assert.equal(await statusWith(h, '/app/', null), 401);
	assert.equal(await statusWith(h, '/app/', old), 401);
	const lies = { 'X-User': 'root', 'X-Name': 'x', 'X-None': 'y' };
	const { text: refused } = await raw(h.port, 'GET /app/ HTTP/1.1\r\n' +
	    'Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
	    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
	    'Sec-WebSocket-Version: 13\r\n\r\n', { until: '</h1>' });

	assert.equal(statusOf(refused), 401);
	assert.equal(origin.asked(), 0);
	const got = JSON.parse(await text(fetch(`${h.url}/app/`,
	    { headers: { ...bearer.headers, ...lies } })));

	assert.equal(got['x-user'], 'alice');
	assert.equal(Buffer.from(got['x-name'], 'latin1').toString(),
	    'Zo\u00e9');
	assert.equal(got['x-n'], '1.5');
	assert.equal(got['x-quoted'], '<a"b%0A>');
	assert.equal(got['x-none'], undefined);
	const free = JSON.parse(await text(fetch(`${h.url}/free/`,
	    { headers: { ...bearer.headers, ...lies } })));

	assert.equal(free['x-user'], undefined);
	assert.equal(free['x-name'], undefined);
});

// What is made for one is for others only if the server says so, as with
// Authorization (RFC 9111 section 3.5).
test('kept answers of a server', async (t) => {
	const origin = await httpServer(t, (q, r) => {
		r.setHeader('Cache-Control', q.url.endsWith('public') ?
		    'public, max-age=60' : 'max-age=60');
		r.end(q.headers['x-user']);
	});
	const h = await serveWho(t, 'from = {"cookie:token", "query:token"}', `
		upstream "app" { server "127.0.0.1:${origin.port}" { } }
		plugin "proxy" {
			module = "http_proxy.so"  upstream = "app"
			cache = "memory"  cache_key = "$uri"
			set_header = "X-User: $remote_user"
		}
		route "/app/" { plugin = "proxy"  auth = "api" }
		route "/free/" { plugin = "proxy" }`);
	const of = (sub) => token(HS256, { alg: 'HS256' }, { sub });
	const ask = (url, sub) => text(fetch(h.url + url,
	    { headers: { cookie: `token=${of(sub)}` } }));

	assert.equal(await ask('/app/mine', 'alice'), 'alice');
	assert.equal(await ask('/app/mine', 'bob'), 'bob');
	assert.equal(await text(fetch(`${h.url}/app/mine?token=${of('eve')}`)),
	    'eve');
	assert.equal(await ask('/app/public', 'alice'), 'alice');
	assert.equal(await ask('/app/public', 'bob'), 'alice');
	assert.equal(await statusWith(h, '/app/public', null), 401);
	for (let i = 0; i < 2; i++)
		assert.equal(await ask('/free/x', 'alice'), '');
	assert.equal(origin.asked(), 5);
});

test('the access log', async (t) => {
	const h = await serveWho(t, '', `access_log "a" { path = "access.log"
		format = "$remote_user|$jwt_claim_name|$jwt_claim_quoted|$jwt_claim_no|$status" }`);

	await text(fetch(`${h.url}/who`, bearer));
	await text(fetch(`${h.url}/who`));
	await text(fetch(`${h.url}/open`, bearer));
	const read = () => fs.readFileSync(path.join(h.dir, 'access.log'),
	    'latin1');

	await until(() => read().split('\n').length >= 4, 'three lines');
	assert.deepEqual(read().split('\n').slice(0, 3), [
		'alice|Zo\\xC3\\xA9|a\\x22b\\x0A|-|200', '-|-|-|-|401',
		'-|-|-|-|200']);
});

test('in another pool', async (t) => {
	const h = await serve(t, 'who_both', (so) => `
		pool "web" { workers = 1 }
		pool "socket" { workers = 1 }
		plugin "who" { module = "${so}" }
		${auth()}
		route "/who" { plugin = "who"  auth = "api"  pool = "socket" }
		route "/open" { plugin = "who" }`);
	const pid = async (path) => (await text(fetch(h.url + path, bearer)))
	    .split('\n')[4];

	assert.equal(await statusWith(h, '/who', null), 401);
	assert.equal(await statusWith(h, '/who', good), 200);
	assert.notEqual(await pid('/who?sub'), await pid('/open'));
	const { say } = await open(t, wsUrl(h), [], bearer);

	assert.equal((await say('sub'))[0], 'alice');
});

// Who it is comes first, then what he has.
test('a session, too', async (t) => {
	const h = await serveSessions(t, { keys: 'login = "/login"', conf: `
		${auth()}
		route "/both" { plugin = "s"  auth = "api"  session = required }
		route "/login" { plugin = "s"  auth = "api"  session = required }
		` });
	const v = new Visitor(h);
	const ask = async (headers, path = '/both?get=a') => {
		const r = await v.ask(path, { headers: { accept: 'text/html',
			...headers } });

		return [r.status, r.headers['www-authenticate'] ??
		    r.headers.location ?? r.text];
	};

	assert.deepEqual(await ask({}), [401, 'Bearer realm="api"']);
	assert.deepEqual(await ask({}, '/login'), [401, 'Bearer realm="api"']);
	assert.deepEqual(await ask(bearer.headers), [303, '/login']);
	assert.equal((await ask(bearer.headers, '/login'))[0], 200);
	await v.do(set('a', 1));
	assert.deepEqual(await ask({}), [401, 'Bearer realm="api"']);
	assert.deepEqual(await ask({ Authorization: `Bearer ${old}` }), [401,
		'Bearer realm="api", error="invalid_token", ' +
		'error_description="expired"']);
	assert.deepEqual(await ask(bearer.headers), [200, '[["OK",1]]']);
});

// A route that passes hands on the request, but not who it was there.
test('the next route asks for itself', async (t) => {
	const show = await plugin('show_route');
	const h = await serveWho(t, '', `
		plugin "show" { module = "${show}" }
		auth "other" { algorithm = "HS256"
			secret = "another secret of thirty-two bytes" }
		route "/p/a" { plugin = "show"  auth = "api" }
		route "/p/" { plugin = "who" }
		route "/q/a" { plugin = "show"  auth = "api" }
		route "/q/" { plugin = "who"  auth = "other" }`);

	assert.equal(await statusWith(h, '/p/a?pass', null), 401);
	assert.match(await text(fetch(`${h.url}/p/a?pass`, bearer)), /^\(-/);
	assert.equal(await statusWith(h, '/q/a?pass', good), 401);
});

// Nor does anybody who may read logs get in with what is there.
test('a token in the query is in no log', async (t) => {
	const h = await serveWho(t, 'from = "query:access_token"', `
		log_level = "debug"
		access_log "a" { path = "a.log" }
		access_log "b" { path = "b.log"  format = "json" }
		access_log "c" { path = "c.log"
			format = "$args $request_uri $http_referer" }
		upstream "none" { server "127.0.0.1:1" { } }
		plugin "proxy" { module = "http_proxy.so"  upstream = "none" }
		route "/none" { plugin = "proxy"  auth = "api" }`);
	const at = `/who?a=1&access_token=${good}&b=2`;

	assert.equal((await fetch(h.url + at)).status, 200);
	assert.equal((await fetch(`${h.url}/who?access_token=${old}`)).status,
	    401);
	assert.equal((await fetch(`${h.url}/open`, { headers:
	    { Referer: h.url + at } })).status, 200);
	assert.equal((await fetch(`${h.url}/none?access_token=${good}`)).status,
	    502);
	const read = (name) => fs.readFileSync(path.join(h.dir, name),
	    'latin1');

	for (const name of ['a.log', 'b.log', 'c.log'])
		await until(() => read(name).split('\n').length >= 5,
		    'four lines');
	await until(() => /GET \/none,/.test(h.log),
	    'what the proxy has to say');
	const all = h.log + read('a.log') + read('b.log') + read('c.log');

	assert.match(all, /GET \/who\?a=1&access_token=\*\*\*&b=2 HTTP/);
	for (const text of [good, old])
		for (const part of text.split('.').slice(1))
			assert.ok(!all.includes(part));
});

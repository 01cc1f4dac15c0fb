// SPDX-License-Identifier: BSD-2-Clause
// http_login: in, out, and who one is; for browsers and for scripts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, raw, statusOf } from './lib/hostd.mjs';
import { Client, fieldsOf, serveLogin } from './lib/login.mjs';
import { called, calls, order } from './lib/session.mjs';

const TOKEN = /^[A-Za-z0-9_-]{32}$/;

// What one's session has.
async function keysOf(c, ...keys) {
	const r = await c.get(`/s?${keys.map((k) => `get=${k}`).join('&')}`);

	return JSON.parse(r.body_text).map(([, value]) => value ?? null);
}

// But for where the secret of the cookies is.
const logOf = (h) => h.log.replace(/.*made a secret for sessions\n/, '');

test('in and out', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	const before = Date.now();

	assert.deepEqual(await c.whoami(), { user: null });
	const r = await c.login();

	assert.equal(r.status, 303);
	assert.equal(r.headers.get('location'), '/');
	assert.equal(r.body_text, '');
	const who = await c.whoami();

	assert.equal(who.user, 'ada');
	assert.match(who.csrf, TOKEN);
	const [user, at, csrf] = await keysOf(c, 'user', 'login_at', 'csrf');

	assert.equal(user, 'ada');
	assert.ok(at >= before && at <= Date.now());
	assert.equal(csrf, who.csrf);
	// The page says so, too, and its button logs out.
	const inside = await c.get('/login');

	assert.match(inside.body_text, /logged in as <strong>ada<\/strong>/);
	assert.match(inside.body_text, /action="logout"/);
	const out = await c.post('/logout', fieldsOf(inside.body_text));

	assert.equal(out.status, 303);
	assert.equal(out.headers.get('location'), '/');
	assert.deepEqual(await c.whoami(), { user: null });
	assert.deepEqual(await keysOf(c, 'user', 'csrf'), [null, null]);
	// Nothing to end, and nothing to prove.
	assert.equal((await c.post('/logout', '')).status, 303);
	// Nothing secret was logged.
	assert.doesNotMatch(logOf(h), new RegExp(`secret|${csrf}`));
});

for (const store of ['session_memory', 'session_lmdb', 'session_token'])
	test(`in and out, with ${store}`, async (t) => {
		const h = await serveLogin(t, { store: `${store}.so` });
		const c = new Client(h);

		await c.get('/s?set=cart:1');
		for (let i = 0; i < 2; i++) {
			const old = c.session;

			assert.equal((await c.login()).status, 303);
			assert.notEqual(c.session, old);
			const { user, csrf } = await c.whoami();

			assert.equal(user, 'ada');
			assert.deepEqual(await keysOf(c, 'cart'),
			    [i ? null : 1]);
			assert.equal((await c.post('/logout', { csrf })).status,
			    303);
			assert.deepEqual(await c.whoami(), { user: null });
		}
	});

test('every user, and nobody else', async (t) => {
	const h = await serveLogin(t, { keys: 'tries_address = 0' });

	for (const [user, password] of [['ada', 'secret'],
		['zo\u00e9', 'Hello world!'], ['<b>&"\'', 'secret']]) {
		const c = new Client(h);

		assert.equal((await c.login(user, password)).status, 303, user);
		assert.equal((await c.whoami()).user, user);
	}
	for (const [user, password] of [['ada', 'Secret'], ['ada', 'secret '],
		['Ada', 'secret'], ['eve', 'secret'], ['ada:x', 'secret'],
		['ada ', 'secret'], ['ada', 'Hello world!'], [' ', ' '],
		['a'.repeat(700), 'secret'], ['ada', 'x'.repeat(3000)]]) {
		const c = new Client(h);
		const r = await c.login(user, password);

		assert.equal(r.status, 401, user);
		assert.match(r.body_text, /The user or the password is wrong/);
		// What one has typed is there again; but not the password.
		const fields = fieldsOf(r.body_text);

		assert.equal(fields.user, user);
		assert.equal(fields.password, '');
		assert.deepEqual(await c.whoami(), { user: null });
		assert.equal(c.session, undefined);
	}
	await h.logged(/a login from 127\.0\.0\.1 has failed/);
	assert.doesNotMatch(logOf(h), /secret|Hello|\beve\b/);
});

test('the id changes, and what was in the session stays', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);

	await c.get('/s?set=cart:[1,2]');
	const old = c.session;
	const spy = new Client(h);

	spy.jar.set('connect.sid', old);
	assert.notEqual(old, undefined);
	await c.login();
	assert.notEqual(c.session, old);
	assert.deepEqual(await keysOf(c, 'cart', 'user'), [[1, 2], 'ada']);
	// Whoever knew the old one has nothing of it.
	assert.deepEqual(await spy.whoami(), { user: null });
	assert.deepEqual(await keysOf(spy, 'cart'), [null]);
	// A second login is a third id, and another token.
	const { csrf } = await c.whoami();
	const second = c.session;
	const again = await c.loginAgain();

	assert.equal(again.status, 303);
	assert.notEqual(c.session, second);
	assert.notEqual((await c.whoami()).csrf, csrf);
	assert.deepEqual(await keysOf(c, 'cart'), [[1, 2]]);
	// Another user does not see what was this one's.
	await c.loginAgain('zo\u00e9', 'Hello world!');
	assert.deepEqual(await keysOf(c, 'cart', 'user'), [null, 'zo\u00e9']);
	// Nor may he stay for as long as this one wanted to.
	await c.loginAgain('ada', 'secret', { remember: '1' });
	assert.deepEqual(await keysOf(c, 'remember'), [true]);
	const last = await c.loginAgain('zo\u00e9', 'Hello world!');

	assert.doesNotMatch(last.lines.find(
	    (l) => l.startsWith('connect.sid=')), /Expires/);
	assert.deepEqual(await keysOf(c, 'remember'), [null]);
	// Where something of his can't be taken away nobody gets in.
	order(h, 'get 0 value {"cookie":{},"user":"eve","a\\u0000b":1}');
	assert.equal((await c.loginAgain()).status, 500);
	order(h, '');
	assert.equal((await c.whoami()).user, 'zo\u00e9');
});

test('who only looks at the form has no session', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	const r = await c.get('/login');

	assert.equal(r.lines.length, 1);
	assert.match(r.lines[0], new RegExp(
	    '^hostd_login=[\\w-]{32}; Path=/; ' + 'HttpOnly; SameSite=Lax$'));
	// The next form has the same one: both of two tabs will do.
	const again = await c.get('/login');

	assert.deepEqual(again.lines, []);
	assert.equal(fieldsOf(again.body_text).csrf,
	    fieldsOf(r.body_text).csrf);
	// It has served then.
	const done = await c.login();

	assert.ok(done.lines.some((l) => /^hostd_login=; .*Max-Age=0/.test(l)));
});

test('forged forms', async (t) => {
	const h = await serveLogin(t);
	const good = { user: 'ada', password: 'secret' };
	const c = new Client(h);
	const csrf = await c.token();

	for (const token of [undefined, '', 'x', csrf.slice(1), `${csrf}x`,
		csrf.replace(/.$/, (x) => x === 'A' ? 'B' : 'A')]) {
		const r = await c.post('/login', { ...good,
			...(token !== undefined && { csrf: token }) });

		assert.equal(r.status, 403, token);
		assert.match(r.body_text, /out of date/);
	}
	// Another's token, or one without the cookie.
	const other = new Client(h);

	assert.equal((await other.post('/login', { ...good, csrf })).status,
	    403);
	await other.token();
	assert.equal((await other.post('/login', { ...good, csrf })).status,
	    403);
	for (const bad of ['', 'x', 'x'.repeat(32).replace(/.$/, '.'),
	    '='.repeat(32)]) {
		other.jar.set('hostd_login', bad);
		assert.equal((await other.post('/login',
		    { ...good, csrf: bad }))
		    .status, 403, bad);
	}
	assert.equal((await c.post('/login', { ...good, csrf })).status, 303);
	// Logging out.
	const who = await c.whoami();

	for (const token of ['', csrf, 'x', `${who.csrf}x`])
		assert.equal((await c.post('/logout', { csrf: token })).status,
		    403);
	assert.equal((await c.post('/logout', '')).status, 403);
	assert.equal((await c.get('/logout')).status, 405);
	assert.equal((await c.whoami()).user, 'ada');
	assert.equal((await c.post('/logout', '', { 'X-CSRF-Token': who.csrf }))
	    .status, 303);
	assert.equal((await c.whoami()).user, null);
});

test('where one goes afterwards', async (t) => {
	const h = await serveLogin(t, { keys: `home = "/home?a=b"
		goodbye = "/bye"  tries_user = 0` });
	const c = new Client(h);

	for (const [next, want] of [['/', '/'], ['/a?b=c&d', '/a?b=c&d'],
		['/r\u00e4um e', '/r%C3%A4um%20e'], ['/#x', '/#x'],
		['/a//b', '/a//b'], ['', '/home?a=b'], ['a', '/home?a=b'],
		['//evil.example', '/home?a=b'],
		['/\\evil.example', '/home?a=b'],
		['\\\\evil.example', '/home?a=b'], ['/\t/evil', '/home?a=b'],
		['///evil.example', '/home?a=b'], ['\n//evil', '/home?a=b'],
		['https://evil.example/', '/home?a=b'],
		['javascript:alert(1)', '/home?a=b'], [' /', '/home?a=b'],
		['/\r\nX-Evil: 1', '/home?a=b'],
		['/'.padEnd(2049, 'x'), '/home?a=b']]) {
		const r = await c.login('ada', 'secret', { next });

		assert.equal(r.status, 303, next);
		assert.equal(r.headers.get('location'), want, next);
		assert.equal(r.headers.get('x-evil'), null);
		const { csrf } = await c.whoami();
		const out = await c.post('/logout', { csrf, next });

		assert.equal(out.headers.get('location'), want ===
		    '/home?a=b' ? '/bye' : want);
	}
	// The form takes it from the address, if it is one of ours.
	assert.equal(fieldsOf((await c.get(
	    '/login?x=1&next=%2Fa%3Fb%3D%22c%22'))
	    .body_text).next, '/a?b="c"');
	assert.equal(fieldsOf((await c.get('/login?next=%2F%2Fevil'))
	    .body_text).next, '');
	assert.equal((await c.get('/login?next=%2')).status, 400);
	assert.equal((await c.get('/login?next=/a&next=/b')).status, 400);
});

test('a route that needs a login', async (t) => {
	const h = await serveLogin(t, {
		session: 'login = "/login?next="  required_key = "user"',
		conf: `plugin "yes" { module = "http_respond.so"  body = "yes" }
			route "/private/" { plugin = "yes"  session = required }`,
	});
	const c = new Client(h, { Accept: 'text/html' });
	const there = await c.get('/private/a?b=c');

	assert.equal(there.status, 303);
	const form = await c.get(there.headers.get('location'));
	const r = await c.post('/login', { ...fieldsOf(form.body_text),
		user: 'ada', password: 'secret' });

	assert.equal(r.headers.get('location'), '/private/a?b=c');
	assert.equal((await c.get('/private/a?b=c')).body_text, 'yes');
	// Looking at the form alone opens nothing, whatever is required.
	const d = new Client(h);

	await d.get('/login');
	assert.equal((await d.get('/private/')).status, 401);
});

test('remembered', async (t) => {
	const h = await serveLogin(t, { keys: 'remember = 7d' });
	const c = new Client(h);
	const expires = (r) => {
		const line = r.lines.find((l) => l.startsWith('connect.sid='));
		const [, at] = / Expires=([^;]+)/.exec(line) ?? [];

		return at && (Date.parse(at) - Date.now()) / 86400e3;
	};

	assert.match((await c.get('/login')).body_text,
	    /type="checkbox" name="remember"/);
	assert.equal(expires(await c.login()), undefined);
	const days = expires(await c.loginAgain('ada', 'secret',
	    { remember: '1' }));

	assert.ok(days > 6.99 && days <= 7, days);
	assert.deepEqual(await keysOf(c, 'remember'), [true]);
	// The next time it is not wanted.
	assert.equal(expires(await c.loginAgain()), undefined);
	assert.deepEqual(await keysOf(c, 'remember'), [null]);
	// Nobody is asked where it can't be.
	const none = await serveLogin(t, { keys: 'remember = 0' });
	const d = new Client(none);

	assert.doesNotMatch((await d.get('/login')).body_text, /remember/);
	assert.equal(expires(await d.login('ada', 'secret', { remember: '1' })),
	    undefined);
});

test('scripts', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	const form = await c.json('/login');

	assert.equal(form.headers.get('content-type'), 'application/json');
	assert.equal(form.json_value.user, null);
	const { csrf } = form.json_value;
	const send = (fields, headers = {}) => c.json('/login', {
		method: 'POST', body: new URLSearchParams(fields), headers });
	let r = await send({ user: 'ada', password: 'no', csrf });

	assert.equal(r.status, 401);
	assert.deepEqual(r.json_value, { csrf,
		error: 'The user or the password is wrong.' });
	r = await send({ user: 'ada', password: 'secret' });
	assert.equal(r.status, 403);
	assert.deepEqual(Object.keys(r.json_value).sort(), ['csrf', 'error']);
	r = await send({ user: 'ada', password: 'secret', next: '/x' },
	    { 'X-CSRF-Token': csrf });
	assert.equal(r.status, 200);
	const who = await c.whoami();

	assert.deepEqual(r.json_value, { ...who, next: '/x' });
	assert.deepEqual((await c.json('/login')).json_value, who);
	r = await c.json('/logout', { method: 'POST',
		headers: { 'X-CSRF-Token': 'x' } });
	assert.equal(r.status, 403);
	assert.deepEqual(Object.keys(r.json_value), ['error']);
	r = await c.json('/logout', { method: 'POST',
		headers: { 'X-CSRF-Token': who.csrf } });
	assert.equal(r.status, 200);
	assert.equal(r.json_value.user, null);
	assert.deepEqual(await c.whoami(), { user: null });
});

test('whoever has logged in elsewhere', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);

	// An application may have objects there.
	await c.get(`/s?set=user:${encodeURIComponent('{"id":7,"name":"Ada"}')}`);
	const who = await c.whoami();

	assert.deepEqual(who.user, { id: 7, name: 'Ada' });
	assert.match(who.csrf, TOKEN);
	assert.deepEqual(await c.whoami(), who);
	assert.match((await c.get('/login')).body_text,
	    /{&quot;id&quot;:7,&quot;name&quot;:&quot;Ada&quot;}/);
	assert.equal((await c.post('/logout', { csrf: who.csrf })).status, 303);
	assert.deepEqual(await c.whoami(), { user: null });
	// What is odd is told as it is.
	for (const odd of ['"a\\u0000b"', '1e999', '12345678901234567890',
		'[ {"a":1,"a":2} ]']) {
		await c.get(`/s?set=user:${encodeURIComponent(odd)}`);
		const r = await c.get('/whoami');

		assert.ok(r.body_text.startsWith(`{"user":${odd},"csrf":"`),
		    r.body_text);
		assert.equal((await c.get('/login')).status, 200);
	}
	for (const nobody of ['null', 'false', '""']) {
		await c.get(`/s?set=user:${encodeURIComponent(nobody)}`);
		assert.deepEqual(await c.whoami(), { user: null });
	}
});

test('forms that are none', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	const csrf = await c.token();
	const good = `user=ada&password=secret&csrf=${csrf}`;

	for (const [body, status] of [
		[`${good}&user=eve`, 400], [`${good}&password=`, 400],
		[`${good}&csrf=${csrf}`, 400], [`${good}&next=/&next=/`, 400],
		[`${good}&x=%zz`, 400], [`${good}&x=%`, 400],
		[`${good}&x=%00`, 400], [`${good}&x=%ff`, 400],
		[Buffer.from(`${good}&x=\xff`, 'latin1'), 400],
		[`${good}${'&x=1'.repeat(33)}`, 400],
		[`user=&password=secret&csrf=${csrf}`, 400],
		[`user=ada&csrf=${csrf}`, 400], [`csrf=${csrf}`, 400],
		['', 403], ['%', 400], ['user=ada&password=secret', 403],
		[`${good}&x=${'x'.repeat(8192)}`, 413],
		[`${good}&x=${'x'.repeat(100000)}`, 413],
		['{"user":"ada"}', 403]])
		assert.equal((await c.post('/login', body)).status, status,
		    String(body).slice(0, 120));
	for (const type of ['application/json',
	    'multipart/form-data; boundary=x',
		'text/plain', 'application/x-www-form-urlencodedx', ''])
		assert.equal((await c.post('/login', good, { 'Content-Type':
		    type })).status, 415, type);
	// The same without a length.
	const chunk = `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
	    'Content-Type: application/x-www-form-urlencoded\r\n' +
	    `Cookie: hostd_login=${csrf}\r\nTransfer-Encoding: chunked\r\n\r\n`;
	const parts = (s) => [...s].map((x) => `1\r\n${x}\r\n`).join('') +
	    '0\r\n\r\n';

	assert.equal(statusOf((await raw(h.port, chunk + parts(`${good}&x=${
		'x'.repeat(9000)}`))).text), 413);
	assert.equal(statusOf((await raw(h.port, chunk + parts(good))).text),
	    303);
	// Other methods, and other paths.
	for (const [method, where, status] of [['PUT', '/login', 405],
		['DELETE', '/logout', 405], ['POST', '/whoami', 405],
		['OPTIONS', '/login', 204], ['GET', '/account/x', 404],
		['HEAD', '/login', 200], ['GET', '/account/', 200],
		['GET', '/account/login', 200],
		    ['GET', '/account/whoami', 200]]) {
		const r = await c.ask(where, { method });

		assert.equal(r.status, status, `${method} ${where}`);
		if (status === 405 || status === 204)
			assert.match(r.headers.get('allow'), /OPTIONS/);
	}
	assert.equal((await c.login()).status, 303);
});

test('nothing is kept, framed or guessed', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);

	for (const r of [await c.get('/login'), await c.login('ada', 'no'),
		await c.login(), await c.get('/login'), await c.json('/whoami'),
		await c.post('/logout', '')]) {
		assert.equal(r.headers.get('cache-control'), 'no-store');
		assert.equal(r.headers.get('x-frame-options'), 'DENY');
		assert.match(r.headers.get('content-security-policy'),
		    /default-src 'none'.*frame-ancestors 'none'/);
		assert.equal(r.headers.get('x-content-type-options'),
		    'nosniff');
		assert.equal(r.headers.get('vary'), 'Accept, Cookie');
	}
});

test('a page of one\'s own', async (t) => {
	const files = { 'page.html': '<form>{{title}}|{{ user }}|{{csrf}}|' +
	    '{{next}}|{{message}}|{{remember}}</form>',
		'out.html': 'out {{user}} {{csrf}}' };
	const h = await serveLogin(t, { files, keys: `page = "page.html"
		logout_page = "out.html"  title = "A & B"` });
	const c = new Client(h);

	assert.match((await c.get('/login?next=/%3Ca%3E')).body_text,
	    /^<form>A &amp; B\|\|[\w-]{32}\|\/&lt;a&gt;\|\|<label.*<\/form>$/s);
	const csrf = /[\w-]{32}/.exec((await c.get('/login')).body_text)[0];
	const r = await c.post('/login', { user: '"><script>', password: 'x',
	    csrf });

	assert.match(r.body_text, /\|&quot;&gt;&lt;script&gt;\|/);
	await c.post('/login', { user: 'ada', password: 'secret', csrf });
	assert.match((await c.get('/login')).body_text, /^out ada [\w-]{32}$/);
	// It may have what it needs, but it is not framed.
	assert.equal((await c.get('/login')).headers
	    .get('content-security-policy'),
	    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
});

test('what will not do is refused at start', async (t) => {
	for (const [options, why] of [
		[{ users: 'staff' }, /users: there is no auth block "staff"/],
		[{ keys: 'key = "csrf"' }, /key: "csrf" has another meaning/],
		[{ keys: 'home = "/a b"' }, /home: a blank/],
		[{ keys: 'page = "no.html"' },
		    /page: .*no\.html: No such file/],
		[{ keys: 'page = "."' }, /page: .*it is no file/],
		[{ keys: 'page = "p"', files: { p: 'no form' } },
			/page: .*p: it has no \{\{csrf\}\}/],
		[{ keys: 'page = "p"', files: { p: '{{csrf}}{{name}}' } },
			/page: .*there is no placeholder "\{\{name\}\}"/]]) {
		const h = await serveLogin(t, { ...options, ready: false });
		const { code } = await h.ended;

		assert.notEqual(code, 0);
		assert.match(h.log, why);
		assert.match(h.log, /hostd\.conf:\d+: plugin "login"/);
	}
});

test('sessions that can\'t be had', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	const csrf = await c.token();

	order(h, 'set 0 fail -7');
	const r = await c.post('/login', { user: 'ada', password: 'secret',
	    csrf });

	assert.equal(r.status, 503);
	assert.equal(c.session, undefined);
	order(h, '');
	await c.login();
	order(h, 'get 0 fail -7');
	assert.equal((await c.get('/login')).status, 503);
	assert.equal((await c.json('/whoami').catch(() => c.get('/whoami')))
	    .status, 503);
	order(h, '');
	assert.equal((await c.whoami()).user, 'ada');
	const none = await serveLogin(t, { conf:
	    'route "/none" { plugin = "login"  session = off }' });

	assert.equal((await new Client(none).get('/none')).status, 500);
	await none.logged(/this request has no session: the route has session = off/);
});

test('a store that answers later', async (t) => {
	const h = await serveLogin(t);
	const c = new Client(h);
	// What is asked for meanwhile is answered when the store has answered.
	const late = async (op, fn) => {
		calls(h);
		order(h, `${op} 0 hold`);
		const asked = fn();

		await called(h, op);
		order(h, '');
		return asked;
	};

	await c.get('/s?set=a:1');
	assert.equal((await late('get', () => c.whoami())).user, null);
	assert.equal((await late('get', () => c.get('/login'))).status, 200);
	for (const op of ['get', 'set', 'del']) {
		await c.get('/s?set=a:1');
		assert.equal((await late(op, () => c.login())).status, 303);
		const { user, csrf } = await late('get', () => c.whoami());

		assert.equal(user, 'ada');
		assert.equal((await late('get', () =>
		    c.post('/logout', { csrf: 'x' }))).status, 403);
		assert.equal((await late('del', () =>
		    c.post('/logout', { csrf }))).status, 303);
		assert.equal((await c.whoami()).user, null);
	}
});

test('curl', async (t) => {
	const h = await serveLogin(t, { lmdb: true });
	const jar = path.join(h.dir, 'jar');
	const curl = async (...args) =>
	    (await command('curl', ['-sS', '-b', jar,
		'-c', jar, ...args])).stdout;
	const csrf = JSON.parse(await curl('-H', 'Accept: application/json',
	    `${h.url}/login`)).csrf;

	assert.equal(await curl('-o', '/dev/null', '-w',
	    '%{http_code} %{redirect_url}', '--data-urlencode', 'user=ada',
	    '--data-urlencode', 'password=secret', '-d', `csrf=${csrf}`,
	    `${h.url}/login`), `303 ${h.url}/`);
	// Whichever worker answers.
	for (let i = 0; i < 20; i++)
		assert.equal(JSON.parse(await curl(`${h.url}/whoami`)).user,
		    'ada');
	assert.ok(fs.existsSync(jar));
});

// SPDX-License-Identifier: BSD-2-Clause
// The cookie of a session: what is sent of it and when, and which of those that
// come back name a session.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { command, prepareHostd, raw, sbin, statusOf } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { ask, calls, cookieOf, get, SECRET, serveSessions, set, sign,
    Visitor, words } from './lib/session.mjs';

const signature = createRequire(npm.resolve('express-session'))(
    'cookie-signature');
const trusted = 'http { real_ip_from = "127.0.0.1" }';
const secure = { headers: { 'X-Forwarded-For': '192.0.2.1',
	'X-Forwarded-Proto': 'https' } };
const ID = /^[A-Za-z0-9_-]{32}$/;

test('it is what Node reads', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);
	const { cookies: [c] } = await v.visit(set('a', 1));

	assert.equal(c.name, 'connect.sid');
	assert.match(c.id, ID);
	assert.deepEqual(c.attributes, ['Path=/', 'HttpOnly', 'SameSite=Lax']);
	assert.equal(signature.unsign(decodeURIComponent(c.value).slice(2),
	    SECRET), c.id);
	assert.equal(c.line.split(';')[0],
	    `connect.sid=${encodeURIComponent(sign(c.id))}`);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await v.get('id'), c.id);
	// Each has one of its own.
	const ids = new Set();

	for (let i = 0; i < 20; i++) {
		const w = new Visitor(h);

		await w.do(set('a', i));
		ids.add(w.id);
	}
	assert.equal(ids.size, 20);
});

for (const [keys, want, headers] of [
	['httponly = off', ['Path=/', 'SameSite=Lax']],
	['samesite = off', ['Path=/', 'HttpOnly']],
	['samesite = strict', ['Path=/', 'HttpOnly', 'SameSite=Strict']],
	['path = "/s"', ['Path=/s', 'HttpOnly', 'SameSite=Lax']],
	['path = ""', ['HttpOnly', 'SameSite=Lax']],
	['domain = "x.example"', ['Domain=x.example', 'Path=/', 'HttpOnly',
		'SameSite=Lax']],
	['domain = ".x.example"', ['Domain=.x.example', 'Path=/', 'HttpOnly',
		'SameSite=Lax']],
	['priority = low', ['Path=/', 'HttpOnly', 'Priority=Low',
		'SameSite=Lax']],
	['max_age = 1h', ['Path=/', 'Expires', 'HttpOnly', 'SameSite=Lax']],
	['secure = auto', ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'],
		secure.headers],
	['secure = off', ['Path=/', 'HttpOnly', 'SameSite=Lax'],
		secure.headers],
	[`domain = "x.example" max_age = 1m secure = on partitioned = on
		priority = high samesite = none`, ['Domain=x.example', 'Path=/',
		'Expires', 'HttpOnly', 'Secure', 'Partitioned', 'Priority=High',
		'SameSite=None'], secure.headers],
	['name = "__Host-s" secure = on', ['Path=/', 'HttpOnly', 'Secure',
		'SameSite=Lax'], secure.headers],
]) test(`attributes: ${keys.replace(/\s+/g, ' ')}`, async (t) => {
	const h = await serveSessions(t, { keys, conf: trusted });
	const v = new Visitor(h, { headers });
	const { cookies: [c] } = await v.visit(set('a', 1));

	assert.deepEqual(c.attributes, want);
	assert.equal(c.signed, SECRET);
	assert.equal(await v.get(get('a')), 1);
});

test('expires is when max_age says', async (t) => {
	const h = await serveSessions(t, { keys: 'max_age = 1h' });
	const v = new Visitor(h);
	const near = (c, before, ms) => {
		// Whole seconds.
		assert.ok(c.expires > before + ms - 1001, c.line);
		assert.ok(c.expires <= Date.now() + ms, c.line);
	};
	let now = Date.now();

	near((await v.visit(set('a', 1))).cookies[0], now, 3600_000);
	const stored = (s) => JSON.parse(s.replace(/^set \S+ \S+ \S+ /, ''));
	const [put] = calls(h);

	assert.match(put, /^set \S{32} 3600000 none /);
	assert.equal(stored(put).cookie.originalMaxAge, 3600_000);
	near({ expires: Date.parse(stored(put).cookie.expires), line: put },
	    now, 3600_000);
	// Only read: neither it nor what is stored is written again.
	assert.deepEqual((await v.visit(get('a'))).setCookie, []);
	assert.deepEqual(calls(h).map((c) => c.replace(v.id, 'ID')),
	    ['get ID', 'touch ID 3600000']);
	now = Date.now();
	near((await v.visit(set('a', 2))).cookies[0], now, 3600_000);
	// Its own.
	now = Date.now();
	near((await v.visit('age=60000', set('a', 3))).cookies[0], now, 60_000);
	assert.match(calls(h).at(-1), /^set \S{32} 60000 same /);
	near((await v.visit(set('a', 4))).cookies[0], now, 60_000);
	assert.equal((await v.visit('age=0', set('a', 5))).cookies.length, 0);
	assert.match(calls(h).at(-1),
	    /^set \S{32} 86400000 same .*"expires":null/);
});

test('rolling', async (t) => {
	const h = await serveSessions(t, { keys: 'rolling = on max_age = 1h' });
	const v = new Visitor(h);

	assert.equal((await v.visit(get('a'))).cookies.length, 0);
	await v.visit(set('a', 1));
	for (const steps of [[get('a')], [set('a', 1)], [set('a', 2)],
		['status=404', get('a')]]) {
		const { cookies } = await v.visit(...steps);

		assert.deepEqual(cookies.map((c) => [c.id, c.attributes[1]]),
		    [[v.id, 'Expires']], steps.join());
	}
	// Who does not ask for it does not extend it.
	assert.deepEqual((await v.visit()).setCookie, []);
	assert.deepEqual((await v.visit('destroy')).setCookie, []);
});

test('secure = on is not for who comes without', async (t) => {
	const h = await serveSessions(t,
	    { keys: 'secure = on', conf: trusted });

	for (const headers of [{}, { 'X-Forwarded-Proto': 'https' },
		{ ...secure.headers, 'X-Forwarded-Proto': 'http' },
		{ ...secure.headers, 'X-Forwarded-Proto': 'http, https' },
		{ ...secure.headers, 'X-Forwarded-Proto': 'httpsx' }]) {
		const { status, setCookie } = await new Visitor(h, { headers })
		    .visit(set('a', 1));

		assert.deepEqual([status, setCookie], [200, []],
		    JSON.stringify(headers));
		// It is stored all the same, as Node does.
		assert.deepEqual(words(h), ['set']);
	}
	for (const proto of ['https', 'HTTPS', 'https, http', 'https,http']) {
		const v = new Visitor(h, { headers: { ...secure.headers,
			'X-Forwarded-Proto': proto } });
		const { cookies: [c] } = await v.visit(set('a', 1));

		assert.ok(c?.attributes.includes('Secure'), proto);
		assert.equal(await v.get(get('a')), 1);
	}
});

test('X-Forwarded-Proto of anybody is not believed', async (t) => {
	const h = await serveSessions(t, { keys: 'secure = on' });

	assert.deepEqual((await new Visitor(h, secure).visit(set('a', 1)))
	    .setCookie, []);
});

test('beside a cookie of the plugin\'s own', async (t) => {
	const h = await serveSessions(t);
	const r = await ask(h, `/s?cookie=theme%3Ddark&${set('a', 1)}`);

	assert.equal(r.setCookie.length, 2);
	assert.ok(r.setCookie.includes('theme=dark'));
});

// -- those that come back --

test('which cookies name a session', async (t) => {
	const h = await serveSessions(t);
	const v = new Visitor(h);

	await v.do(set('a', 1));
	calls(h);
	const { id } = v;
	const good = sign(id);
	const [, mac] = /\.([^.]*)$/.exec(good);
	const enc = encodeURIComponent;
	const is = async (want, ...headers) => {
		const { text } = await raw(h.port, ['GET /s?id&get=a HTTP/1.1',
			'Host: a', 'Connection: close', ...headers, '', '']
			.join('\r\n'));
		const what = headers.join(' | ');
		const asked = calls(h);

		assert.equal(statusOf(text), 200, what);
		assert.doesNotMatch(text, /^set-cookie/im, what);
		const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') +
		    4));

		if (want) {
			assert.deepEqual(body, [['OK', id], ['OK', 1]], what);
			assert.deepEqual(asked, [`get ${id}`,
				`touch ${id} 86400000`], what);
		} else {
			assert.notEqual(body[0][1], id, what);
			assert.deepEqual(body[1], ['OK'], what);
			assert.deepEqual(asked, [], what);
		}
	};
	const cookie = (value) => `Cookie: connect.sid=${value}`;

	for (const value of [enc(good), good, `"${enc(good)}"`, `"${good}"`,
		enc(good).replace(/%../g, (x) => x.toLowerCase()),
		good.replaceAll('.', '%2E'), `${enc(good)}; a=b`,
		` ${enc(good)} ;a=b`,
		good.replace(/[A-Za-z]/, (c) =>
			`%${c.charCodeAt(0).toString(16)}`)])
		await is(true, cookie(value));
	for (const [headers, want] of [
		[[`Cookie: a=b; connect.sid=${enc(good)}`], true],
		[[`cookie: a=b;connect.sid=${enc(good)};c`], true],
		[['Cookie: a=b', cookie(enc(good))], true],
		// The first one counts.
		[[cookie(enc(good)), cookie('x')], true],
		[[cookie(`${enc(good)}; connect.sid=x`)], true],
		[[cookie('x'), cookie(enc(good))], false],
		[[cookie(`x; connect.sid=${enc(good)}`)], false],
		[[cookie(`; connect.sid=${enc(good)}`)], false],
		// Another name.
		[[`Cookie: Connect.sid=${enc(good)}`], false],
		[[`Cookie: xconnect.sid=${enc(good)}`], false],
		[[`Cookie: connect.sid2=${enc(good)}`], false],
		[[`Cookie: connect%2Esid=${enc(good)}`], false],
		[[`X-Cookie: connect.sid=${enc(good)}`], false]])
		await is(want, ...headers);
	const other = (c) => c === 'A' ? 'B' : 'A';

	for (const value of ['', 's:', 's%3A', 's:.', '.', 's', id, `s:${id}`,
		`s:${id}.`, good.slice(2), enc(good.slice(2)),
		    `S${good.slice(1)}`,
		`j:${good}`, enc(enc(good)), enc(sign(id, 'another secret')),
		enc(sign(id, '')), enc(`${good}=`), `${enc(good)}%`,
		`${enc(good)}%zz`, `${enc(good)}%00`, `${enc(good)}\xe9`,
		`${enc(good)}%C3`, enc(good.slice(0, -1)), enc(`${good}A`),
		enc(`s:${other(id[0])}${id.slice(1)}.${mac}`),
		enc(`s:${id}.${other(mac[0])}${mac.slice(1)}`),
		enc(`s:${id}.${mac.slice(0, -1)}${other(mac.at(-1))}`),
		`s:${id}.${Buffer.from(mac, 'base64').toString('hex')}`,
		enc(good.replace(mac, mac.replaceAll('+', '-')
		    .replaceAll('/', '_') + (/[+/]/.test(mac) ? '' : 'x'))),
		'"', '""', '"""', `"${enc(good)}`, `'${enc(good)}'`,
		// No store could have these.
		enc(sign('')), enc(sign('a b')), enc(sign('z\u00e9')),
		enc(sign('a\0b')), enc(sign('a\nset')),
		    enc(sign('x'.repeat(256))),
		'%'.repeat(3000), 's'.repeat(8000), enc(sign('x'.repeat(6000))),
		enc(good) + '%41'.repeat(2700)])
		await is(false, cookie(value));
	// After all that, it is as it was.
	assert.equal(await v.get(get('a')), 1);
});

test('an id that the store does not know is not taken', async (t) => {
	const h = await serveSessions(t);
	const known = 'A'.repeat(32);
	const cookie = cookieOf(known);
	const victim = new Visitor(h, { headers: { cookie } });

	assert.deepEqual(await victim.do('new', get('a')),
	    [['OK', 1], ['OK']]);
	assert.deepEqual(calls(h), [`get ${known}`]);
	const { cookies: [c] } = await victim.visit(set('a', 1));

	assert.match(c.id, ID);
	assert.notEqual(c.id, known);
	assert.ok(calls(h).every((l) => !/^(set|touch|del)/.test(l) ||
	    l.split(' ')[1] === c.id));
	assert.deepEqual(await new Visitor(h, { headers: { cookie } })
	    .do(get('a')), [['OK']]);
});

test('one whose time is over', async (t) => {
	const h = await serveSessions(t, { keys: 'ttl = 1s' });
	const v = new Visitor(h);

	await v.do(set('a', 1));
	assert.match(calls(h)[0], /^set \S+ 1000 none/);
	const { id } = v;
	const over = Date.now() + 1100;

	// Who looks extends it.
	while (Date.now() < over)
		await ask(h, '/s');
	assert.deepEqual(await v.do('new', get('a')), [['OK', 1], ['OK']]);
	await v.do(set('a', 2));
	assert.notEqual(v.id, id);
});

test('two blocks, two cookies', async (t) => {
	const h = await serveSessions(t, { keys: 'path = "/s"', conf: `
		session "shop" { store = "kept"  name = "shop.sid"
			secret = "dog" }
		route "/shop" { plugin = "s"  sessions = "shop" }
		route "/off" { plugin = "s"  session = off }
		route "/x" { plugin = "s" }` });
	const v = new Visitor(h);
	const shop = new Visitor(h, { path: '/shop' });

	shop.cookies = v.cookies;
	await v.do(set('a', 1));
	await shop.do(set('a', 2));
	assert.deepEqual([...v.cookies.keys()], ['connect.sid', 'shop.sid']);
	assert.equal(await v.get(get('a')), 1);
	assert.equal(await shop.get(get('a')), 2);
	// One is not the other, whoever moves it there.
	const swapped = new Visitor(h);

	swapped.cookies.set('connect.sid', v.cookies.get('shop.sid'));
	assert.deepEqual(await swapped.do(get('a')), [['OK']]);
	for (const path of ['/off', '/x'])
		assert.deepEqual(await new Visitor(h, { path })
		    .do('open', get('a')), [['E_NOTSUP'], ['E_NOTSUP']], path);
});

test('cookies that browsers would drop are not configured', async (t) => {
	for (const [keys, why] of [
		['name = "__Host-s"', 'needs secure = on'],
		['name = "__Host-s" secure = on path = "/s"',
		    'needs path = "/"'],
		['name = "__Host-s" secure = on domain = "a"', 'no domain'],
		['name = "__Secure-s"', 'needs secure = on'],
		['samesite = none secure = off', 'samesite'],
		['partitioned = on secure = off', 'partitioned'],
		['name = "a b"', 'is not one that a cookie may have'],
		['name = "a;b"', 'is not one that a cookie may have'],
		['path = "/a;b"', 'path'], ['domain = "a b"', 'host'],
		['login = "/a\\r\\nSet-Cookie: x"', 'login']]) {
		const h = await prepareHostd(t, { conf:
			`session "main" { secret = "x" ${keys} }` });
		const r = await command(sbin('hostd'),
		    ['-t', '-c', h.confFile]);

		assert.equal(r.code, 1, keys);
		assert.ok(r.stderr.includes(why), `${keys}: ${r.stderr}`);
	}
});

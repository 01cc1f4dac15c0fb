// SPDX-License-Identifier: BSD-2-Clause
// Access logs: combined, JSON and custom formats, field by field.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, prepareHostd, until, within } from './lib/hostd.mjs';
import { ask, chunked, connect, get, plugin, post, serve, serveShow } from
    './lib/http1.mjs';

// The file's lines, once there are n of them.
async function lines(h, name, n) {
	const read = () => fs.readFileSync(path.join(h.dir, name), 'latin1');

	await until(() => read().split('\n').length - 1 >= n,
	    `${n} lines in ${name}`);
	const text = read();

	assert.ok(text.endsWith('\n'));
	return text.slice(0, -1).split('\n');
}

const combined = new RegExp('^(\\S+) - (\\S+) \\[([^\\]]+)\\] ' +
	'"([^"]*)" (\\d{3}) (\\d+) "([^"]*)" "([^"]*)"$');

test('combined', async (t) => {
	const h = await serveShow(t, '',
	    'access_log "a" { path = "access.log" }', { noPort: true });
	const c = await connect(t, h.port);
	const from = Date.now() - 2000;

	await c.send(get('/x?y=1', 'Referer: http://r/', 'User-Agent: me/1.0') +
	    get('/?length=12345') + post('/p', 'body') + get('/?status=404') +
	    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' + get('/?stream=3&of=10') +
	    'GET /old HTTP/1.0\r\n\r\n');
	const x = await c.next();
	const sizes = [x.body.length, 12345];

	await c.next();
	sizes.push((await c.next()).body.length, (await c.next()).body.length,
	    0);
	await c.next({ head: true });
	await c.next();
	// The coding counts: 3 chunks of 10 and the last.
	sizes.push(3 * (3 + 10 + 2) + 5, (await c.next()).body.length);
	const all = (await lines(h, 'access.log', 7)).map((l) => {
		const m = combined.exec(l);

		assert.ok(m, l);
		return m.slice(1);
	});

	assert.deepEqual(all.map((m) => m[3]), ['GET /x?y=1 HTTP/1.1',
		'GET /?length=12345 HTTP/1.1', 'POST /p HTTP/1.1',
		'GET /?status=404 HTTP/1.1', 'HEAD / HTTP/1.1',
		'GET /?stream=3&of=10 HTTP/1.1', 'GET /old HTTP/1.0']);
	assert.deepEqual(all.map((m) => m[4]),
	    ['200', '200', '200', '404', '200', '200', '200']);
	assert.deepEqual(all.map((m) => Number(m[5])), sizes);
	assert.deepEqual(all[0].slice(6), ['http://r/', 'me/1.0']);
	assert.deepEqual(all[1].slice(6), ['-', '-']);
	for (const m of all) {
		assert.equal(m[0], '127.0.0.1');
		assert.equal(m[1], '-');
		const [, d, mon, y, time, zone] =
		    new RegExp('^(\\d\\d)/(\\w{3})/' +
		    '(\\d{4}):(\\d\\d:\\d\\d:\\d\\d) ([+-]\\d{4})$').exec(m[2]);
		const when = Date.parse(`${d} ${mon} ${y} ${time} ${zone}`);

		assert.ok(when >= from && when <= Date.now(), m[2]);
	}
});

test('json', async (t) => {
	const h = await serveShow(t, '',
	    'access_log "a" { path = "access.json"  format = "json" }',
	    { noPort: true });

	await ask(t, h.port, '/x?y=1', 'User-Agent: "quoted" \\ \xe4\t\x7e');
	const c = await connect(t, h.port);

	await c.send(chunked('/p', ['abc']).replace('Host: a', 'Host: B:80'));
	await c.next();
	const [x, p] = (await lines(h, 'access.json', 2)).map(JSON.parse);
	const [w] = await h.workers();

	assert.deepEqual(Object.keys(x), ['time', 'remote_addr', 'method',
	    'host',
		'uri', 'protocol', 'status', 'body_bytes_sent', 'request_time',
		'referer', 'user_agent', 'worker', 'pid']);
	assert.match(x.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
	assert.ok(!Number.isNaN(Date.parse(x.time)));
	assert.equal(x.method, 'GET');
	assert.equal(x.uri, '/x?y=1');
	assert.equal(x.status, 200);
	assert.equal(typeof x.request_time, 'number');
	assert.equal(x.user_agent, '"quoted" \\ \xe4\t\x7e');
	assert.equal(x.pid, w.pid);
	assert.equal(p.method, 'POST');
	assert.equal(p.host, 'b');
	assert.ok(p.body_bytes_sent > 50);
});

test('a format of one\'s own', async (t) => {
	const format = '$remote_addr|$request_method|$request_uri|$uri|$args|' +
	    '$server_protocol|$host|$status|$body_bytes_sent|$bytes_sent|' +
	    '$request_length|$request_time|$msec|$content_length|' +
	    '$http_x_some_thing|\\${pid}x|$connection_requests|$http_host';
	const h = await serveShow(t, '',
	    `access_log "a" { path = "own.log"  format = "${format}" }`,
	    { noPort: true });
	const c = await connect(t, h.port);
	const bytes = post('/a%20b/../c?q=%20', 'hello', 'X-Some-Thing: v1',
	    'x-some-thing: v2');

	await c.send(get('/'));
	await c.next();
	await c.send(bytes);
	const r = await c.next();
	const [, line] = await lines(h, 'own.log', 2);
	const f = line.split('|');
	const [w] = await h.workers();

	assert.deepEqual(f.slice(0, 8), ['127.0.0.1', 'POST',
		'/a%20b/../c?q=%20', '/c', 'q=%20', 'HTTP/1.1', 'a', '200']);
	assert.equal(Number(f[8]), r.body.length);
	assert.equal(Number(f[9]), r.raw.length + r.body.length);
	assert.equal(Number(f[10]), bytes.length);
	assert.match(f[11], /^\d+\.\d{3}$/);
	assert.match(f[12], /^\d{10}\.\d{3}$/);
	assert.equal(f[13], '5');
	assert.equal(f[14], 'v1');
	assert.deepEqual(f.slice(15), [`${w.pid}x`, '2', 'a']);
});

test('nobody can forge a line', async (t) => {
	const h = await serveShow(t, '', `
		access_log "c" { path = "c.log" }
		access_log "j" { path = "j.log"  format = "json" }
		access_log "u" { path = "u.log"  format = "<$uri>" }`,
	    { noPort: true });
	const c = await connect(t, h.port);
	const hostile = 'a" 200 1 "-" "\\x\xff\t\x1b'.replace('\x1b', '\x80');

	await c.send(get('/%0A127.0.0.1%20-%22%5C%00'.replace('%00', '%01%ff'),
	    `User-Agent: ${hostile}`, 'Referer: "><script>'));
	await c.next();
	await c.send(get('/quote"back\\slash'));
	await c.next();
	const cs = await lines(h, 'c.log', 2);
	const us = await lines(h, 'u.log', 2);
	const js = (await lines(h, 'j.log', 2)).map(JSON.parse);

	for (const l of [...cs, ...us])
		assert.match(l, /^[\x20-\x7e]*$/);
	const m = combined.exec(cs[0]);

	assert.equal(m[4], 'GET /%0A127.0.0.1%20-%22%5C%01%ff HTTP/1.1');
	assert.equal(m[7], '\\x22><script>');
	assert.equal(m[8], 'a\\x22 200 1 \\x22-\\x22 \\x22\\x5Cx\\xFF\\x09\\x80');
	assert.equal(combined.exec(cs[1])[4],
	    'GET /quote\\x22back\\x5Cslash HTTP/1.1');
	assert.equal(us[0], '</\\x0A127.0.0.1 -\\x22\\x5C\\x01\\xFF>');
	assert.equal(js[0].user_agent, hostile);
	assert.equal(js[1].uri, '/quote"back\\slash');
});

test('what was refused is logged as far as it was understood', async (t) => {
	const clock = await makeClock(t);
	const h = await serveShow(t, 'max_body = 10  head_timeout = 1000s', `
		pool "web" { workers = 1  watchdog = 0 }
		access_log "a" { path = "access.log" }`,
	    { noPort: true, env: clock.env });
	const cases = [
		['nonsense\r\n\r\n', 400],
		['GET /\x01evil HTTP/1.1\r\nHost: a\r\n\r\n', 400],
		['GET /x HTTP/1.1\r\n\r\n', 400],
		[post('/big', 'x'.repeat(11)), 413],
		['GET /half HTTP/1.1\r\n', 408],
	];

	for (const [bytes, status] of cases) {
		const c = await connect(t, h.port);

		await c.send(bytes);
		if (status === 408)
			await clock.passFor(h, 1001);
		assert.equal((await c.next()).status, status);
		c.destroy();
	}
	// The clock's turns are two bad requests.
	const logged = await lines(h, 'access.log', cases.length + 2);
	const all = logged.map((l) => {
		assert.match(l, combined);
		return combined.exec(l);
	});

	assert.deepEqual(all.map((m) => Number(m[5])).sort(),
	    [400, 400, 400, 400, 400, 408, 413]);
	assert.ok(all.some((m) => m[4] === 'POST /big HTTP/1.1'));
	assert.ok(all.some((m) => m[4] === '-'));
});

test('a client that left is 499', async (t) => {
	const h = await serve(t, 'flow_route', (so) => `
		plugin "flow" { module = "${so}" }
		route "/flow/" { plugin = "flow" }
		access_log "a" { path = "access.log" }`, { noPort: true });
	const c = await connect(t, h.port);

	await c.send(get('/flow/defer'));
	await h.logged('holding defer');
	c.destroy();
	const [l] = await lines(h, 'access.log', 1);

	assert.deepEqual(combined.exec(l).slice(4, 7),
	    ['GET /flow/defer HTTP/1.1', '499', '0']);
});

test('a log that is off writes nothing, others do', async (t) => {
	const h = await serveShow(t, '', `
		access_log "off" { path = "off" }
		access_log "on" { path = "on.log" }`, { noPort: true });

	await ask(t, h.port, '/');
	await lines(h, 'on.log', 1);
	assert.equal(fs.existsSync(path.join(h.dir, 'off')), false);
});

test('several workers: every line once and whole', async (t) => {
	const h = await serveShow(t, '', `
		pool "web" { workers = 3 }
		access_log "a" { path = "access.log"  format = "$request_uri $pid" }`,
	    { noPort: true });
	const clients = await Promise.all(Array.from({ length: 12 },
	    () => connect(t, h.port)));

	await Promise.all(clients.map(async (c, k) => {
		for (let i = 0; i < 5; i++) {
			await c.send(Array.from({ length: 50 },
			    (_, j) => get(`/${k}.${i}.${j}`)).join(''));
			for (let j = 0; j < 50; j++)
				await c.next();
		}
	}));
	const all = await lines(h, 'access.log', 3000);

	for (const l of all)
		assert.match(l, /^\/\d+\.\d\.\d+ \d+$/);
	assert.equal(new Set(all.map((l) => l.split(' ')[0])).size, 3000);
	assert.equal(all.length, 3000);
});

test('an unknown variable is refused with file and line', async (t) => {
	const so = await plugin('show_route');
	const h = await prepareHostd(t, { conf: `
		plugin "show" { module = "${so}" }
		access_log "a" { path = "a.log"  format = "$status $wat" }` });

	h.spawn();
	atEnd(t, () => h.stop('SIGKILL'));
	assert.equal((await within(h.ended, 'end of hostd')).code, 1);
	assert.match(h.log, /hostd\.conf:\d+: .*\$wat/);
});

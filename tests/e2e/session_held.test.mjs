// SPDX-License-Identifier: BSD-2-Clause
// An answer waits for the store to have its session: whatever kind of answer it
// is, whatever else the client does meanwhile, and whatever comes of it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until, within } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { httpServer } from './lib/servers.mjs';
import { ask, called, calls, order, serveSessions, set, Visitor } from
    './lib/session.mjs';

// A client of somebody with a session, whose next change the store keeps to
// itself.
async function start(t, options = {}) {
	const h = await serveSessions(t, options);
	const v = new Visitor(h);

	order(h);
	await v.do(set('a', 1));
	return { h, v, ...await again(h, v) };
}

async function again(h, v) {
	calls(h);
	order(h, 'set 0 hold');
	return client(h, v);
}

async function client(h, v) {
	const c = await Client.connect(h.port);
	const cookie = `Cookie: connect.sid=${v.cookies.get('connect.sid')}`;

	return { c, say: (line, ...rest) => c.send([`${line} HTTP/1.1`,
	    'Host: a',
		cookie, ...rest, '', ''].join('\r\n')) };
}

// The store has been asked, and nothing of an answer has come.
async function isHeld(h, c) {
	await called(h, 'set');
	assert.equal((await ask(h, '/s?pid')).status, 200);
	assert.equal(c.unread, '');
}

const change = `/s?${set('a', 2)}`;

test('HEAD, and what is behind it', async (t) => {
	const { h, c, say } = await start(t);

	await say(`HEAD ${change}`);
	await isHeld(h, c);
	await say('GET /s?pid');
	await say('HEAD /s?pid');
	await say('GET /none', 'Connection: close');
	assert.equal((await ask(h, '/s?pid')).status, 200);
	assert.equal(c.unread, '');
	order(h);
	const r = await c.next({ head: true });

	assert.equal(r.status, 200);
	assert.ok(Number(r.headers['content-length']) > 0);
	assert.equal((await c.next()).status, 200);
	assert.equal((await c.next({ head: true })).status, 200);
	assert.equal((await c.next()).status, 404);
	assert.equal(await c.end(), '');
});

test('a body that comes meanwhile', async (t) => {
	const { h, v, c, say } = await start(t);

	await say(`POST ${change}`, 'Content-Length: 10');
	await c.send('01234');
	await isHeld(h, c);
	await c.send('56789');
	await say('GET /s?pid');
	assert.equal((await ask(h, '/s?pid')).status, 200);
	assert.equal(c.unread, '');
	order(h);
	assert.equal((await c.next()).status, 200);
	assert.equal((await c.next()).status, 200);
	// One that comes when the answer has been seen.
	const d = await again(h, v);

	await d.say(`POST ${change.replace('2', '3')}`, 'Content-Length: 10');
	await isHeld(h, d.c);
	order(h);
	assert.equal((await d.c.next()).status, 200);
	await d.c.send('0123456789');
	await d.say('GET /s?pid');
	assert.equal((await d.c.next()).status, 200);
});

test('one that the client waits to be asked for', async (t) => {
	const { h, c, say } = await start(t);

	await say(`POST ${change}`, 'Content-Length: 10',
	    'Expect: 100-continue');
	await isHeld(h, c);
	order(h);
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(r.headers.connection, ['close']);
	assert.equal(await c.end(), '');
});

// The answer is there, and the session is changed: only the connection ends.
test('a bad one', async (t) => {
	const { h, v } = await start(t, { conf: 'http { max_body = 100 }' });

	for (const [header, body, status] of [
		['Transfer-Encoding: chunked', 'x\r\n', 200],
		['Transfer-Encoding: chunked', `c8\r\n${'x'.repeat(200)}`, 200],
		['Content-Length: 101', '', 413]]) {
		const { c, say } = await again(h, v);

		await say(`POST ${change}`, header);
		if (status === 200)
			await isHeld(h, c);
		await c.send(body);
		assert.equal((await ask(h, '/s?pid')).status, 200);
		order(h);
		assert.equal((await c.next()).status, status);
		assert.equal(await c.end(), '');
		order(h);
		await v.do(set('a', 1));
	}
});

test('longer than a client may take to read', async (t) => {
	// When it is to be had, and when not, which is told.
	for (const [status, timeout] of [[200, '60s'], [503, '300ms']]) {
		const { h, v } = await start(t, { keys: `timeout = ${timeout}`,
			conf: `http { send_timeout = 50ms
				lingering_timeout = 50ms }` });
		const one = await again(h, v);
		const two = await client(h, v);

		await one.say(`GET ${change.replace('2', status)}`);
		// At its end it is told, however soon that is.
		if (status === 200)
			await isHeld(h, one.c);
		else
			await called(h, 'set');
		calls(h);
		await two.say(`GET /s?${set('b', status)}&begin`);
		await called(h, 'set');
		// He has said all that he has to say.
		two.c.finish();
		await ask(h, '/s?wait=200');
		if (status === 200) {
			assert.equal(one.c.unread + two.c.unread, '');
			order(h);
		}
		assert.equal((await one.c.next()).status, status);
		assert.equal((await two.c.next()).status, status);
	}
});

// -- large ones: the host has no more of them in memory than of others --

const large = randomBytes(3 << 20).toString('latin1');
const gate = 'session = required';

const files = (more = '') => ({ keys: 'resave = on', ...more, conf: `
	plugin "files" { module = "http_static.so"  root = "@DIR@" }
	route "/files/" { plugin = "files"  ${gate} }
	${more.conf ?? ''}` });

test('a file', async (t) => {
	const { h, v, c, say } = await start(t, files());

	fs.writeFileSync(path.join(h.dir, 'large'), large, 'latin1');
	await say('GET /files/large');
	await isHeld(h, c);
	order(h);
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.ok(r.body === large);
	// It is not to be had; by the same connection nothing else comes.
	const d = await again(h, v);

	order(h, 'set 0 later -7');
	await d.say('GET /files/large');
	assert.equal((await d.c.next()).status, 503);
	assert.equal(await d.c.end(), '');
	// Clients that leave leave nothing open.
	for (let i = 0; i < 10; i++) {
		const e = await again(h, v);

		await e.say('GET /files/large');
		await isHeld(h, e.c);
		e.c.socket.resetAndDestroy();
	}
	order(h);
	const pid = Number(JSON.parse((await ask(h, '/s?pid')).text)[0][1]);

	await until(() => fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
		try {
			return fs.readlinkSync(`/proc/${pid}/fd/${fd}`)
			    .endsWith('/large');
		} catch {
			return false;
		}
	}).length <= 1, 'files that are closed');
	assert.equal((await v.ask('/files/large')).status, 200);
});

test('one of another server', async (t) => {
	let asked = 0, ended = 0;
	const origin = await httpServer(t, (q, r) => {
		asked++;
		r.on('close', () => ended++);
		r.end(Buffer.from(large, 'latin1'));
	});
	const { h, v, c, say } = await start(t, files({ conf: `
		upstream "app" { server "127.0.0.1:${origin.port}" { } }
		plugin "proxy" { module = "http_proxy.so"  upstream = "app" }
		route "/app/" { plugin = "proxy"  ${gate} }` }));

	await say('GET /app/a');
	await isHeld(h, c);
	order(h);
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.ok(r.body === large);
	const d = await again(h, v);

	order(h, 'set 0 later -7');
	await d.say('GET /app/b');
	assert.equal((await d.c.next()).status, 503);
	assert.equal(await d.c.end(), '');
	const e = await again(h, v);

	await e.say('GET /app/c');
	await isHeld(h, e.c);
	e.c.socket.resetAndDestroy();
	await until(() => ended === 3, 'the end of all three');
	assert.equal(asked, 3);
});

// -- the end of the worker --

test('a reload', async (t) => {
	const { h, c, say } = await start(t);

	await say(`GET ${change}`);
	await isHeld(h, c);
	const first = Number(JSON.parse((await ask(h, '/s?pid')).text)[0][1]);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(c.unread, '');
	order(h);
	assert.equal((await c.next()).status, 200);
	// The connection goes on with the next worker.
	await say('GET /s?pid');
	const s = await c.next();

	assert.equal(s.status, 200);
	assert.notEqual(Number(JSON.parse(s.body)[0][1]), first);
});

test('a stop', async (t) => {
	const { h, c, say } = await start(t);

	await say(`GET ${change}`);
	await isHeld(h, c);
	const stopped = h.stop('SIGTERM');

	await until(async () => {
		const s = await Client.connect(h.port).catch(() => null);

		s?.destroy();
		return s === null;
	}, 'that nobody is let in');
	order(h);
	assert.equal((await c.next()).status, 200);
	await within(stopped, 'its end');
	assert.doesNotMatch(h.log, /still open|killed/);
});

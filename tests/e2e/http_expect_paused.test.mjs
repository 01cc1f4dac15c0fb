// SPDX-License-Identifier: BSD-2-Clause
// A client is told to send its body when the plugin wants it, not while the
// plugin has stopped it; it used to be told at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, connect, serve } from './lib/http1.mjs';

const start = (t) => serve(t, 'flow_route', (so) => `
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }`);
const resume = async (t, h) => (await ask(t, h.port, '/flow/resume')).json;

for (const [name, framing, body] of [
	['a length', 'Content-Length: 5', 'hello'],
	['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n']])
	test(`it is told when the body is resumed: ${name}`, async (t) => {
		const h = await start(t);
		const c = await connect(t, h.port);

		await c.send('POST /flow/gate HTTP/1.1\r\nHost: a\r\n' +
		    `Expect: 100-continue\r\n${framing}\r\n\r\n`);
		await h.logged('pausing gate');
		// Whatever that turn sent is here after another request.
		await ask(t, h.port, '/flow/stats');
		assert.equal(c.unread, '');
		assert.deepEqual(await resume(t, h), { paused: 1, gone: 0 });
		assert.equal((await c.next()).status, 100);
		await c.send(body);
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.deepEqual(JSON.parse(r.body), { seen: 5 });
	});

test('it is told once', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	// "sink" stops its body after the first part.
	await c.send('POST /flow/sink HTTP/1.1\r\nHost: a\r\n' +
	    'Expect: 100-continue\r\nContent-Length: 10\r\n\r\n');
	assert.equal((await c.next()).status, 100);
	await c.send('hello');
	await h.logged('pausing sink');
	await resume(t, h);
	await c.send('again');
	const r = await c.next();

	assert.equal(r.status, 200);
	assert.deepEqual(JSON.parse(r.body), { seen: 10 });
});

test('a client that does not wait for it is read when resumed', async (t) => {
	const h = await start(t);
	const c = await connect(t, h.port);

	await c.send('POST /flow/gate HTTP/1.1\r\nHost: a\r\n' +
	    'Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello');
	await h.logged('pausing gate');
	await ask(t, h.port, '/flow/stats');
	assert.equal(c.unread, '');
	await resume(t, h);
	let r = await c.next();

	if (r.status === 100)	// may be left out, need not be
		r = await c.next();
	assert.deepEqual(JSON.parse(r.body), { seen: 5 });
});

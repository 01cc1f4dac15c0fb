// SPDX-License-Identifier: BSD-2-Clause
// Streams of HTTP/2 that stay open: events, and what a drain and a stop mean
// for them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { ask, serve } from './lib/http1.mjs';
import { answerOf, connect } from './lib/http2.mjs';
import { startSse, tell } from './lib/sse.mjs';

const start = (t, conf = '') => serve(t, 'flow_route', (so) => `
	${conf}
	http { h2c = on }
	plugin "flow" { module = "${so}" }
	route "/flow/" { plugin = "flow" }
	plugin "hello" { module = "http_respond.so"  body = "hello" }
	route "/" { plugin = "hello" }`);

const http = { conf: 'http { h2c = on }' };

// A stream of events, and what has come of it so far.
async function listen(c, path = '/events/news') {
	const s = c.open(path, { accept: 'text/event-stream' });
	const [head] = await within(once(s, 'response'), 'answer');
	const l = { s, head, text: '' };

	s.setEncoding('utf8');
	s.on('data', (d) => { l.text += d; });
	l.closed = new Promise((r) => s.once('close', r));
	l.heard = async (what) => {
		while (!l.text.includes(what))
			await within(once(s, 'data'), `${what} in ${l.text}`);
	};
	return l;
}

test('many listeners on one connection hear events', async (t) => {
	const h = await startSse(t, http);
	const c = await connect(t, h);
	const all = await Promise.all(Array.from({ length: 50 },
	    () => listen(c)));

	for (const l of all) {
		assert.equal(l.head[':status'], 200);
		assert.equal(l.head['content-type'], 'text/event-stream');
	}
	await tell(h, 'one');
	await Promise.all(all.map((l) => l.heard('data: one\n\n')));
	// Those that leave are not missed by the others.
	for (const l of all.slice(1))
		l.s.close(8);
	await Promise.all(all.slice(1).map((l) => l.closed));
	await tell(h, 'x'.repeat(300_000));
	await all[0].heard('x'.repeat(300_000));
});

test('a listener whose window is closed holds up nobody', async (t) => {
	const h = await startSse(t, http);
	const c = await connect(t, h,
	    { settings: { initialWindowSize: 1000 } });
	const slow = await listen(c), other = await listen(c);

	slow.s.pause();
	for (let i = 0; i < 20; i++)
		await tell(h, `${i} ${'y'.repeat(2000)}`);
	await other.heard('19 y');
	slow.s.resume();
	await slow.heard('19 y');
});

test('a reload ends streams of events, which come back', async (t) => {
	const h = await startSse(t, http);
	const c = await connect(t, h);
	const l = await listen(c);
	const reload = h.hostctl('reload');

	await within(l.closed, 'end of the stream');
	assert.equal(l.s.rstCode, 0);
	assert.equal((await reload).code, 0);
	await within(c.closed, 'end of the connection');
	const again = await listen(await connect(t, h));

	await tell(h, 'two');
	await again.heard('data: two\n\n');
});

test('drain: clients leave, what is open ends first', async (t) => {
	const h = await start(t);
	const c = await connect(t, h), idle = await connect(t, h);
	const s = c.open('/flow/begin');

	await idle.ask('/');
	await within(once(s, 'response'), 'answer');
	const answer = answerOf(s);

	assert.equal((await h.hostctl('drain', '--over', '100ms')).code, 0);
	await within(Promise.all([c.goaway, idle.goaway]), 'GOAWAY');
	await within(idle.closed, 'end of what was idle');
	assert.equal((await ask(t, h.port, '/flow/release')).status, 200);
	assert.equal((await answer).body, 'first,last');
	await within(c.closed, 'end');
	// Whoever comes is served.
	assert.equal((await (await connect(t, h)).ask('/')).body, 'hello');
});

test('stop waits for what is open', async (t) => {
	const h = await start(t);
	const c = await connect(t, h);
	const s = c.open('/flow/source?30000000');

	await within(once(s, 'response'), 'answer');
	const ended = h.stop();

	await within(c.goaway, 'GOAWAY');
	const r = await answerOf(s);

	assert.equal(r.bytes.length, 30000000);
	assert.equal((await ended).code, 0);
});

test('but not for ever', async (t) => {
	const h = await start(t, 'drain_timeout = 500ms');
	const c = await connect(t, h);
	const held = c.open('/flow/defer'), begun = c.open('/flow/begin');

	for (const s of [held, begun])
		s.on('error', () => {});
	await within(once(begun, 'response'), 'answer');
	await h.logged('holding defer');
	const all = [held, begun].map((s) =>
	    new Promise((r) => s.once('close', r)));

	assert.equal((await h.stop()).code, 0);
	await within(Promise.all(all), 'end of the streams');
	// An answer that was cut is not taken for a whole one.
	assert.notEqual(begun.rstCode, 0);
});

// SPDX-License-Identifier: BSD-2-Clause
// What is published comes as events, to whoever may hear it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Person } from './lib/chat.mjs';
import { makeClock } from './lib/clock.mjs';
import { publish } from './lib/publish.mjs';
import { startSse, Stream, tell } from './lib/sse.mjs';

test('the stream, and an event', async (t) => {
	const h = await startSse(t, { keys: 'retry = 1500ms' });
	const s = await Stream.open(t, h);

	assert.equal(s.status, 200);
	assert.equal(s.headers['content-type'], 'text/event-stream');
	assert.equal(s.headers['cache-control'], 'no-store');
	await s.until(() => s.retry, 'retry');
	assert.equal(s.retry, 1500);
	await tell(h, 'hello');
	const e = await s.next();

	assert.match(e.id, /^[0-9a-f]{16}-\d+$/);
	assert.deepEqual(e, { type: 'message', data: 'hello', id: e.id });
});

test('all listeners of all workers hear it, with the same id', async (t) => {
	const h = await startSse(t, { workers: 3 });
	const all = [];

	for (let i = 0; i < 30; i++)
		all.push(await Stream.open(t, h));
	await tell(h, 'one', 'two');
	const ids = new Set();

	for (const s of all) {
		assert.equal((await s.next()).data, 'one');
		const e = await s.next();

		assert.equal(e.data, 'two');
		ids.add(e.id);
	}
	assert.equal(ids.size, 1);
	const used = (await h.workers()).filter((w) => w.active > 0);

	assert.ok(used.length > 1, 'more than one worker was asked');
});

test('lines, and what looks like a field', async (t) => {
	const h = await startSse(t);
	const s = await Stream.open(t, h);
	const cases = [
		['', ''], ['a\nb', 'a\nb'], ['a\n', 'a\n'], ['\n', '\n'],
		['\n\n', '\n\n'], ['a\r\nb', 'a\nb'], ['a\rb', 'a\nb'],
		['a\r\r\nb\n\r', 'a\n\nb\n\n'], ['\r', '\n'], ['\r\n', '\n'],
		[' leading', ' leading'], ['id: 1\nevent: x\nretry: 1\n:c',
		    null],
		['data: x', null], [':', null], ['\0', null],
		['gr\u00fc\u00dfe \u{1f600}\ufeff', null], ['{"a":\n1}', null],
		['x'.repeat(300_000), null], ['\n'.repeat(10_000), null],
	];

	for (const [text] of cases)
		await tell(h, text);
	for (const [text, want] of cases)
		assert.equal((await s.next()).data, want ?? text);
	assert.equal(s.retry, 3000);
});

test('bytes', async (t) => {
	const h = await startSse(t);
	const s = await Stream.open(t, h);
	const all = [0, 1, 2, 3, 4, 5, 100_000].map((n) =>
	    Buffer.from([...Array(n).keys()].map((i) => (i * 7 + n) & 255)));

	await tell(h, ...all);
	for (const b of all) {
		const e = await s.next();

		assert.equal(e.type, 'binary');
		assert.equal(e.data, b.toString('base64'));
	}
});

test('names, and who may be heard', async (t) => {
	const h = await startSse(t, { keys: `channels = {"news", "blog-*"}`,
		conf: `plugin "all" { module = "http_sse.so"  prefix = "" }
		route "/all/" { plugin = "all" }` });
	const to = (channel, message) => publish(h, { channel, message });

	for (const [path, status] of [['/events/news', 200],
		['/events/blog-', 200], ['/events/blog-a', 200],
		['/events/blog-%C3%BC', 200], ['/events/new', 404],
		['/events/newss', 404], ['/events/ablog-', 404],
		['/events/', 404],
		['/events/public%2Fnews', 404], ['/all/', 404],
		['/all/hostd/nodes', 404], ['/all/a%01b', 404],
		['/all/public/news', 200], [`/all/${'x'.repeat(255)}`, 200],
		[`/all/${'x'.repeat(256)}`, 404]]) {
		const s = await Stream.open(t, h, path);

		assert.equal(s.status, status, path);
		s.close();
	}
	const blog = await Stream.open(t, h, '/events/blog-%C3%BC');
	const all = await Stream.open(t, h, '/all/a/b');

	await to('public/blog-\u00fc', 'x');
	assert.deepEqual(await blog.texts(1), ['x']);
	await to('a/b', 'y');
	assert.deepEqual(await all.texts(1), ['y']);
	assert.deepEqual(blog.unread, []);
});

test('methods', async (t) => {
	const h = await startSse(t);

	for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
		const s = await Stream.open(t, h, '/events/news', { method });

		assert.equal(s.status, 405, method);
		assert.equal(s.headers.allow, 'GET, HEAD, OPTIONS');
	}
	const options = await Stream.open(t, h, '/events/news',
	    { method: 'OPTIONS' });

	assert.equal(options.status, 204);
	const head = await Stream.open(t, h, '/events/news',
	    { method: 'HEAD' });

	assert.equal(head.status, 200);
	assert.equal(head.headers['content-type'], 'text/event-stream');
	await head.end();
	assert.equal(head.text, '');
	assert.equal((await Stream.open(t, h, '/events/a/b',
	    { method: 'HEAD' })).status, 404);
});

test('pages of other origins', async (t) => {
	const h = await startSse(t, { keys: `origins = {"https://a.example",
		"null"}`, conf: `
		plugin "any" { module = "http_sse.so"  origins = {"*"} }
		plugin "none" { module = "http_sse.so" }
		route "/any/" { plugin = "any" }
		route "/none/" { plugin = "none" }` });
	const ask = async (path, origin, method = 'GET') => {
		const s = await Stream.open(t, h, path, { method,
			headers: origin ? { Origin: origin } : {} });

		s.close();
		return [s.headers['access-control-allow-origin'],
		    s.headers.vary,
			s.headers['access-control-allow-headers']];
	};

	assert.deepEqual(await ask('/events/news', 'https://a.example'),
	    ['https://a.example', 'Origin', undefined]);
	assert.deepEqual(await ask('/events/news', 'null'),
	    ['null', 'Origin', undefined]);
	for (const other of ['https://a.example.org', 'http://a.example',
		'https://a.example:8443', undefined])
		assert.deepEqual(await ask('/events/news', other),
		    [undefined, 'Origin', undefined]);
	assert.deepEqual(await ask('/any/news', 'https://x.example'),
	    ['*', 'Origin', undefined]);
	assert.deepEqual(await ask('/none/news', 'https://a.example'),
	    [undefined, undefined, undefined]);
	assert.deepEqual(await ask('/events/news', 'https://a.example',
	    'OPTIONS'), ['https://a.example', 'Origin',
		'Last-Event-ID, Cache-Control']);
	assert.deepEqual(await ask('/events/news', 'https://b.example',
	    'OPTIONS'), [undefined, 'Origin', undefined]);
});

test('a silence is broken by a comment', async (t) => {
	const h = await startSse(t, { keys: 'heartbeat = 200ms' });
	const s = await Stream.open(t, h);

	await s.until(() => s.comments >= 3 ? true : undefined, 'comments');
	await tell(h, 'still there');
	assert.deepEqual(await s.texts(1), ['still there']);
});

test('an idle stream outlives the time limits of the server', async (t) => {
	const clock = await makeClock(t);
	const h = await startSse(t, { env: clock.env,
		workers: '1  watchdog = 0', keys: 'heartbeat = 0', conf: `
		http { idle_timeout = 1000s  send_timeout = 1000s
			defer_timeout = 1000s  lingering_timeout = 1000s
			head_timeout = 1000s }` });
	const idle = await Stream.open(t, h);
	const other = await Stream.open(t, h);

	for (let i = 0; i < 4; i++) {
		await tell(h, 'x').then(() => other.next());
		clock.pass(1001);
	}
	await tell(h, 'x').then(() => other.next());
	assert.ok(!idle.closed);
	assert.ok((await idle.next()).data === 'x');
});

test('whoever has gone is heard of no more', async (t) => {
	const h = await startSse(t, { keys: 'heartbeat = 0  history = 0',
		conf: `plugin "chat" { module = "ws_chat.so"  prefix = "public/" }
		route "/chat" { plugin = "chat" }` });
	const streams = [];

	for (let i = 0; i < 20; i++)
		streams.push(await Stream.open(t, h));
	const active = async () => (await h.workers())[0].active;

	await h.workersSatisfy((ws) => ws[0].active >= 20, 'all there');
	for (const s of streams)
		s.close();
	await h.workersSatisfy((ws) => ws[0].active === 0, 'all gone');
	assert.equal(await active(), 0);
	await tell(h, 'nobody');
	const s = await Stream.open(t, h);
	const p = await Person.open(t, h);

	// A chat's room is such a channel, too.
	await p.join('news', 'Ada');
	await p.say('news', 'hello');
	assert.equal(JSON.parse((await s.next()).data).text, 'hello');
});

test('HTTP/1.0 has a stream that ends with the connection', async (t) => {
	const { raw } = await import('./lib/hostd.mjs');
	const h = await startSse(t);
	const answer = raw(h.port, 'GET /events/news HTTP/1.0\r\n\r\n',
	    { until: 'data: x\n\n' });
	const other = await Stream.open(t, h);

	await h.workersSatisfy((ws) => ws[0].active >= 2, 'both');
	await tell(h, 'x');
	assert.doesNotMatch((await answer).text, /chunked/i);
	await other.next();
});

// SPDX-License-Identifier: BSD-2-Clause
// Slow listeners, workers that stall, are killed or replaced, and a browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, freePort, startHostd } from './lib/hostd.mjs';
import { startBrowser, Visitor } from './lib/page.mjs';
import { publish, publishConf } from './lib/publish.mjs';
import { startSse, Stream, tell } from './lib/sse.mjs';

test('a listener who does not read is cut, and others are not', async (t) => {
	const h = await startSse(t, { keys: 'max_pending = 64k  history = 1000',
		conf: 'http { output_high = 16k  send_timeout = 1h }' });
	const slow = await Stream.open(t, h), quick = await Stream.open(t, h);
	const big = 'x'.repeat(100_000);
	let n = 0;

	slow.answer.pause();
	while ((await h.workers())[0].active > 1) {
		await tell(h, `${n++} ${big}`);
		assert.ok(n < 1000, 'it is cut at some time');
	}
	for (let i = 0; i < n; i++)
		assert.equal(parseInt((await quick.texts(1))[0], 10), i);
	// It gets the rest when it comes back.
	slow.answer.resume();
	await slow.end();
	const got = slow.unread.length;

	assert.ok(got < n);
	const again = await Stream.open(t, h, '/events/news', { headers: {
		'Last-Event-ID': slow.unread.at(-1).id } });

	for (let i = got; i < n; i++)
		assert.equal(parseInt((await again.texts(1))[0], 10), i);
});

test('a slow listener who reads in the end has all of it', async (t) => {
	const h = await startSse(t, { keys: 'max_pending = 1g',
		conf: 'http { output_high = 16k  send_timeout = 1h }' });
	const slow = await Stream.open(t, h);
	const big = 'x'.repeat(100_000);

	slow.answer.pause();
	for (let i = 0; i < 200; i++)
		await tell(h, `${i} ${big}`);
	slow.answer.resume();
	for (let i = 0; i < 200; i++)
		assert.equal(parseInt((await slow.texts(1))[0], 10), i);
});

// What a worker has kept goes with it; whoever asks for that is told so.
test('listeners go to the next workers at a reload, and know what they miss',
    async (t) => {
	const h = await startHostd(t, { conf: `
		pubsub { query_timeout = 1h }
		pool "web" { workers = 2 }
		plugin "sse" { module = "http_sse.so" }
		route "/events/" { plugin = "sse" }
		${publishConf()}` });
	const all = [];

	for (let i = 0; i < 40; i++)
		all.push([await Stream.open(t, h)]);
	await tell(h, 'before');
	for (const [s] of all)
		await s.texts(1);
	assert.equal((await h.hostctl('reload')).code, 0);
	const next = (await h.workers()).map((w) => w.pid);
	// Each comes back as soon as it is sent away, by the end of the answer;
	// perhaps to one that sends it away, too.
	const back = all.map(async (streams) => {
		await streams[0].end();
		assert.ok(streams[0].ended, 'it was not cut');
		streams.push(await Stream.open(t, h, '/events/news',
		    { headers: { 'Last-Event-ID': streams[0].id } }));
	});

	await tell(h, 'meanwhile');
	await Promise.all(back);
	await h.workersSatisfy((ws) => ws.length === 2 &&
	    ws.every((w) => next.includes(w.pid)), 'the new ones alone');
	await tell(h, 'after');
	for (const streams of all) {
		const last = streams.at(-1);

		await last.until(() => last.unread.find((e) =>
		    e.data === 'after'), 'what was said afterwards');
		const events = streams.flatMap((s) => s.unread);
		const texts = events.filter((e) => e.type === 'message')
		    .map((e) => e.data);

		if (events.some((e) => e.type === 'gap'))
			assert.ok(new Set(texts).size === texts.length);
		else
			assert.deepEqual(texts, ['meanwhile', 'after']);
	}
});

test('a worker that is killed takes no listener\'s messages along',
    async (t) => {
	const h = await startSse(t, { workers: 2, keys: 'heartbeat = 1s' });
	const streams = [];

	for (let i = 0; i < 10; i++)
		streams.push(await Stream.open(t, h));
	await tell(h, 'one');
	for (const s of streams)
		await s.texts(1);
	const [dead] = (await h.workers()).filter((w) => w.active > 0);

	process.kill(dead.pid, 'SIGKILL');
	await h.workersSatisfy((ws) => ws.length === 2 && ws.every((w) =>
	    w.pid !== dead.pid && w.state === 'ready'), 'another worker');
	const lost = streams.filter((s) => s.closed);

	await tell(h, 'two');
	for (const s of streams)
		if (!lost.includes(s))
			assert.deepEqual(await s.texts(1), ['two']);
	for (const s of lost) {
		const again = await Stream.open(t, h, '/events/news',
		    { headers: { 'Last-Event-ID': s.id } });
		const e = await again.next();

		// If nobody listened at the other, nobody knows.
		assert.deepEqual(lost.length < 10 ? [e.type, e.data] : [e.type],
		    lost.length < 10 ? ['message', 'two'] : ['gap']);
	}
});

test('a stall is told as a gap', async (t) => {
	const port = await freePort();
	const h = await startHostd(t, { conf: `
		pubsub { queue = 256k  query_timeout = 1h }
		pool "web" { workers = 1 }
		pool "sse" { workers = 1  watchdog = 0 }
		listen "web" { address = "127.0.0.1:@PORT@" }
		listen "sse" { address = "127.0.0.1:${port}"  pool = "sse" }
		plugin "sse" { module = "http_sse.so" }
		route "/events/" { plugin = "sse" }
		${publishConf('back_off = 0')}` });
	const s = await Stream.open(t, { port });
	const { pid } = (await h.workers()).find((w) => w.pool === 'sse');

	atEnd(t, () => {
		try { process.kill(pid, 'SIGCONT'); } catch { /* gone */ }
	});
	process.kill(pid, 'SIGSTOP');
	for (let i = 0; i < 100; i++)
		await publish(h, { channel: 'public/news',
			message: 'x'.repeat(10_000) });
	process.kill(pid, 'SIGCONT');
	let e, n = 0, first, last;

	while ((e = await s.next()).type === 'message') {
		first ??= e.id;
		last = e.id;
		n++;
	}
	assert.ok(n < 100);
	assert.equal(e.type, 'gap');
	await tell(h, 'after');
	assert.deepEqual(await s.texts(1), ['after']);
	// Whoever comes back is told as well, where it was.
	const after = s.id, messages = (k) => Array(k).fill('message');

	for (const [id, expected] of [
		[first, [...messages(n - 1), 'gap', 'message']],
		[last, ['gap', ...messages(2)]],
		[after, messages(2)],
	]) {
		const again = await Stream.open(t, { port }, '/events/news',
		    { headers: { 'Last-Event-ID': id } });
		const types = [];

		await tell(h, `to ${id}`);
		while ((e = await again.next()).data !== `to ${id}`)
			types.push(e.type);
		assert.deepEqual(types, expected);
	}
});

test('Chromium listens, and comes back by itself', async (t) => {
	const h = await startSse(t, { workers: 2, keys: 'retry = 100ms',
		conf: `plugin "page" { module = "http_respond.so"
			type = "text/html"  body = "<!doctype html><title>x</title>" }
		route "/" { plugin = "page" }` });
	const { page } = await Visitor.open(await startBrowser(t),
	    'about:blank');
	const heard = [];

	await page.exposeFunction('heard', (...e) => heard.push(e));
	await page.goto(`${h.url}/`);
	await page.evaluate(() => new Promise((resolve) => {
		const s = new EventSource('/events/news');

		s.onopen = () => resolve();
		s.onmessage = (e) => globalThis.heard('message', e.data);
		for (const type of ['binary', 'gap'])
			s.addEventListener(type, (e) =>
			    globalThis.heard(type, e.data));
	}));
	const until = (n) => h.workersSatisfy(() => heard.length >= n,
	    `${n} events`);

	await tell(h, 'a\nb \u{1f600}', Buffer.from([0, 255]));
	await until(2);
	assert.deepEqual(heard, [['message', 'a\nb \u{1f600}'],
		['binary', 'AP8=']]);
	// Another listener keeps the history at all workers.
	for (let i = 0; i < 10; i++)
		await Stream.open(t, h);
	for (const w of await h.workers())
		process.kill(w.pid, 'SIGTERM');
	await h.workersSatisfy((ws) => ws.length === 2 && ws.every((w) =>
	    w.restarts > 0 && w.state === 'ready'), 'other workers');
	let i = 0;

	// Whatever was kept has gone with the workers, so there is a gap first.
	await h.workersSatisfy(() => heard.length >= 3, 'the gap');
	assert.equal(heard[2][0], 'gap');
	await tell(h, `back ${i++}`);
	await until(4);
	assert.deepEqual(heard[3], ['message', 'back 0']);
});

// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: event streams and long polls, heard by a browser.  Each event is
// said when the one before was heard, so nothing may be held back.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { atEnd, until, within } from './lib/hostd.mjs';
import { connect, get } from './lib/http1.mjs';
import { startBrowser } from './lib/page.mjs';
import { serveProxy } from './lib/proxied.mjs';

// What comes, for whoever waits for the next one.
class Queue {
	#there = [];
	#waiting = [];

	put(what) {
		if (this.#waiting.length > 0)
			this.#waiting.shift()(what);
		else
			this.#there.push(what);
	}

	next(name) {
		return within(this.#there.length > 0 ?
		    Promise.resolve(this.#there.shift()) :
		    new Promise((r) => this.#waiting.push(r)), name);
	}
}

// An application: a page, and streams whose events the test says.
async function startApp(t) {
	const streams = new Queue();
	const server = http.createServer((q, r) => {
		if (q.url === '/' || q.url === '/favicon.ico') {
			r.setHeader('Content-Type', 'text/html');
			r.end('<!doctype html><title>x</title>');
			return;
		}
		if (q.url.endsWith('/events')) {
			r.writeHead(200, { 'Content-Type': 'text/event-stream',
				'Cache-Control': 'no-cache' });
			r.flushHeaders();
		}
		streams.put([q, r]);
	});

	server.listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	atEnd(t, () => {
		server.closeAllConnections();
		server.close();
	});
	// next(): the next stream, what it was asked for by and its answer.
	return { port: server.address().port,
	    next: () => streams.next('stream') };
}

// hostd with one proxy for each of these keys, at /0, /1 ...
const serveKeys = (t, app, all) => serveProxy(t, [app], '', {
	http: 'defer_timeout = 50ms',
	conf: all.map((keys, i) => `
		plugin "p${i}" { module = "http_proxy.so"  ${keys} }
		route "/${i}/" { plugin = "p${i}"  upstream = "app" }`).join('') });

async function listen(browser, h, path = '/events') {
	const page = await browser.newPage();
	const heard = new Queue();

	await page.exposeFunction('heard', (data) => heard.put(data));
	await page.goto(`${h.url}/`);
	await page.evaluate((url) => {
		const s = new EventSource(url);

		s.onmessage = (e) => globalThis.heard(e.data);
	}, path);
	return { page, next: () => heard.next('event') };
}

test('an EventSource', async (t) => {
	const browser = await startBrowser(t);
	const app = await startApp(t);
	const all = ['', 'buffering = on', 'cache = memory',
		'gzip = on  gzip_types = "*"  gzip_min_length = 0',
		'gzip = on  gzip_types = "*"  buffering = on'];
	const h = await serveKeys(t, app, all);

	for (const [n, keys] of all.entries()) {
		const source = await listen(browser, h, `/${n}/events`);
		const [, first] = await app.next();

		for (let i = 0; i < 20; i++) {
			first.write(`id: ${i}\ndata: event ${i}\n\n`);
			assert.equal(await source.next(), `event ${i}`, keys);
		}
		// A listener that goes takes its stream along.
		const gone = new Promise((resolve) =>
			first.once('close', resolve));

		await source.page.close();
		await within(gone, 'end of the stream');
	}
});

test('one that comes back says how far it has heard', async (t) => {
	const app = await startApp(t);
	const h = await serveProxy(t, [app]);
	const source = await listen(await startBrowser(t), h);
	const [, first] = await app.next();

	first.end('retry: 1\nid: 19\ndata: one\n\n');
	assert.equal(await source.next(), 'one');
	const [again, second] = await app.next();

	assert.equal(again.headers['last-event-id'], '19');
	second.write('data: two\n\n');
	assert.equal(await source.next(), 'two');
});

test('a long poll takes as long as it takes', async (t) => {
	const app = await startApp(t);
	const h = await serveProxy(t, [app], 'gzip = on', {
		http: 'defer_timeout = 20ms' });
	const c = await connect(t, h.port);

	for (let i = 0; i < 3; i++) {
		await c.send(get('/poll', 'Accept-Encoding: gzip'));
		const [, r] = await app.next();

		const asked = Date.now();

		await until(() => Date.now() - asked > 3 * 20,
		    'end of defer_timeout');
		r.end(`poll ${i}`);
		assert.equal((await c.next()).body, `poll ${i}`);
	}
});

test('X-Accel-Buffering comes before the key', async (t) => {
	const app = await startApp(t);
	const h = await serveKeys(t, app, ['', 'buffering = on']);
	const large = Buffer.alloc(16 << 20, 'x');

	for (const [n, says, all] of [[1, 'no', false], [0, 'yes', true]]) {
		const c = await connect(t, h.port);

		c.socket.pause();
		await c.send(get(`/${n}/large`));
		const [, r] = await app.next();

		r.writeHead(200, { 'Content-Length': large.length,
			'X-Accel-Buffering': says });
		// Buffered, the server is rid of it while the client has read
		// nothing; else it has to wait for the client.
		const rid = new Promise((resolve) => {
			r.end(large, () => resolve(true));
		});

		if (!all)
			assert.equal(await Promise.race([rid, stalled(r)]),
			    false, says);
		else
			assert.equal(await within(rid, 'all of it'), true,
			    says);
		c.socket.resume();
		assert.equal((await c.next()).body.length, large.length);
	}
});

// false, when nothing of what it has to send has left for some turns.
async function stalled(r) {
	for (let last = -1, same = 0; same < 200;) {
		const left = r.writableLength + r.socket.bytesWritten;

		same = left === last ? same + 1 : 0;
		last = left;
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	return false;
}

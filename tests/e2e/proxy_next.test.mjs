// SPDX-License-Identifier: BSD-2-Clause
// http_proxy: when another server is asked.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { freePort } from './lib/hostd.mjs';
import { connect, get, post } from './lib/http1.mjs';
import { reply, serveProxy, startBackend } from './lib/proxied.mjs';

const answers = [500, 502, 503, 504, 403, 404, 429];

// Two servers, of which the first always says `bad`: what the client gets of
// so many requests.
async function statuses(t, bad, keys, request = get('/'), more = {}) {
	const first = await startBackend(t, bad);
	const second = await startBackend(t, () => reply(200, 'good'));
	const h = await serveProxy(t, [first, second], keys,
	    { group: 'max_fails = 0', ...more });
	const c = await connect(t, h.port);
	const seen = [];

	first.h = h;
	for (let i = 0; i < 2; i++) {
		await c.send(request);
		seen.push((await c.next()).status);
	}
	return { seen: seen.sort(), first: first.requests.length,
		second: second.requests.length };
}

for (const status of answers)
	test(`another one after ${status}, if that is wanted`, async (t) => {
		const bad = () => reply(status, 'bad');

		assert.deepEqual((await statuses(t, bad, '')).seen,
		    [200, status]);
		assert.deepEqual((await statuses(t, bad,
		    `next_upstream = {"error", "http_${status}"}`)).seen,
		    [200, 200]);
	});

// Read the request, say nothing, go.
const cut = (q) => { q.socket.destroy(); return null; };

test('after an error, by default', async (t) => {
	assert.deepEqual((await statuses(t, cut, '')).seen, [200, 200]);
	assert.deepEqual((await statuses(t, cut,
	    'next_upstream = {"off"}')).seen, [200, 502]);
	assert.deepEqual((await statuses(t, cut,
	    'next_upstream = {"timeout"}')).seen, [200, 502]);
});

test('after a timeout, by default', async (t) => {
	const clock = await makeClock(t);
	const hang = async (q, { h }) => {
		await clock.passFor(h, 3601);
		return null;
	};
	const seen = async (keys) => (await statuses(t, hang,
	    `read_timeout = 1h  ${keys}`, get('/'), {
		conf: 'pool "web" { workers = 1  watchdog = 0 }',
		options: { env: clock.env } })).seen;

	assert.deepEqual(await seen(''), [200, 200]);
	assert.deepEqual(await seen('next_upstream = {"error"}'), [200, 504]);
});

test('after what is not HTTP, if that is wanted', async (t) => {
	const odd = () => 'odd\r\n\r\n';

	assert.deepEqual((await statuses(t, odd, '')).seen, [200, 502]);
	assert.deepEqual((await statuses(t, odd,
	    'next_upstream = {"invalid"}')).seen, [200, 200]);
});

test('a request that may have been done is not done again', async (t) => {
	const request = post('/', 'hello');

	assert.deepEqual((await statuses(t, cut, '', request)).seen,
	    [200, 502]);
	const r = await statuses(t, cut,
	    'next_upstream = {"error", "non_idempotent"}', request);

	assert.deepEqual(r.seen, [200, 200]);
	assert.equal(r.second, 2);
});

test('but one that was not sent is', async (t) => {
	const dead = await freePort();
	const b = await startBackend(t, () => reply(200, 'good'));
	const h = await serveProxy(t, [dead, b], '',
	    { group: 'max_fails = 0' });
	const c = await connect(t, h.port);

	for (let i = 0; i < 4; i++) {
		await c.send(post('/', 'hello'));
		assert.equal((await c.next()).status, 200);
	}
	assert.ok(b.requests.every((q) => q.body === 'hello'));
});

test('tries are counted', async (t) => {
	const all = [];

	for (let i = 0; i < 4; i++)
		all.push(await startBackend(t, () => reply(503, 'bad')));
	const h = await serveProxy(t, all, `next_upstream = {"http_503"}
		next_upstream_tries = 2`, { group: 'max_fails = 0' });
	const c = await connect(t, h.port);

	await c.send(get('/'));
	const r = await c.next();

	assert.equal(r.status, 503);
	assert.equal(r.body, 'bad');
	assert.equal(all.reduce((n, b) => n + b.requests.length, 0), 2);
});

test('never the same server twice', async (t) => {
	const all = [];

	for (let i = 0; i < 3; i++)
		all.push(await startBackend(t, () => reply(502, 'bad')));
	const h = await serveProxy(t, all, 'next_upstream = {"http_502"}',
	    { group: 'max_fails = 0' });
	const c = await connect(t, h.port);

	await c.send(get('/'));
	assert.equal((await c.next()).status, 502);
	assert.deepEqual(all.map((b) => b.requests.length), [1, 1, 1]);
});

// Ways of a server to fail when all, or a part, of a large body was read.
const failing = {
	'answers 503': { answer: () => reply(503, 'bad') },
	'answers 503 at once': { early: true, answer: () => reply(503, 'bad') },
	'breaks off behind the body': { answer: cut },
	'breaks off in the body': { early: true, answer: async (q) => {
		await q.reader.bytes(100_000);
		q.socket.resetAndDestroy();
		return null;
	} },
};

for (const [how, { early, answer }] of Object.entries(failing))
	test(`a large body that is buffered is sent again: ${how}`,
	    async (t) => {
		const first = await startBackend(t, answer, { early });
		const second = await startBackend(t, () => reply(200, 'good'));
		const body = crypto.randomBytes(1 << 20).toString('hex');
		const h = await serveProxy(t, [first, second], `
			request_buffering = on
			next_upstream = {"error", "http_503"}`,
		    { group: 'max_fails = 0', http: 'max_body = 8m' });
		const c = await connect(t, h.port);

		for (let i = 0; i < 4; i++) {
			await c.send(post('/', body).replace('POST', 'PUT'));
			const r = await c.next();

			assert.equal(r.status, 200);
			assert.equal(r.body, 'good');
		}
		assert.equal(first.requests.length, 2);
		assert.equal(second.requests.length, 4);
		for (const q of second.requests)
			assert.ok(q.body === body, 'another body came');
	});

test('one that is not buffered is not', async (t) => {
	const first = await startBackend(t, () => reply(503, 'bad'));
	const second = await startBackend(t, () => reply(200, 'good'));
	const h = await serveProxy(t, [first, second],
	    'next_upstream = {"http_503"}',
	    { group: 'max_fails = 0', http: 'max_body = 8m' });
	const c = await connect(t, h.port);
	const seen = [];

	for (let i = 0; i < 2; i++) {
		await c.send(post('/', 'x'.repeat(1 << 20)).replace('POST',
		    'PUT'));
		seen.push((await c.next()).status);
	}
	assert.deepEqual(seen.sort(), [200, 503]);
});

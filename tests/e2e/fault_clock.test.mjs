// SPDX-License-Identifier: BSD-2-Clause
// The machine's clock is set, forwards and back by days: what is told follows
// it, what is waited for does not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, startHostd, until, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const { WebSocket } = npm('ws');
const DAY = 86_400;

async function start(t, conf) {
	const clock = await makeClock(t);
	const h = await startHostd(t, { conf, env: clock.env });

	// Seconds.
	h.setClock = clock.set;
	h.pass = clock.pass;
	return h;
}

// A connection that asks again and again: { status, date }.
async function client(t, h) {
	const s = net.connect(h.port, '127.0.0.1');
	let text = '', closed = false, woken = () => {};

	atEnd(t, () => s.destroy());
	s.on('error', () => {});
	s.on('data', (d) => { text += d; woken(); });
	s.on('close', () => { closed = true; woken(); });
	const answer = async () => {
		for (;;) {
			const m = /^HTTP\/1.1 (\d+)[^]*?\r\nDate: (.*)\r\n[^]*?\r\n\r\n/
			    .exec(text);
			const n = /Content-Length: (\d+)/.exec(m?.[0] ?? '');

			if (m && text.length >= m[0].length + Number(n[1])) {
				text = text.slice(m[0].length + Number(n[1]));
				return { status: Number(m[1]), head: m[0],
					date: Date.parse(m[2]) };
			}
			if (closed)
				return undefined;
			await new Promise((resolve) => { woken = resolve; });
		}
	};

	s.take = () => within(answer(), 'answer');
	s.ask = (uri) => {
		s.write(`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`);
		return s.take();
	};
	return s;
}

test('the clock is set', async (t) => {
	const h = await start(t, `
		pool "web" { workers = 1  watchdog = 0 }
		http { idle_timeout = 1d  head_timeout = 1h }
		websocket { ping_interval = 1d }
		plugin "ok" { module = "http_respond.so"  body = "hello" }
		plugin "echo" { module = "ws_echo.so" }
		limit_req "one" { rate = "1/m" }
		limit_req "wait" { rate = "2/s"  burst = 5  key = "$route" }
		access_log "a" { path = "@DIR@/a.log"  format = "$uri $request_time" }
		route "/" { plugin = "ok" }
		route "/one" { plugin = "ok"  limit_req = "one" }
		route "/wait" { plugin = "ok"  limit_req = "wait" }
		route "/echo" { plugin = "echo" }`);
	const kept = await client(t, h);
	const ws = new WebSocket(`ws://127.0.0.1:${h.port}/echo`);

	atEnd(t, () => ws.terminate());
	await new Promise((resolve, reject) => {
		ws.on('open', resolve);
		ws.on('error', reject);
	});
	const echo = (text) => within(new Promise((resolve) => {
		ws.once('message', (d) => resolve(String(d)));
		ws.send(text);
	}), 'echo');

	assert.equal((await kept.ask('/one')).status, 200);
	for (const days of [400, -400, 0]) {
		const waits = await client(t, h);

		// One is in the middle of its wait when the clock is set.
		assert.equal((await waits.ask('/wait')).status, 200);
		const late = waits.ask('/wait');

		h.setClock(days * DAY);
		await until(async () => {
			const { date } = await kept.ask('/');

			return Math.abs(date - Date.now() - days * DAY * 1000) <
			    60_000;
		}, 'a Date by the new clock');
		// Kept connections, buckets and what waits know nothing of it.
		const r = await kept.ask('/one');

		assert.equal(r.status, 429);
		const after = Number(/Retry-After: (\d+)/.exec(r.head)[1]);

		assert.ok(after >= 1 && after <= 60, `${after}`);
		assert.equal((await late).status, 200);
		assert.equal(await echo(`day ${days}`), `day ${days}`);

		// Nor do time limits.
		const slow = await client(t, h);

		slow.write('GET / HTTP/1.1\r\nHos');
		await h.workersSatisfy(([w]) => w.active - w.idle === 2,
		    'the half of a head, beside the WebSocket');
		h.pass(3601);
		// It has something to do; and there is a token in the bucket.
		assert.equal((await kept.ask('/one')).status, 200);
		assert.equal((await slow.take()).status, 408);
	}
	const workers = await h.workers();

	assert.deepEqual(workers.map((w) => w.restarts ?? 0), [0]);
	const lines = await until(() => {
		const text = fs.readFileSync(path.join(h.dir, 'a.log'), 'utf8');

		return (text.match(/^\/wait /gm) ?? []).length === 6 &&
		    text.trim().split('\n');
	}, 'lines of the access log');

	for (const l of lines)
		assert.match(l, /^(\/\S*|-) \d{1,2}\.\d{3}$/);
	// It can be changed and told as ever.
	h.setClock(-400 * DAY);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal((await kept.ask('/one'))?.status, 429);
	assert.equal(await echo('after'), 'after');
});

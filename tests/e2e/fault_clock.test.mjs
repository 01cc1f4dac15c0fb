// SPDX-License-Identifier: BSD-2-Clause
// The machine's clock is set, forwards and back by days: what is told follows it,
// what is waited for does not.  The clock is that of a library loaded before
// libc, which adds what a file says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, startHostd, tempDir, until } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';

const { WebSocket } = npm('ws');
const DAY = 86_400;

const source = (file) => `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long *off;
static int (*next)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
start(void)
{
	int fd = open("${file}", O_RDONLY | O_CLOEXEC);
	void *p = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
	    "clock_gettime");
	if (p != MAP_FAILED)
		off = p;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = next(id, ts);

	if (off && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += *off;
	return rc;
}

int
gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec ts;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
`;

async function start(t, conf) {
	const dir = tempDir(t), file = path.join(dir, 'offset');
	const c = path.join(dir, 'clock.c'), so = path.join(dir, 'clock.so');

	fs.writeFileSync(file, Buffer.alloc(8));
	fs.chmodSync(file, 0o644);
	fs.writeFileSync(c, source(file));
	const r = await command(process.env.CC ?? 'gcc', ['-shared', '-fPIC',
		'-O1', '-o', so, c, '-ldl']);

	assert.equal(r.code, 0, r.stderr);
	const h = await startHostd(t, { conf, env: { LD_PRELOAD: so,
		ASAN_OPTIONS: 'verify_asan_link_order=0:' +
		    (process.env.ASAN_OPTIONS ?? '') } });

	// Seconds; it holds for all processes at once.
	h.setClock = (s) => {
		const b = Buffer.alloc(8), fd = fs.openSync(file, 'r+');

		b.writeBigInt64LE(BigInt(s));
		fs.writeSync(fd, b, 0, 8, 0);
		fs.closeSync(fd);
	};
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
	const take = async () => {
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

	s.take = take;
	s.ask = (uri) => {
		s.write(`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`);
		return take();
	};
	return s;
}

test('the clock is set', async (t) => {
	const h = await start(t, `
		pool "web" { workers = 2 }
		http { idle_timeout = 30s  head_timeout = 400ms }
		websocket { ping_interval = 20s }
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
	const echo = (text) => new Promise((resolve) => {
		ws.once('message', (d) => resolve(String(d)));
		ws.send(text);
	});

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
		assert.equal((await slow.take()).status, 408);
	}
	const workers = await h.workers();

	assert.deepEqual(workers.map((w) => w.restarts ?? 0), [0, 0]);
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

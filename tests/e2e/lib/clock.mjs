// SPDX-License-Identifier: BSD-2-Clause
// hostd with clocks that a test sets: a library that is loaded before libc adds
// what a file says.  So a time limit of an hour is reached when the test says
// so, and not because the machine was busy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { atEnd, command, raw, tempDir, until } from './hostd.mjs';

const source = (file) => `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long *add;	/* s: to the calendar, to the others */
static int (*next)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
start(void)
{
	int fd = open("${file}", O_RDONLY | O_CLOEXEC);
	void *p = mmap(NULL, 2 * sizeof(long), PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
	    "clock_gettime");
	if (p != MAP_FAILED)
		add = p;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = next(id, ts);

	if (add && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += add[0];
	if (add && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE))
		ts->tv_sec += add[1];
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

// What is no HTTP a server answers by itself.
const turn = (h) => raw(h.port, 'nonsense\r\n\r\n');
// A turn that has begun goes by the time it began at, and its timers by that of
// now: so it has to be over.
const sleeps = (pid) => {
	try {
		return /^State:\s+S/m.test(fs.readFileSync(
		    `/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;	// it has just ended
	}
};
const passFor = (pass) => async (h, s) => {
	await turn(h);
	await until(() => !h.pids || h.pids().every(sleeps), 'a rest');
	pass(s);
	await turn(h);
};

/*
 * env is for startHostd.  set(s): the calendar is that far from the true one,
 * for all processes at once.  pass(s): so much time goes by.  A worker notices
 * in its next turn, so give it something to do; and its watchdog has to be off.
 * passFor(h, s): when the only worker of h has done with what it was sent
 * before, and it notices.
 */
export async function makeClock(t) {
	const dir = tempDir(t), file = path.join(dir, 'offsets');
	const c = path.join(dir, 'clock.c'), so = path.join(dir, 'clock.so');
	let passed = 0;

	fs.writeFileSync(file, Buffer.alloc(16));
	fs.chmodSync(file, 0o644);
	fs.writeFileSync(c, source(file));
	const r = await command(process.env.CC ?? 'gcc', ['-shared', '-fPIC',
		'-O1', '-o', so, c, '-ldl']);

	assert.equal(r.code, 0, r.stderr);
	const write = (at, s) => {
		const b = Buffer.alloc(8), fd = fs.openSync(file, 'r+');

		b.writeBigInt64LE(BigInt(s));
		fs.writeSync(fd, b, 0, 8, at);
		fs.closeSync(fd);
	};

	const pass = (s) => write(8, passed += s);

	return {
		env: { LD_PRELOAD: so,
			ASAN_OPTIONS: 'verify_asan_link_order=0:' +
			    (process.env.ASAN_OPTIONS ?? '') },
		set: (s) => write(0, s),
		pass,
		passFor: passFor(pass),
	};
}

const HOUR_MS = 3_600_000;
const timers = createRequire(import.meta.url)('node:timers');

// The same for a server of Node's in this process: its timers of an hour and
// more are reached when the test says so.
export function makeNodeClock(t) {
	const { setTimeout: start, clearTimeout: stop } = timers;
	const waiting = new Set();
	let passed = 0;

	class Held {
		constructor(ms, fn) {
			Object.assign(this, { ms, fn });
			this.refresh();
		}

		refresh() {
			this.at = passed + this.ms;
			waiting.add(this);
			return this;
		}

		ref() { return this; }
		unref() { return this; }
	}

	const use = (setTimeout, clearTimeout) => [timers, globalThis].forEach(
	    (o) => Object.assign(o, { setTimeout, clearTimeout }));

	use((fn, ms, ...args) => ms < HOUR_MS ? start(fn, ms, ...args) :
	    new Held(ms, () => fn(...args)),
	(timer) => timer instanceof Held ? waiting.delete(timer) : stop(timer));
	atEnd(t, () => use(start, stop));
	return { passFor: passFor((s) => {
		passed += s * 1000;
		for (const timer of [...waiting])
			if (timer.at <= passed && waiting.delete(timer))
				timer.fn();
	}) };
}

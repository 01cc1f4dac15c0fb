// SPDX-License-Identifier: BSD-2-Clause
// What plugins write to standard output and error is in the log, and says
// whose it is.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHostd, tempDir, within } from './lib/hostd.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const source = `
#include <hostd/easy.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *
thread(void *arg)
{
	(void)arg;
	puts("from a thread");
	return NULL;
}

static void
flood(void)
{
	int i;

	for (i = 0; i < 100000; i++)
		printf("flood %d\\n", i);
}

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	char path[32];
	pthread_t t;
	int i;

	(void)d;
	(void)snprintf(path, sizeof(path), "%.*s", (int)r->path.n,
	    (const char *)r->path.p);
	if (strcmp(path, "/print") == 0) {
		printf("one, %s\\n", "two");
		fputs("control \\033[1m bytes\\n", stdout);
		errno = ENOENT;
		perror("an error");
	} else if (strcmp(path, "/write") == 0) {
		(void)!write(1, "written\\n", 8);
	} else if (strcmp(path, "/part") == 0) {
		(void)!write(1, "no newline", 10);
	} else if (strcmp(path, "/long") == 0) {
		for (i = 0; i < 5000; i++)
			putchar('a' + i % 26);
		putchar('\\n');
	} else if (strcmp(path, "/flood") == 0) {
		flood();
	} else if (strcmp(path, "/stdin") == 0) {
		printf("stdin has %d\\n", getchar());
	} else if (strcmp(path, "/thread") == 0) {
		(void)pthread_create(&t, NULL, thread, NULL);
		(void)pthread_join(t, NULL);
	} else if (strcmp(path, "/system") == 0) {
		(void)!system("echo from a shell; echo to stderr >&2");
	} else if (strcmp(path, "/abort") == 0) {
		(void)!write(2, "last words", 10);
		abort();
	} else if (strcmp(path, "/exit") == 0) {
		printf("unfinished");
		exit(7);
	}
	return hostd_respond(in, req, 200, "text/plain", "fine\\n");
}

HOSTD_EASY_ROUTE("talk", "1.0", "/", on_headers)
`;

async function startTalk(t, conf = '') {
	const so = await buildPlugin(tempDir(t), 'talk', source, ['-pthread']);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 1 }
		${conf}
		plugin "talker" { module = "${so}" }
		route "/" { plugin = "talker" }` });

	h.ask = async (p) => assert.equal((await fetch(h.url + p)).status, 200);
	h.said = (level, who, text) => h.logged(new RegExp('^\\S+Z ' + level +
	    ' \\[web\\.0 gen 1 pid \\d+\\] ' + who + ': ' + text + '$', 'm'));
	return h;
}

test('lines of both, with the plugin\'s name', async (t) => {
	const h = await startTalk(t);

	await h.ask('/print');
	await h.said('info', 'talker stdout', 'one, two');
	await h.said('info', 'talker stdout', 'control \\\\x1b\\[1m bytes');
	await h.said('warn', 'talker stderr',
	    'an error: No such file or directory');
	await h.ask('/stdin');
	await h.said('info', 'talker stdout', 'stdin has -1');
});

test('past stdio, from threads and programs', async (t) => {
	const h = await startTalk(t, 'sandbox_calls = {"exec"}');

	await h.ask('/write');
	await h.said('info', '(talker )?stdout', 'written');
	await h.ask('/thread');
	await h.said('info', '(talker )?stdout', 'from a thread');
	await h.ask('/system');
	await h.said('info', '(talker )?stdout', 'from a shell');
	await h.said('warn', '(talker )?stderr', 'to stderr');
	await h.ask('/part');
	await h.said('info', '(talker )?stdout', 'no newline');
});

test('long lines become several', async (t) => {
	const h = await startTalk(t);

	await h.ask('/long');
	await h.said('info', 'talker stdout', 'abc[a-z]{2045}');
	await h.logged(/(talker stdout: [a-z]+\n[^]*){3}/);
	const all = [...h.log.matchAll(/talker stdout: ([a-z]+)$/mg)]
	    .map((m) => m[1]);

	assert.deepEqual(all.map((l) => l.length), [2048, 2048, 904]);
});

test('last words', async (t) => {
	const h = await startTalk(t);

	await fetch(`${h.url}/abort`).catch(() => {});
	await h.said('warn', 'talker stderr', 'last words');
	await h.logged(/died: SIGABRT in plugin talker, on_headers/);
	// They are told before the death.
	assert.ok(h.log.indexOf('last words') < h.log.indexOf('died:'));
	await h.workersSatisfy((ws) => ws.length === 1 &&
	    ws[0].state === 'ready', 'a new worker');
	await fetch(`${h.url}/exit`).catch(() => {});
	await h.said('info', 'talker stdout', 'unfinished');
	await h.logged(/died: exit\(7\) in plugin talker, on_headers/);
});

test('a flood is cut, counted, and stops nobody', async (t) => {
	const h = await startTalk(t);

	await h.ask('/flood');
	const [, n] = await h.logged(
	    /web\.0 \(pid \d+\): (?:at least )?(\d+) lines of its stdout were dropped: more than 1000 a second/);
	const logged = h.log.match(/talker stdout: flood/g).length;

	assert.ok(Number(n) > 0);
	assert.ok(logged > 0 && logged < 10_000, `${logged} lines`);
	assert.equal((await h.workers())[0].restarts, 0);
	// What is said while the rest of it is on its way goes with it.
	await within((async () => {
		while (!/talker stdout: one, two/.test(h.log))
			await h.ask('/print');
	})(), 'a line behind the flood');
});

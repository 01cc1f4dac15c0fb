/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One publishes, all others get it; when they have, it publishes again.  What
 * is counted is deliveries.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "client.h"

#define EVENTS 512
#define WORKERS 2
#define ASKED 32	/* bytes of a worker's name */

struct worker {
	char name[ASKED];
	unsigned clients;
};

struct fanout {
	struct message m;
	struct client *clients, publisher;
	struct worker workers[WORKERS];
	int ep;
};

static void
make_message(struct fanout *f, const struct options *o)
{
	char *payload;

	if (o->socketio) {
		message_event(&f->m, "m", o->size, o->depth);
		return;
	}
	payload = payload_make(o->size, 1);
	message_make(&f->m, OP_TEXT, payload, o->size, o->depth);
	free(payload);
}

/* "?" is answered with the name of the worker. */
static struct worker *
ask_worker(struct fanout *f, struct client *c)
{
	uint8_t frame[FRAME_HEAD_MAX + 1];
	char name[ASKED];
	int i;

	client_send(c, frame, frame_put(frame, FRAME_FIN | OP_TEXT, "?", 1));
	(void)client_frame(c, name, sizeof(name));
	for (i = 0; i < WORKERS; i++) {
		if (f->workers[i].name[0] == '\0')
			memcpy(f->workers[i].name, name, sizeof(name));
		if (strcmp(f->workers[i].name, name) == 0)
			return &f->workers[i];
	}
	errx(1, "there are more than %d workers", WORKERS);
}

/* The kernel chooses the worker: open another one until it is one of those
 * that have not enough yet. */
static void
open_spread(struct fanout *f, struct client *c, const struct options *o)
{
	unsigned tries, enough = (o->connections + 1) / WORKERS;
	struct worker *w;

	for (tries = 0; tries < 1000; tries++) {
		client_open(c, o);
		w = ask_worker(f, c);
		if (w->clients < enough) {
			w->clients++;
			return;
		}
		close(c->fd);
	}
	errx(1, "all connections come to one worker");
}

static void
open_all(struct fanout *f, const struct options *o)
{
	unsigned i;

	make_message(f, o);
	f->clients = calloc(o->connections, sizeof(*f->clients));
	if (f->clients == NULL || (f->ep = epoll_create1(0)) == -1)
		err(1, "fanout");
	for (i = 0; i < o->connections; i++) {
		if (o->spread)
			open_spread(f, &f->clients[i], o);
		else
			client_open(&f->clients[i], o);
		client_watch(&f->clients[i], f->ep);
	}
	client_open(&f->publisher, o->publisher != NULL ? o->publisher : o);
}

/* Publish, and wait until `expected` deliveries are made. */
static void
round_trip(struct fanout *f, unsigned expected)
{
	struct epoll_event ev[EVENTS];
	int i, n;

	client_send(&f->publisher, f->m.out, f->m.nout * f->m.copies);
	while (expected > 0) {
		if ((n = epoll_wait(f->ep, ev, EVENTS, 5000)) == 0)
			errx(1, "%u deliveries are missing", expected);
		for (i = 0; i < n; i++)
			expected -= client_read(ev[i].data.ptr, &f->m);
	}
}

void
load_fanout(const struct options *o)
{
	static struct fanout f;
	unsigned each = o->connections * o->depth;
	uint64_t count = 0;
	double start;

	open_all(&f, o);
	say_ready();
	start = now_seconds();
	while (now_seconds() < start + o->seconds) {
		round_trip(&f, each);
		count += each;
	}
	say_result(count, start);
}

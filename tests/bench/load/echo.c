/* SPDX-License-Identifier: BSD-2-Clause */
/* Every message is sent again when it has come back. */
#include <err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include "client.h"

#define EVENTS 256

struct echo {
	struct message m;
	struct client *clients;
	int ep;
};

static void
make_message(struct message *m, const struct options *o)
{
	char *payload;

	if (o->socketio) {
		message_event(m, "e", o->size, o->depth);
		return;
	}
	payload = payload_make(o->size, o->text);
	message_make(m, o->text ? OP_TEXT : OP_BINARY, payload, o->size,
	    o->depth);
	free(payload);
}

static void
open_all(struct echo *e, const struct options *o)
{
	struct client *c;
	unsigned i;

	make_message(&e->m, o);
	e->clients = calloc(o->connections, sizeof(*e->clients));
	if (e->clients == NULL || (e->ep = epoll_create1(0)) == -1)
		err(1, "echo");
	for (i = 0; i < o->connections; i++) {
		c = &e->clients[i];
		client_open(c, o);
		client_send(c, e->m.out, e->m.nout);
		client_expect(c, &e->m);
		client_watch(c, e->ep);
	}
}

static unsigned
turn(struct echo *e)
{
	struct epoll_event ev[EVENTS];
	unsigned done, all = 0;
	struct client *c;
	int i, n;

	if ((n = epoll_wait(e->ep, ev, EVENTS, 5000)) == 0)
		errx(1, "the server is stuck");
	for (i = 0; i < n; i++) {
		c = ev[i].data.ptr;
		if (ev[i].events & ~(unsigned)EPOLLOUT) {
			done = client_read(c, &e->m);
			c->owed += done * e->m.nout;
			all += done;
		}
		client_write(c, &e->m);
	}
	return all;
}

void
load_echo(const struct options *o)
{
	static struct echo e;
	uint64_t count = 0;
	double start;
	unsigned i;

	open_all(&e, o);
	say_ready();
	start = now_seconds();
	for (i = 0; i < o->connections; i++) {
		e.clients[i].owed = o->depth * e.m.nout;
		client_write(&e.clients[i], &e.m);
	}
	while (now_seconds() < start + o->seconds)
		count += turn(&e);
	say_result(count, start);
}

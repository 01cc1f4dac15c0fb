/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connect, upgrade, close, and wait for the server to close; again and again,
 * on many connections at a time.
 */
#include <err.h>
#include <string.h>
#include "guests.h"

enum step { UPGRADING, CLOSING, CLOSED };

struct connect {
	struct guests guests;
	char request[1024];
	uint8_t bye[FRAME_HEAD_MAX + 2];
	size_t nrequest, nbye;
};

static void
come(struct guests *guests, struct guest *g)
{
	const struct connect *k = (struct connect *)guests;

	guest_say(g, k->request, k->nrequest);
}

/* What has come is the end of the next thing that we wait for. */
static void
look(struct guests *guests, struct guest *g)
{
	const struct connect *k = (struct connect *)guests;
	char *end;

	if (g->step == UPGRADING) {
		if ((end = strstr(g->buf, "\r\n\r\n")) == NULL)
			return;
		if (!client_is_upgraded(guests->o, g->buf) ||
		    end + 4 != g->buf + g->n)
			errx(1, "not upgraded: %s", g->buf);
		guest_say(g, k->bye, k->nbye);
		g->step = CLOSING;
	} else if (g->n >= 4) {
		/* A close with the code that we sent. */
		if (memcmp(g->buf, "\x88\x02\x03\xe8", 4) != 0 || g->n > 4)
			errx(1, "no close came back");
		g->step = CLOSED;
	}
}

void
load_connect(const struct options *o)
{
	struct connect k = { .guests = { .o = o, .left = CLOSED, .come = come,
	    .look = look } };

	k.nrequest = client_request(o, k.request, sizeof(k.request));
	k.nbye = frame_put(k.bye, FRAME_FIN | OP_CLOSE, "\x03\xe8", 2);
	guests_run(&k.guests);
}

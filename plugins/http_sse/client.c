/* SPDX-License-Identifier: BSD-2-Clause */
#include "sse.h"

static void
frame_release(struct hostd_inst *in, void *arg)
{
	(void)in;
	frame_drop(arg);
}

int32_t
client_begin(struct hostd_inst *in, struct client *c)
{
	char text[48];
	hostd_buf b = { text, 0 };
	int32_t rc = request_begin(in, c->req);

	STAILQ_INIT(&c->queue);
	TAILQ_INSERT_TAIL(&in->clients, c, of_instance);
	in->nclients++;
	if (rc != HOSTD_OK) {
		c->cut = 1;
		return rc;
	}
	b.n = (size_t)snprintf(text, sizeof(text), "retry: %u\n\n", in->retry);
	(void)in->easy.http->write(in->easy.host, c->req, b);
	return HOSTD_OK;
}

void
client_end(struct hostd_inst *in, struct client *c)
{
	if (!c->waiting) {
		TAILQ_REMOVE(&in->clients, c, of_instance);
		in->nclients--;
		frames_drop(&c->queue);
	}
	topic_leave(in, c);
}

/* It reconnects, and says what it has seen. */
static void
client_cut(struct hostd_inst *in, struct client *c)
{
	c->cut = 1;
	(void)in->easy.http->abort(in->easy.host, c->req);
}

/* Give a frame to the host: 0, or -1 when it has to wait. */
static int
client_write(struct hostd_inst *in, struct client *c, struct frame *f,
    size_t from)
{
	hostd_buf b = { f->bytes + from, f->n - from };
	int32_t rc = in->easy.http->write_ref(in->easy.host, c->req, b,
	    frame_release, frame_hold(f));

	if (rc < 0)
		frame_drop(f);
	c->blocked = rc == HOSTD_AGAIN || rc == HOSTD_E_FULL;
	c->spoke = 1;
	if (rc < 0 && rc != HOSTD_E_FULL)
		c->cut = 1;	/* the client has gone: on_end comes */
	return rc == HOSTD_E_FULL ? -1 : 0;
}

void
client_send(struct hostd_inst *in, struct client *c, struct frame *f,
    size_t from)
{
	if (c->cut)
		return;
	if (!c->blocked && STAILQ_EMPTY(&c->queue) &&
	    client_write(in, c, f, from) == 0)
		return;
	if (frames_add(&c->queue, f, from) == -1) {
		client_cut(in, c);
		return;
	}
	c->pending += f->n - from;
	if (c->pending > c->spared + in->max_pending)
		client_cut(in, c);
}

void
client_pump(struct hostd_inst *in, struct client *c)
{
	struct frame_ref *r;

	c->blocked = 0;
	while (!c->blocked && !c->cut &&
	    (r = STAILQ_FIRST(&c->queue)) != NULL) {
		if (client_write(in, c, r->frame, r->from) == -1)
			return;
		c->pending -= r->frame->n - r->from;
		if (c->spared > c->pending)
			c->spared = c->pending;
		frames_drop_first(&c->queue);
	}
}

void
clients_beat(struct hostd_inst *in)
{
	static const char comment[] = ":\n\n";
	hostd_buf b = { comment, sizeof(comment) - 1 };
	struct client *c;
	int32_t rc;

	TAILQ_FOREACH(c, &in->clients, of_instance) {
		if (!c->spoke && !c->blocked && !c->cut) {
			rc = in->easy.http->write(in->easy.host, c->req, b);
			c->blocked = rc == HOSTD_AGAIN || rc == HOSTD_E_FULL;
		}
		c->spoke = 0;
	}
}

void
clients_leave(struct hostd_inst *in)
{
	uint32_t n = in->leaving;
	struct client *c;

	TAILQ_FOREACH(c, &in->clients, of_instance) {
		if (c->cut)
			continue;
		if (n-- == 0)
			return;
		c->cut = 1;
		(void)in->easy.http->finish(in->easy.host, c->req);
	}
}

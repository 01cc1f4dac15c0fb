/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests whose session has not come yet: the worker that had this slot before
 * sends its sessions when the connections of their clients come here already.
 */
#include "engine.h"

#define HOLD_MS 5000

int32_t
eio_hold(struct hostd_inst *in, struct eio_poll *p)
{
	TAILQ_INSERT_TAIL(&in->engine->held, p, held);
	p->is_held = 1;
	if (p->wait.kind == EIO_WAIT_NONE)
		eio_wait_begin(in, &p->wait, EIO_WAIT_HELD, HOLD_MS);
	(void)in->easy.http->body_pause(in->easy.host, p->req, 1);
	return HOSTD_DEFER;
}

void
eio_hold_end(struct hostd_inst *in, struct eio_poll *p)
{
	if (p->is_held)
		TAILQ_REMOVE(&in->engine->held, p, held);
	p->is_held = 0;
	if (p->wait.kind == EIO_WAIT_HELD)
		eio_wait_end(in, &p->wait);
}

void
eio_hold_late(struct hostd_inst *in, struct eio_wait *w)
{
	struct eio_poll *p = TABLE_OF(w, struct eio_poll, wait);

	eio_hold_end(in, p);
	(void)eio_refuse(in, p->req, EIO_UNKNOWN_ID, 0);
}

static void
retry(struct hostd_inst *in, void *arg)
{
	struct eio_poll *last = TAILQ_LAST(&in->engine->held, eio_held), *p;
	int is_last = last == NULL;

	(void)arg;
	in->engine->retries = 0;
	/* Those that go on waiting come behind the last. */
	while (!is_last) {
		p = TAILQ_FIRST(&in->engine->held);
		is_last = p == last;
		TAILQ_REMOVE(&in->engine->held, p, held);
		p->is_held = 0;
		(void)in->easy.http->body_pause(in->easy.host, p->req, 0);
		if (eio_poll_serve(in, p) < 0)
			(void)eio_refuse_empty(in, p->req, 503);
		if (!p->is_held)
			eio_hold_end(in, p);
	}
}

void
eio_hold_retry(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;

	if (!in->engine->retries && !TAILQ_EMPTY(&in->engine->held))
		in->engine->retries = host->post(host, retry, NULL) ==
		    HOSTD_OK;
}

void
eio_expect(struct hostd_inst *in, int on)
{
	in->engine->expects = on;
	eio_hold_retry(in);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to clients: at once by WebSocket, or kept for the next GET. */
#include <stdlib.h>
#include <string.h>
#include <base64/base64.h>
#include "engine.h"

static int32_t
overflow(struct eio *eio, int32_t rc)
{
	eio_log(eio, "it is closed: ", rc == HOSTD_E_NOMEM ? "no memory for "
	    "what it is sent" : "it is too slow, more than max_output would "
	    "wait for it");
	/* A client that has missed a message is of no use any more. */
	eio_stop(eio, HOSTD_SIO_FORCED_CLOSE, EIO_END_CUT, HOSTD_WS_TRY_LATER);
	return rc;
}

/* -- polling -- */

/* What is sent in one turn goes in one answer. */
static int32_t
send_later(struct eio *eio, struct eio_message *m, uint32_t flags)
{
	struct eio_queue *q = &eio->queue;

	if ((flags & HOSTD_SIO_VOLATILE) && (eio->get == NULL || q->n > 0))
		return HOSTD_E_FULL;
	if (q->bytes + eio_message_size(m) > eio->in->opt.max_output)
		return flags & HOSTD_SIO_VOLATILE ? HOSTD_E_FULL :
		    overflow(eio, HOSTD_E_FULL);
	if (eio_queue_add(q, m) == -1)
		return overflow(eio, HOSTD_E_NOMEM);
	if (eio->get != NULL)
		eio_work(eio);
	return HOSTD_OK;
}

/* -- WebSocket -- */

static uint32_t
ws_flags(uint32_t flags)
{
	return (flags & HOSTD_SIO_VOLATILE ? HOSTD_WS_VOLATILE : 0) |
	    (flags & HOSTD_SIO_PLAIN ? HOSTD_WS_PLAIN : 0);
}

static int
has_too_much(const struct eio *eio)
{
	const struct hostd_easy *e = &eio->in->easy;
	const struct hostd_ws_info *info = e->ws->info(e->host, eio->ws->ws);

	return info != NULL && info->pending > eio->in->opt.max_output;
}

/* What a send has returned. */
static int32_t
settle(struct eio *eio, int32_t rc, uint32_t flags)
{
	if (rc == HOSTD_OK || (rc == HOSTD_AGAIN && !has_too_much(eio)) ||
	    (rc == HOSTD_E_FULL && (flags & HOSTD_SIO_VOLATILE)))
		return rc;
	/* on_close comes. */
	if (rc == HOSTD_E_GONE || rc == HOSTD_E_STATE)
		return HOSTD_E_STATE;
	return overflow(eio, HOSTD_E_FULL);
}

/* As a text: that is what it wants. */
static int32_t
send_base64(const struct eio *eio, hostd_buf bin, uint32_t flags)
{
	const struct hostd_easy *e = &eio->in->easy;
	char *text = malloc(2 + BASE64_LEN(bin.n));
	int32_t rc;

	if (text == NULL)
		return HOSTD_E_NOMEM;
	memcpy(text, "b4", 2);
	rc = e->ws->send(e->host, eio->ws->ws, (hostd_buf){ text, 2 +
	    base64_encode(bin.p, bin.n, text + 2) }, HOSTD_WS_TEXT | flags);
	free(text);
	return rc;
}

static int32_t
send_bin(const struct eio *eio, hostd_buf bin, uint32_t flags)
{
	const struct hostd_easy *e = &eio->in->easy;

	if (eio->revision == 3 && eio->wants_base64)
		return send_base64(eio, bin, flags);
	return e->ws->send(e->host, eio->ws->ws, eio->revision == 3 ?
	    eio_typed(bin) : bin, HOSTD_WS_BINARY | flags);
}

static int32_t
send_now(struct eio *eio, const struct eio_message *m, uint32_t flags)
{
	const struct hostd_easy *e = &eio->in->easy;
	uint32_t i;
	int32_t rc;

	rc = settle(eio, e->ws->send(e->host, eio->ws->ws, m->text,
	    HOSTD_WS_TEXT | ws_flags(flags)), flags);
	/* What has begun must be whole. */
	flags &= ~HOSTD_SIO_VOLATILE;
	for (i = 0; i < m->nbins && rc >= 0; i++)
		rc = settle(eio, send_bin(eio, m->bins[i], ws_flags(flags)),
		    flags);
	return rc;
}

/* -- on its way to another worker -- */

void
eio_send_kept(struct eio *eio)
{
	struct eio_queue q = eio->queue;
	uint32_t i;

	eio->is_moving = 0;
	eio_queue_clear(&eio->late);
	eio_wait_end(eio->in, &eio->beat);
	memset(&eio->queue, 0, sizeof(eio->queue));
	for (i = 0; i < q.n && eio->state == EIO_OPEN; i++)
		(void)eio_send(eio, q.m[i], 0);
	eio_queue_clear(&q);
	if (eio->state == EIO_OPEN)
		eio_beat_begin(eio);
}

/* Whether it goes is not decided yet. */
static int32_t
keep(struct eio *eio, struct eio_message *m, uint32_t flags)
{
	if (flags & HOSTD_SIO_VOLATILE)
		return HOSTD_E_FULL;
	if (eio_queue_add(&eio->queue, m) == -1 ||
	    ((flags & EIO_BROADCAST) == 0 &&
	    eio_queue_add(&eio->late, m) == -1))
		return overflow(eio, HOSTD_E_NOMEM);
	return HOSTD_OK;
}

int32_t
eio_send(struct eio *eio, struct eio_message *m, uint32_t flags)
{
	if (eio->state != EIO_OPEN)
		return HOSTD_E_STATE;
	if (eio->is_moving)
		return keep(eio, m, flags);
	return eio->ws != NULL ? send_now(eio, m, flags) :
	    send_later(eio, m, flags);
}

/* -- to many -- */

static int
many_grow(struct eio_many *a, size_t n)
{
	if (n <= a->size)
		return 0;
	eio_many_free(a);
	a->to = calloc(n, sizeof(*a->to));
	a->who = calloc(n, sizeof(struct eio *));
	a->results = calloc(n, sizeof(*a->results));
	if (a->to == NULL || a->who == NULL || a->results == NULL)
		return -1;
	a->size = n;
	return 0;
}

void
eio_many_free(struct eio_many *a)
{
	free(a->to);
	free(a->who);
	free(a->results);
	memset(a, 0, sizeof(*a));
}

/* Returns how many have taken it: they are the first of the list then. */
static uint32_t
send_part(struct hostd_inst *in, uint32_t n, hostd_buf part, uint32_t type,
    uint32_t flags)
{
	struct eio_many *a = &in->engine->many;
	uint32_t i, taken = 0;

	if (in->easy.ws->send_many(in->easy.host, a->to, n, part, type |
	    ws_flags(flags), a->results) != HOSTD_OK)
		return 0;
	for (i = 0; i < n; i++)
		if (settle(a->who[i], a->results[i], flags) >= 0) {
			a->to[taken] = a->to[i];
			a->who[taken++] = a->who[i];
		}
	return taken;
}

void
eio_send_many(struct hostd_inst *in, struct eio *const *to, size_t n,
    struct eio_message *m, uint32_t flags)
{
	struct eio_many *a = &in->engine->many;
	uint32_t nws = 0, i;
	size_t k;

	if (many_grow(a, n) == -1) {
		for (k = 0; k < n; k++)
			(void)eio_send(to[k], m, flags);
		return;
	}
	for (k = 0; k < n; k++)
		if (to[k]->state != EIO_OPEN) {
			continue;
		} else if (to[k]->is_moving) {
			(void)keep(to[k], m, flags | EIO_BROADCAST);
		} else if (to[k]->ws != NULL && to[k]->revision == 3 &&
		    m->nbins > 0) {
			(void)send_now(to[k], m, flags);
		} else if (to[k]->ws != NULL) {
			a->to[nws] = to[k]->ws->ws;
			a->who[nws++] = to[k];
		} else {
			(void)send_later(to[k], m, flags);
		}
	nws = send_part(in, nws, m->text, HOSTD_WS_TEXT, flags);
	flags &= ~HOSTD_SIO_VOLATILE;
	for (i = 0; i < m->nbins && nws > 0; i++)
		nws = send_part(in, nws, m->bins[i], HOSTD_WS_BINARY, flags);
}

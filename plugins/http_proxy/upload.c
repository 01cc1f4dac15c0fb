/* SPDX-License-Identifier: BSD-2-Clause */
/* The request's body, from the client to the server. */
#include "exchange.h"
#include "text.h"

static void
client_wait(struct exchange *x, int on)
{
	if (x->up_paused == on || x->req.id == 0 || x->body_done)
		return;
	x->up_paused = (uint8_t)on;
	(void)x->in->easy.http->body_pause(x->in->easy.host, x->req, on);
}

/* The client's trailers, those that are for the server, in the instance's
 * head. */
static void
take_trailers(struct exchange *x, struct head *out)
{
	const struct hostd_http_api *http = x->in->easy.http;
	const hostd_hdr *t = NULL;
	uint32_t i, n = 0;

	head_clear(out);
	(void)http->trailers(x->in->easy.host, x->req, &t, &n);
	for (i = 0; i < n; i++)
		if (forward_may_trail(x->in, t[i].name))
			head_add(out, t[i].name, t[i].value);
}

static void
upload_finish(struct exchange *x)
{
	const struct hostd_host *host = x->in->easy.host;
	struct head *out = &x->in->head;

	if (x->body_sent || !x->body_done || !x->has_body)
		return;
	x->body_sent = 1;
	take_trailers(x, out);
	if (x->in->fetch->finish(host, x->fetch, out->v, out->n) ==
	    HOSTD_E_INVAL && out->n > 0)
		(void)x->in->fetch->finish(host, x->fetch, NULL, 0);
}

/* Keep what can't go on now.  A code for on_body. */
static int32_t
upload_keep(struct exchange *x, hostd_buf part)
{
	int error;
	int32_t rc = spool_put(&x->up, &x->in->settings.spool, part, &error);
	const char *why = "there is no more room for buffered bodies "
	    "(buffer_file_size)";
	char text[256];

	if (rc == HOSTD_OK || (rc == HOSTD_AGAIN && !x->collecting))
		return HOSTD_DEFER;
	if (rc < 0)
		why = "out of memory";
	else if (error != 0) {
		(void)snprintf(text, sizeof(text), "%s (buffer_dir): %s",
		    x->in->settings.spool.dir, strerror(error));
		why = text;
	}
	return exchange_fail(x, 503, hostd_str(why));
}

static int32_t
upload_send(struct exchange *x, hostd_buf part)
{
	int32_t rc = HOSTD_E_FULL;

	if (!x->up_blocked && x->up.size == 0)
		rc = x->in->fetch->write(x->in->easy.host, x->fetch, part);
	if (rc == HOSTD_E_FULL && upload_keep(x, part) != HOSTD_DEFER)
		return HOSTD_OK;
	if (rc == HOSTD_AGAIN || rc == HOSTD_E_FULL) {
		x->up_blocked = 1;
		client_wait(x, 1);
	}
	return HOSTD_DEFER;
}

void
upload_more(struct exchange *x)
{
	hostd_buf b;
	int32_t rc = HOSTD_OK;

	x->up_blocked = 0;
	while (rc == HOSTD_OK && x->up.size > 0 && x->fetch.id != 0) {
		if (spool_peek(&x->up, x->in->piece, PROXY_PIECE, &b) !=
		    HOSTD_OK) {
			(void)exchange_fail(x, 502, hostd_str(
			    "a buffered body can't be read again"));
			exchange_drop(x);
			return;
		}
		rc = x->in->fetch->write(x->in->easy.host, x->fetch, b);
		if (rc >= 0)
			spool_drop(&x->up, b.n);
	}
	if (rc == HOSTD_AGAIN || rc == HOSTD_E_FULL) {
		x->up_blocked = 1;
		return;
	}
	if (x->req.id == 0 || rc < 0)
		return;
	client_wait(x, 0);
	upload_finish(x);
}

void
upload_again(struct exchange *x)
{
	spool_rewind(&x->up);
	x->body_sent = 0;
	upload_more(x);
}

void
upload_forget(struct exchange *x)
{
	x->up_blocked = 0;
	client_wait(x, 0);
}

int32_t
upload_part(struct exchange *x, hostd_buf part, int fin)
{
	int32_t rc = HOSTD_DEFER;

	x->body_done |= fin != 0;
	if (x->collecting) {
		rc = upload_keep(x, part);
		if (rc != HOSTD_DEFER || x->unwanted || !fin)
			return rc;
		x->collecting = 0;
		spool_keep(&x->up);
		rc = exchange_ask(x, (int64_t)x->up.size);
		if (x->fetch.id != 0 && !x->body_sent)
			upload_more(x);
		return rc;
	}
	if (x->fetch.id == 0 || !x->has_body)
		return HOSTD_DEFER;
	if (part.n > 0)
		rc = upload_send(x, part);
	if (fin && x->up.size == 0 && x->fetch.id != 0)
		upload_finish(x);
	return rc;
}

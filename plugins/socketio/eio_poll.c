/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of polling: a GET waits for messages, a POST brings some. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <hostd/json_scan.h>
#include "eio_payload.h"
#include "eio_payload3.h"
#include "engine.h"
#include "files.h"
#include "metrics.h"
#include "move.h"

#define WAIT_MS		25000	/* less than the defer_timeout of a route */
#define TEXT_UTF8	"text/plain; charset=UTF-8"
#define BINARY		"application/octet-stream"

static const hostd_buf no_cookie = { NULL, 0 };

/* -- a new session -- */

static int32_t
answer_hello(struct hostd_inst *in, hostd_req req, const struct eio *eio)
{
	char hello[EIO_HELLO_MAX + PAYLOAD3_HEAD], cookie[EIO_COOKIE_MAX];
	hostd_buf c = no_cookie;

	if (in->engine->cookie.name.n > 0)
		c = eio_cookie_make(&in->engine->cookie, eio->id, cookie);
	return eio_answer(in, req, TEXT_UTF8, eio_hello_body(eio, hello), c);
}

static void
is_known(struct hostd_inst *in, void *arg, int32_t status, hostd_buf user)
{
	struct eio_poll *p = arg;
	struct eio *eio = p->eio;

	p->eio = NULL;
	if (status == HOSTD_OK &&
	    eio_handshake_user(eio->handshake, user) == 0 &&
	    eio_open(eio) == 0) {
		(void)answer_hello(in, p->req, eio);
		client_opened(eio->client);
		return;
	}
	eio_free(eio);
	(void)eio_refuse_empty(in, p->req, 503);
}

static int32_t
handshake(struct hostd_inst *in, struct eio_poll *p,
    const struct hostd_request *r)
{
	p->eio = eio_new(in, r, HOSTD_SIO_POLLING);
	if (p->eio == NULL)
		return HOSTD_E_NOMEM;
	return user_find(in, p->req, &p->ask, is_known, p);
}

/* -- GET -- */

void
eio_poll_flush(struct eio *eio, const char *last)
{
	struct engine *e = eio->in->engine;
	struct eio_poll *p = eio->get;
	int of_bytes;
	hostd_buf body = eio_queue_body(eio, last, &of_bytes);

	eio->get = NULL;
	p->eio = NULL;
	eio_wait_end(eio->in, &p->wait);
	if (body.p == NULL) {
		(void)eio->in->easy.http->abort(eio->in->easy.host, p->req);
		eio_stop(eio, HOSTD_SIO_TRANSPORT_ERROR, EIO_END_CUT,
		    HOSTD_WS_NORMAL);
		return;
	}
	(void)eio_answer(eio->in, p->req, of_bytes ? BINARY : TEXT_UTF8, body,
	    no_cookie);
	eio_queue_clear(&eio->queue);
	eio_scratch_done(e);
}

void
eio_poll_late(struct hostd_inst *in, struct eio_wait *w)
{
	struct eio_poll *p = TABLE_OF(w, struct eio_poll, wait);

	(void)in;
	eio_poll_flush(p->eio, "6");
}

static void
overlap(struct eio *eio)
{
	eio_stop(eio, HOSTD_SIO_TRANSPORT_ERROR, EIO_END_CUT, HOSTD_WS_NORMAL);
}

static int32_t
get(struct hostd_inst *in, struct eio_poll *p, struct eio *eio)
{
	metrics_polled(in);
	if (eio->get != NULL) {
		overlap(eio);
		return eio_refuse_empty(in, p->req, 400);
	}
	/* What waits is on its way to where it asks next. */
	if (eio->is_moving)
		return eio_answer(in, p->req, TEXT_UTF8,
		    hostd_str(eio->revision == 3 ? "1:6" : "6"),
		    no_cookie);
	eio->get = p;
	p->eio = eio;
	if (eio->state != EIO_ENDING && eio->queue.n > 0) {
		eio_poll_flush(eio, NULL);
		return HOSTD_OK;
	}
	if (eio->state == EIO_LINGERING) {
		eio_poll_flush(eio, "6\x1e" "1");
		eio_free(eio);
		return HOSTD_OK;
	}
	if (eio->probe != NULL && eio->probe->is_probed) {
		eio_poll_flush(eio, "6");
		return HOSTD_OK;
	}
	eio_wait_end(in, &p->wait);
	eio_wait_begin(in, &p->wait, EIO_WAIT_POLL, WAIT_MS);
	return HOSTD_DEFER;
}

/* -- POST -- */

/* All packets up to the first that can't be read. */
static void
take_4(struct eio *eio, hostd_buf body)
{
	hostd_buf packet;
	int state = 0;

	while (eio->state == EIO_OPEN && payload_next(&body, &state, &packet))
		eio_packet(eio, packet);
}

static void
take_3(struct eio *eio, hostd_buf body, int of_bytes)
{
	enum payload3 kind = body.n > 0 || of_bytes ? PAYLOAD3_TEXT :
	    PAYLOAD3_BAD;
	hostd_buf packet;

	while (eio->state == EIO_OPEN && kind != PAYLOAD3_END) {
		if (kind != PAYLOAD3_BAD)
			kind = of_bytes ? payload3_next_of_bytes(&body,
			    &packet) : payload3_next(&body, &packet);
		if (kind == PAYLOAD3_DATA)
			eio_bytes(eio, packet);
		else if (kind == PAYLOAD3_TEXT && (!of_bytes ||
		    hostd_json_is_utf8(packet)))
			eio_packet(eio, packet);
		else if (kind != PAYLOAD3_END)
			eio_packet_bad(eio);
	}
}

static void
take(struct eio *eio, hostd_buf body, int of_bytes)
{
	if (!of_bytes && !hostd_json_is_utf8(body))
		eio_packet_bad(eio);
	else if (eio->revision == 3)
		take_3(eio, body, of_bytes);
	else
		take_4(eio, body);
}

static int
is_binary(struct hostd_inst *in, hostd_req req)
{
	hostd_buf type;

	return in->easy.http->header(in->easy.host, req, "Content-Type",
	    &type) == HOSTD_OK && type.n == sizeof(BINARY) - 1 &&
	    strncasecmp(type.p, BINARY, type.n) == 0;
}

static void
post_leave(struct eio_poll *p)
{
	if (p->eio != NULL)
		p->eio->post = NULL;
	p->eio = NULL;
}

static int32_t
post(struct hostd_inst *in, struct eio_poll *p, struct eio *eio,
    const struct hostd_request *r)
{
	struct eio_poll *other = eio->post;

	if (other != NULL) {
		post_leave(other);
		(void)in->easy.http->abort(in->easy.host, other->req);
	}
	p->of_bytes = is_binary(in, p->req) != 0;
	if (other != NULL || (p->of_bytes && eio->revision == 4)) {
		overlap(eio);
		return eio_refuse_empty(in, p->req, 400);
	}
	if (r->content_length > 0 &&
	    (uint64_t)r->content_length > in->opt.max_payload)
		return eio_refuse_empty(in, p->req, 413);
	p->is_post = 1;
	p->eio = eio;
	eio->post = p;
	return HOSTD_OK;
}

static int
collect(struct eio_poll *p, hostd_buf part, int64_t length)
{
	size_t size = p->size;
	char *grown;

	if (p->n + part.n > size) {
		if (size == 0 && length > 0)
			size = (size_t)length;
		while (size < p->n + part.n)
			size = size * 2 + part.n;
		if ((grown = realloc(p->body, size)) == NULL)
			return -1;
		p->body = grown;
		p->size = size;
	}
	if (part.n > 0)
		memcpy(p->body + p->n, part.p, part.n);
	p->n += part.n;
	return 0;
}

static int32_t
post_end(struct hostd_inst *in, struct eio_poll *p, hostd_buf body)
{
	struct eio *eio = p->eio;

	post_leave(p);
	if (eio == NULL)
		return eio_refuse(in, p->req, EIO_UNKNOWN_ID, 0);
	take(eio, body, p->of_bytes);
	return eio_answer(in, p->req, "text/html", hostd_str("ok"), no_cookie);
}

static int32_t
post_part(struct hostd_inst *in, struct eio_poll *p, hostd_buf part, int fin)
{
	const struct hostd_request *r = hostd_request_of(in, p->req);

	if (r == NULL)
		return HOSTD_E_GONE;
	if (p->n + part.n > in->opt.max_payload) {
		post_leave(p);
		return eio_refuse_empty(in, p->req, 413);
	}
	if (fin && p->n == 0)
		return post_end(in, p, part);
	if (collect(p, part, r->content_length) == -1)
		return HOSTD_E_NOMEM;
	if (!fin)
		return HOSTD_OK;
	return post_end(in, p, (hostd_buf){ p->body, p->n });
}

/* -- any request -- */

int32_t
eio_poll_serve(struct hostd_inst *in, struct eio_poll *p)
{
	const struct hostd_request *r = hostd_request_of(in, p->req);
	struct eio_place place;
	enum eio_error error;
	struct eio *eio;

	if (r == NULL)
		return HOSTD_E_GONE;
	error = eio_check(in, r, 0, &eio, &place);
	if (error == EIO_ELSEWHERE)
		return eio_give(in, p->req, &place, p);
	if (error == EIO_AWAITED)
		return eio_hold(in, p);
	if (error != EIO_NO_ERROR)
		return eio_refuse(in, p->req, error, 0);
	if (eio == NULL)
		return eio_give_new(in, p->req) ? HOSTD_OK :
		    handshake(in, p, r);
	if (r->method == HOSTD_METHOD_GET)
		return get(in, p, eio);
	if (r->method == HOSTD_METHOD_POST)
		return post(in, p, eio, r);
	return eio_refuse_empty(in, p->req, 500);
}

/* -- what the host calls -- */

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct eio_poll *p = d;
	int32_t rc;

	if (r == NULL)
		return HOSTD_E_GONE;
	if (client_file(in, req, r, &rc))
		return rc;
	p->req = req;
	if (r->method == HOSTD_METHOD_OPTIONS && in->engine->cors.norigins > 0)
		return eio_answer_preflight(in, req);
	return eio_poll_serve(in, p);
}

static int32_t
on_body(struct hostd_inst *in, hostd_req req, void *d, hostd_buf part,
    int32_t fin)
{
	struct eio_poll *p = d;

	(void)req;
	if (p->forward != NULL)
		return eio_forward_body(in, p->forward, part, fin);
	return p->is_post ? post_part(in, p, part, fin) : HOSTD_DEFER;
}

static void
poll_ended(struct hostd_inst *in, struct eio_poll *p)
{
	struct eio *eio = p->eio;

	if (eio == NULL)
		return;
	if (eio->state == EIO_OPENING) {
		eio_free(eio);
		return;
	}
	/* The client has gone before it was answered. */
	eio_wait_end(in, &p->wait);
	if (p->is_post)
		eio->post = NULL;
	else
		eio->get = NULL;
	eio_stop(eio, HOSTD_SIO_TRANSPORT_ERROR, EIO_END_CUT, HOSTD_WS_NORMAL);
}

static void
on_end(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct eio_poll *p = d;

	(void)req;
	(void)why;
	free(p->body);
	if (p->forward != NULL)
		eio_forward_end(p->forward);
	eio_hold_end(in, p);
	poll_ended(in, p);
	(void)move_polling(in);
}

void
eio_poll_forget(struct eio *eio)
{
	if (eio->post != NULL)
		post_leave(eio->post);
}

const struct hostd_http_ops eio_http_ops = {
	.struct_size = sizeof(eio_http_ops),
	.data_size = sizeof(struct eio_poll),
	.on_headers = on_headers,
	.on_body = on_body,
	.on_end = on_end,
};

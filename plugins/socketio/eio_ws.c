/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets: the transport of a session, or to become it. */
#include <stdlib.h>
#include <string.h>
#include "engine.h"

/* -- begin -- */

/* The first subprotocol that the client offers, as the reference has it. */
static hostd_buf
subprotocol(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_easy *e = &in->easy;
	hostd_buf b = { NULL, 0 };
	size_t n = 0;

	if (e->http->header(e->host, req, "Sec-WebSocket-Protocol", &b) !=
	    HOSTD_OK)
		return (hostd_buf){ NULL, 0 };
	while (n < b.n && memchr(", \t", ((const char *)b.p)[n], 3) == NULL)
		n++;
	b.n = n;
	return b;
}

/* What there is an id for. */
static int
begin_old(struct eio *eio, struct eio_ws *w)
{
	if (eio->state != EIO_OPEN || eio->ws != NULL || eio->probe != NULL ||
	    eio->transport != HOSTD_SIO_POLLING ||
	    !eio->in->opt.allow_upgrades)
		return 0;	/* closed when it opens */
	return eio_probe_new(eio, w);
}

/* NULL: no memory. */
static struct eio_opening *
begin_new(struct hostd_inst *in, hostd_req req, struct eio_ws *w)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct eio_opening *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	if ((o->eio = eio_new(in, r, HOSTD_SIO_WEBSOCKET)) == NULL) {
		free(o);
		return NULL;
	}
	o->req = req;
	o->eio->ws = w;
	w->role = EIO_WS_OPENING;
	w->u.opening = o;
	return o;
}

static int32_t
accept_it(struct hostd_inst *in, hostd_req req)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	hostd_hdr h[EIO_CORS_HEADERS];

	if (r == NULL)
		return HOSTD_E_GONE;
	return in->easy.ws->accept(in->easy.host, req, subprotocol(in, req), h,
	    eio_cors_headers(&in->engine->cors, r, 0, h));
}

static void
is_known(struct hostd_inst *in, void *arg, int32_t status, hostd_buf user)
{
	struct eio_ws *w = arg;
	struct eio_opening *o = w->u.opening;
	hostd_req req = o->req;

	w->role = EIO_WS_TRANSPORT;
	w->u.eio = o->eio;
	free(o);
	if (status == HOSTD_OK &&
	    eio_handshake_user(w->u.eio->handshake, user) == 0)
		(void)accept_it(in, req);
	else
		(void)eio_refuse_empty(in, req, 503);
}

static int32_t
on_upgrade(struct hostd_inst *in, hostd_req req, void *d)
{
	const struct hostd_request *r = hostd_request_of(in, req);
	struct eio_place place;
	enum eio_error error;
	struct eio_opening *o;
	struct eio *eio;

	if (r == NULL)
		return HOSTD_E_GONE;
	error = eio_check(in, r, 1, &eio, &place);
	if (error == EIO_ELSEWHERE)
		return eio_give(in, req, &place, NULL);
	if (error != EIO_NO_ERROR)
		return eio_refuse(in, req, error, 1);
	if (eio != NULL)
		return begin_old(eio, d) == -1 ? HOSTD_E_NOMEM :
		    accept_it(in, req);
	if (eio_give_new(in, req))
		return HOSTD_OK;
	if ((o = begin_new(in, req, d)) == NULL)
		return HOSTD_E_NOMEM;
	return user_find(in, req, &o->ask, is_known, d);
}

static void
on_refused(struct hostd_inst *in, hostd_req req, void *d, int32_t why)
{
	struct eio_ws *w = d;

	(void)in;
	(void)req;
	(void)why;
	if (w->role == EIO_WS_OPENING) {
		eio_free(w->u.opening->eio);
		free(w->u.opening);
	} else if (w->role == EIO_WS_TRANSPORT) {
		eio_free(w->u.eio);
	} else if (w->role == EIO_WS_PROBE) {
		eio_probe_gone(w->u.probe);
	}
}

static void
close_with(struct hostd_inst *in, hostd_ws ws, int32_t code)
{
	(void)in->easy.ws->close(in->easy.host, ws, code, hostd_str(""));
}

static void
open_transport(struct hostd_inst *in, struct eio_ws *w)
{
	struct eio *eio = w->u.eio;
	char hello[EIO_HELLO_MAX];

	if (eio_open(eio) == -1) {
		w->role = EIO_WS_NONE;
		eio_free(eio);
		close_with(in, w->ws, HOSTD_WS_TRY_LATER);
		return;
	}
	(void)in->easy.ws->send(in->easy.host, w->ws, eio_hello(eio, hello),
	    HOSTD_WS_TEXT);
	client_opened(eio->client);
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	struct eio_ws *w = d;

	w->ws = ws;
	if (w->role == EIO_WS_TRANSPORT)
		open_transport(in, w);
	else if (w->role == EIO_WS_NONE)
		close_with(in, ws, HOSTD_WS_NORMAL);
}

/* -- messages -- */

static void
take(struct eio *eio, hostd_buf msg, uint32_t flags)
{
	if (eio->is_moving)
		eio_send_kept(eio);
	if (eio->state != EIO_OPEN)
		return;
	if (msg.n > eio->in->opt.max_payload)
		eio_stop(eio, HOSTD_SIO_TRANSPORT_ERROR, EIO_END_CUT,
		    HOSTD_WS_TOO_BIG);
	else if (flags & HOSTD_WS_TEXT)
		eio_packet(eio, msg);
	else
		eio_bytes(eio, msg);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	struct eio_ws *w = d;

	(void)in;
	(void)ws;
	if (w->role == EIO_WS_TRANSPORT)
		take(w->u.eio, msg, flags);
	else if (w->role == EIO_WS_PROBE && (flags & HOSTD_WS_TEXT))
		eio_probe_text(w->u.probe, msg);
	else if (w->role == EIO_WS_PROBE)
		eio_probe_end(w->u.probe);
	return HOSTD_OK;
}

/* -- end -- */

void
eio_ws_end(struct eio *eio)
{
	struct eio_ws *w = eio->ws;

	w->role = EIO_WS_NONE;
	eio->ws = NULL;
	close_with(eio->in, w->ws, eio->code);
}

/* Both sides' mistakes have these codes; the host closes with them. */
static int32_t
reason_of(const struct hostd_inst *in, int32_t code)
{
	if (in->draining)
		return HOSTD_SIO_SHUTTING_DOWN;
	if (code == HOSTD_WS_PROTOCOL || code == HOSTD_WS_BAD_DATA ||
	    code == HOSTD_WS_TOO_BIG)
		return HOSTD_SIO_TRANSPORT_ERROR;
	return HOSTD_SIO_TRANSPORT_CLOSE;
}

static void
on_close(struct hostd_inst *in, hostd_ws ws, void *d, int32_t code,
    hostd_buf reason)
{
	struct eio_ws *w = d;

	(void)ws;
	(void)reason;
	if (w->role == EIO_WS_TRANSPORT) {
		w->u.eio->ws = NULL;
		eio_stop(w->u.eio, reason_of(in, code), EIO_END_CUT,
		    HOSTD_WS_NORMAL);
	} else if (w->role == EIO_WS_PROBE) {
		eio_probe_gone(w->u.probe);
	}
}

const struct hostd_ws_ops eio_ws_ops = {
	.struct_size = sizeof(eio_ws_ops),
	.data_size = sizeof(struct eio_ws),
	.on_upgrade = on_upgrade,
	.on_refused = on_refused,
	.on_open = on_open,
	.on_message = on_message,
	.on_close = on_close,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session goes to another worker.  While it is on its way it has no
 * heartbeat, and what is sent to it is kept.
 */
#include <stdlib.h>
#include <string.h>
#include "engine.h"
#include "metrics.h"

#define VERSION 2
#define LOOK_MS 100	/* whether one that is on its way is still here */

/* -- messages -- */

static void
pack_messages(struct pack *p, const struct eio_queue *q)
{
	uint32_t i;

	pack_u32(p, q->n);
	for (i = 0; i < q->n; i++) {
		pack_bytes(p, q->m[i]->text);
		pack_list(p, q->m[i]->bins, q->m[i]->nbins);
	}
}

static struct eio_message *
unpack_message(struct unpack *u)
{
	hostd_buf text = unpack_bytes(u), *bins = NULL;
	uint32_t n = unpack_count(u), i;
	struct eio_message *m = NULL;

	if (n > 0 && (bins = calloc(n, sizeof(*bins))) == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		bins[i] = unpack_bytes(u);
	if (!u->bad && text.n > 0)
		m = eio_message_raw(text, bins, n);
	free(bins);
	return m;
}

static int
unpack_messages(struct unpack *u, struct eio_queue *q)
{
	uint32_t n = unpack_count(u), i;
	struct eio_message *m;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		m = unpack_message(u);
		rc = m == NULL ? -1 : eio_queue_add(q, m);
		eio_message_unref(m);
	}
	return rc;
}

/* -- the first request -- */

static void
pack_handshake(struct pack *p, const struct eio_handshake *h)
{
	const char *at = h->headers;
	hostd_hdr header;
	uint32_t i;

	pack_u32(p, h->flags);
	pack_u64(p, (uint64_t)h->time_ms);
	pack_bytes(p, h->url);
	pack_bytes(p, h->peer);
	pack_u32(p, h->user.p != NULL);
	pack_bytes(p, h->user);
	pack_u32(p, h->nheaders);
	for (i = 0; i < h->nheaders; i++) {
		header = eio_header(&at);
		pack_bytes(p, header.name);
		pack_bytes(p, header.value);
	}
}

static int
unpack_headers(struct unpack *u, struct hostd_request *r, hostd_hdr **out)
{
	hostd_hdr *h = NULL;
	uint32_t i;

	r->nheaders = unpack_count(u);
	if (r->nheaders > 0 && (h = calloc(r->nheaders, sizeof(*h))) == NULL)
		return -1;
	for (i = 0; i < r->nheaders; i++) {
		h[i].name = unpack_bytes(u);
		h[i].value = unpack_bytes(u);
	}
	r->headers = *out = h;
	return u->bad ? -1 : 0;
}

static struct eio_handshake *
unpack_handshake(struct unpack *u)
{
	struct hostd_request r = { .flags = unpack_u32(u) };
	int64_t time_ms = (int64_t)unpack_u64(u);
	struct eio_handshake *h = NULL;
	hostd_hdr *headers = NULL;
	hostd_buf user;
	int has_user;

	r.target = unpack_bytes(u);
	r.peer = unpack_bytes(u);
	has_user = unpack_u32(u) != 0;
	user = unpack_bytes(u);
	if (unpack_headers(u, &r, &headers) == 0)
		h = eio_handshake_new(&r);
	free(headers);
	if (h == NULL)
		return NULL;
	h->time_ms = time_ms;
	if (has_user && eio_handshake_user(h, user) == -1) {
		eio_handshake_free(h);
		return NULL;
	}
	return h;
}

/* -- where it was -- */

struct eio *
eio_of_ws(const void *d)
{
	const struct eio_ws *w = d;
	struct eio *eio = NULL;

	if (w->role == EIO_WS_TRANSPORT)
		eio = w->u.eio;
	else if (w->role == EIO_WS_PROBE && w->u.probe->is_probed)
		eio = w->u.probe->eio;
	return eio != NULL && eio->state == EIO_OPEN ? eio : NULL;
}

int
eio_pack(struct eio *eio, struct pack *p)
{
	const struct hostd_host *host = eio->in->easy.host;
	uint64_t now = host->now_ms(host);

	if (eio->state != EIO_OPEN || eio->post != NULL)
		return -1;
	if (eio->get != NULL)
		eio_poll_flush(eio, "6");
	if (eio->state != EIO_OPEN)
		return -1;
	pack_u32(p, VERSION);
	pack_bytes(p, (hostd_buf){ eio->id, EIO_ID_LEN });
	pack_u32(p, eio->transport);
	pack_u32(p, eio->revision);
	pack_u32(p, eio->wants_base64);
	pack_u32(p, eio->owes_pong);
	pack_u32(p, eio->beat.kind == EIO_WAIT_PONG);
	pack_u64(p, eio->beat.due > now ? eio->beat.due - now : 0);
	pack_messages(p, &eio->queue);
	pack_handshake(p, eio->handshake);
	eio->is_moving = 1;
	eio_queue_clear(&eio->late);
	eio_wait_end(eio->in, &eio->beat);
	eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_MOVING, LOOK_MS);
	return 0;
}

uint32_t
eio_pack_late(const struct eio *eio, struct pack *p)
{
	pack_messages(p, &eio->late);
	return eio->late.n;
}

/* A WebSocket that may have gone takes nothing, not even this. */
static int
is_held(const struct eio *eio)
{
	const struct hostd_easy *e = &eio->in->easy;
	const struct eio_ws *w = eio->ws != NULL ? eio->ws :
	    eio->probe != NULL ? eio->probe->ws : NULL;

	return w != NULL && e->ws->pause(e->host, w->ws, 0) == HOSTD_E_STATE;
}

void
eio_move_look(struct hostd_inst *in, struct eio_wait *w)
{
	struct eio *eio = TABLE_OF(w, struct eio, beat);

	if (is_held(eio))
		eio_wait_begin(in, w, EIO_WAIT_MOVING, LOOK_MS);
	else
		eio_send_kept(eio);
}

void
eio_drop(struct eio *eio)
{
	if (eio->state == EIO_OPEN) {
		eio->in->engine->nopen--;
		metrics_sessions(eio->in, eio->transport, -1);
	}
	if (eio->probe != NULL)
		eio_probe_end(eio->probe);
	if (eio->ws != NULL)
		eio->ws->role = EIO_WS_NONE;
	eio_free(eio);
}

/* -- where it goes -- */

static int
unpack_state(struct eio *eio, struct unpack *u)
{
	hostd_buf id = unpack_bytes(u);
	uint32_t transport = unpack_u32(u);

	uint32_t revision = unpack_u32(u);

	if (!unpack_is_text(id, EIO_ID_LEN) ||
	    (transport != HOSTD_SIO_POLLING &&
	    transport != HOSTD_SIO_WEBSOCKET) ||
	    (revision != 3 && revision != 4))
		return -1;
	eio->revision = (uint8_t)revision;
	eio->wants_base64 = unpack_u32(u) != 0;
	memcpy(eio->id, id.p, EIO_ID_LEN);
	eio->transport = (uint8_t)transport;
	eio->owes_pong = unpack_u32(u) != 0;
	return 0;
}

static int
unpack_all(struct eio *eio, struct unpack *u, int *is_pong, uint64_t *ms)
{
	if (unpack_u32(u) != VERSION || unpack_state(eio, u) == -1)
		return -1;
	*is_pong = unpack_u32(u) != 0;
	*ms = unpack_u64(u);
	if (unpack_messages(u, &eio->queue) == -1)
		return -1;
	eio->handshake = unpack_handshake(u);
	return eio->handshake == NULL ? -1 : 0;
}

/* Its transport; or the client is about to make it that, and has been told that
 * it may. */
static int
take_ws(struct eio *eio, hostd_ws ws, struct eio_ws *w)
{
	w->ws = ws;
	if (eio->transport == HOSTD_SIO_WEBSOCKET) {
		w->role = EIO_WS_TRANSPORT;
		w->u.eio = eio;
		eio->ws = w;
		return 0;
	}
	if (eio_probe_new(eio, w) == -1)
		return -1;
	eio->probe->is_probed = 1;
	return 0;
}

/* What it was sent there at last can be sent when this WebSocket is open. */
static void
go_on(struct eio *eio, int is_pong, uint64_t ms)
{
	if (eio->transport == HOSTD_SIO_POLLING || eio->queue.n == 0) {
		eio_beat_go_on(eio, is_pong, ms);
		return;
	}
	eio->is_moving = 1;
	eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_MOVING, 0);
}

struct eio *
eio_unpack(struct hostd_inst *in, hostd_ws ws, void *d, struct unpack *u)
{
	struct eio *eio = calloc(1, sizeof(*eio));
	struct eio_ws *w = d;
	int is_pong;
	uint64_t ms;

	if (eio == NULL)
		return NULL;
	eio->in = in;
	eio->state = EIO_OPENING;
	if (unpack_all(eio, u, &is_pong, &ms) == -1 ||
	    (d == NULL && eio->transport == HOSTD_SIO_WEBSOCKET) ||
	    eio_enter(eio) == -1) {
		eio_free(eio);
		return NULL;
	}
	go_on(eio, is_pong, ms);
	eio_hold_retry(in);
	if (w != NULL && take_ws(eio, ws, w) == -1) {
		client_moved(eio->client);
		eio_drop(eio);
		return NULL;
	}
	return eio;
}

int
eio_unpack_late(struct eio *eio, struct unpack *u)
{
	struct eio_queue q = { .n = 0 };
	int rc = unpack_messages(u, &q);
	uint32_t i;

	for (i = 0; i < q.n; i++)
		(void)eio_send(eio, q.m[i], 0);
	eio_queue_clear(&q);
	return rc;
}

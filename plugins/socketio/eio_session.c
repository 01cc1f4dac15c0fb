/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "eio_payload3.h"
#include "cluster.h"
#include "engine.h"
#include "metrics.h"

#define LINGER_MS 30000

/* -- begin -- */

struct eio *
eio_new(struct hostd_inst *in, const struct hostd_request *r,
    uint32_t transport)
{
	struct eio *eio = calloc(1, sizeof(*eio));
	struct eio_query q;

	if (eio == NULL)
		return NULL;
	eio->in = in;
	eio->state = EIO_OPENING;
	eio->is_first = 1;
	in->engine->nopening++;
	eio->transport = (uint8_t)transport;
	eio_query_parse(r->query, &q);
	eio->revision = q.is_revision_4 ? 4 : 3;
	eio->wants_base64 = q.wants_base64 != 0;
	eio->handshake = eio_handshake_new(r);
	if (eio->handshake == NULL ||
	    eio_id_make(&in->engine->ids, eio->id) == -1) {
		eio_free(eio);
		return NULL;
	}
	return eio;
}

/* Who goes stays for it until then. */
static void
first_ends(struct eio *eio)
{
	eio->in->engine->nopening -= eio->is_first;
	eio->is_first = 0;
}

int
eio_enter(struct eio *eio)
{
	struct engine *e = eio->in->engine;

	eio->entry.name = (hostd_buf){ eio->id, EIO_ID_LEN };
	if (table_add(&e->sessions, &eio->entry) == -1)
		return -1;
	eio->state = EIO_OPEN;
	e->nopen++;
	if ((eio->client = client_new(eio->in, eio)) == NULL) {
		e->nopen--;
		table_remove(&e->sessions, &eio->entry);
		eio->state = EIO_OPENING;
		return -1;
	}
	first_ends(eio);
	metrics_sessions(eio->in, eio->transport, 1);
	return 0;
}

int
eio_open(struct eio *eio)
{
	if (eio_enter(eio) == -1)
		return -1;
	eio_beat_begin(eio);
	return 0;
}

hostd_buf
eio_hello(const struct eio *eio, char *room)
{
	const struct sio_options *o = &eio->in->opt;
	hostd_buf b = { room, 0 };

	b.n = (size_t)snprintf(room, EIO_HELLO_MAX, "0{\"sid\":\"%s\","
	    "\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,"
	    "\"maxPayload\":%llu}", eio->id,
	    eio->transport == HOSTD_SIO_POLLING && o->allow_upgrades &&
	    o->websocket ? "\"websocket\"" : "", o->ping_interval,
	    o->ping_timeout, (unsigned long long)o->max_payload);
	return b;
}

hostd_buf
eio_hello_body(const struct eio *eio, char *room)
{
	char hello[EIO_HELLO_MAX];
	hostd_buf b = eio_hello(eio, eio->revision == 4 ? room : hello);

	if (eio->revision == 4)
		return b;
	b.n = (size_t)(payload3_put(room, b, 0) - room);
	b.p = room;
	return b;
}

/* -- who there is -- */

struct eio *
eio_find(struct hostd_inst *in, hostd_buf id)
{
	struct table_entry *t = table_find(&in->engine->sessions, id);
	struct eio *eio = t == NULL ? NULL : TABLE_OF(t, struct eio, entry);

	/* The timer may be late. */
	if (eio != NULL && eio_beat_is_over(eio))
		eio_beat_late(in, &eio->beat);
	if (eio != NULL && eio->state == EIO_ENDING &&
	    (eio->how != EIO_END_POLITE || eio->ws != NULL))
		return NULL;
	return eio;
}

struct eio *
eio_next(const struct hostd_inst *in, const struct eio *eio)
{
	struct table_entry *t = table_next(&in->engine->sessions,
	    eio == NULL ? NULL : &eio->entry);

	while (t != NULL && TABLE_OF(t, struct eio, entry)->state != EIO_OPEN)
		t = table_next(&in->engine->sessions, t);
	return t == NULL ? NULL : TABLE_OF(t, struct eio, entry);
}

uint32_t
eio_count(const struct hostd_inst *in)
{
	return in->engine->nopen + in->engine->nopening;
}

const char *
eio_id(const struct eio *eio)
{
	return eio->id;
}

const struct eio_handshake *
eio_handshake(const struct eio *eio)
{
	return eio->handshake;
}

uint32_t
eio_transport(const struct eio *eio)
{
	return eio->transport;
}

uint32_t
eio_revision(const struct eio *eio)
{
	return eio->revision;
}

struct client *
eio_client(const struct eio *eio)
{
	return eio->client;
}

void
eio_log(const struct eio *eio, const char *what, const char *why)
{
	hostd_buf peer = eio->handshake->peer;

	hostd_logf(eio->in->easy.host, HOSTD_LOG_DEBUG, "%.*s: %s%s",
	    (int)peer.n, (const char *)peer.p, what, why);
}

/* -- end -- */

void
eio_free(struct eio *eio)
{
	struct hostd_inst *in = eio->in;
	struct engine *e = in->engine;

	if (eio->state != EIO_OPENING)
		table_remove(&e->sessions, &eio->entry);
	if (eio->has_work)
		STAILQ_REMOVE(&e->work, eio, eio, work);
	eio_poll_forget(eio);
	eio_wait_end(eio->in, &eio->beat);
	eio_queue_clear(&eio->queue);
	eio_queue_clear(&eio->late);
	eio_handshake_free(eio->handshake);
	first_ends(eio);
	free(eio);
	if (in->draining)
		cluster_leave(in);
}

void
eio_stop(struct eio *eio, int32_t reason, enum eio_end_how how, int32_t code)
{
	if (eio->state != EIO_OPEN)
		return;
	eio->state = EIO_ENDING;
	eio->reason = (uint8_t)reason;
	eio->how = (uint8_t)how;
	eio->code = (uint16_t)code;
	eio->in->engine->nopen--;
	metrics_sessions(eio->in, eio->transport, -1);
	eio_wait_end(eio->in, &eio->beat);
	eio_work(eio);
}

void
eio_end(struct eio *eio, int32_t reason)
{
	eio_stop(eio, reason, EIO_END_POLITE, HOSTD_WS_NORMAL);
}

/* What was marked. */
static void
finish(struct eio *eio)
{
	/* Who has never been anywhere need not be told. */
	int lingers = eio->how == EIO_END_POLITE &&
	    eio->transport == HOSTD_SIO_POLLING && (eio->queue.n > 0 ||
	    (eio->get == NULL && eio->client->was_accepted));

	if (eio->probe != NULL)
		eio_probe_end(eio->probe);
	if (eio->ws != NULL)
		eio_ws_end(eio);
	/* A close that comes with other packets overtakes them in the
	 * client. */
	if (eio->get != NULL)
		eio_poll_flush(eio, lingers ? NULL :
		    eio->how == EIO_END_BYE ? "6" : "1");
	client_gone(eio->client, eio->reason);
	eio->client = NULL;
	if (lingers) {
		eio->state = EIO_LINGERING;
		eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_LINGER,
		    LINGER_MS);
	} else {
		eio_free(eio);
	}
}

/* -- the end of a turn -- */

static void
turn(struct hostd_inst *in, void *arg)
{
	struct engine *e = in->engine;
	struct eio *eio;

	(void)arg;
	e->posted = 0;
	while ((eio = STAILQ_FIRST(&e->work)) != NULL) {
		STAILQ_REMOVE_HEAD(&e->work, work);
		eio->has_work = 0;
		if (eio->state == EIO_ENDING)
			finish(eio);
		else if (eio->get != NULL && eio->queue.n > 0)
			eio_poll_flush(eio, NULL);
	}
}

void
eio_work(struct eio *eio)
{
	struct engine *e = eio->in->engine;

	if (eio->has_work)
		return;
	eio->has_work = 1;
	STAILQ_INSERT_TAIL(&e->work, eio, work);
	if (!e->posted)
		e->posted = eio->in->easy.host->post(eio->in->easy.host, turn,
		    NULL) == HOSTD_OK;
}

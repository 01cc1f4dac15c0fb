/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hostd/worker.h>
#include "cluster.h"
#include "engine.h"
#include "move.h"

/* Ids say whose they are. */
static void
know_place(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;
	struct eio_id_source *ids = &in->engine->ids;
	const struct hostd_worker_info *self;

	if (in->worker == NULL || (self = in->worker->self(host)) == NULL)
		return;
	ids->node = cluster_short_node(self->node);
	ids->slot = self->slot & (EIO_SLOTS - 1);
}

int32_t
engine_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	int32_t rc;

	in->engine = e;
	if (e == NULL || (e->ping = eio_message_raw(hostd_str("2"), NULL,
	    0)) == NULL || (e->pong = eio_message_raw(hostd_str("3"), NULL,
	    0)) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	e->in = in;
	STAILQ_INIT(&e->work);
	TAILQ_INIT(&e->held);
	eio_waits_init(&e->waits);
	know_place(in);
	if (in->opt.upstream.n > 0 && in->fetch != NULL &&
	    (rc = in->fetch->check(in->easy.host, in->opt.upstream.p, err)) !=
	    HOSTD_OK)
		return rc;
	if ((rc = eio_cors_read(&e->cors, conf, err)) != HOSTD_OK)
		return rc;
	return eio_cookie_read(&e->cookie, conf, err);
}

void
engine_drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	struct eio *eio = NULL;

	(void)deadline_ms;
	if (move_polling(in))
		return;
	/* WebSockets are the host's to move or close. */
	while ((eio = eio_next(in, eio)) != NULL)
		if (eio->ws == NULL)
			eio_end(eio, HOSTD_SIO_SHUTTING_DOWN);
}

static void
destroy_session(struct eio *eio)
{
	if (eio->client != NULL)
		client_gone(eio->client, eio->state == EIO_ENDING ?
		    eio->reason : HOSTD_SIO_SHUTTING_DOWN);
	eio_free(eio);
}

void
engine_destroy(struct hostd_inst *in)
{
	struct engine *e = in->engine;
	struct table_entry *t, *next;
	struct eio *eio;

	if (e == NULL)
		return;
	while ((eio = STAILQ_FIRST(&e->work)) != NULL) {
		STAILQ_REMOVE_HEAD(&e->work, work);
		eio->has_work = 0;
	}
	for (t = table_next(&e->sessions, NULL); t != NULL; t = next) {
		next = table_next(&e->sessions, t);
		destroy_session(TABLE_OF(t, struct eio, entry));
	}
	table_free(&e->sessions);
	eio_message_unref(e->ping);
	eio_message_unref(e->pong);
	eio_cors_free(&e->cors);
	eio_cookie_free(&e->cookie);
	free(e->scratch.p);
	eio_many_free(&e->many);
	free(e);
	in->engine = NULL;
}

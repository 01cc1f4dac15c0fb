/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <hostd/worker.h>
#include "engine.h"

/* Ids say whose they are. */
static void
know_place(struct hostd_inst *in)
{
	const struct hostd_host *host = in->easy.host;
	struct eio_id_source *ids = &in->engine->ids;
	const struct hostd_worker_info *self;

	in->worker = host->get_ext(host, HOSTD_EXT_WORKER);
	if (in->worker == NULL || (self = in->worker->self(host)) == NULL)
		return;
	ids->node = (uint32_t)self->node & (EIO_NODES - 1);
	ids->slot = self->slot & (EIO_SLOTS - 1);
}

int32_t
engine_create(struct hostd_inst *in, const struct hostd_conf *conf,
    struct hostd_err *err)
{
	const struct hostd_host *host = in->easy.host;
	struct engine *e = calloc(1, sizeof(*e));
	int32_t rc;

	in->engine = e;
	if (e == NULL || (e->ping = eio_message_raw("2")) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	e->in = in;
	STAILQ_INIT(&e->work);
	eio_waits_init(&e->waits);
	in->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	if (in->timer == NULL || in->easy.ws == NULL)
		return hostd_fail(err, HOSTD_E_NOTSUP, "this host does not "
		    "serve " HOSTD_EXT_TIMER " and " HOSTD_EXT_WS);
	know_place(in);
	if ((rc = eio_cors_read(&e->cors, conf, err)) != HOSTD_OK)
		return rc;
	return eio_cookie_read(&e->cookie, conf, err);
}

void
engine_drain(struct hostd_inst *in, uint32_t deadline_ms)
{
	struct eio *eio = NULL;

	(void)deadline_ms;
	while ((eio = eio_next(in, eio)) != NULL)
		if (eio->get != NULL)
			eio_poll_flush(eio, "6");
}

void
engine_destroy(struct hostd_inst *in)
{
	struct engine *e = in->engine;
	struct table_entry *t;

	if (e == NULL)
		return;
	while ((t = table_next(&e->sessions, NULL)) != NULL)
		eio_free(TABLE_OF(t, struct eio, entry));
	table_free(&e->sessions);
	eio_message_unref(e->ping);
	eio_cors_free(&e->cors);
	eio_cookie_free(&e->cookie);
	free(e->scratch.p);
	eio_many_free(&e->many);
	free(e);
	in->engine = NULL;
}

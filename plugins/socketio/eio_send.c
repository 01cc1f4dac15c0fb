/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine.h"

/* For a GET, which gets all that is sent in one turn. */
static int32_t
send_later(struct eio *eio, struct eio_message *m, uint32_t flags)
{
	struct eio_queue *q = &eio->queue;

	if ((flags & HOSTD_SIO_VOLATILE) && (eio->get == NULL || q->n > 0))
		return HOSTD_E_FULL;
	if (q->bytes + eio_message_size(m) > eio->in->opt.max_output) {
		if ((flags & HOSTD_SIO_VOLATILE) == 0)
			eio_stop(eio, HOSTD_SIO_FORCED_CLOSE, EIO_END_CUT,
			    HOSTD_WS_NORMAL);
		return HOSTD_E_FULL;
	}
	if (eio_queue_add(q, m) == -1) {
		eio_stop(eio, HOSTD_SIO_FORCED_CLOSE, EIO_END_CUT,
		    HOSTD_WS_NORMAL);
		return HOSTD_E_NOMEM;
	}
	if (eio->get != NULL)
		eio_work(eio);
	return HOSTD_OK;
}

int32_t
eio_send(struct eio *eio, struct eio_message *m, uint32_t flags)
{
	if (eio->state != EIO_OPEN)
		return HOSTD_E_STATE;
	if (eio->ws != NULL)
		return eio_ws_send(eio, m, flags);
	return send_later(eio, m, flags);
}

void
eio_send_many(struct hostd_inst *in, struct eio *const *to, size_t n,
    struct eio_message *m, uint32_t flags)
{
	size_t i;

	(void)in;
	for (i = 0; i < n; i++)
		(void)eio_send(to[i], m, flags);
}

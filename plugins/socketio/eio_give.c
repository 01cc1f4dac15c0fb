/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests whose session another worker of this machine has: they go there. */
#include <hostd/worker.h>
#include "cluster.h"
#include "engine.h"

/* Once: it is so for each request of such a connection. */
static void
complain(struct hostd_inst *in)
{
	if (in->engine->complained)
		return;
	in->engine->complained = 1;
	hostd_logf(in->easy.host, HOSTD_LOG_WARN, "a request of another "
	    "worker's session can't be handed over, since its connection "
	    "can't; the session is lost to its client.  Such clients need "
	    "transports = websocket, or one worker");
}

int32_t
eio_give(struct hostd_inst *in, hostd_req req, const struct eio_place *place,
    struct eio_poll *poll)
{
	int32_t rc = HOSTD_E_NOTSUP;

	if (place->node != in->engine->ids.node)
		return eio_forward(in, req, place->node, poll);
	if (in->worker != NULL)
		rc = in->worker->give(in->easy.host, req, place->slot);
	if (rc == HOSTD_OK)
		return rc;
	if (rc == HOSTD_E_NOTSUP)
		complain(in);
	return eio_refuse(in, req, EIO_UNKNOWN_ID, poll == NULL);
}

int
eio_give_new(struct hostd_inst *in, hostd_req req)
{
	return in->draining && in->worker != NULL && cluster_has_heir(in) &&
	    in->worker->give(in->easy.host, req, in->engine->ids.slot) ==
	    HOSTD_OK;
}

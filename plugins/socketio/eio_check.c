/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine.h"

static int
has_transport(const struct sio_options *o, enum eio_transport t)
{
	return (t == EIO_TRANSPORT_POLLING && o->polling) ||
	    (t == EIO_TRANSPORT_WEBSOCKET && o->websocket);
}

static enum eio_error
check_new(const struct hostd_inst *in, const struct hostd_request *r,
    const struct eio_query *q, int is_upgrade)
{
	/* An upgrade over HTTP/2 is no GET. */
	if (!is_upgrade && r->method != HOSTD_METHOD_GET)
		return EIO_BAD_METHOD;
	if (is_upgrade != (q->transport == EIO_TRANSPORT_WEBSOCKET))
		return EIO_BAD_REQUEST;
	return q->is_revision_4 || in->opt.allow_eio3 ? EIO_NO_ERROR :
	    EIO_UNSUPPORTED;
}

static enum eio_error
check_elsewhere(const struct hostd_inst *in, hostd_buf id, int is_upgrade,
    struct eio_place *place)
{
	const struct eio_id_source *here = &in->engine->ids;

	if (eio_id_read(id, &place->node, &place->slot) == -1)
		return EIO_UNKNOWN_ID;
	/* Who goes has given what it had to its successor. */
	if (place->node != here->node || place->slot != here->slot ||
	    in->draining)
		return EIO_ELSEWHERE;
	return in->engine->expects && !is_upgrade ? EIO_AWAITED :
	    EIO_UNKNOWN_ID;
}

enum eio_error
eio_check(struct hostd_inst *in, const struct hostd_request *r, int is_upgrade,
    struct eio **out, struct eio_place *place)
{
	struct eio_query q;
	hostd_buf id;

	*out = NULL;
	eio_query_parse(r->query, &q);
	if (!has_transport(&in->opt, q.transport))
		return EIO_UNKNOWN_TRANSPORT;
	if (q.nid == 0)
		return check_new(in, r, &q, is_upgrade);
	id = (hostd_buf){ q.id, q.nid };
	if (q.nid != EIO_ID_LEN)
		return EIO_UNKNOWN_ID;
	if ((*out = eio_find(in, id)) == NULL)
		return check_elsewhere(in, id, is_upgrade, place);
	if (is_upgrade ? q.transport != EIO_TRANSPORT_WEBSOCKET :
	    q.transport != (*out)->transport)
		return EIO_BAD_REQUEST;
	return q.is_revision_4 == ((*out)->revision == 4) ? EIO_NO_ERROR :
	    EIO_BAD_REQUEST;
}

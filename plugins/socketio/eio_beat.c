/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ping, and a pong in time; behind the pong the next interval begins.
 * Nothing else that comes counts.  In revision 3 the client pings, and has the
 * time of both.
 */
#include "engine.h"

void
eio_beat_begin(struct eio *eio)
{
	const struct sio_options *o = &eio->in->opt;

	if (eio->revision == 3)
		eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_PINGED,
		    (uint64_t)o->ping_interval + o->ping_timeout);
	else
		eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_PING,
		    o->ping_interval);
}

void
eio_beat_go_on(struct eio *eio, int is_pong, uint64_t ms)
{
	const struct sio_options *o = &eio->in->opt;
	uint64_t part = o->ping_interval / EIO_WAIT_PARTS + 1, n = ms / part;

	if (n >= EIO_WAIT_PARTS)
		n = EIO_WAIT_PARTS - 1;
	if (eio->revision == 3)
		eio_beat_begin(eio);
	else if (is_pong)
		eio_wait_begin(eio->in, &eio->beat, EIO_WAIT_PONG,
		    o->ping_timeout);
	else
		eio_wait_begin(eio->in, &eio->beat,
		    EIO_WAIT_MOVED + (uint32_t)n, n * part);
}

void
eio_beat_ping(struct hostd_inst *in, struct eio_wait *w)
{
	struct eio *eio = TABLE_OF(w, struct eio, beat);

	(void)eio_send(eio, in->engine->ping, 0);
	if (eio->state != EIO_OPEN)
		return;
	eio->owes_pong = 1;
	eio_wait_begin(in, &eio->beat, EIO_WAIT_PONG, in->opt.ping_timeout);
}

void
eio_beat_late(struct hostd_inst *in, struct eio_wait *w)
{
	(void)in;
	eio_stop(TABLE_OF(w, struct eio, beat), HOSTD_SIO_PING_TIMEOUT,
	    EIO_END_CUT, HOSTD_WS_NORMAL);
}

void
eio_beat_pong(struct eio *eio)
{
	if (!eio->owes_pong)
		return;
	eio->owes_pong = 0;
	eio_wait_end(eio->in, &eio->beat);
	eio_beat_begin(eio);
}

void
eio_beat_pinged(struct eio *eio)
{
	(void)eio_send(eio, eio->in->engine->pong, 0);
	if (eio->state != EIO_OPEN)
		return;
	eio_wait_end(eio->in, &eio->beat);
	eio_beat_begin(eio);
}

void
eio_beat_change(struct eio *eio)
{
	if (eio->beat.kind != EIO_WAIT_PONG)
		return;
	eio_wait_end(eio->in, &eio->beat);
	eio_beat_begin(eio);
}

int
eio_beat_is_over(const struct eio *eio)
{
	const struct hostd_host *host = eio->in->easy.host;

	return (eio->beat.kind == EIO_WAIT_PONG ||
	    eio->beat.kind == EIO_WAIT_PINGED) &&
	    eio->beat.due <= host->now_ms(host);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <base64/base64.h>
#include "engine.h"
#include "metrics.h"

static void
fail(struct eio *eio, int32_t reason)
{
	metrics_invalid(eio->in);
	eio_stop(eio, reason, EIO_END_CUT, HOSTD_WS_NORMAL);
}

/* What Socket.IO makes of it: an invalid packet is the end of all. */
static void
judge(struct eio *eio, int rc)
{
	if (rc == 0)
		return;
	metrics_invalid(eio->in);
	eio_end(eio, HOSTD_SIO_FORCED_CLOSE);
}

void
eio_packet_bad(struct eio *eio)
{
	fail(eio, HOSTD_SIO_PARSE_ERROR);
}

void
eio_data(struct eio *eio, hostd_buf bytes)
{
	judge(eio, client_binary(eio->client, bytes));
}

static void
take_base64(struct eio *eio, hostd_buf text)
{
	struct engine *e = eio->in->engine;
	char *room = eio_scratch(e, text.n / 4 * 3 + 1);
	ssize_t n;

	if (room == NULL) {
		fail(eio, HOSTD_SIO_TRANSPORT_ERROR);
		return;
	}
	n = base64_decode(text.p, text.n, (unsigned char *)room);
	if (n == -1)
		fail(eio, HOSTD_SIO_PARSE_ERROR);
	else
		eio_data(eio, (hostd_buf){ room, (size_t)n });
	eio_scratch_done(e);
}

void
eio_packet(struct eio *eio, hostd_buf packet)
{
	const char *p = packet.p;
	hostd_buf rest;

	if (packet.n == 0) {
		fail(eio, HOSTD_SIO_PARSE_ERROR);
		return;
	}
	rest = (hostd_buf){ p + 1, packet.n - 1 };
	switch (*p) {
	case '4':
		judge(eio, client_text(eio->client, rest));
		break;
	case 'b':
		take_base64(eio, rest);
		break;
	case '3':
		eio_beat_pong(eio);
		break;
	case '1':
		eio_stop(eio, HOSTD_SIO_TRANSPORT_CLOSE, EIO_END_BYE,
		    HOSTD_WS_NORMAL);
		break;
	case '2':
		/* Pings are the server's. */
		fail(eio, HOSTD_SIO_TRANSPORT_ERROR);
		break;
	case '0':
	case '5':
	case '6':
		break;
	default:
		fail(eio, HOSTD_SIO_PARSE_ERROR);
	}
}

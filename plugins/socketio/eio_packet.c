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

static void
take_data(struct eio *eio, hostd_buf bytes)
{
	judge(eio, client_binary(eio->client, bytes));
}

void
eio_bytes(struct eio *eio, hostd_buf bytes)
{
	const char *p = bytes.p;

	if (eio->revision == 4)
		take_data(eio, bytes);
	else if (bytes.n > 0 && *p == EIO_DATA)
		take_data(eio, (hostd_buf){ p + 1, bytes.n - 1 });
	else
		eio_packet_bad(eio);
}

static void
take_base64(struct eio *eio, hostd_buf text)
{
	struct engine *e = eio->in->engine;
	const char *p = text.p;
	char *room;
	ssize_t n;

	if (eio->revision == 3) {
		if (text.n == 0 || *p++ != '4') {
			eio_packet_bad(eio);
			return;
		}
		text = (hostd_buf){ p, text.n - 1 };
	}
	room = eio_scratch(e, text.n / 4 * 3 + 1);
	if (room == NULL) {
		fail(eio, HOSTD_SIO_TRANSPORT_ERROR);
		return;
	}
	n = base64_decode(text.p, text.n, (unsigned char *)room);
	if (n == -1)
		fail(eio, HOSTD_SIO_PARSE_ERROR);
	else
		take_data(eio, (hostd_buf){ room, (size_t)n });
	eio_scratch_done(e);
}

/* Pings are the server's, in revision 3 the client's. */
static void
take_beat(struct eio *eio, char type)
{
	if (type != (eio->revision == 3 ? '2' : '3'))
		fail(eio, HOSTD_SIO_TRANSPORT_ERROR);
	else if (eio->revision == 3)
		eio_beat_pinged(eio);
	else
		eio_beat_pong(eio);
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
	case '2':
	case '3':
		take_beat(eio, *p);
		break;
	case '1':
		eio_stop(eio, HOSTD_SIO_TRANSPORT_CLOSE, EIO_END_BYE,
		    HOSTD_WS_NORMAL);
		break;
	case '0':
	case '5':
	case '6':
		break;
	default:
		fail(eio, HOSTD_SIO_PARSE_ERROR);
	}
}

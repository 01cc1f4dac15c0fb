/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of Engine.IO's polling, and the packets of Socket.IO in them.
 *
 * What must hold: packets are the body again, with what was between them, and
 * in revision 3 what is written is what was read; what is taken is JSON, of
 * which the values are parts; and written again, it is read as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <hostd/json.h>
#include "socketio/eio_payload.h"
#include "socketio/eio_payload3.h"
#include "socketio/packet.h"

#define BINS	10

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static int
same(hostd_buf a, hostd_buf b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void
values_are_json(const struct sio_packet *pk, const struct sio_values *vs)
{
	const char *p = pk->data.p, *q;
	uint32_t i;

	must(pk->data.n == 0 || hostd_json_ok(pk->data));
	must(pk->data.n > 0 || vs->n == 0);
	for (i = 0; i < vs->n; i++) {
		q = vs->v[i].p;
		must(q > p && q + vs->v[i].n < (const char *)pk->data.p +
		    pk->data.n);
		must(hostd_json_ok(vs->v[i]));
		must(same(vs->v[i], hostd_json_item(pk->data, i)) || i > 99);
		p = q;
	}
	must(vs->n > 99 || hostd_json_item(pk->data, vs->n).p == NULL);
	must(pk->type != SIO_EVENT || vs->n == 0 ||
	    sio_event_name_ok(vs->v[0]));
	(void)sio_placeholders_ok(pk->data, pk->nbins);
}

static void
written_is_read(const struct sio_packet *pk)
{
	static struct sio_values vs;
	struct sio_packet again;
	enum sio_type type = pk->type;
	const char *why;
	hostd_buf text;
	char *room;
	size_t n;

	if (pk->nbins > 0)
		type = type == SIO_EVENT ? SIO_BINARY_EVENT : SIO_BINARY_ACK;
	room = malloc(SIO_HEAD_MAX + pk->nsp.n + pk->data.n);
	must(room != NULL);
	n = sio_head_write(room, type, pk->nbins, pk->nsp, pk->has_id ?
	    &pk->id : NULL);
	must(n <= SIO_HEAD_MAX + pk->nsp.n);
	if (pk->data.n > 0)
		memcpy(room + n, pk->data.p, pk->data.n);
	text = (hostd_buf){ room, n + pk->data.n };
	must(sio_packet_parse(text, BINS, &again, &vs, &why) == 0);
	must(again.type == pk->type && again.nbins == pk->nbins &&
	    again.has_id == pk->has_id && again.id == pk->id);
	must(same(again.nsp, pk->nsp) && same(again.data, pk->data));
	free(room);
}

static void
use(hostd_buf packet)
{
	static struct sio_values vs;
	struct sio_packet pk;
	const char *why = NULL;

	if (!hostd_json_is_utf8(packet))
		return;
	if (sio_packet_parse(packet, BINS, &pk, &vs, &why) == -1) {
		must(why != NULL);
		return;
	}
	must(pk.nbins <= BINS && pk.id <= SIO_ID_MAX);
	values_are_json(&pk, &vs);
	written_is_read(&pk);
}

/* A packet of revision 3, written and read. */
static void
again_3(hostd_buf packet, int of_bytes)
{
	char *room = malloc(PAYLOAD3_HEAD + packet.n);
	hostd_buf body = { room, 0 }, read;

	must(room != NULL);
	body.n = (size_t)(payload3_put(room, packet, of_bytes) - room);
	must((of_bytes ? payload3_next_of_bytes(&body, &read) :
	    payload3_next(&body, &read)) == PAYLOAD3_TEXT);
	must(same(packet, read) && body.n == 0);
	free(room);
}

static void
use_3(hostd_buf body, int of_bytes)
{
	const char *end = (const char *)body.p + body.n;
	enum payload3 kind = PAYLOAD3_TEXT;
	hostd_buf packet;
	size_t left;

	if (!of_bytes && !hostd_json_is_utf8(body))
		return;
	for (;;) {
		left = body.n;
		kind = of_bytes ? payload3_next_of_bytes(&body, &packet) :
		    payload3_next(&body, &packet);
		if (kind == PAYLOAD3_END || kind == PAYLOAD3_BAD)
			break;
		must(packet.n > 0 && packet.n < left);
		must((const char *)packet.p + packet.n == body.p);
		must((const char *)body.p + body.n == end);
		if (!of_bytes || hostd_json_is_utf8(packet))
			again_3(packet, of_bytes);
		if (kind == PAYLOAD3_TEXT)
			use(packet);
	}
	must(kind == PAYLOAD3_BAD || body.n == 0 || !of_bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostd_buf body = { data, size }, packet;
	size_t sum = 0;
	int state = 0;

	while (payload_next(&body, &state, &packet)) {
		sum += packet.n + 1;
		must(packet.n == 0 || memchr(packet.p, PAYLOAD_BETWEEN,
		    packet.n) == NULL);
		use(packet);
	}
	must(sum == size + 1);
	use_3((hostd_buf){ data, size }, 0);
	use_3((hostd_buf){ data, size }, 1);
	return 0;
}

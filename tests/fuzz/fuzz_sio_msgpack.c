/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MessagePack that came by a channel.
 *
 * What must hold: what is taken becomes JSON, each placeholder of which has its
 * data within the message; written again and read again it says the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "socketio_redis/pack.h"
#include "socketio_redis/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct unpacked first, again, third;

static hostd_buf
written(const struct unpacked *u, msgpack_sbuffer *b)
{
	hostd_buf out;

	b->size = 0;
	if (pack_json(b, hostd_json_done(&u->json), u->bins, u->nbins) != 0)
		abort();
	out.p = b->data;
	out.n = b->size;
	return out;
}

/* Numbers have more than one form; from the second time on they have one. */
static void
write_and_read(void)
{
	static msgpack_sbuffer one, two;
	hostd_buf a, b;

	if (unpack_json(&again, written(&first, &one)) != 0 ||
	    unpack_json(&third, written(&again, &two)) != 0)
		abort();
	a = hostd_json_done(&again.json);
	b = hostd_json_done(&third.json);
	if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0 ||
	    again.nbins != first.nbins)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char mark[] = "_placeholder";
	hostd_buf message = { p, n }, json;
	uint32_t i;

	if (unpack_json(&first, message) != 0)
		return 0;
	for (i = 0; i < first.nbins; i++)
		if ((const uint8_t *)first.bins[i].p < p ||
		    (const uint8_t *)first.bins[i].p + first.bins[i].n > p + n)
			abort();
	json = hostd_json_done(&first.json);
	if (!hostd_json_is_utf8(json))
		abort();
	/* A message may be deeper than a value, by what is around it. */
	if (hostd_json_ok(json) && memmem(p, n, mark, sizeof(mark) - 1) == NULL)
		write_and_read();
	return 0;
}

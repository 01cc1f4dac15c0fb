/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <string.h>
#include "pubsub/envelope.h"

#define VERSION	1

struct head {			/* as on the wire */
	char magic[2];
	uint8_t version, type, flags, zero;
	uint16_t name;
	uint32_t size, zeros;
	uint64_t node, seq, time;
};
_Static_assert(sizeof(struct head) == ENVELOPE_HEAD, "the header's size");

void
envelope_put(void *out, const struct envelope *e)
{
	struct head h = { .magic = { 'H', 'E' }, .version = VERSION,
		.type = e->type, .flags = e->flags };

	h.name = htole16((uint16_t)e->name.n);
	h.size = htole32((uint32_t)e->payload.n);
	h.node = htole64(e->node);
	h.seq = htole64(e->seq);
	h.time = htole64(e->time);
	memcpy(out, &h, sizeof(h));
}

static int
head_ok(const struct head *h)
{
	return h->magic[0] == 'H' && h->magic[1] == 'E' &&
	    h->version == VERSION && h->type > 0 && h->type < ENV_NTYPES &&
	    h->zero == 0 && h->zeros == 0 &&
	    le16toh(h->name) <= ENVELOPE_NAME_MAX &&
	    le32toh(h->size) <= ENVELOPE_MAX;
}

int64_t
envelope_parse(struct envelope *e, const void *p, size_t n)
{
	const char *s = p;
	struct head h;
	size_t name, size;

	if (n < sizeof(h))
		return 0;
	memcpy(&h, p, sizeof(h));
	if (!head_ok(&h))
		return -1;
	name = le16toh(h.name);
	size = le32toh(h.size);
	if (n - sizeof(h) < name + size)
		return 0;
	e->type = h.type;
	e->flags = h.flags;
	e->node = le64toh(h.node);
	e->seq = le64toh(h.seq);
	e->time = le64toh(h.time);
	e->name = (hostd_buf){ s + sizeof(h), name };
	e->payload = (hostd_buf){ s + sizeof(h) + name, size };
	return (int64_t)(sizeof(h) + name + size);
}

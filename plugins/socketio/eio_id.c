/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <string.h>
#include <base64/base64.h>
#include "eio_id.h"

#define BYTES	(EIO_ID_LEN / 4 * 3)
#define WHERE	5			/* bytes with node, slot and 4 bits */
#define RANDOM	(BYTES - WHERE + 1)

static const unsigned char *
random_bytes(struct eio_id_source *s)
{
	if (s->left < RANDOM) {
		if (getrandom(s->bytes, sizeof(s->bytes), 0) !=
		    (ssize_t)sizeof(s->bytes))
			return NULL;
		s->left = sizeof(s->bytes);
	}
	s->left -= RANDOM;
	return s->bytes + s->left;
}

int
eio_id_make(struct eio_id_source *s, char *out)
{
	const unsigned char *r = random_bytes(s);
	unsigned char b[BYTES];

	if (r == NULL)
		return -1;
	b[0] = (unsigned char)(s->node >> 16);
	b[1] = (unsigned char)(s->node >> 8);
	b[2] = (unsigned char)s->node;
	b[3] = (unsigned char)(s->slot >> 4);
	b[4] = (unsigned char)(s->slot << 4 | (r[0] & 15));
	memcpy(b + WHERE, r + 1, RANDOM - 1);
	out[base64url_encode(b, sizeof(b), out)] = '\0';
	return 0;
}

int
eio_id_read(hostd_buf id, uint32_t *node, uint32_t *slot)
{
	unsigned char b[BYTES];

	if (id.n != EIO_ID_LEN || base64url_decode(id.p, id.n, b) != BYTES)
		return -1;
	*node = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
	*slot = (uint32_t)b[3] << 4 | b[4] >> 4;
	return 0;
}

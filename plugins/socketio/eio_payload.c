/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <base64/base64.h>
#include "eio_payload.h"

enum { STATE_BEGIN, STATE_MORE, STATE_END };

int
payload_next(hostd_buf *body, int *state, hostd_buf *packet)
{
	const char *p = body->p, *between = NULL;

	if (*state == STATE_END)
		return 0;
	if (body->n > 0)
		between = memchr(p, PAYLOAD_BETWEEN, body->n);
	packet->p = p;
	packet->n = between != NULL ? (size_t)(between - p) : body->n;
	*state = between != NULL ? STATE_MORE : STATE_END;
	if (between != NULL) {
		body->n -= packet->n + 1;
		body->p = between + 1;
	}
	return 1;
}

size_t
payload_size(struct eio_message *const *m, size_t n)
{
	size_t size = 0, i;
	uint32_t b;

	for (i = 0; i < n; i++) {
		size += m[i]->text.n + 1;
		for (b = 0; b < m[i]->nbins; b++)
			size += 2 + BASE64_LEN(m[i]->bins[b].n);
	}
	return size > 0 ? size - 1 : 0;
}

char *
payload_write(struct eio_message *const *m, size_t n, char *out)
{
	size_t i;
	uint32_t b;

	for (i = 0; i < n; i++) {
		if (i > 0)
			*out++ = PAYLOAD_BETWEEN;
		memcpy(out, m[i]->text.p, m[i]->text.n);
		out += m[i]->text.n;
		for (b = 0; b < m[i]->nbins; b++) {
			*out++ = PAYLOAD_BETWEEN;
			*out++ = 'b';
			out += base64_encode(m[i]->bins[b].p,
			    m[i]->bins[b].n, out);
		}
	}
	return out;
}

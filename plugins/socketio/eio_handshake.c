/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "engine.h"

static int64_t
wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static hostd_buf
keep(char **p, hostd_buf text)
{
	hostd_buf kept = { *p, text.n };

	if (text.n > 0)
		memcpy(*p, text.p, text.n);
	*p += text.n;
	return kept;
}

/* Two sizes, then the texts: half of what pointers to them would take. */
static void
keep_header(char **p, const hostd_hdr *header)
{
	uint32_t sizes[2] = { (uint32_t)header->name.n,
		(uint32_t)header->value.n };

	memcpy(*p, sizes, sizeof(sizes));
	*p += sizeof(sizes);
	(void)keep(p, header->name);
	(void)keep(p, header->value);
}

hostd_hdr
eio_header(const char **at)
{
	uint32_t sizes[2];
	hostd_hdr h;

	memcpy(sizes, *at, sizeof(sizes));
	*at += sizeof(sizes);
	h.name = (hostd_buf){ *at, sizes[0] };
	*at += sizes[0];
	h.value = (hostd_buf){ *at, sizes[1] };
	*at += sizes[1];
	return h;
}

/* Behind "?" of what was kept. */
static hostd_buf
query_of(hostd_buf url)
{
	hostd_buf query = { NULL, 0 };
	const char *p = memchr(url.p, '?', url.n);

	if (p != NULL) {
		query.p = p + 1;
		query.n = url.n - (size_t)(p + 1 - (const char *)url.p);
	}
	return query;
}

struct eio_handshake *
eio_handshake_new(const struct hostd_request *r)
{
	size_t n = sizeof(struct eio_handshake) + r->nheaders * 2 *
	    sizeof(uint32_t) + r->target.n + r->peer.n;
	struct eio_handshake *h;
	uint32_t i;
	char *p;

	for (i = 0; i < r->nheaders; i++)
		n += r->headers[i].name.n + r->headers[i].value.n;
	if ((h = calloc(1, n)) == NULL)
		return NULL;
	p = (char *)(h + 1);
	h->headers = p;
	h->nheaders = r->nheaders;
	for (i = 0; i < r->nheaders; i++)
		keep_header(&p, &r->headers[i]);
	h->flags = r->flags & HOSTD_REQ_TLS;
	h->url = keep(&p, r->target);
	h->query = query_of(h->url);
	h->peer = keep(&p, r->peer);
	h->time_ms = wall_ms();
	return h;
}

int
eio_handshake_user(struct eio_handshake *h, hostd_buf user)
{
	char *p;

	if (user.p == NULL)
		return 0;
	if ((p = malloc(user.n + 1)) == NULL)
		return -1;
	if (user.n > 0)
		memcpy(p, user.p, user.n);
	h->user = (hostd_buf){ p, user.n };
	return 0;
}

int
eio_set_user(struct eio *eio, hostd_buf user)
{
	const void *was = eio->handshake->user.p;

	if (eio_handshake_user(eio->handshake, user) == -1)
		return -1;
	free((void *)(uintptr_t)was);
	return 0;
}

void
eio_handshake_free(struct eio_handshake *h)
{
	if (h != NULL)
		free((void *)(uintptr_t)h->user.p);
	free(h);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The query of a request to Engine.IO.
 *
 * What must hold: it says the same with what has no meaning behind it, an id is
 * no longer than can be kept, and what is said last counts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "socketio/eio_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* The query, with that behind it. */
static struct eio_query
with(const uint8_t *p, size_t n, const char *more)
{
	size_t nmore = strlen(more);
	char *text = malloc(n + nmore + 1);
	struct eio_query q;

	must(text != NULL);
	if (n > 0)
		memcpy(text, p, n);
	memcpy(text + n, more, nmore);
	eio_query_parse((hostd_buf){ text, n + nmore }, &q);
	free(text);
	return q;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct eio_query q = with(p, n, ""), same, last;

	must(q.nid <= EIO_ID_LEN + 1);
	must(q.transport == EIO_TRANSPORT_NONE ||
	    q.transport == EIO_TRANSPORT_POLLING ||
	    q.transport == EIO_TRANSPORT_WEBSOCKET);
	same = with(p, n, "&t=abc&EIO%20=3&=&&sid");
	last = with(p, n, "&EIO=4&transport=p%6flling&sid=a+%2B");
	must(same.nid == 0 && same.transport == q.transport &&
	    same.is_revision_4 == q.is_revision_4 &&
	    same.wants_base64 == q.wants_base64);
	must(last.is_revision_4 && last.transport == EIO_TRANSPORT_POLLING &&
	    last.nid == 3 && memcmp(last.id, "a +", 3) == 0);
	return 0;
}

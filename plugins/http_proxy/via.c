/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"
#include "via.h"

/* "1.1 name", "HTTP/1.1 name (comment)": is it of that name? */
static int
is_of(hostd_buf hop, hostd_buf name)
{
	hostd_buf word;

	return text_next(&hop, ' ', &word) && text_next(&hop, ' ', &word) &&
	    text_same(word, name);
}

uint32_t
via_hops(const struct hostd_request *q, hostd_buf name)
{
	hostd_buf rest, hop;
	uint32_t i, n = 0;

	for (i = 0; i < q->nheaders; i++) {
		if (!text_is(q->headers[i].name, "via"))
			continue;
		rest = q->headers[i].value;
		while (text_next(&rest, ',', &hop))
			n += (uint32_t)is_of(hop, name);
	}
	return n;
}

hostd_buf
via_value(const struct hostd_request *q, hostd_buf name, struct head *out)
{
	uint32_t i;

	head_open(out);
	for (i = 0; i < q->nheaders; i++)
		if (text_is(q->headers[i].name, "via") &&
		    q->headers[i].value.n > 0) {
			head_put(out, q->headers[i].value);
			head_puts(out, ", ");
		}
	head_puts(out, (q->flags & HOSTD_REQ_HTTP10) != 0 ? "1.0 " :
	    (q->flags & HOSTD_REQ_HTTP2) != 0 ? "2.0 " : "1.1 ");
	head_put(out, name);
	return head_take(out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hop.h"
#include "text.h"

static int
is_option(hostd_buf token)
{
	return token.n == 0 || text_is(token, "close") ||
	    text_is(token, "keep-alive") || text_is(token, "upgrade");
}

void
hop_read(struct hop *hop, const hostd_hdr *h, uint32_t n)
{
	hostd_buf rest, token;
	uint32_t i;

	hop->headers = h;
	hop->n = n;
	hop->names = 0;
	for (i = 0; i < n; i++) {
		if (!text_is(h[i].name, "connection"))
			continue;
		rest = h[i].value;
		while (text_next(&rest, ',', &token))
			if (!is_option(token))
				hop->names = 1;
	}
}

static int
is_named(const struct hop *hop, hostd_buf name)
{
	hostd_buf rest, token;
	uint32_t i;

	for (i = 0; i < hop->n; i++) {
		if (!text_is(hop->headers[i].name, "connection"))
			continue;
		rest = hop->headers[i].value;
		while (text_next(&rest, ',', &token))
			if (text_same(token, name))
				return 1;
	}
	return 0;
}

static int
is_always(hostd_buf name)
{
	static const hostd_buf names[] = {
		TEXT("connection"), TEXT("keep-alive"),
		TEXT("proxy-authenticate"), TEXT("proxy-authorization"),
		TEXT("proxy-connection"), TEXT("te"), TEXT("trailer"),
		TEXT("transfer-encoding"), TEXT("upgrade")
	};

	return text_among(name, names, sizeof(names) / sizeof(names[0]));
}

int
hop_has(const struct hop *hop, hostd_buf name)
{
	return is_always(name) || (hop->names && is_named(hop, name));
}

int
hop_hides(const struct hop *hop)
{
	uint32_t i;

	for (i = 0; i < hop->n && hop->names; i++)
		if (!is_always(hop->headers[i].name) &&
		    is_named(hop, hop->headers[i].name))
			return 1;
	return 0;
}

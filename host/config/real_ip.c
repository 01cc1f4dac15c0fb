/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose word is taken: on a client's address, and on its trace. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "config/builder.h"

/* RFC 9110 section 5.6.2. */
static int
is_name(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")] == '\0';
}

void
build_networks(struct builder *b, const char *key, struct cidrs *list)
{
	const struct conf_val *from = conf_val(&b->vals, key);
	const char *why;
	size_t i;

	list->v = xcalloc(from->nitems + 1, sizeof(*list->v));
	for (i = 0; i < from->nitems; i++)
		if (cidr_parse(from->items[i], &list->v[list->n], &why) == 0)
			list->n++;
		else
			conf_error(b->errs, &from->pos, "\"%s\": \"%s\": %s",
			    key, from->items[i], why);
}

void
build_real_ip(struct builder *b)
{
	struct conf_http *h = &b->conf->http;

	h->real_ip_header = copy_text(b, "real_ip_header");
	h->real_ip_recursive = num_of(b, "real_ip_recursive") != 0;
	if (h->real_ip_header != NULL && !is_name(h->real_ip_header))
		conf_error(b->errs, pos_of(b, "real_ip_header"),
		    "\"real_ip_header\": \"%s\" is not a header's name",
		    h->real_ip_header);
	build_networks(b, "real_ip_from", &h->real_ip_from);
}

void
build_trace(struct builder *b)
{
	struct conf_http *h = &b->conf->http;

	h->trace = (int)num_of(b, "trace");
	h->trace_sample = ratio_of(b, "trace_sample");
	build_networks(b, "trace_trust", &h->trace_trust);
}

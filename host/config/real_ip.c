/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose word on a client's address is taken. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "config/builder.h"

/* RFC 9110 section 5.6.2. */
static int
is_name(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")] == '\0';
}

void
build_real_ip(struct builder *b)
{
	const struct conf_val *from = conf_val(&b->vals, "real_ip_from");
	struct conf_http *h = &b->conf->http;
	struct cidrs *list = &h->real_ip_from;
	const char *why;
	size_t i;

	h->real_ip_header = copy_text(b, "real_ip_header");
	h->real_ip_recursive = num_of(b, "real_ip_recursive") != 0;
	if (h->real_ip_header != NULL && !is_name(h->real_ip_header))
		conf_error(b->errs, pos_of(b, "real_ip_header"),
		    "\"real_ip_header\": \"%s\" is not a header's name",
		    h->real_ip_header);
	list->v = xcalloc(from->nitems + 1, sizeof(*list->v));
	for (i = 0; i < from->nitems; i++)
		if (cidr_parse(from->items[i], &list->v[list->n], &why) == 0)
			list->n++;
		else
			conf_error(b->errs, &from->pos, "\"real_ip_from\": "
			    "\"%s\": %s", from->items[i], why);
}

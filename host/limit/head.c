/* SPDX-License-Identifier: BSD-2-Clause */
/* max_head and max_headers of a route: the server's own hold before it is known
 * which route it is. */
#include "limit/limits.h"

#define LINE_REST	11	/* " ", and " HTTP/1.1" with its end */
#define FIELD_REST	4	/* ": ", and its end */

/* As HTTP/1.1 writes it. */
static size_t
head_size(const struct http_req *r)
{
	size_t n = r->view.method_name.n + 1 + r->view.target.n + LINE_REST;
	size_t i;

	for (i = 0; i < r->view.nheaders; i++)
		n += r->view.headers[i].name.n + r->view.headers[i].value.n +
		    FIELD_REST;
	return n + 2;
}

int32_t
head_enter(struct http_gate *gate, struct http_req *r)
{
	const struct limit_gate *g = (struct limit_gate *)(void *)gate;
	const struct conf_route *c = g->route;

	if ((c->max_headers == 0 ||
	    r->view.nheaders <= (size_t)c->max_headers) &&
	    (c->max_head == 0 || head_size(r) <= (size_t)c->max_head))
		return HOSTD_OK;
	return limits_refuse(r, 431, 0);
}

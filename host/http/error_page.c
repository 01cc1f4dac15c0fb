/* SPDX-License-Identifier: BSD-2-Clause */
/* What an error looks like: the operator's page for its status, or a small
 * one. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "http/guard.h"
#include "http/response.h"
#include "http/server.h"

#define ID_MAX	128		/* of a request, on a page */
#define ID_MARK	"$request_id"	/* in the operator's pages */

static const struct conf_error_page *
find_page(const struct conf *conf, int status)
{
	const struct conf_error_page *pg;

	TAILQ_FOREACH(pg, &conf->error_pages, entry)
		if (pg->status == status)
			return pg;
	return NULL;
}

/* X-Request-ID, if it is one that can be shown as it is; p NULL: there is
 * none. */
static hostd_buf
request_id(const hostd_hdr *h, uint32_t n)
{
	hostd_buf none = { NULL, 0 };
	const char *p;
	uint32_t i;
	size_t k;

	for (i = 0; i < n && (h[i].name.n != 12 || h[i].name.p == NULL ||
	    strncasecmp(h[i].name.p, "X-Request-ID", 12) != 0); i++)
		;
	if (i == n || h[i].value.n == 0 || h[i].value.n > ID_MAX)
		return none;
	p = h[i].value.p;
	for (k = 0; k < h[i].value.n; k++)
		if (!is_tchar((unsigned char)p[k]) || p[k] == '&' ||
		    p[k] == '\'')
			return none;
	return h[i].value;
}

/* The operator's page; where it names a request's id, made in out. */
static hostd_buf
own_body(const struct conf_error_page *pg, hostd_buf id, struct buf *out)
{
	const char *p = pg->body, *end = p + pg->len, *mark;

	while ((mark = memmem(p, (size_t)(end - p), ID_MARK,
	    sizeof(ID_MARK) - 1)) != NULL) {
		buf_append(out, p, (size_t)(mark - p));
		buf_append(out, id.n > 0 ? id.p : "-", id.n > 0 ? id.n : 1);
		p = mark + sizeof(ID_MARK) - 1;
	}
	if (out->len == 0)
		return (hostd_buf){ pg->body, pg->len };
	buf_append(out, p, (size_t)(end - p));
	return (hostd_buf){ out->p, out->len };
}

static hostd_buf
small_body(int status, hostd_buf id, struct buf *out)
{
	const char *reason = status_reason(status);

	buf_printf(out, "<!doctype html><title>%d %s</title><h1>%d %s</h1>\n",
	    status, reason, status, reason);
	if (id.n > 0)
		buf_printf(out, "<p>Request %.*s</p>\n", (int)id.n,
		    (const char *)id.p);
	return (hostd_buf){ out->p, out->len };
}

int32_t
response_page(struct http_req *r, int status, const hostd_hdr *h,
    uint32_t nhdrs)
{
	const struct conf_error_page *pg = find_page(r->server->conf, status);
	const char *type = pg != NULL ? pg->type : "text/html; charset=utf-8";
	hostd_buf body, id = request_id(h, nhdrs);
	hostd_hdr all[RESPONSE_PAGE_HEADERS + 1];
	struct buf made = { NULL, 0, 0 };
	int32_t rc;

	if (nhdrs > RESPONSE_PAGE_HEADERS)
		return HOSTD_E_INVAL;
	body = pg != NULL ? own_body(pg, id, &made) :
	    small_body(status, id, &made);
	if (nhdrs > 0)
		memcpy(all, h, nhdrs * sizeof(*h));
	all[nhdrs].name = (hostd_buf){ "Content-Type", 12 };
	all[nhdrs].value = (hostd_buf){ type, strlen(type) };
	rc = response_whole(r, status, all, nhdrs + 1, body);
	buf_free(&made);
	return rc;
}

void
response_error(struct http_req *r, int status, const hostd_hdr *extra)
{
	(void)response_page(r, status, extra, extra != NULL);
}

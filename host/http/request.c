/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/identity.h"
#include "http/server.h"

#define HEAD_ROOM	4096	/* bytes of a head's copy, for the next one */
#define HEAD_LEAST	1024

struct http_req *
request_new(struct http_server *srv, struct http_conn *c)
{
	struct http_req *r = srv->free_reqs;
	void *data = NULL;
	size_t room = 0, head_room_size = 0;
	char *head_room = NULL;

	if (r != NULL) {
		srv->free_reqs = r->next_free;
		data = r->data;
		room = r->data_room;
		head_room = r->head_room;
		head_room_size = r->head_room_size;
	} else {
		r = xmalloc(sizeof(*r) + (size_t)srv->limits->max_headers *
		    sizeof(r->headers[0]));
	}
	memset(r, 0, offsetof(struct http_req, client));
	r->tries.n = 0;
	r->sent.told = 0;
	r->data = data;
	r->data_room = room;
	r->head_room = head_room;
	r->head_room_size = head_room_size;
	r->server = srv;
	r->conn = c;
	r->view.struct_size = sizeof(r->view);
	r->start_ms = srv->loop->now_ms;
	r->length = -1;
	return r;
}

void
request_free(struct http_req *r)
{
	struct http_server *srv = r->server;

	if (r->id != 0)
		handle_free(&srv->handles, r->id);
	if (r->head_room_size > HEAD_ROOM) {
		free(r->head_room);
		r->head_room = NULL;
		r->head_room_size = 0;
	}
	leases_end(&r->leases);
	identity_unref(r->who);
	free(r->own_path);
	free(r->own_host);
	buf_free(&r->collected);
	trailers_free(&r->trailers);
	r->next_free = srv->free_reqs;
	srv->free_reqs = r;
}

void
request_drop_body(struct http_req *r)
{
	r->max_body = (uint64_t)r->server->limits->max_body;
	if (request_is_too_large(r))
		r->keepalive = 0;
}

void
request_set_identity(struct http_req *r, struct identity *who)
{
	(void)identity_ref(who);
	identity_unref(r->who);
	r->who = who;
}

static void
rebase(hostd_buf *b, const char *from, size_t len, const char *to)
{
	const char *p = b->p;

	if (p >= from && p <= from + len)
		b->p = to + (p - from);
}

/* Memory for a head of len bytes, from the last use if it will do. */
static char *
head_place(struct http_req *r, size_t len)
{
	if (len <= r->head_room_size)
		return r->head_room;
	free(r->head_room);
	r->head_room_size = len < HEAD_LEAST ? HEAD_LEAST : len;
	return r->head_room = xmalloc(r->head_room_size);
}

void
request_persist(struct http_req *r)
{
	const char *from = r->head;
	size_t i, len = r->head_len;
	char *to;

	if (r->own_head != NULL || from == NULL)
		return;
	to = r->own_head = head_place(r, len);
	memcpy(to, from, len);
	for (i = 0; i < r->view.nheaders; i++) {
		rebase(&r->headers[i].name, from, len, to);
		rebase(&r->headers[i].value, from, len, to);
	}
	for (i = 0; i < r->nparams; i++)
		rebase(&r->params[i].value, from, len, to);
	rebase(&r->view.method_name, from, len, to);
	rebase(&r->view.target, from, len, to);
	rebase(&r->view.host, from, len, to);
	rebase(&r->view.path, from, len, to);
	rebase(&r->view.rest, from, len, to);
	rebase(&r->view.query, from, len, to);
	rebase(&r->host_as_sent, from, len, to);
	r->head = to;
}

int
request_is_timed(const struct http_req *r)
{
	const struct http_errand *e;

	LIST_FOREACH(e, &r->errands, link)
		if (e->is_timed != NULL && e->is_timed(e))
			return 1;
	return 0;
}

void
request_end_errands(struct http_req *r)
{
	struct http_errand *e;

	while ((e = LIST_FIRST(&r->errands)) != NULL) {
		LIST_REMOVE(e, link);
		e->ended(e);
	}
}

const hostd_hdr *
request_header(const struct http_req *r, const char *name, size_t n)
{
	uint32_t i;

	for (i = 0; i < r->view.nheaders; i++)
		if (r->headers[i].name.n == n &&
		    strncasecmp(r->headers[i].name.p, name, n) == 0)
			return &r->headers[i];
	return NULL;
}

int
request_is_secure(const struct http_req *r)
{
	const hostd_hdr *h;
	const char *p;
	size_t n;

	if (r->view.flags & HOSTD_REQ_TLS)
		return 1;
	if (r->view.peer.p != r->client)
		return 0;
	h = request_header(r, "X-Forwarded-Proto", 17);
	if (h == NULL)
		return 0;
	p = h->value.p;
	n = h->value.n;
	return n >= 5 && strncasecmp(p, "https", 5) == 0 &&
	    (n == 5 || p[5] == ',' || p[5] == ' ');
}

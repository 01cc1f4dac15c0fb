/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "http2/away.h"
#include "http2/conn.h"
#include "http2/guest.h"
#include "http2/server.h"
#include "http2/stream.h"

#define ACKS_MAX	256	/* that a client has not taken */
#define HEAD_MAX	(1u << 20)	/* of an answer, before HPACK */

static struct http_upgrade *
http2_begin(struct http2_hooks *hooks, struct http_conn *c)
{
	return h2_conn_new((struct http2_server *)(void *)hooks, c);
}

static void
http2_drain(struct http2_hooks *hooks)
{
	struct http2_server *srv = (struct http2_server *)(void *)hooks;
	struct h2_conn *h;

	TAILQ_FOREACH(h, &srv->conns, link)
		h2_conn_leave(h);
}

static void
http2_close(struct http2_hooks *hooks)
{
	struct http2_server *srv = (struct http2_server *)(void *)hooks;
	struct h2_conn *h;

	while ((h = TAILQ_FIRST(&srv->conns)) != NULL)
		h2_conn_close(h);
}

static void
http2_reap(struct loop_task *t)
{
	struct http2_server *srv = (struct http2_server *)(void *)((char *)t -
	    offsetof(struct http2_server, reap));
	struct h2_conn *h;

	while ((h = srv->closed) != NULL) {
		srv->closed = h->next_closed;
		h2_conn_free(h);
	}
	h2_aways_free(srv);
	h2_guests_free(srv);
}

static void
http2_options(struct http2_server *srv)
{
	nghttp2_option *o;

	if (nghttp2_option_new(&o) != 0 ||
	    nghttp2_session_callbacks_new(&srv->callbacks) != 0)
		fatalx("no memory for HTTP/2");
	srv->options = o;
	/* Windows open as bodies are read, and not before. */
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_max_outbound_ack(o, ACKS_MAX);
	nghttp2_option_set_max_send_header_block_length(o, HEAD_MAX);
	nghttp2_option_set_builtin_recv_extension_type(o,
	    NGHTTP2_PRIORITY_UPDATE);
	http2_callbacks(srv->callbacks);
}

void
http2_server_init(struct http2_server *srv, struct http_server *http)
{
	memset(srv, 0, sizeof(*srv));
	srv->hooks.begin = http2_begin;
	srv->hooks.drain = http2_drain;
	srv->hooks.close = http2_close;
	srv->hooks.pass = h2_away_new;
	srv->hooks.pack = h2_guest_pack;
	srv->hooks.take = h2_guest_take;
	srv->http = http;
	srv->reap.run = http2_reap;
	TAILQ_INIT(&srv->conns);
	http2_options(srv);
	srv->out = xmalloc(H2_OUT);
	http->http2 = &srv->hooks;
}

void
http2_server_free(struct http2_server *srv)
{
	loop_undefer(srv->http->loop, &srv->reap);
	http2_reap(&srv->reap);
	h2_streams_free(srv);
	nghttp2_option_del(srv->options);
	nghttp2_session_callbacks_del(srv->callbacks);
	free(srv->out);
	buf_free(&srv->batch);
	free(srv->nv);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A TCP connection on its way: whose it is, where it goes, and to get there. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "net/hello.h"
#include "net/proxy.h"
#include "upstream/tcp.h"
#include "upstream/tcp_log.h"

/* Of what a client says before there is a server for it.  A header and a hello
 * fit in it. */
#define FIRST_MAX	32768

static void	dial_next(struct tcp_conn *);

/* -- whose it is -- */

/* Its address for balancers: 4 bytes where it is IPv4. */
static void
set_client(struct tcp_conn *c, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;
	struct addr a = { .ss = *ss, .len = sizeof(*ss) };
	char text[ADDR_TEXT_MAX];

	c->search.client = (hostd_buf){ c->addr, 0 };
	if (ss->ss_family == AF_INET) {
		memcpy(c->addr, &in->sin_addr, 4);
		c->search.client.n = 4;
	} else if (ss->ss_family == AF_INET6) {
		c->search.client.n = 16;
		memcpy(c->addr, &in6->sin6_addr, 16);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			memcpy(c->addr, c->addr + 12, 4);
			c->search.client.n = 4;
		}
	}
	(void)snprintf(c->client, sizeof(c->client), "%.*s",
	    (int)sizeof(c->client) - 1, ss->ss_family == AF_UNIX ? "unix" :
	    addr_format(&a, text, sizeof(text)));
}

static void
set_addresses(struct tcp_conn *c, int fd, const struct sockaddr *sa)
{
	struct tcp_dial *d = c->dial;
	socklen_t len = sizeof(d->to);

	memcpy(&d->from, sa, sa->sa_family == AF_INET6 ?
	    sizeof(struct sockaddr_in6) : sa->sa_family == AF_INET ?
	    sizeof(struct sockaddr_in) : sizeof(sa->sa_family));
	if (getsockname(fd, (struct sockaddr *)&d->to, &len) == -1)
		d->to.ss_family = AF_UNSPEC;
	set_client(c, &d->from);
}

/* -- where it goes -- */

/* How well a name fits: all of it before the longest wildcard; 0: not. */
static size_t
sni_fits(const char *pattern, const char *name)
{
	size_t n = strlen(pattern), len = strlen(name);

	if (strcmp(pattern, name) == 0)
		return SIZE_MAX;
	if (strncmp(pattern, "*.", 2) != 0 || len < n ||
	    strcmp(name + len - (n - 1), pattern + 1) != 0)
		return 0;
	return n;
}

static const struct conf_upstream *
sni_upstream(const struct conf_listen *l, const char *name)
{
	const struct conf_upstream *found = l->upstream;
	const struct conf_sni *s;
	size_t fits, best = 0;

	TAILQ_FOREACH(s, &l->snis, entry) {
		fits = sni_fits(s->name, name);
		if (fits > best) {
			best = fits;
			found = s->upstream;
		}
	}
	return found;
}

static void
dial_to(struct tcp_conn *c, const struct conf_upstream *u, const char *name)
{
	struct tcp_dial *d = c->dial;
	char why[HELLO_NAME_MAX + 64];

	wheel_remove(&c->server->http->loop->wheel, &d->limit);
	if (u == NULL) {
		(void)snprintf(why, sizeof(why), name == NULL ? "it does not "
		    "begin with a TLS hello that names a server" :
		    "no sni block is for \"%s\"", name);
		tcp_turn_away(c, name == NULL ? TCP_BAD : TCP_FORBIDDEN, why);
		return;
	}
	d->group = upstreams_find(c->server->upstreams, u->name,
	    strlen(u->name));
	dial_next(c);
}

/* -- what it says first -- */

/* Bytes at the beginning that were for us. */
static void
dial_drop(struct tcp_dial *d, size_t n)
{
	d->in.len -= n;
	memmove(d->in.p, d->in.p + n, d->in.len);
}

/* 0: go on; -1: it has to wait, or has ended. */
static int
read_header(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	struct proxy_header h;
	const char *why = NULL;
	char text[160];
	ssize_t n = proxy_parse(&h, d->in.p, d->in.len, &why);

	if (n == -1) {
		(void)snprintf(text, sizeof(text), "its PROXY header is bad: "
		    "%s", why);
		tcp_turn_away(c, TCP_BAD, text);
	}
	if (n <= 0)
		return -1;
	dial_drop(d, (size_t)n);
	d->wants_header = 0;
	if (h.known) {
		d->from = h.from;
		d->to = h.to;
		set_client(c, &d->from);
	}
	return 0;
}

static void
read_hello(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	char name[HELLO_NAME_MAX];
	enum hello rc = hello_parse(d->in.p, d->in.len, name);

	if (rc == HELLO_MORE)
		return;
	d->wants_hello = 0;
	if (rc == HELLO_NAME && c->tries != NULL)
		c->sni = xstrdup(name);
	if (rc == HELLO_NAME)
		dial_to(c, sni_upstream(c->listen, name), name);
	else
		dial_to(c, c->listen->upstream, NULL);
}

/* What is there is enough, or not. */
static void
dial_look(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;

	if (d->wants_header && read_header(c) == -1)
		return;
	if (d->wants_hello)
		read_hello(c);
	else
		dial_to(c, c->listen->upstream, NULL);
}

static void
dial_readable(struct stream *s)
{
	struct tcp_dial *d = (struct tcp_dial *)(void *)s;
	char *rbuf = s->sio->rbuf;
	ssize_t n;

	/* The rest is the relay's to read. */
	if (!d->wants_header && !d->wants_hello)
		return;
	n = stream_read(s, rbuf, FIRST_MAX - d->in.len);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		tcp_end(d->conn);
		return;
	}
	buf_append(&d->in, rbuf, (size_t)n);
	dial_look(d->conn);
	if ((d->wants_header || d->wants_hello) && s->io.fd != -1 &&
	    s->can_read)
		stream_read_again(s);
}

static void
dial_late(struct wheel_timer *t)
{
	struct tcp_dial *d = (struct tcp_dial *)(void *)((char *)t -
	    offsetof(struct tcp_dial, limit));

	tcp_turn_away(d->conn, TCP_BAD, d->wants_header ? "no PROXY header "
	    "within hello_timeout" : "no TLS hello within hello_timeout");
}

static void
dial_failed(struct stream *s, int error)
{
	struct tcp_conn *c = ((struct tcp_dial *)(void *)s)->conn;

	log_debug("listen %s: %s left before it had a server: %s",
	    c->listen->name, c->client, strerror(error));
	tcp_end(c);
}

/* Nothing is sent yet; and who has said all it has may want an answer. */
static void
dial_quiet(struct stream *s)
{
	(void)s;
}

static const struct stream_ops client_ops = {
	dial_readable, dial_quiet, dial_failed, dial_quiet
};

/* -- getting there -- */

/* Its loss is the relay's to see. */
static void
server_failed(struct stream *s, int error)
{
	(void)s;
	(void)error;
}

static const struct stream_ops server_ops = {
	dial_quiet, dial_quiet, server_failed, dial_quiet
};

static void
dial_nobody(struct tcp_conn *c, int full)
{
	struct tcp_dial *d = c->dial;
	char why[sizeof(d->why) + 128];

	(void)snprintf(why, sizeof(why), "no server of upstream \"%s\" %s%s",
	    d->group->conf->name, full ? "takes more (max_conns)" :
	    d->why[0] != '\0' ? "could be connected to; the last: " : "is up",
	    full ? "" : d->why);
	tcp_turn_away(c, full ? TCP_FULL : d->failed_here ? TCP_OURS :
	    TCP_NO_SERVER, why);
}

/* For the log. */
static void
note_try(struct tcp_conn *c)
{
	struct http_try *t;

	if (c->tries == NULL)
		return;
	t = tries_add(c->tries);
	(void)snprintf(t->addr, sizeof(t->addr), "%.*s",
	    (int)sizeof(t->addr) - 1, c->peer->text);
}

static void
dial_next(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	struct connect_to to = { .host = NULL };
	char name[UP_SERVER_MAX];
	int full;

	if (group_pick(d->group, &c->search, &c->peer, &full) != HOSTD_OK) {
		c->peer = NULL;
		dial_nobody(c, full);
		return;
	}
	c->picked_ms = loop_clock_ms();
	note_try(c);
	to.timeout_ms = (uint32_t)d->group->conf->connect_timeout;
	if ((to.tls = d->group->tls) != NULL) {
		group_tls_name(d->group, c->peer->is.server, name);
		to.tls_name = name;
	}
	connect_start_at(&d->connect, &to, &c->peer->is.addr, 1);
}

static void
dial_again(struct tcp_conn *c, int error, const char *text)
{
	struct tcp_dial *d = c->dial;
	int late = error == ETIMEDOUT;

	(void)snprintf(d->why, sizeof(d->why), "%s", text);
	log_debug("listen %s: %s: %s", c->listen->name, c->client, text);
	d->failed_here = connect_is_ours(error);
	if (d->failed_here)
		tcp_report(c, HOSTD_E_GONE, UP_WHY_NONE, 0);
	else
		tcp_report(c, late ? HOSTD_E_TIMEOUT : HOSTD_E_IO, late ?
		    UP_WHY_TIMEOUT : UP_WHY_CONNECT, late ?
		    (uint32_t)d->group->conf->connect_timeout :
		    (uint32_t)error);
	c->search.flags |= HOSTD_PICK_RETRY;
	dial_next(c);
}

/* The server shall hear whose it is, before all else. */
static void
dial_introduce(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	char head[PROXY_MAKE_MAX];
	struct buf rest = d->in;

	c->header_out = (uint32_t)proxy_make(d->group->conf->proxy_protocol,
	    (struct sockaddr *)&d->from, (struct sockaddr *)&d->to, head);
	d->in = (struct buf){ NULL, 0, 0 };
	buf_append(&d->in, head, c->header_out);
	if (rest.len > 0)
		buf_append(&d->in, rest.p, rest.len);
	buf_free(&rest);
}

static void
dial_done(struct connect *con, int error, const char *text)
{
	struct tcp_dial *d = (struct tcp_dial *)(void *)((char *)con -
	    offsetof(struct tcp_dial, connect));
	struct tcp_conn *c = d->conn;

	if (error != 0) {
		dial_again(c, error, text);
		return;
	}
	c->connect_us = (uint32_t)(loop_clock_ms() - c->picked_ms) * 1000;
	if (c->tries != NULL)
		c->tries->v[c->tries->n - 1].connect_ms =
		    (int32_t)(c->connect_us / 1000);
	if (d->group->conf->proxy_protocol != 0)
		dial_introduce(c);
	tcp_relay(c, d->in.p, d->in.len);
}

/* -- opening and closing -- */

int
tcp_dial_open(struct tcp_conn *c, int fd, const struct sockaddr *sa)
{
	struct tcp_dial *d = xcalloc(1, sizeof(*d));
	struct http_server *http = c->server->http;
	const struct conf_listen *l = c->listen;

	c->dial = d;
	d->conn = c;
	set_addresses(c, fd, sa);
	if (stream_open(&d->client, &http->sio, fd, &client_ops) == -1) {
		c->dial = NULL;
		free(d);
		return -1;
	}
	d->connect.sio = &http->sio;
	d->connect.stream = &d->server;
	d->connect.ops = &server_ops;
	d->connect.done = dial_done;
	d->wants_header = l->proxy_protocol;
	d->wants_hello = !TAILQ_EMPTY(&l->snis);
	d->limit.fire = dial_late;
	return 0;
}

void
tcp_dial_begin(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	struct loop *l = c->server->http->loop;

	if (d->wants_header || d->wants_hello)
		wheel_set(&l->wheel, &d->limit, l->now_ms +
		    (uint64_t)c->listen->hello_timeout);
	else
		dial_to(c, c->listen->upstream, NULL);
}

void
tcp_dial_close(struct tcp_conn *c)
{
	struct tcp_dial *d = c->dial;
	struct tcp_server *ts = c->server;

	c->dial = NULL;
	wheel_remove(&ts->http->loop->wheel, &d->limit);
	connect_cancel(&d->connect);
	if (d->client.io.fd != -1)
		stream_close(&d->client);
	buf_free(&d->in);
	SLIST_INSERT_HEAD(&ts->dials, d, dead);
	loop_defer(ts->http->loop, &ts->reap);
}

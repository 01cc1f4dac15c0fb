/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/connect.h"
#include "net/tls.h"
#include "net/tls_client.h"

#define AGAIN_MS	50	/* a unix socket whose queue is full */

/* The request on its thread can't be taken back: it outlives a connect that
 * was cancelled. */
struct connect_lookup {
	uv_getaddrinfo_t req;		/* first */
	struct connect *c;		/* NULL: nobody waits for it */
};

static void	connect_go_on(struct connect *);

/* -- addresses -- */

int
connect_literal(const char *host, uint16_t port, struct addr *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&a->ss;

	errno = 0;
	memset(a, 0, sizeof(*a));
	if (host[0] == '/') {
		if (strlen(host) >= sizeof(un->sun_path)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, host, strlen(host) + 1);
		a->len = sizeof(*un);
	} else if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		a->len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		a->len = sizeof(*in6);
	} else {
		return -1;
	}
	return 0;
}

static void
addr_of_info(struct addr *a, const struct addrinfo *ai, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;

	memset(a, 0, sizeof(*a));
	memcpy(&a->ss, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
	if (ai->ai_family == AF_INET)
		in->sin_port = htons(port);
	else
		in6->sin6_port = htons(port);
}

/* The first of a family, from ai on. */
static const struct addrinfo *
info_of_family(const struct addrinfo *ai, int family)
{
	while (ai != NULL && ai->ai_family != family)
		ai = ai->ai_next;
	return ai;
}

size_t
connect_order(struct addr *out, size_t max, const struct addrinfo *list,
    uint16_t port)
{
	int family[2] = { AF_INET6, AF_INET };
	const struct addrinfo *next[2];
	size_t n = 0;
	int i = 0;

	if (list != NULL && list->ai_family == AF_INET)
		i = 1;
	next[0] = info_of_family(list, AF_INET6);
	next[1] = info_of_family(list, AF_INET);
	while (n < max && (next[0] != NULL || next[1] != NULL)) {
		if (next[i] == NULL)
			i = !i;
		addr_of_info(&out[n++], next[i], port);
		next[i] = info_of_family(next[i]->ai_next, family[i]);
		i = !i;
	}
	return n;
}

/* -- ends -- */

static struct connect *
connect_of(struct stream *secure)
{
	return (struct connect *)(void *)((char *)secure -
	    offsetof(struct connect, secure));
}

static const struct addr *
try_addr(const struct connect_try *t)
{
	return &t->c->addrs[t - t->c->tries];
}

static void
try_close(struct connect_try *t)
{
	if (t->io.fd == -1)
		return;
	loop_del(t->c->sio->loop, &t->io);
	close(t->io.fd);
	t->io.fd = -1;
	t->c->nopen--;
}

void
connect_cancel(struct connect *c)
{
	struct loop *l = c->sio->loop;
	int i;

	if (c->host == NULL)
		return;
	if (c->securing)
		stream_close(&c->secure);
	c->securing = 0;
	for (i = 0; i < c->ntried; i++)
		try_close(&c->tries[i]);
	wheel_remove(&l->wheel, &c->limit);
	wheel_remove(&l->wheel, &c->next);
	loop_undefer(l, &c->begin);
	if (c->lookup != NULL) {
		c->lookup->c = NULL;
		(void)uv_cancel((uv_req_t *)&c->lookup->req);
		(void)loop_uv(l);
	}
	c->lookup = NULL;
	free(c->addrs);
	free(c->host);
	free(c->tls_name);
	c->addrs = NULL;
	c->host = c->tls_name = NULL;
}

static void
connect_failed(struct connect *c)
{
	char text[sizeof(c->why) + 300];

	if (c->naddrs == 0)
		(void)snprintf(text, sizeof(text), "looking up %.255s: %s",
		    c->host, c->why);
	else if (c->named)
		(void)snprintf(text, sizeof(text), "connecting to %.255s: %s",
		    c->host, c->why);
	else
		(void)snprintf(text, sizeof(text), "connecting to %s", c->why);
	connect_cancel(c);
	c->done(c, c->error, text);
}

static void
try_note(struct connect_try *t, int error, const char *why)
{
	struct connect *c = t->c;
	char where[ADDR_TEXT_MAX];
	size_t n = strlen(c->why);

	c->error = error;
	(void)snprintf(c->why + n, sizeof(c->why) - n, "%s%s: %s",
	    n == 0 ? "" : "; ", addr_format(try_addr(t), where, sizeof(where)),
	    why);
}

/* -- TLS -- */

static void
secure_done(struct stream *s)
{
	struct connect *c = connect_of(s);

	c->securing = 0;
	connect_cancel(c);
	stream_move(c->stream, s, c->ops);
	/* There may be something behind the handshake. */
	stream_read_again(c->stream);
	c->done(c, 0, "");
}

static void
secure_failed(struct stream *s, int error)
{
	struct connect *c = connect_of(s);
	char why[256];

	(void)snprintf(why, sizeof(why), "no TLS with \"%.64s\": %.160s",
	    c->tls_name, error == EPROTO ? tls_why(s) : strerror(error));
	try_note(c->won, error, why);
	connect_failed(c);
}

static void
secure_ignore(struct stream *s)
{
	(void)s;
}

static const struct stream_ops secure_ops = {
	secure_done, secure_ignore, secure_failed, secure_ignore
};

/* The others are not needed any more; this one has to show who it is. */
static void
connect_secure(struct connect *c, struct connect_try *t, int fd)
{
	char where[ADDR_TEXT_MAX];
	int i;

	for (i = 0; i < c->ntried; i++)
		try_close(&c->tries[i]);
	wheel_clear(&c->next);
	c->won = t;
	if (stream_open(&c->secure, c->sio, fd, &secure_ops) == -1) {
		try_note(t, errno, strerror(errno));
		close(fd);
		connect_failed(c);
		return;
	}
	c->securing = 1;
	tls_begin(&c->secure, tls_client_connect(c->tls, c->tls_name,
	    addr_format(try_addr(t), where, sizeof(where))), NULL, 0);
}

static void
connect_won(struct connect *c, struct connect_try *t)
{
	int fd = t->io.fd;

	loop_del(c->sio->loop, &t->io);
	t->io.fd = -1;
	c->nopen--;
	if (c->tls != NULL) {
		connect_secure(c, t, fd);
		return;
	}
	connect_cancel(c);
	if (stream_open(c->stream, c->sio, fd, c->ops) == 0) {
		c->done(c, 0, "");
		return;
	}
	c->error = errno;
	close(fd);
	(void)snprintf(c->why, sizeof(c->why), "watching a connection: %s",
	    strerror(c->error));
	c->done(c, c->error, c->why);
}

/* -- one address -- */

/* Nobody listens on a port of our own range, and the kernel gave us just that
 * one to come from: we would be talking to ourselves. */
static int
is_self(int fd)
{
	struct sockaddr_storage a, b;
	socklen_t na = sizeof(a), nb = sizeof(b);

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	return getsockname(fd, (struct sockaddr *)&a, &na) == 0 &&
	    getpeername(fd, (struct sockaddr *)&b, &nb) == 0 &&
	    a.ss_family != AF_UNIX && na == nb && memcmp(&a, &b, na) == 0;
}

static void
try_ready(struct loop_fd *io, uint32_t events)
{
	struct connect_try *t = (struct connect_try *)(void *)io;
	struct connect *c = t->c;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error == 0 && is_self(io->fd))
		error = ECONNREFUSED;
	if (error == 0) {
		connect_won(c, t);
		return;
	}
	try_close(t);
	try_note(t, error, strerror(error));
	connect_go_on(c);
}

/* 0: the loop will tell; else an errno. */
static int
try_begin(struct connect_try *t)
{
	const struct addr *a = try_addr(t);
	int error, on = 1, fd;

	fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	t->io.fd = -1;
	if (fd == -1)
		return errno;
	if (!addr_is_unix(a) && !t->c->delay)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	t->io.fd = fd;
	t->io.ready = try_ready;
	if ((connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0 ||
	    errno == EINPROGRESS || errno == EINTR) &&
	    loop_add(t->c->sio->loop, &t->io, EPOLLOUT) == 0) {
		t->c->nopen++;
		return 0;
	}
	error = errno;
	close(fd);
	t->io.fd = -1;
	return error;
}

/* -- all of them -- */

/* The next address that does not fail at once. */
static void
connect_go_on(struct connect *c)
{
	struct loop *l = c->sio->loop;
	struct connect_try *t;
	int error;

	while (c->ntried < c->naddrs) {
		t = &c->tries[c->ntried];
		t->c = c;
		error = try_begin(t);
		if (error == EAGAIN) {
			wheel_set(&l->wheel, &c->next, l->now_ms + AGAIN_MS);
			return;
		}
		if (++c->ntried < c->naddrs && error == 0)
			wheel_set(&l->wheel, &c->next, l->now_ms +
			    CONNECT_NEXT_MS);
		if (error == 0)
			return;
		try_note(t, error, strerror(error));
	}
	if (c->nopen == 0)
		connect_failed(c);
}

static void
connect_waited(struct wheel_timer *t)
{
	struct connect *c = (struct connect *)(void *)((char *)t -
	    offsetof(struct connect, next));

	connect_go_on(c);
}

static void
connect_begin(struct loop_task *t)
{
	struct connect *c = (struct connect *)(void *)((char *)t -
	    offsetof(struct connect, begin));

	connect_go_on(c);
}

static void
connect_late(struct wheel_timer *t)
{
	struct connect *c = (struct connect *)(void *)((char *)t -
	    offsetof(struct connect, limit));
	char why[64];
	int i;

	(void)snprintf(why, sizeof(why), "no answer within %u ms",
	    c->timeout_ms);
	for (i = 0; i < c->ntried; i++)
		if (c->tries[i].io.fd != -1)
			try_note(&c->tries[i], ETIMEDOUT, why);
	if (c->securing)
		try_note(c->won, ETIMEDOUT, "no TLS handshake in time");
	else if (c->naddrs == 0)
		(void)snprintf(c->why, sizeof(c->why), "%s", why);
	else if (c->nopen == 0)
		try_note(&c->tries[c->ntried], ETIMEDOUT, why);
	c->error = ETIMEDOUT;
	connect_failed(c);
}

/* -- names -- */

static void
connect_no_address(struct connect *c, const char *why)
{
	c->error = EADDRNOTAVAIL;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

static void
lookup_done(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct connect_lookup *lu = (struct connect_lookup *)(void *)req;
	struct connect *c = lu->c;

	if (c != NULL) {
		c->lookup = NULL;
		c->addrs = xcalloc(CONNECT_TRIES, sizeof(*c->addrs));
		c->naddrs = (uint8_t)connect_order(c->addrs, CONNECT_TRIES,
		    list, c->port);
		if (c->naddrs == 0)
			connect_no_address(c, status == 0 ? "no address" :
			    uv_strerror(status));
	}
	uv_freeaddrinfo(list);
	free(lu);
	if (c != NULL)
		connect_go_on(c);
}

static void
connect_look_up(struct connect *c)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct connect_lookup *lu = xcalloc(1, sizeof(*lu));
	struct loop *l = c->sio->loop;
	int rc;

	c->named = 1;
	lu->c = c;
	rc = uv_getaddrinfo(loop_uv(l), &lu->req, lookup_done, c->host, NULL,
	    &hints);
	if (rc == 0) {
		c->lookup = lu;
		return;
	}
	free(lu);
	connect_no_address(c, uv_strerror(rc));
	loop_defer(l, &c->begin);
}

/* -- begin -- */

int
connect_is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM || error == EADDRNOTAVAIL;
}

static void
connect_init(struct connect *c, const struct connect_to *to)
{
	struct loop *l = c->sio->loop;

	c->host = xstrdup(to->host != NULL ? to->host : "");
	c->addrs = NULL;
	c->lookup = NULL;
	c->timeout_ms = to->timeout_ms;
	c->port = to->port;
	c->delay = to->delay;
	c->tls = to->tls;
	c->tls_name = to->tls_name != NULL ? xstrdup(to->tls_name) : NULL;
	c->securing = 0;
	c->named = c->naddrs = c->ntried = c->nopen = 0;
	c->error = 0;
	c->why[0] = '\0';
	c->limit.fire = connect_late;
	c->next.fire = connect_waited;
	c->begin.run = connect_begin;
	/* Not the turn's: that may have begun long ago. */
	wheel_set(&l->wheel, &c->limit, loop_clock_ms() + to->timeout_ms);
}

void
connect_start_at(struct connect *c, const struct connect_to *to,
    const struct addr *list, size_t n)
{
	connect_init(c, to);
	c->named = to->host != NULL;
	c->naddrs = (uint8_t)(n < CONNECT_TRIES ? n : CONNECT_TRIES);
	c->addrs = xcalloc(CONNECT_TRIES, sizeof(*c->addrs));
	if (c->naddrs == 0)
		connect_no_address(c, "no address");
	else
		memcpy(c->addrs, list, c->naddrs * sizeof(*list));
	loop_defer(c->sio->loop, &c->begin);
}

void
connect_start(struct connect *c, const struct connect_to *to)
{
	struct connect_to literal = *to;
	struct addr a;

	literal.host = NULL;
	if (connect_literal(to->host, to->port, &a) == 0) {
		connect_start_at(c, &literal, &a, 1);
		return;
	}
	connect_init(c, to);
	if (to->host[0] != '/') {
		connect_look_up(c);
		return;
	}
	c->named = 1;
	connect_no_address(c, "the path is longer than 107 bytes");
	loop_defer(c->sio->loop, &c->begin);
}

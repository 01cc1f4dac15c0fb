/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "upstream/resolve.h"

#define TRIES	3
/* A first try takes that part of the time limit, the second twice as much, the
 * third twice that; and there may be more than one server. */
#define PARTS	8
#define PART_MIN_MS	50

static void	resolve_timer(struct resolve *);

/* -- sockets -- */

static void
fd_ready(struct loop_fd *io, uint32_t events)
{
	struct resolve_fd *f = (struct resolve_fd *)(void *)io;
	int bad = ARES_SOCKET_BAD;

	/* What is wrong with it shows when it is read. */
	ares_process_fd(f->r->channel, (events & ~(uint32_t)EPOLLOUT) != 0 ?
	    io->fd : bad, (events & EPOLLOUT) != 0 ? io->fd : bad);
	resolve_timer(f->r);
}

/* The one of that socket, or a free one; NULL: there are too many. */
static struct resolve_fd *
fd_find(struct resolve *r, int fd)
{
	struct resolve_fd *free_one = NULL;
	size_t i;

	for (i = 0; i < RESOLVE_FDS; i++) {
		if (r->fds[i].io.fd == fd)
			return &r->fds[i];
		if (r->fds[i].io.fd == -1)
			free_one = &r->fds[i];
	}
	return free_one;
}

/* c-ares wants to know this of a socket, or is about to close it. */
static void
fd_wanted(void *arg, ares_socket_t fd, int readable, int writable)
{
	uint32_t events = (readable ? EPOLLIN : 0u) |
	    (writable ? EPOLLOUT : 0u);
	struct resolve *r = arg;
	struct resolve_fd *f = fd_find(r, fd);

	if (f == NULL)
		return;		/* its time runs out, then */
	if (f->io.fd == -1) {
		f->r = r;
		f->io.fd = fd;
		f->io.ready = fd_ready;
		if (events == 0 || loop_add(r->loop, &f->io, events) == -1)
			f->io.fd = -1;
	} else if (events != 0) {
		loop_move(r->loop, &f->io, events);
	} else {
		loop_del(r->loop, &f->io);
		f->io.fd = -1;
	}
}

/* -- answers -- */

static int
addr_compare(const void *a, const void *b)
{
	const struct addr *p = a, *q = b;

	return memcmp(&p->ss, &q->ss, sizeof(p->ss));
}

static int
has_addr(const struct resolve_found *f, const struct addr *a)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (addr_compare(&f->addrs[i], a) == 0)
			return 1;
	return 0;
}

/* The least by bytes stay: it does not matter in which order they came. */
static void
found_add(struct resolve_found *f, const struct addr *a)
{
	if (has_addr(f, a))
		return;
	if (f->n < RESOLVE_ADDRS) {
		f->addrs[f->n++] = *a;
	} else {
		f->left_out++;
		if (addr_compare(a, &f->addrs[f->n - 1]) < 0)
			f->addrs[f->n - 1] = *a;
	}
	qsort(f->addrs, f->n, sizeof(*f->addrs), addr_compare);
}

static void
found_ttl(struct resolve_found *f, int ttl)
{
	/* The highest bit is no part of it: RFC 2181 section 8. */
	if (ttl < 0)
		ttl = 0;
	if ((uint32_t)ttl < f->ttl)
		f->ttl = (uint32_t)ttl;
}

static void
node_addr(struct addr *a, const struct ares_addrinfo_node *n, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;
	const struct sockaddr_in *from = (const void *)n->ai_addr;
	const struct sockaddr_in6 *from6 = (const void *)n->ai_addr;

	memset(a, 0, sizeof(*a));
	if (n->ai_family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_addr = from->sin_addr;
		in->sin_port = htons(port);
		a->len = sizeof(*in);
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_addr = from6->sin6_addr;
		in6->sin6_scope_id = from6->sin6_scope_id;
		in6->sin6_port = htons(port);
		a->len = sizeof(*in6);
	}
}

/* Names are blocked by such addresses; a connection would come to us, or to
 * many. */
static int
is_nowhere(const struct ares_addrinfo_node *n)
{
	const struct sockaddr_in *in = (const void *)n->ai_addr;
	const struct sockaddr_in6 *in6 = (const void *)n->ai_addr;

	if (n->ai_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_ANY) ||
		    in->sin_addr.s_addr == htonl(INADDR_BROADCAST) ||
		    IN_MULTICAST(ntohl(in->sin_addr.s_addr));
	return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) ||
	    IN6_IS_ADDR_MULTICAST(&in6->sin6_addr);
}

static void
found_take(struct resolve_found *f, int family, int status,
    const struct ares_addrinfo *ai, uint16_t port)
{
	const struct ares_addrinfo_cname *c;
	const struct ares_addrinfo_node *n;
	struct addr a;

	memset(f, 0, sizeof(*f));
	f->status = status;
	if (status != ARES_SUCCESS)
		return;
	f->ttl = UINT32_MAX;
	(void)snprintf(f->name, sizeof(f->name), "%s",
	    ai->name != NULL ? ai->name : "");
	for (c = ai->cnames; c != NULL; c = c->next)
		found_ttl(f, c->ttl);
	for (n = ai->nodes; n != NULL; n = n->ai_next) {
		if (n->ai_family != family || is_nowhere(n))
			continue;
		node_addr(&a, n, port);
		found_add(f, &a);
		found_ttl(f, n->ai_ttl);
	}
	if (f->n == 0)
		f->status = ARES_ENODATA;
}

/* The search list may have led the families to two names: one is meant. */
static void
settle(struct resolve *r)
{
	struct resolve_found *v4 = &r->v4, *v6 = &r->v6;

	if (v4->status == ARES_SUCCESS && v6->status == ARES_SUCCESS &&
	    v4->name[0] != '\0' && v6->name[0] != '\0' &&
	    strcasecmp(v4->name, v6->name) != 0) {
		memset(v6, 0, sizeof(*v6));
		v6->status = ARES_ENODATA;
	}
}

static void
answered(struct resolve *r, struct resolve_found *f, int family, int status,
    struct ares_addrinfo *ai)
{
	/* Of what we have cancelled nobody is told. */
	if (r->waiting > 0) {
		found_take(f, family, status, ai, r->port);
		if (--r->waiting == 0)
			loop_defer(r->loop, &r->finish);
	}
	ares_freeaddrinfo(ai);
}

static void
answered_v4(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
	struct resolve *r = arg;

	(void)timeouts;
	answered(r, &r->v4, AF_INET, status, ai);
}

static void
answered_v6(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
	struct resolve *r = arg;

	(void)timeouts;
	answered(r, &r->v6, AF_INET6, status, ai);
}

/* -- ends -- */

void
resolve_cancel(struct resolve *r)
{
	ares_channel channel = r->channel;

	if (channel == NULL)
		return;
	r->waiting = 0;
	r->channel = NULL;
	wheel_remove(&r->loop->wheel, &r->limit);
	wheel_remove(&r->loop->wheel, &r->again);
	loop_undefer(r->loop, &r->finish);
	ares_destroy(channel);
}

static void
resolve_finish(struct loop_task *t)
{
	struct resolve *r = (struct resolve *)(void *)((char *)t -
	    offsetof(struct resolve, finish));

	resolve_cancel(r);
	settle(r);
	r->done(r);
}

/* What has not come by now is as good as lost; the rest counts. */
static void
resolve_late(struct wheel_timer *t)
{
	struct resolve *r = (struct resolve *)(void *)((char *)t -
	    offsetof(struct resolve, limit));

	resolve_finish(&r->finish);
}

static void
resolve_again(struct wheel_timer *t)
{
	struct resolve *r = (struct resolve *)(void *)((char *)t -
	    offsetof(struct resolve, again));

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	resolve_timer(r);
}

/* When c-ares wants to look at its own time limits. */
static void
resolve_timer(struct resolve *r)
{
	struct timeval tv;

	if (r->waiting == 0 || ares_timeout(r->channel, NULL, &tv) == NULL)
		return;
	wheel_set(&r->loop->wheel, &r->again, loop_clock_ms() +
	    (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000);
}

/* -- begin -- */

static int
set_servers(struct resolve *r, const struct resolve_to *to)
{
	struct buf csv = {0};
	size_t i;
	int rc;

	if (to->nservers == 0)
		return ARES_SUCCESS;
	for (i = 0; i < to->nservers; i++)
		buf_printf(&csv, "%s%s", i == 0 ? "" : ",", to->servers[i]);
	rc = ares_set_servers_ports_csv(r->channel, csv.p);
	buf_free(&csv);
	return rc;
}

static int
open_channel(struct resolve *r, const struct resolve_to *to)
{
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS;
	uint32_t part = to->timeout_ms / PARTS;
	struct ares_options o;
	char dns[] = "b";
	int rc;

	memset(&o, 0, sizeof(o));
	o.timeout = (int)(part < PART_MIN_MS ? PART_MIN_MS : part);
	o.tries = TRIES;
	o.lookups = dns;
	o.sock_state_cb = fd_wanted;
	o.sock_state_cb_data = r;
	if (to->nservers > 0)
		o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
	if ((rc = ares_init_options(&r->channel, &o, mask)) != ARES_SUCCESS) {
		r->channel = NULL;
		return rc;
	}
	if ((rc = set_servers(r, to)) != ARES_SUCCESS) {
		ares_destroy(r->channel);
		r->channel = NULL;
	}
	return rc;
}

static void
filed(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
	struct resolve *r = arg;

	(void)timeouts;
	found_take(&r->v4, AF_INET, status, ai, r->port);
	found_take(&r->v6, AF_INET6, status, ai, r->port);
	ares_freeaddrinfo(ai);
}

/* Whom /etc/hosts knows by one family, nobody is asked about the other.
 * Returns whether it does. */
static int
ask_file(struct resolve *r, const char *host)
{
	struct ares_addrinfo_hints any = { .ai_flags = ARES_AI_NOSORT,
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct ares_options o;
	ares_channel channel;
	char file[] = "f";

	memset(&o, 0, sizeof(o));
	o.lookups = file;
	if (ares_init_options(&channel, &o, ARES_OPT_LOOKUPS) != ARES_SUCCESS)
		return 0;
	ares_getaddrinfo(channel, host, NULL, &any, filed, r);
	ares_destroy(channel);
	return r->v4.status == ARES_SUCCESS || r->v6.status == ARES_SUCCESS;
}

static void
ask(struct resolve *r, const char *host)
{
	/* Sorting would try to connect to each. */
	struct ares_addrinfo_hints v4 = { .ai_flags = ARES_AI_NOSORT,
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct ares_addrinfo_hints v6 = { .ai_flags = ARES_AI_NOSORT,
		.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM };

	/* Each may be answered at once. */
	ares_getaddrinfo(r->channel, host, NULL, &v4, answered_v4, r);
	ares_getaddrinfo(r->channel, host, NULL, &v6, answered_v6, r);
	resolve_timer(r);
}

int
resolve_start(struct resolve *r, const struct resolve_to *to)
{
	size_t i;
	int rc;

	for (i = 0; i < RESOLVE_FDS; i++)
		r->fds[i].io.fd = -1;
	r->limit.fire = resolve_late;
	r->again.fire = resolve_again;
	r->finish.run = resolve_finish;
	r->port = to->port;
	if ((rc = open_channel(r, to)) != ARES_SUCCESS)
		return rc;
	if (to->nservers == 0 && ask_file(r, to->host)) {
		loop_defer(r->loop, &r->finish);
		return ARES_SUCCESS;
	}
	memset(&r->v4, 0, sizeof(r->v4));
	memset(&r->v6, 0, sizeof(r->v6));
	r->v4.status = r->v6.status = ARES_ETIMEOUT;
	r->waiting = 2;
	wheel_set(&r->loop->wheel, &r->limit,
	    loop_clock_ms() + to->timeout_ms);
	ask(r, to->host);
	return ARES_SUCCESS;
}

const char *
resolve_text(int status)
{
	switch (status) {
	case ARES_ENODATA:
		return "it has no address";
	case ARES_ENOTFOUND:
		return "there is no such name";
	case ARES_ESERVFAIL:
		return "the resolver failed to find out";
	case ARES_EREFUSED:
		return "the resolver refused to answer";
	case ARES_ECONNREFUSED:
		return "no resolver can be reached, or all have failed";
	case ARES_ETIMEOUT:
		return "no resolver answered in time";
	case ARES_EBADRESP:
		return "the resolver's answer makes no sense";
	case ARES_EBADNAME:
		return "it can't be asked for: it is no host name";
	default:
		return ares_strerror(status);
	}
}

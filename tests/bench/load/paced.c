/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load of so much in a second, whatever the server does: each request has its
 * time, and what counts is how long after that its answer is there.  So nothing
 * is left out while the server is slow.
 *
 * "gap": WebSockets take turns, each with an echo.  "http": a request goes over
 * any of the connections that is idle, or waits for one.  A connection that the
 * server closes is opened again; a request that had gone out on it has failed.
 *
 * Each line on standard input begins another phase, reported by itself;
 * the end is the end.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "client.h"

#define EVENTS	512
#define PHASES	8
#define TICK_NS	1000000
#define HEAD	2048

/* Microseconds, in buckets of a 32nd of their size. */
#define SUB	32
#define BUCKETS	(28 * SUB)

struct phase {
	uint64_t n, failed, closed, most;
	uint32_t buckets[BUCKETS];
};

enum state { CONNECTING, IDLE, ASKED };

struct paced_conn {
	struct client c;	/* of a WebSocket */
	enum state state;
	uint64_t turn;		/* the next to be answered */
	double asked;		/* when it should have been */
	char *head;
	size_t n;
};

struct paced {
	const struct options *o;
	struct message m;
	char request[512];
	size_t nrequest;
	struct paced_conn *conns, **idle;
	unsigned nidle;
	struct phase phases[PHASES];
	unsigned phase;
	double start, each;	/* seconds between two requests */
	uint64_t asked;		/* of all that are due */
	int ep, timer, over;
};

/* -- times -- */

static unsigned
bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * SUB)
		shift++;
	shift = shift * SUB + (unsigned)(us >> shift);
	return shift < BUCKETS ? shift : BUCKETS - 1;
}

static uint64_t
bucket_us(unsigned i)
{
	unsigned shift = i < 2 * SUB ? 0 : i / SUB - 1;

	return (uint64_t)(i - shift * SUB) << shift;
}

static void
note(struct paced *p, double since)
{
	struct phase *ph = &p->phases[p->phase];
	double took = (now_seconds() - since) * 1e6;
	uint64_t us = took > 0 ? (uint64_t)took : 0;

	ph->n++;
	ph->buckets[bucket_of(us)]++;
	if (us > ph->most)
		ph->most = us;
}

static uint64_t
quantile(const struct phase *ph, double q)
{
	uint64_t left = (uint64_t)((double)ph->n * q);
	unsigned i;

	for (i = 0; i < BUCKETS - 1 && ph->buckets[i] <= left; i++)
		left -= ph->buckets[i];
	return bucket_us(i);
}

/* When number n is due. */
static double
due(const struct paced *p, uint64_t n)
{
	return p->start + (double)n * p->each;
}

/* -- WebSockets -- */

static void
gap_ask(struct paced *p, uint64_t n)
{
	struct paced_conn *k = &p->conns[n % p->o->connections];

	k->c.owed += p->m.nout;
	client_write(&k->c, &p->m);
}

static void
gap_ready(struct paced *p, struct paced_conn *k, unsigned events)
{
	unsigned done = 0;

	if (events & ~(unsigned)EPOLLOUT)
		done = client_read(&k->c, &p->m);
	client_write(&k->c, &p->m);
	for (; done > 0; done--) {
		note(p, due(p, k->turn));
		k->turn += p->o->connections;
	}
}

static void
gap_open(struct paced *p)
{
	char *payload = payload_make(p->o->size, 1);
	unsigned i;

	message_make(&p->m, OP_TEXT, payload, p->o->size, 1);
	free(payload);
	for (i = 0; i < p->o->connections; i++) {
		p->conns[i].turn = i;
		client_open(&p->conns[i].c, p->o);
		client_watch(&p->conns[i].c, p->ep);
	}
}

/* -- HTTP -- */

static void
http_connect(struct paced *p, struct paced_conn *k)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
		EPOLLET, .data.ptr = k };
	int on = 1;

	k->state = CONNECTING;
	k->n = 0;
	k->c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (k->c.fd == -1)
		err(1, "socket");
	(void)setsockopt(k->c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(k->c.fd, (const struct sockaddr *)(const void *)
	    &p->o->addr, sizeof(p->o->addr)) == -1 && errno != EINPROGRESS)
		err(1, "connect to %s", p->o->authority);
	if (epoll_ctl(p->ep, EPOLL_CTL_ADD, k->c.fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
http_is_idle(struct paced *p, struct paced_conn *k)
{
	k->state = IDLE;
	k->n = 0;
	p->idle[p->nidle++] = k;
}

static void
http_forget_idle(struct paced *p, const struct paced_conn *k)
{
	unsigned i;

	for (i = 0; p->idle[i] != k; i++)
		;
	p->idle[i] = p->idle[--p->nidle];
}

/* The server has closed it, or refused it. */
static void
http_lost(struct paced *p, struct paced_conn *k)
{
	struct phase *ph = &p->phases[p->phase];

	ph->closed++;
	if (k->state == IDLE)
		http_forget_idle(p, k);
	else
		ph->failed++;
	close(k->c.fd);
	http_connect(p, k);
}

static void
http_ask(struct paced *p, uint64_t n)
{
	struct paced_conn *k = p->idle[--p->nidle];

	k->state = ASKED;
	k->asked = due(p, n);
	/* Whether it is broken is found out by reading. */
	if (send(k->c.fd, p->request, p->nrequest, MSG_NOSIGNAL) == -1 &&
	    errno == EAGAIN)
		errx(1, "a request does not fit");
}

/* Is the answer complete?  -1: and it is the last of its connection. */
static int
http_is_answered(struct paced_conn *k)
{
	char *end, *at;
	size_t length;

	k->head[k->n] = '\0';
	if ((end = strstr(k->head, "\r\n\r\n")) == NULL)
		return 0;
	if (strncmp(k->head, "HTTP/1.1 200 ", 13) != 0 ||
	    (at = strcasestr(k->head, "\r\ncontent-length:")) == NULL)
		errx(1, "another answer than expected: %s", k->head);
	length = (size_t)strtoul(at + 17, NULL, 10);
	if (k->n < (size_t)(end + 4 - k->head) + length)
		return 0;
	at = strcasestr(k->head, "\r\nconnection: close");
	return at != NULL && at < end ? -1 : 1;
}

static void
http_ready(struct paced *p, struct paced_conn *k, unsigned events)
{
	ssize_t n;
	int done;

	if (k->state == CONNECTING && !(events & (EPOLLERR | EPOLLHUP)))
		http_is_idle(p, k);
	if (!(events & ~(unsigned)EPOLLOUT))
		return;
	n = recv(k->c.fd, k->head + k->n, HEAD - 1 - k->n, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		http_lost(p, k);
		return;
	}
	k->n += (size_t)n;
	if (k->state != ASKED || (done = http_is_answered(k)) == 0)
		return;
	note(p, k->asked);
	http_is_idle(p, k);
	if (done == -1 || events & EPOLLRDHUP)
		http_lost(p, k);
}

static void
http_open(struct paced *p)
{
	unsigned i;

	p->nrequest = (size_t)snprintf(p->request, sizeof(p->request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", p->o->path,
	    p->o->authority);
	for (i = 0; i < p->o->connections; i++) {
		if ((p->conns[i].head = malloc(HEAD)) == NULL)
			err(1, "malloc");
		http_connect(p, &p->conns[i]);
	}
}

/* -- the load -- */

static void
ask_due(struct paced *p)
{
	double now = now_seconds();
	uint64_t expirations;

	if (read(p->timer, &expirations, sizeof(expirations)) == -1)
		err(1, "timerfd");
	while (due(p, p->asked) <= now) {
		if (!p->o->http)
			gap_ask(p, p->asked++);
		else if (p->nidle > 0)
			http_ask(p, p->asked++);
		else
			break;
	}
}

static void
hear_phase(struct paced *p)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line));

	if (n <= 0)
		p->over = 1;
	else if (++p->phase == PHASES)
		errx(2, "there are too many phases");
}

static void
turn(struct paced *p)
{
	struct epoll_event ev[EVENTS];
	struct paced_conn *k;
	int i, n;

	if ((n = epoll_wait(p->ep, ev, EVENTS, -1)) == -1)
		err(1, "epoll_wait");
	for (i = 0; i < n; i++) {
		k = ev[i].data.ptr;
		if ((void *)k == &p->timer)
			ask_due(p);
		else if ((void *)k == &p->over)
			hear_phase(p);
		else if (p->o->http)
			http_ready(p, k, ev[i].events);
		else
			gap_ready(p, k, ev[i].events);
	}
}

static void
watch(struct paced *p, int fd, void *what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(p->ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* A phase: answers, failed, connections closed, microseconds at half, p99 and
 * most. */
static void
say_phases(const struct paced *p)
{
	const struct phase *ph;

	for (ph = p->phases; ph <= &p->phases[p->phase]; ph++)
		printf("%llu %llu %llu %llu %llu %llu\n",
		    (unsigned long long)ph->n, (unsigned long long)ph->failed,
		    (unsigned long long)ph->closed,
		    (unsigned long long)quantile(ph, 0.5),
		    (unsigned long long)quantile(ph, 0.99),
		    (unsigned long long)ph->most);
	printf("%llu\n", (unsigned long long)p->asked);
}

void
load_paced(const struct options *o)
{
	static struct paced p;
	const struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };

	p.o = o;
	p.each = 1.0 / o->rate;
	p.conns = calloc(o->connections, sizeof(*p.conns));
	p.idle = calloc(o->connections, sizeof(struct paced_conn *));
	p.ep = epoll_create1(EPOLL_CLOEXEC);
	p.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (p.conns == NULL || p.idle == NULL || p.ep == -1 || p.timer == -1)
		err(1, "paced");
	if (o->http)
		http_open(&p);
	else
		gap_open(&p);
	say_ready();
	watch(&p, p.timer, &p.timer);
	watch(&p, STDIN_FILENO, &p.over);
	p.start = now_seconds();
	if (timerfd_settime(p.timer, 0, &every, NULL) == -1)
		err(1, "timerfd");
	while (!p.over)
		turn(&p);
	say_phases(&p);
}

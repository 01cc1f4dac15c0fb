/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_rate: the kernel sends at that rate, so that nothing has to be woken for
 * it, and takes no more than about a second's bytes at a time, so that it is seen
 * how far the client has come.
 */
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include "base/mem.h"
#include "http/conn.h"
#include "http/router.h"
#include "limit/limits.h"

#define QUEUE_LEAST	16384	/* bytes that the kernel takes */
#define QUEUE_MOST	131072

struct limit_pace {
	struct http_errand errand;	/* first */
	struct limits *all;
	struct http_conn *conn;
	struct limit_pace *next_spare;
};

/* Unix sockets have no rate, and streams in HTTP/2 no socket. */
static void
set_rate(int fd, uint64_t rate)
{
	uint64_t queue = rate < QUEUE_LEAST ? QUEUE_LEAST :
	    rate > QUEUE_MOST ? QUEUE_MOST : rate;
	int lowat = (int)queue;

	(void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
	    sizeof(rate));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
	    sizeof(lowat));
}

static void
pace_ended(struct http_errand *e)
{
	struct limit_pace *p = (struct limit_pace *)(void *)e;
	uint64_t any = UINT64_MAX;
	int lowat = INT_MAX, fd = p->conn->stream.io.fd;

	if (fd != -1) {
		(void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &any,
		    sizeof(any));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
		    sizeof(lowat));
	}
	p->next_spare = p->all->spare_paces;
	p->all->spare_paces = p;
}

int32_t
pace_enter(struct http_gate *gate, struct http_req *r)
{
	struct limits *all = ((struct limit_gate *)(void *)gate)->all;
	struct limit_pace *p = all->spare_paces;

	if (p != NULL) {
		all->spare_paces = p->next_spare;
	} else {
		p = xcalloc(1, sizeof(*p));
		p->errand.ended = pace_ended;
		p->all = all;
	}
	p->conn = r->conn;
	LIST_INSERT_HEAD(&r->errands, &p->errand, link);
	set_rate(r->conn->stream.io.fd, r->route->rate);
	return HOSTD_OK;
}

void
pace_close(struct limits *all)
{
	struct limit_pace *p;

	while ((p = all->spare_paces) != NULL) {
		all->spare_paces = p->next_spare;
		free(p);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include "base/board.h"
#include "base/log.h"
#include "http/response.h"
#include "limit/access.h"
#include "net/addr.h"

#define TELL_MS	5000

int
access_allows(const struct conf_access *a, const struct sockaddr *sa)
{
	struct cidrs one = { NULL, 1 };
	size_t i;

	for (i = 0; i < a->n; i++) {
		one.v = &a->v[i].net;
		if (a->v[i].all || cidrs_have(&one, sa))
			return !a->v[i].deny;
	}
	return 1;
}

/* -- at a route -- */

/* What addr_host has written. */
static void
address_of(hostd_buf text, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;
	char copy[INET6_ADDRSTRLEN];

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = AF_UNIX;
	if (text.n >= sizeof(copy))
		return;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, &in->sin_addr) == 1) {
		ss->ss_family = AF_INET;
		return;
	}
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = inet_pton(AF_INET6, copy, &in6->sin6_addr) == 1 ?
	    AF_INET6 : AF_UNIX;
}

int32_t
access_enter(struct http_gate *gate, struct http_req *r)
{
	struct limit_gate *g = (struct limit_gate *)(void *)gate;
	struct sockaddr_storage ss;

	address_of(r->view.peer, &ss);
	if (access_allows(g->access, (const struct sockaddr *)&ss))
		return HOSTD_OK;
	return limits_refuse(r, 403, 0);
}

/* -- where it is accepted -- */

static void
tell_refused(struct limits *all, const struct conf_listen *l,
    const struct sockaddr *sa, const char *why)
{
	uint64_t now = all->loop->now_ms;
	char text[ADDR_TEXT_MAX];

	if (all->told_ms != 0 && now - all->told_ms < TELL_MS) {
		all->untold++;
		return;
	}
	log_warnx("listen %s: a connection of %s is closed: %s; %" PRIu64
	    " more since the last such line", l->name, addr_host(sa, text,
	    sizeof(text)), why, all->untold);
	all->told_ms = now;
	all->untold = 0;
}

/* 0: of a family that has none. */
static uint64_t
address_key(const struct limits *all, const struct sockaddr *sa, int prefix)
{
	char text[ADDR_TEXT_MAX];
	const char *host;

	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return 0;
	host = addr_host(sa, text, sizeof(text));
	return limit_key(all->address_zone, zone_address(all->table,
	    LIMIT_ADDRESS, (hostd_buf){ host, strlen(host) }, prefix));
}

int
limits_admit(struct limits *all, const struct conf_http *http,
    const struct conf_listen *l, const struct sockaddr *sa,
    struct http_lease **lease)
{
	uint64_t key;
	int32_t place;

	*lease = NULL;
	if (l->access.n > 0 && !access_allows(&l->access, sa)) {
		tell_refused(all, l, sa, "access denies it");
		return 0;
	}
	if (l->max_per_address == 0 ||
	    cidrs_have(&http->per_address_exempt, sa) ||
	    (key = address_key(all, sa, http->per_address_prefix)) == 0)
		return 1;
	*lease = limits_lease(all, all->address, key,
	    (uint32_t)l->max_per_address, &place);
	if (place != LIMIT_FULL) {
		board_add(&all->address->passed, 1);
		return 1;
	}
	board_add(&all->address->refused, 1);
	tell_refused(all, l, sa, "its address has "
	    "max_connections_per_address of them");
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one worker does about limits: gates before routes, and places of
 * connections.  What it counts is the machine's, in the table.
 */
#ifndef LIMIT_LIMITS_H
#define LIMIT_LIMITS_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/model.h"
#include "http/gate.h"
#include "http/lease.h"
#include "limit/table.h"
#include "limit/zone.h"
#include "net/loop.h"

struct http_route;
struct limit_lease;
struct limit_pace;
struct limit_wait;

/* One kind of limits of a route, at one time. */
struct limit_gate {
	struct http_gate gate;		/* first */
	SLIST_ENTRY(limit_gate) link;
	struct limits *all;
	const struct conf_access *access;	/* of that kind */
	const struct conf_route *route;		/* of that kind */
	struct zone **zones;
	size_t n;
	uint8_t bit;			/* of http_req's limits_passed */
};

struct limits {
	struct http_lessor lessor;	/* first */
	struct loop *loop;
	struct limit_table *table;	/* NULL: a probe's, which serves
					   nobody */
	unsigned cell;
	STAILQ_HEAD(, zone) zones;
	SLIST_HEAD(, limit_gate) gates;
	struct limit_lease *spare_leases;
	struct limit_wait *spare_waits;
	struct limit_pace *spare_paces;
	const struct conf_budget *budget;
	struct limit_count *address;	/* of connections */
	int address_zone;		/* its number, or -1 */
	uint64_t told_ms, untold;	/* of those that were closed */
	struct limit_count none;	/* of what no zone counts */
};

/* conf and table outlive it. */
void	limits_open(struct limits *, struct loop *, const struct conf *,
	    struct limit_table *, unsigned cell);
/* After the server, whose routes and leases are its own. */
void	limits_close(struct limits *);

/* The route's gates: those that need not know who the client is, then, late,
 * behind the gates that find out, the others. */
void	limits_add_gates(struct limits *, struct http_route *,
	    const struct conf_route *, int late);

/* A place of key for as long as the lease lasts, where all may have max; NULL:
 * *place says why (table.h). */
struct http_lease *limits_lease(struct limits *, struct limit_count *,
	    uint64_t key, uint32_t max, int32_t *place);

/* -- of the room's own files -- */

int32_t	rate_enter(struct http_gate *, struct http_req *);
void	rate_close(struct limits *);
/* Of a route with a rate. */
int32_t	pace_enter(struct http_gate *, struct http_req *);
/* At that rate the kernel may take nothing for so long. */
uint32_t pace_ms(uint64_t rate);
void	pace_close(struct limits *);
int32_t	head_enter(struct http_gate *, struct http_req *);
int32_t	place_enter(struct http_gate *, struct http_req *);
/* Answer status; wait_us > 0: when it may be tried again. */
int32_t	limits_refuse(struct http_req *, int status, int64_t wait_us);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which route answers a request.
 *
 * Host first: an exact name, then the longest "*.name", then routes for any
 * host.  Within it path: exact, then patterns with ":name" (more literal
 * characters first, then whole paths before prefixes), then the longest
 * prefix.  Routes of one pattern are told
 * apart by method; a path whose most specific pattern does not take the
 * method is 405.  A handler that passes gets the next best asked.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "http/request.h"

struct conf_pool;
struct conf_websocket;
struct http_gate;
struct up_group;

struct http_route {
	struct http_route *next;	/* of the same pattern */
	char *pattern;
	int is_prefix;
	uint32_t methods;		/* bits 1 << HOSTD_METHOD_*; 0: any */
	char **others;			/* methods without a number */
	size_t nothers;
	struct http_handler *handler;	/* may be NULL for another pool's */
	const struct conf_pool *pool;	/* who answers; NULL: where the
					   connection was accepted */
	uint64_t max_body;
	uint32_t defer_ms;
	uint32_t body_ms, send_ms;	/* 0: as all */
	uint32_t min_body_rate, min_send_rate;	/* bytes a second; 0: any */
	uint64_t rate;			/* the same, of answers; 0: none */
	uint64_t rate_after;		/* which does not hold for so many
					   bytes of each */
	uint32_t paced_ms;		/* so long may go by at that rate before
					   the kernel takes more */
	const struct conf_websocket *websocket;
	struct up_group *upstream;	/* for the handler; may be NULL */
	struct session_kind *sessions;	/* the same */
	struct http_gate **gates;	/* before the handler, in this order;
					   the array is the route's */
	unsigned ngates;
	uint32_t counted;		/* as, see base/traffic.h */
};

struct router;

struct router *router_new(void);
void	router_free(struct router *);

/*
 * Add a route; it is the router's afterwards.  hosts: lower case, n 0: any.
 * The caller has checked the pattern.
 */
void	router_add(struct router *, struct http_route *,
	    char *const *hosts, size_t nhosts);
struct http_route *route_new(const char *pattern, int is_prefix,
	    char *const *methods, size_t nmethods);

/* Behind those that it has. */
void	route_add_gate(struct http_route *, struct http_gate *);

/*
 * Find the route for r (its view's host, path and method); skip the first
 * `skip` candidates, which have passed.  Sets view.rest and params.
 * 0; 404; or 405 with *allow listing the methods that are.
 */
int	router_find(const struct router *, struct http_req *r, unsigned skip,
	    struct http_route **out, struct buf *allow);

#endif

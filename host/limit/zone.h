/* SPDX-License-Identifier: BSD-2-Clause */
/* One limit of the configuration, as a worker holds requests against it. */
#ifndef LIMIT_ZONE_H
#define LIMIT_ZONE_H

#include <stdint.h>
#include <sys/queue.h>
#include "config/model.h"
#include "http/request.h"
#include "limit/table.h"

struct zone {
	STAILQ_ENTRY(zone) link;
	const struct conf_limit *conf;
	struct limit_table *table;
	struct limit_count *count;	/* our cell's */
	int number;			/* in the table; -1: it is not there */
	uint64_t salt;			/* of its keys */
	uint64_t cost_us, room_us;	/* REQ: of one, and of the burst */
	uint64_t free_us;		/* of it, what does not wait */
	uint64_t told_ms;		/* when a refusal was logged last, */
	uint64_t untold;		/* and how many since */
};

/* Does its key depend on who the client has proved to be? */
int	zone_is_late(const struct conf_limit *);
enum limit_kind zone_kind(const struct conf_limit *);
uint64_t zone_salt(const struct limit_table *, const struct conf_limit *);
/* The request's key; 0: it has none, and is not limited. */
uint64_t zone_key(const struct zone *, const struct http_req *);
/* That of a request whose variables have these values, in the order of the
 * configuration; zone is its number. */
uint64_t zone_key_of(const struct limit_table *, const struct conf_limit *,
	    int zone, const hostd_buf *values);
/* An address, of which so many bits count if it is IPv6, behind salt; text as
 * of addr_host. */
uint64_t zone_address(const struct limit_table *, uint64_t salt,
	    hostd_buf text, int ipv6_prefix);
/* Say so, not too often. */
void	zone_tell(struct zone *, const struct http_req *, uint64_t now_ms);

#endif

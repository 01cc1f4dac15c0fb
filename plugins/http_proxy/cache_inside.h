/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's parts, among themselves. */
#ifndef HTTP_PROXY_CACHE_INSIDE_H
#define HTTP_PROXY_CACHE_INSIDE_H

#include <hostd/channel.h>
#include <hostd/timer.h>
#include <hostd/work.h>
#include <netinet/in.h>
#include "cache.h"
#include "cache_disk.h"
#include "cache_memory.h"
#include "cache_vary.h"

#define FLIGHT_BUCKETS	256
#define PASS_SLOTS	1024
#define PASS_MS		10000	/* how long it is known not to be kept */
#define TICK_MS		20	/* while somebody waits, or is elsewhere */
#define RULES_MAX	32
#define NETS_MAX	64

/* Of cache_use_stale. */
#define STALE_ERROR		0x1u
#define STALE_TIMEOUT		0x2u
#define STALE_INVALID		0x4u
#define STALE_UPDATING		0x8u
#define STALE_500		0x10u
#define STALE_502		0x20u
#define STALE_503		0x40u
#define STALE_504		0x80u
#define STALE_403		0x100u
#define STALE_404		0x200u
#define STALE_429		0x400u
/* What stale-if-error is for (RFC 5861 section 4). */
#define STALE_IF_ERROR	(STALE_ERROR | STALE_TIMEOUT | STALE_INVALID |	\
	STALE_500 | STALE_502 | STALE_503 | STALE_504)

/* cache_use.flags */
#define USE_UNSAFE	0x1u	/* its success makes what is kept untrue */
#define USE_AUTHORIZED	0x2u
#define USE_RANGE	0x4u
#define USE_BYPASS	0x8u
#define USE_WAITED	0x10u	/* long enough */
#define USE_SENDING	0x20u	/* cache_send was called, not all is taken */
#define USE_REFRESH	0x40u	/* nobody's: a struct cache_refresh */
#define USE_HEADED	0x100u	/* a server's answer has begun */
#define USE_WAITING	0x80u	/* for flight, which another one leads */

/* Somebody asks a server for it; who else wants it waits here. */
struct cache_flight {
	LIST_ENTRY(cache_flight) entry;
	struct cache_name name;
	TAILQ_HEAD(, cache_use) waiters;
	struct disk_part part;		/* the lock; fd -1: in memory, or
					   foreign */
	int foreign;			/* another worker asks */
	int spoilt;			/* purged meanwhile: what comes may be
					   from before */
};

/* One answer on its way into the store. */
struct cache_writer {
	LIST_ENTRY(cache_writer) entry;
	struct cache_name name;
	hostd_buf key;			/* into head */
	int spoilt;			/* purged meanwhile */
	struct cache_body *body;	/* in memory */
	size_t size;			/* of it */
	uint64_t len;
	int64_t promised;		/* -1: not said */
	size_t nhead;
	char head[];
};

/* One that is asked for in nobody's name: for use with USE_REFRESH. */
struct cache_refresh {
	struct cache_use use;
	uint32_t nheaders;
	const hostd_hdr *headers;	/* of the client's request; behind it */
	int deaf;			/* what comes is of no use any more */
};

/* A network that may purge; unix: those of unix sockets. */
struct cache_net {
	struct in6_addr addr;		/* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
	int unix_socket;
};

struct purge_ask;

struct cache {
	struct hostd_inst *inst;
	const struct hostd_easy *easy;
	const struct hostd_fetch_api *fetch;
	const struct hostd_timer_api *timer;
	const struct hostd_work_api *work;
	void (*ready)(struct hostd_inst *, struct cache_use *,
	    enum cache_verdict);
	int (*is_ours)(const struct hostd_inst *, hostd_buf name);
	uint64_t object_max, lock_ms;
	unsigned use_stale;		/* STALE_* */
	struct fresh_rule rules[RULES_MAX];
	uint32_t nrules;
	struct cache_net nets[NETS_MAX];
	uint32_t nnets;
	struct cache_memory memory;	/* buckets NULL: on disk */
	struct cache_disk disk;
	LIST_HEAD(, cache_flight) flights[FLIGHT_BUCKETS];
	LIST_HEAD(, cache_writer) writers;
	unsigned nwaiting, nforeign;
	hostd_timer tick;		/* id 0: there are none of these */
	struct {
		uint64_t hash, until_ms;
	} passed[PASS_SLOTS];		/* keys of which nothing is kept */
	LIST_HEAD(, purge_ask) asks;	/* cache_order.c */
	uint64_t counts[CACHE_IS_HIT + 1];	/* of requests, by status */
	uint64_t complained_ms;		/* of the store, in the log */
	hostd_hdr fewer[OBJECT_HEADERS_MAX];	/* of a 304; [call] */
};

/* -- cache_keys.c -- */
int32_t	cache_read_conf(struct cache *, const struct hostd_conf *,
	    struct hostd_err *);
int	purge_allows(const struct cache *, hostd_buf peer);

/* -- cache_flight.c -- */
struct cache_flight *flight_find(struct cache *, const struct cache_name *);
/* Lead a new one: 0, DISK_BUSY (then *out is foreign), DISK_ERROR. */
int	flight_start(struct cache *, const struct cache_name *,
	    struct cache_flight **out);
void	flight_wait(struct cache_use *, struct cache_flight *);
void	flight_leave(struct cache_use *);
/* Those of a key, or of any if prefix, are spoilt. */
void	flights_spoil(struct cache *, hostd_buf key, int prefix);
/* Over: who waits decides again. */
void	flight_end(struct cache *, struct cache_flight *);

/* -- cache_ask.c -- */
enum cache_verdict cache_decide(struct cache_use *,
	    const struct hostd_request *, hostd_buf key);
/* May it be used though too old, for one of these reasons? */
int	cache_may_be_stale(const struct cache *, const struct cache_object *,
	    unsigned why);
int	cache_keep_key(struct cache_use *, hostd_buf key);
/* Nothing is kept of this one: whoever comes need not wait. */
void	cache_pass(struct cache *, const struct cache_name *);

/* -- cache_store.c -- */
struct cache_object *store_get(struct cache *, const struct cache_name *,
	    hostd_buf key);
void	store_drop(struct cache *, hostd_buf key, int prefix);
/* The same, and say how many went: told is called once, now or later. */
typedef void (*drop_told)(struct cache *, void *arg, unsigned n);
void	store_drop_counted(struct cache *, hostd_buf key, int prefix,
	    drop_told, void *arg);
/* What is on its way now is not kept. */
void	store_spoil(struct cache *, hostd_buf key, int prefix);
void	store_complain(struct cache *, const char *what);
/* Begin to keep an answer: 0, or -1: it is not kept. */
int	store_begin(struct cache_use *, const struct hostd_fetch_response *);
void	store_abort(struct cache_use *);
struct fresh_facts store_facts(const struct cache_use *, int status,
	    const hostd_hdr *, uint32_t n);

/* -- cache_renew.c -- */
/* What is kept is good: make it new.  0, or -1: it can't be. */
int	store_renew(struct cache_use *, const struct hostd_fetch_response *);

/* -- cache_answer.c -- */
/* Make use->answer of an object; takes the reference. */
enum cache_verdict cache_answer(struct cache_use *, struct cache_object *,
	    const struct hostd_request *, enum cache_status);

/* -- cache_purge.c -- */
int	purge_is(const struct cache *, const struct hostd_request *);
enum cache_verdict purge_answer(struct cache_use *,
	    const struct cache_asked *);
/* Have all workers forget a key; what is a letter of cache_purge.c. */
void	purge_tell(struct cache *, hostd_buf key, char what);
int32_t	purge_start(struct cache *);
/* To all workers and nodes, this one included; 0, or -1: there is no way. */
int	purge_publish(struct cache *, hostd_buf msg);

/* -- cache_order.c -- */
/* A message whose letter is one of these. */
#define ORDER_LETTERS	"QBA"
void	order_message(struct cache *, hostd_buf msg);
void	orders_forget(struct cache *);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of servers, as one worker has them: which servers there are, which of
 * them can serve now, and the balancer that picks one.
 *
 * A peer is one address of a server.  Peers come and go as the table of servers
 * (upstream/table.h) says; one that has gone stays in memory as long as anybody
 * holds it.
 */
#ifndef UPSTREAM_GROUP_H
#define UPSTREAM_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/balancer.h>
#include "base/map.h"
#include "config/model.h"
#include "net/loop.h"
#include "net/stream.h"
#include "upstream/table.h"

struct up_group;
struct up_link;
struct up_links;
struct upstreams;

/* The plugin room's side of a balancer; semantics of <hostd/balancer.h>, data
 * is the group's own.  Optional ones may be NULL. */
struct up_balancer {
	const char *name;		/* of the plugin, for the log */
	uint32_t data_size;
	int32_t (*update)(struct up_balancer *, void *data,
	    const struct hostd_peer *const *);
	void (*close)(struct up_balancer *, void *data);
	int32_t (*key)(struct up_balancer *, void *data,
	    const struct hostd_request *, char *room, hostd_buf *out);
	int32_t (*pick)(struct up_balancer *, void *data,
	    const struct hostd_pick *, uint32_t *id);
	void (*report)(struct up_balancer *, void *data, uint32_t id,
	    const struct hostd_report *);
	int32_t (*cookie)(struct up_balancer *, void *data, uint32_t id,
	    const struct hostd_pick *, char *room, size_t, hostd_buf *out);
	void (*answered)(struct up_balancer *, void *data, uint32_t id,
	    const struct hostd_pick *, int32_t status, const hostd_hdr *,
	    uint32_t nhdrs);
};

struct up_peer {
	TAILQ_ENTRY(up_peer) entry;
	struct up_group *group;
	uint32_t id;			/* of its entry */
	unsigned index;			/* of its entry */
	const struct conf_server *conf;	/* its rules; of a server that was added
					   by hand: the group's defaults */
	struct up_entry is;		/* as it was read last */
	char text[ADDR_TEXT_MAX];	/* "192.0.2.1:3000" */
	struct hostd_peer view;		/* what the balancer sees */
	unsigned order;			/* of its server, as configured */
	int seen;			/* in the table, when it was read
					   last */
	int gone;			/* in no list any more */
	unsigned refs;			/* picks that were not reported,
					   links */
	TAILQ_HEAD(, up_link) idle;	/* connections kept open, last used
					   first; upstream/link.h */
	unsigned nidle;
	struct up_count *own;		/* of one that is in no table
					   (direct.h); NULL: the table has its
					   counts */
};

struct up_group {
	TAILQ_ENTRY(up_group) entry;
	struct upstreams *all;
	const struct conf_upstream *conf;
	struct up_balancer *balancer;	/* NULL until groups_bind */
	void *data;			/* the balancer's */
	TAILQ_HEAD(, up_peer) peers;
	size_t npeers;
	const struct hostd_peer **views;	/* NULL-ended, in order of
						   peers */
	TAILQ_HEAD(up_kept, up_link) kept;	/* all of its peers' idle
					   connections, last used first */
	unsigned nkept;
	struct tls_client *tls;		/* NULL: it is not spoken */
	struct up_peer **by_id;		/* in order of ids */
	size_t nids;			/* of these; the table may have more
					   while it is being read */
	uint32_t *tried;		/* room for a pick */
	struct map directs;		/* address -> peer; see direct.h */
	int limited;			/* some have a max_conns */
	int refused;			/* the balancer's last update failed */
	int blamed;			/* it was said that it picks nonsense */
	uint32_t seen;			/* up_changes, when we looked last */
	uint64_t look_ms;		/* when time alone changes something:
					   the end of a fail_timeout, a step of
					   a slow start; 0: it does not */
};

/* The name that a server's certificate has to be of, with tls = on. */
void	group_tls_name(const struct up_group *, const char *server,
	    char name[UP_SERVER_MAX]);

/* All groups of one worker. */
struct upstreams {
	struct loop *loop;
	struct up_table *table;
	unsigned cell;
	struct up_links *links;		/* see links_init */
	struct stream_io *sio;		/* for connections to servers: their
					   own, as clients' streams are corked
					   while requests are begun */
	/* May be NULL: it serves no more, close what is kept open to it. */
	void (*peer_gone)(struct up_peer *);
	uint64_t random;		/* state of picks' random numbers */
	TAILQ_HEAD(, up_group) groups;
	struct map by_name;
};

/* conf and table must outlive it. */
void	upstreams_init(struct upstreams *, struct loop *, const struct conf *,
	    struct up_table *, unsigned cell);
/* Everything that was picked must have been reported. */
void	upstreams_close(struct upstreams *);
/* NULL: there is none of that name. */
struct up_group *upstreams_find(const struct upstreams *, const char *name,
	    size_t n);
/* Before the first pick.  0, or -1: the balancer has refused its servers. */
int	group_bind(struct up_group *, struct up_balancer *);
/* Have it see what has changed; each pick does that itself. */
void	group_look(struct up_group *);
/* The group whose data that is for that balancer; NULL: none. */
struct up_group *group_of_data(const struct upstreams *,
	    const struct up_balancer *, const void *data);
/* NULL: it has none of that id. */
struct up_peer *group_peer(const struct up_group *, uint32_t id);

/*
 * One request's, or connection's, search for a server.  Zero it, set what is
 * known, and keep it until the last group_report.
 */
#define UP_TRIES_MAX	16

struct up_search {
	const struct hostd_request *request;	/* NULL: none; [group_pick] */
	hostd_buf client;		/* address: 4 or 16 bytes, or empty */
	uint32_t flags;			/* HOSTD_PICK_* */
	uint32_t tried[UP_TRIES_MAX];	/* ids; group_pick adds what it picks */
	uint32_t ntried;
	uint32_t ours;			/* bits of tried: the balancer was not
					   asked */
	hostd_buf key;			/* made by the first group_pick */
	int has_key;
	char room[HOSTD_BALANCER_ROOM];	/* for it */
};

/*
 * A server: HOSTD_OK, and it counts as busy until group_report.  E_FULL: none
 * can be had; *full says whether it is only for max_conns.
 */
int32_t	group_pick(struct up_group *, struct up_search *, struct up_peer **,
	    int *full);
/* The request ends before the search: its key is kept without it, unless it is
 * longer than room. */
void	group_forget(struct up_search *);
/* How it went; exactly once for each that was picked.  Failures (E_IO,
 * E_TIMEOUT) count towards max_fails, why and what are of enum up_why. */
void	group_report(struct up_peer *, struct up_search *,
	    const struct hostd_report *, uint32_t why, uint32_t what);
/* The head of its response has come: the balancer may learn from it. */
void	group_answered(struct up_peer *, struct up_search *, int32_t status,
	    const hostd_hdr *, uint32_t nhdrs);
/* A Set-Cookie line for the answer of the server that was picked last; HOSTD_OK
 * or HOSTD_PASS.  out points into room. */
int32_t	group_cookie(struct up_peer *, struct up_search *, char *room, size_t,
	    hostd_buf *out);

/* A check has found it well, or not (upstream/health.h). */
void	peer_checked(struct up_peer *, int ok, uint32_t why, uint32_t what);
/* May it serve now? */
int	peer_is_up(const struct up_peer *, uint64_t now_ms);

/* peer.c, for this room only. */
/* How it is doing; NULL: the table's is another one's by now. */
struct up_health *peer_health(const struct up_peer *);
/* It has failed too often, and nobody has found it well since; until then it
 * is left alone, and then one request may try.  0: it has not. */
uint64_t peer_down_until(const struct up_peer *);
/* What it takes of its weight now, 1-256; *look_ms: earlier, if that changes
 * earlier. */
uint32_t peer_share(const struct up_peer *, uint64_t oldest_ms,
	    uint64_t now_ms, uint64_t *look_ms);
/* A request goes there.  0, or -1: somebody else tries it. */
int	peer_try(struct up_peer *, uint64_t now_ms);
/* It went well, or not; began_ms is when it was picked. */
void	peer_failed(struct up_peer *, uint32_t why, uint32_t what,
	    uint64_t now_ms);
void	peer_served(struct up_peer *, uint64_t began_ms, uint64_t now_ms);
/* Nobody knows how it went: another one may try. */
void	peer_untried(struct up_peer *, uint64_t began_ms, uint64_t now_ms);
void	peer_latency(struct up_peer *, uint64_t us);

void	peer_hold(struct up_peer *);
void	peer_release(struct up_peer *);

/* Our own row. */
static inline struct up_count *
peer_count(const struct up_peer *p)
{
	return p->own != NULL ? p->own : up_count_of(p->group->all->table,
	    p->group->all->cell, p->index);
}

#endif

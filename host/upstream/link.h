/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a server, and those that are kept open between two requests.
 *
 * A link is somebody's, or idle: then it waits at its peer, the one used last
 * first, and a server that closes it or talks without being asked loses it.
 */
#ifndef UPSTREAM_LINK_H
#define UPSTREAM_LINK_H

#include <stdint.h>
#include <sys/queue.h>
#include "net/connect.h"
#include "net/stream.h"
#include "net/wheel.h"
#include "upstream/group.h"

#define UP_HEADERS	256	/* lines of an answer's head */

struct up_link {
	struct stream stream;		/* first */
	TAILQ_ENTRY(up_link) entry;	/* peer->idle */
	TAILQ_ENTRY(up_link) kept;	/* group's */
	struct up_link *next_free;
	struct up_peer *peer;		/* held */
	void *user;			/* whose it is; NULL: idle */
	void (*opened)(struct up_link *, int error, const char *text);
	struct wheel_timer timer;	/* of an idle one */
	uint64_t kept_ms;		/* idle since then */
	uint32_t nreqs;			/* it has been used so often */
	enum { LINK_CONNECTING, LINK_OPEN, LINK_IDLE, LINK_CLOSED } state;
	struct connect connect;
};

/* What all links of a worker share. */
struct up_links {
	struct upstreams *all;
	struct stream_io sio;
	struct up_link *free, *closed;
	struct loop_task reap;		/* closed ones -> free */
	int draining;			/* none is kept any more */
	hostd_hdr headers[UP_HEADERS];	/* of the answer that is being read */
};

/* After upstreams_init. */
void	links_init(struct upstreams *);
/* After upstreams_close; all links must have been closed. */
void	links_free(struct upstreams *);
/* Those that are kept are closed, and no more are kept. */
void	links_drain(struct upstreams *);

/* One that is kept, with the user's ops; NULL: there is none. */
struct up_link *link_reuse(struct up_peer *, const struct stream_ops *,
	    void *user);
/* Connect.  opened is called once, from the loop; error is an errno (ETIMEDOUT
 * when time ran out) and text says what failed.  It is to be closed then,
 * too. */
struct up_link *link_open(struct up_peer *, const struct stream_ops *,
	    void *user, uint32_t timeout_ms,
	    void (*opened)(struct up_link *, int error, const char *text));
/* The user has done with it, in order: the next one may have it, if there is
 * room and all is quiet on it. */
void	link_keep(struct up_link *);
/* At once.  Its memory is good until the end of this turn. */
void	link_close(struct up_link *);
/* Has the server closed it, or said something unasked, that the loop does not
 * know of yet?  A system call. */
int	link_is_stale(const struct up_link *);

#endif

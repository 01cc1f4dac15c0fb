/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question for the addresses of a name, A and AAAA at once, by c-ares on
 * the worker's loop.  With the system's resolvers (/etc/resolv.conf, as it is
 * by then), /etc/hosts is read first, and the search list counts; others are
 * asked for the name as it is.
 *
 * A question has a c-ares channel of its own: so it has a time limit of its
 * own, comes from ports that nobody can know before, and sees what has changed
 * in the system's files.
 */
#ifndef UPSTREAM_RESOLVE_H
#define UPSTREAM_RESOLVE_H

#include <ares.h>
#include <stddef.h>
#include <stdint.h>
#include "net/addr.h"
#include "net/chan.h"
#include "net/loop.h"
#include "net/wheel.h"

#define RESOLVE_ADDRS	CHAN_ADDRS	/* of a family; more are left out */
#define RESOLVE_FDS	16

struct resolve_to {
	const char *host;
	uint16_t port;			/* for the addresses */
	char *const *servers;		/* "192.0.2.53", "[::1]:5353" */
	size_t nservers;		/* 0: the system's */
	uint32_t timeout_ms;		/* for all of it */
};

/* What was found of one family. */
struct resolve_found {
	int status;			/* ARES_SUCCESS: n is not 0 */
	size_t n, left_out;
	uint32_t ttl;			/* s, the least of all */
	char name[256];			/* whose they are: with the search
					   list's part */
	struct addr addrs[RESOLVE_ADDRS];	/* in order of bytes */
};

struct resolve_fd {
	struct loop_fd io;		/* first */
	struct resolve *r;
};

struct resolve {
	/* The owner's, set before resolve_start. */
	struct loop *loop;
	/* Once, from the loop, never from within resolve_start. */
	void (*done)(struct resolve *);

	struct resolve_found v4, v6;	/* good until the next start */
	struct resolve_fd fds[RESOLVE_FDS];
	ares_channel channel;		/* NULL: not under way */
	struct wheel_timer limit, again;
	struct loop_task finish;
	uint16_t port;
	uint8_t waiting;		/* for so many families */
};

/*
 * A struct resolve is zeroed before its first use, and must outlive the turn of
 * the loop in which it was cancelled or done was called.  Returns ARES_SUCCESS,
 * or another status when it can't be asked; done is not called then.
 */
int	resolve_start(struct resolve *, const struct resolve_to *);
/* done is not called any more.  Harmless when it was. */
void	resolve_cancel(struct resolve *);
/* "no such name", ... */
const char *resolve_text(int status);

#endif

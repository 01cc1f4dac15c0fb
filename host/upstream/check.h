/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One check of one server: a connection of its own, a request when it is asked
 * over HTTP, and what became of it.
 */
#ifndef UPSTREAM_CHECK_H
#define UPSTREAM_CHECK_H

#include <stdint.h>
#include "config/model.h"
#include "net/connect.h"
#include "net/stream.h"
#include "net/wheel.h"
#include "upstream/expect.h"

enum check_result {
	CHECK_GOOD,
	CHECK_BAD,
	CHECK_VOID		/* it says nothing of the server: we lack
				   descriptors, or memory */
};

struct check_to {
	const struct conf_upstream *conf;	/* must outlive it */
	const char *server;		/* as configured */
	const struct addr *addr;	/* whose port may be another in conf */
	struct tls_client *tls;		/* with that name, or NULL */
	const char *tls_name;
};

struct check {
	/* The owner's, set before check_start. */
	struct stream_io *sio;
	/* Once, from the loop, never from within check_start; why and what are
	 * of enum up_why.  The connection is closed. */
	void (*done)(struct check *, enum check_result, uint32_t why,
	    uint32_t what);

	const struct conf_upstream *conf;	/* NULL: not under way */
	struct connect connect;
	struct stream stream;
	struct wheel_timer limit;
	uint64_t limit_ms;
	int connected, extended;
	struct buf request;
	struct expect expect;
};

/* A struct check is zeroed before its first use, and must outlive the turn of
 * the loop in which it was cancelled or done was called. */
void	check_start(struct check *, const struct check_to *);
/* done is not called any more.  Harmless when it was. */
void	check_cancel(struct check *);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a check over HTTP asks, and whether the answer is what is expected: feed
 * bytes as they come, in whatever parts, until there is a verdict.
 */
#ifndef UPSTREAM_EXPECT_H
#define UPSTREAM_EXPECT_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "config/model.h"
#include "http/chunked.h"
#include "http/guard.h"

enum expect_verdict { EXPECT_MORE, EXPECT_GOOD, EXPECT_BAD };

struct expect {
	const struct conf_health *conf;
	struct buf in;			/* a head, until it is whole; then the
					   last bytes of the body */
	struct guard guard;
	struct chunked chunked;
	int body;			/* enum answer_body */
	int in_body;
	unsigned informed;		/* heads of 1xx that came */
	uint64_t left;			/* LENGTH: of the body */
	uint64_t seen;			/* of the body */
	/* Of a BAD verdict; enum up_why. */
	uint32_t why, what;
};

/* The request; server is as configured, for Host. */
void	expect_request(struct buf *, const struct conf_health *,
	    const char *server);

void	expect_init(struct expect *, const struct conf_health *);
enum expect_verdict expect_feed(struct expect *, const char *p, size_t n);
/* The server has closed: never MORE. */
enum expect_verdict expect_end(struct expect *);
void	expect_free(struct expect *);

#endif

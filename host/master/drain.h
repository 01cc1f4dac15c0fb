/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaving a load balancer, without being missed: first the node says that it is
 * not ready (http_status, the service manager), then its clients are asked to
 * go, a few at a time.  It goes on serving whoever comes, until it is stopped
 * or resumes.
 */
#ifndef MASTER_DRAIN_H
#define MASTER_DRAIN_H

#include <stdint.h>

struct child;
struct master;

/* window: ms in which the WebSockets there are, and idle connections, are
 * closed. */
void	drain_begin(struct master *, int64_t window);
void	drain_end(struct master *);
int	drain_is_on(const struct master *);
/* A worker that has just come knows nothing of it. */
void	drain_tell(struct master *, struct child *);

#endif

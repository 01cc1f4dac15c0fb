/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last orders that were carried out here, in that order, whoever gave them:
 * for sockets that come from another worker, or come back.  Bounded by bytes
 * and age.
 */
#ifndef SOCKETIO_LOG_H
#define SOCKETIO_LOG_H

#include <sys/queue.h>
#include "eio.h"
#include "marks.h"

struct log_entry {
	STAILQ_ENTRY(log_entry) link;
	uint64_t process, seq;
	uint64_t ms;
	struct eio_message *message;	/* of a broadcast; else NULL */
	size_t nhead;
	char head[];			/* order_pack_head */
};

struct order_log {
	STAILQ_HEAD(, log_entry) all;
	size_t bytes, max_bytes;
	struct marks dropped;		/* the last of each process that is not
					   in it any more */
};

void	log_init(struct order_log *, size_t max_bytes);
/* At the end.  -1: no memory; it counts as dropped. */
int	log_add(struct order_log *, uint64_t process, uint64_t seq,
	    hostd_buf head, struct eio_message *, uint64_t now_ms);
/* Drop what is older, and what is too much. */
void	log_trim(struct order_log *, uint64_t before_ms);
struct log_entry *log_find(const struct order_log *, uint64_t process,
	    uint64_t seq);
/* Put those that are older in front: all that are not in it.  They are
 * taken. */
void	log_prepend(struct order_log *, struct order_log *older);
/* Does it have all that workers have said behind these marks? */
int	log_covers(const struct order_log *, const struct marks *);
void	log_free(struct order_log *);

#endif

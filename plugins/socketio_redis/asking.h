/* SPDX-License-Identifier: BSD-2-Clause */
/* A question of ours, as ask.c (which asks) and reply.c (what is answered) see
 * it; nobody else. */
#ifndef SOCKETIO_REDIS_ASKING_H
#define SOCKETIO_REDIS_ASKING_H

#include "adapter.h"

enum asking_state { WAITING, COUNTING, ASKED };

struct asking {
	struct table_entry entry;	/* of asking; its name is rid */
	char rid[RID_LEN + 1];
	uint64_t id;
	struct space *space;
	uint32_t type;
	enum asking_state state;
	unsigned counts;		/* that are to come */
	hostd_timer timer;
	int64_t servers, clients;	/* answers that are to come */
	size_t n;
	char message[];
};

/* NULL: there is none, or not any more. */
struct asking *asking_find(const struct hostd_inst *, hostd_buf rid);
struct asking *asking_by_id(const struct hostd_inst *, uint64_t id);
/* The caller is told, and it is freed. */
void	asking_ends(struct hostd_inst *, struct asking *, int32_t status);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes, and what a thread does with a batch of them: one transaction for
 * all, so that a burst costs one flush.  If that fails for one of them, each
 * gets its own.
 */
#ifndef SESSION_LMDB_CHANGE_H
#define SESSION_LMDB_CHANGE_H

#include <sys/queue.h>
#include "env.h"

struct hostd_inst;

enum change_what {
	CHANGE_SET,
	CHANGE_TOUCH,
	CHANGE_DEL,
	CHANGE_CLEAR,		/* all of them */
	CHANGE_SWEEP,		/* some that have expired */
	CHANGE_FLUSH		/* nothing: the file goes to the disk */
};

struct change {
	STAILQ_ENTRY(change) link;
	enum change_what what;
	int expecting;		/* of SET */
	int nothing;		/* is expected, not expect */
	int32_t status;		/* of the answer */
	uint64_t expires_ms;
	uint64_t removed;	/* sessions: by DEL, CLEAR and SWEEP */
	uint64_t before;	/* the same, by others of one command */
	hostd_buf key, value, expect;	/* parts of bytes */
	hostd_op op;		/* id 0: nobody waits */
	/* Instead of an answer that is a status; or NULL. */
	void (*told)(struct hostd_inst *, struct change *);
	char bytes[];
};

STAILQ_HEAD(changes, change);

/* What a batch has come to, beside its changes' statuses. */
struct outcome {
	int rc;			/* the first failure: LMDB's, or errno;
				   MDB_MAP_RESIZED: nothing was done */
	uint64_t expired;	/* sessions that were removed */
	uint64_t evicted;	/* those that were not over */
};

#define SWEEP_STEP 512		/* sessions at once */

/* NULL: out of memory.  The texts are copied. */
struct change *change_new(enum change_what, hostd_buf key, hostd_buf value,
	    const hostd_buf *expect);
/* [work]  evict: rather than refuse what there is no room for. */
void	changes_apply(const struct env *, struct changes *, int evict,
	    struct outcome *);

/* Wall clock. */
uint64_t change_now_ms(void);

#endif

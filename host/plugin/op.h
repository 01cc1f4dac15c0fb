/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.op/1, from our side: one answer that a plugin owes to whoever in the
 * host has asked.  It comes exactly once, unless it is cancelled, and never
 * while the plugin's code runs: at the end of a turn, when the asker asks for
 * it behind the callback, or when the instance ends.
 */
#ifndef PLUGIN_OP_H
#define PLUGIN_OP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <hostd/abi.h>
#include "base/buf.h"
#include "net/loop.h"

#define OP_TEXT_MAX	4096	/* of a failure's text */

struct instance;

/* A member of the asker's own. */
struct op {
	LIST_ENTRY(op) link;		/* of its instance */
	struct instance *in;
	uint64_t id;			/* 0: answered */
	struct loop_task task;
	struct wheel_timer timer;
	size_t max;			/* bytes of the result */
	int32_t status;
	int given;			/* there is a result, perhaps empty */
	struct buf result;
	/* The op is the asker's again, to be freed; result is [call]. */
	void (*done)(struct op *, int32_t status, hostd_buf result);
};

/*
 * Begin one, for a callback of the instance.  limit_ms: from now on, not 0.
 * The handle's id is 0 when there are too many; then nothing has begun.
 */
hostd_op op_start(struct op *, struct instance *, uint64_t limit_ms,
	    size_t max, void (*done)(struct op *, int32_t, hostd_buf));
/* What the callback has returned. */
void	op_returned(struct op *, int32_t rc);
/* For askers that are none of the plugin's callers: what was answered within
 * the callback is told now.  Otherwise nothing. */
void	op_tell_now(struct op *);
/* Nobody wants it any more: done is not called. */
void	op_cancel(struct op *);

#endif

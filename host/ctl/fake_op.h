/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that an instance of the fake host owes, and its commands. */
#ifndef CTL_FAKE_OP_H
#define CTL_FAKE_OP_H

#include <hostd/cmd.h>
#include "base/buf.h"
#include "ctl/fake.h"

#define FAKE_OP_MS	10000u
#define FAKE_OP_MAX	1048576u	/* bytes of a result */

struct fake_op;

/* One answer, owed within so many ms; max: bytes of its result.  To be called
 * before the callback that is given *handle. */
struct fake_op *fake_op_start(struct fake *, size_t max, uint64_t limit_ms,
	    hostd_op *handle);
/* What that callback has returned. */
void	fake_op_returned(struct fake_op *, const char *callback, int32_t rc);
int	fake_op_is_answered(const struct fake_op *);
/* Until it is, its time is over, or nothing is under way. */
void	fake_op_await(struct fake_op *);
/* HOSTD_E_TIMEOUT: it was not answered. */
int32_t	fake_op_status(const struct fake_op *);
/* p NULL: none.  Good until it is freed. */
hostd_buf fake_op_result(const struct fake_op *);
/* Nobody waits for it any more. */
void	fake_op_free(struct fake_op *);

/* -- commands -- */

/* Call it with that word argc times. */
struct fake_op *fake_command_start(struct fake *, const struct hostd_cmd *,
	    uint32_t argc, const char *word, size_t max);
/* Its answer, which must come; then it is freed. */
int32_t	fake_command_end(const struct hostd_cmd *, struct fake_op *);

#endif

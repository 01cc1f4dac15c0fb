/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of an instance of the fake host, and the answers it owes. */
#ifndef CTL_FAKE_OP_H
#define CTL_FAKE_OP_H

#include <hostd/cmd.h>
#include "base/buf.h"
#include "ctl/fake.h"

#define FAKE_OP_MS	10000u
#define FAKE_OP_MAX	1048576u	/* bytes of a result */

struct fake_op;

/* Call it with that word argc times. */
struct fake_op *fake_command_start(struct fake *, const struct hostd_cmd *,
	    uint32_t argc, const char *word, size_t max);
/* Its answer, which must come; then it is freed. */
int32_t	fake_command_end(const struct hostd_cmd *, struct fake_op *);
/* Nobody waits for it any more. */
void	fake_op_free(struct fake_op *);

#endif

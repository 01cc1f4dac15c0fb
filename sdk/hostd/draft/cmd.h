/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DRAFT: may change until it leaves hostd/draft/.
 *
 * Commands of a plugin: `hostctl plugin call <instance> <name> [argument ...]`.
 * They are rows of hostd_plugin.cmds.
 */
#ifndef HOSTD_DRAFT_CMD_H
#define HOSTD_DRAFT_CMD_H

#include <hostd/abi.h>
#include <hostd/draft/op.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a command. */
#define HOSTD_CMD_ADMIN		0x1u	/* changes something: refused to users
					   who may only look */
#define HOSTD_CMD_EVERY		0x2u	/* run in every worker, answers merged;
					   else in any one */
#define HOSTD_CMD_JSON		0x4u	/* the result is one JSON value; else
					   UTF-8 text */

struct hostd_cmd {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_CMD_* */
	const char *name;	/* [a-z0-9_]+ */
	const char *usage;	/* "KEY [COUNT]"; NULL: no arguments */
	const char *help;	/* one sentence */
	uint32_t min_args;	/* fewer are refused before run is called */
	uint32_t max_args;	/* more are refused */

	/*
	 * [loop] argv holds argc arguments, [call].  HOSTD_DEFER: op is or will
	 * be completed, its result is what the user sees.  HOSTD_OK: done,
	 * nothing to say.  Negative: failed.
	 */
	int32_t (*run)(struct hostd_inst *, uint32_t argc,
	    const hostd_buf *argv, hostd_op op);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_DRAFT_CMD_H */

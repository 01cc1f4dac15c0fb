/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of a plugin, for operators:
 *
 *	hostctl plugin call INSTANCE NAME [ARGUMENT ...]
 *	hostctl plugin commands
 *
 * They are rows of hostd_plugin.cmds, and served since ABI 1.3; an older host
 * ignores them.
 */
#ifndef HOSTD_CMD_H
#define HOSTD_CMD_H

#include <hostd/abi.h>
#include <hostd/op.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a command. */
#define HOSTD_CMD_ADMIN		0x1u	/* changes something: each use is in
					   the log and in hostctl events, with
					   its arguments */
#define HOSTD_CMD_EVERY		0x2u	/* run in every worker that has the
					   instance; else in any one of them */
#define HOSTD_CMD_JSON		0x4u	/* the result is one JSON value; else
					   UTF-8 text */

struct hostd_cmd {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_CMD_* */
	const char *name;	/* [a-z0-9_]+, 1 to 63 bytes */
	const char *usage;	/* its arguments, "KEY [COUNT]"; NULL: none.
				   One line of at most 200 printable bytes */
	const char *help;	/* one sentence, likewise; NULL: none */
	uint32_t min_args;	/* fewer are refused before run is called */
	uint32_t max_args;	/* more are refused; UINT32_MAX: as many as
				   there is room for, 15 KiB with their names */

	/*
	 * [loop] argv holds argc arguments, [call]: UTF-8, each with a NUL
	 * behind it that n does not count.  Answers op as <hostd/op.h> says.
	 * The result is what the user sees: 1 MiB at most, divided by the
	 * number of workers that are asked.  With a negative status the text
	 * says what was wrong.  The time limit is the user's, 10 seconds if he
	 * says nothing.
	 */
	int32_t (*run)(struct hostd_inst *, uint32_t argc,
	    const hostd_buf *argv, hostd_op op);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_CMD_H */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of plugins (<hostd/cmd.h>): which there are, and calling them. */
#ifndef PLUGIN_CMD_H
#define PLUGIN_CMD_H

#include <stddef.h>
#include <stdint.h>
#include <hostd/cmd.h>
#include "base/buf.h"
#include "plugin/op.h"

struct instance;
struct plugins;

enum cmd_found {
	CMD_FOUND,
	CMD_ABSENT,		/* there is no such instance here */
	CMD_REFUSED		/* by the name, or the number of arguments */
};

struct cmd {
	struct instance *in;
	const struct hostd_cmd *row;
};

/* In text, why one is refused. */
enum cmd_found cmd_find(const struct plugins *, const char *instance,
	    const char *name, uint32_t argc, struct cmd *,
	    struct buf *text);
/*
 * Call it; argv is [call].  0: op->done comes later, see op_start.  -1: it is
 * not called, as too much is under way.
 */
int	cmd_run(const struct cmd *, uint32_t argc,
	    const hostd_buf *argv, struct op *, uint64_t limit_ms, size_t max,
	    void (*done)(struct op *, int32_t, hostd_buf));

/* All there are, of instances that have some or none, as JSON:
 * [{"instance", "plugin", "commands": [{"name", "usage", "help", "admin",
 * "every", "json", "min_args", "max_args"}]}] */
void	cmds_list(const struct plugins *, struct buf *);

#endif

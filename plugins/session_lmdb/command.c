/* SPDX-License-Identifier: BSD-2-Clause */
/* hostctl plugin call INSTANCE count|sweep|destroy. */
#include <inttypes.h>
#include "store.h"

static int32_t
run_count(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	uint64_t n, used;
	int32_t rc;

	(void)argc;
	(void)argv;
	rc = read_begin(in);
	if (rc != HOSTD_OK)
		return hostd_reply(in, op, rc < 0 ? rc : HOSTD_E_STATE,
		    rc < 0 ? "the file can't be read; the log says why" :
		    "it has just grown; try again");
	n = env_count(&in->env, in->env.reader);
	used = env_used(&in->env, in->env.reader);
	env_read_end(&in->env);
	return hostd_reply(in, op, HOSTD_OK, "{\"sessions\":%" PRIu64
	    ",\"bytes\":%" PRIu64 ",\"room\":%" PRIu64 ",\"max_size\":%" PRIu64
	    "}", n, used, env_room(&in->env), in->env.max_size);
}

static int32_t
run_sweep(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	(void)argc;
	(void)argv;
	return sweep_ask(in, op, 0);
}

static void
on_destroyed(struct hostd_inst *in, struct change *c)
{
	if (c->status == HOSTD_OK)
		(void)hostd_reply(in, c->op, HOSTD_OK, "%" PRIu64 " session%s "
		    "destroyed\n", c->removed, c->removed == 1 ? "" : "s");
	else
		(void)hostd_reply(in, c->op, c->status, "the file can't be "
		    "written; the log says why");
}

static int32_t
run_destroy(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,
    hostd_op op)
{
	hostd_buf none = { NULL, 0 };
	int all = argv[0].n == 3 && memcmp(argv[0].p, "all", 3) == 0;
	struct change *c;

	(void)argc;
	if (argv[0].n == 0 || argv[0].n > HOSTD_STORE_KEY_MAX)
		return hostd_reply(in, op, HOSTD_E_INVAL, "no session has an "
		    "id of %zu bytes", argv[0].n);
	c = change_new(all ? CHANGE_CLEAR : CHANGE_DEL, argv[0], none, NULL);
	if (c == NULL)
		return HOSTD_E_NOMEM;
	c->op = op;
	c->told = on_destroyed;
	in->last.nkey = 0;
	return queue_put(in, c);
}

static const struct hostd_cmd count_cmd = {
	.struct_size = sizeof(struct hostd_cmd), .flags = HOSTD_CMD_JSON,
	.name = "count", .run = run_count,
	.help = "How many sessions there are, and how much room they take.",
};
static const struct hostd_cmd sweep_cmd = {
	.struct_size = sizeof(struct hostd_cmd), .flags = HOSTD_CMD_ADMIN,
	.name = "sweep", .run = run_sweep,
	.help = "Remove the sessions whose time is over now, not at the next "
	    "sweep.",
};
static const struct hostd_cmd destroy_cmd = {
	.struct_size = sizeof(struct hostd_cmd), .flags = HOSTD_CMD_ADMIN,
	.name = "destroy", .usage = "ID|all", .min_args = 1, .max_args = 1,
	.run = run_destroy,
	.help = "End one session, or all of them, so that everybody has to log "
	    "in again.",
};

const struct hostd_cmd *const command_rows[] = {
	&count_cmd, &destroy_cmd, &sweep_cmd, NULL
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts visits, and goes on counting over a reload; and
 *
 *	hostctl plugin call visits_route reset [COUNT]
 *
 * has it begin anew.
 */
#include <hostd/easy.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	struct {
		uint64_t visits;
	} kept;
};

static int32_t
on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_json(in, req, 200, "{\"visits\":%llu}",
	    (unsigned long long)++in->kept.visits);
}

static int32_t
reset(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv, hostd_op op)
{
	unsigned long long was = in->kept.visits;

	in->kept.visits = argc > 0 ? strtoull(argv[0].p, NULL, 10) : 0;
	return hostd_reply(in, op, HOSTD_OK, "it was %llu", was);
}

static const struct hostd_cmd reset_cmd = {
	.struct_size = sizeof(reset_cmd),
	.flags = HOSTD_CMD_ADMIN | HOSTD_CMD_EVERY,
	.name = "reset", .usage = "[COUNT]", .max_args = 1,
	.help = "Count from 0, or from COUNT.", .run = reset
};
static const struct hostd_cmd *const cmds[] = { &reset_cmd, NULL };

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

HOSTD_STATE_PLAIN(1, kept)

static const struct hostd_http_ops ops = {
	.struct_size = sizeof(ops), .on_headers = on_headers
};
static const struct hostd_provide provide = {
	.struct_size = sizeof(provide), .kind = HOSTD_KIND_HTTP_ROUTE,
	.ops = &ops, .route = "/visits"
};
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = {
	HOSTD_PREFIX(0), .id = "visits_route", .version = "1.0",
	.built_with = HOSTD_SDK_VERSION, .provides = provides,
	.cmds = cmds, .create = create, .destroy = destroy,
	.get_ext = hostd_state_plain_get_ext
};

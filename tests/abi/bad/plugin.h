/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A good plugin in pieces, so that a bad one differs from it in one thing.  The
 * first lines of each file tell what must be said of it:
 *
 *	refused: REASON		by `hostctl plugin inspect`
 *	accepted: ...
 *	check: LINE		by `hostctl plugin check`
 */
#ifndef BAD_PLUGIN_H
#define BAD_PLUGIN_H

#include <hostd/easy.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
};

__attribute__((unused)) static int32_t
bad_create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

__attribute__((unused)) static void
bad_destroy(struct hostd_inst *in)
{
	free(in);
}

__attribute__((unused)) static int32_t
bad_on_headers(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "ok\n");
}

#define BAD_ID		"bad"
#define BAD_CREATE	bad_create
#define BAD_KEYS	NULL
#define BAD_CMDS	NULL
#define BAD_KIND	HOSTD_KIND_HTTP_ROUTE
#define BAD_ROUTE	"/bad"
#define BAD_FLAGS	0
#define BAD_DATA_SIZE	0
#define BAD_OPS_SIZE	sizeof(struct hostd_http_ops)
#define BAD_ON_HEADERS	bad_on_headers
#define BAD_GET_EXT	NULL

#define BAD_TABLES							\
static const struct hostd_http_ops ops = {				\
	BAD_OPS_SIZE, BAD_FLAGS, BAD_DATA_SIZE, 0, BAD_ON_HEADERS,	\
	NULL, NULL, NULL						\
};									\
static const struct hostd_provide provide = {				\
	sizeof(provide), 0, BAD_KIND, NULL, &ops, BAD_ROUTE		\
};									\
static const struct hostd_provide *const provides[] = { &provide, NULL };

/* A file of one command: its flags, name, usage, least and most arguments. */
#define BAD_COMMAND(flags, name, usage, least, most, run)		\
static HOSTD_UNUSED int32_t						\
bad_run(struct hostd_inst *in, uint32_t argc, const hostd_buf *argv,	\
    hostd_op op)							\
{									\
	(void)argc, (void)argv;						\
	return hostd_reply(in, op, HOSTD_OK, "ok");			\
}									\
static const struct hostd_cmd cmd = { sizeof(cmd), flags, name, usage,	\
	NULL, least, most, run };					\
static HOSTD_UNUSED const struct hostd_cmd *const cmds[] = { &cmd, NULL };

/* The entry behind its prefix. */
#define BAD_REST_WITH(provides)						\
	BAD_ID, "1.0", HOSTD_SDK_VERSION, provides, BAD_KEYS, BAD_CMDS, \
	BAD_CREATE, NULL, NULL, bad_destroy, BAD_GET_EXT
#define BAD_REST BAD_REST_WITH(bad_provides)

static const struct hostd_http_ops bad_ops = {
	sizeof(bad_ops), 0, 0, 0, bad_on_headers, NULL, NULL, NULL
};
static const struct hostd_provide bad_provide = {
	sizeof(bad_provide), 0, HOSTD_KIND_HTTP_ROUTE, NULL, &bad_ops, "/bad"
};
__attribute__((unused)) static const struct hostd_provide *const
    bad_provides[] = { &bad_provide, NULL };

#endif

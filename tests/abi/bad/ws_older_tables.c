/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: a shorter table than the host's is one of an older SDK */
/* check: 0 failed */
#include "ws.h"

/* Without on_writable and all that follows, which must not be called. */
static void
never(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)in, (void)ws, (void)d;
	abort();
}

static int32_t
echo(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	(void)d;
	return in->easy.ws->send(in->easy.host, ws, msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

/* Of no use without hostd.ws/1. */
static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create_kind(HOSTD_KIND_WS_HANDLER,
	    sizeof(struct hostd_inst), host, out, err);
}

static const struct hostd_ws_ops old_ops = {
	offsetof(struct hostd_ws_ops, on_writable), 0, 0, 0, NULL, NULL, NULL,
	echo, never, NULL
};
static const struct hostd_provide old_provide = { sizeof(old_provide), 0,
	HOSTD_KIND_WS_HANDLER, NULL, &old_ops, "/old" };
static const struct hostd_provide *const old_provides[] = { &old_provide,
	NULL };

#undef BAD_CREATE
#define BAD_CREATE create
HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), BAD_REST_WITH(old_provides) };

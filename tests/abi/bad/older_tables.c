/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: shorter tables than the host's are those of an older SDK */
/* check: 0 failed */
#include "plugin.h"

static int32_t
answer(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "old\n");
}

/* Without on_body and all that follows. */
static const struct hostd_http_ops old_ops = {
	offsetof(struct hostd_http_ops, on_body), 0, 0, 0, answer, NULL, NULL,
	NULL
};
/* Without route. */
static const struct hostd_provide old_provide = {
	offsetof(struct hostd_provide, route), 0, HOSTD_KIND_HTTP_ROUTE, NULL,
	&old_ops, "beyond the end of the table"
};
static const struct hostd_provide *const old_provides[] = { &old_provide,
	NULL };

/* Without get_ext; what is behind the end must not be read. */
static const void *
never(const char *id)
{
	(void)id;
	abort();
}

HOSTD_PLUGIN_ENTRY = { HOSTD_MAGIC, HOSTD_ABI_MAJOR, 0,
	offsetof(struct hostd_plugin, get_ext), "older", "1.0",
	HOSTD_SDK_VERSION, old_provides, NULL, NULL, bad_create, NULL, NULL,
	bad_destroy, never };

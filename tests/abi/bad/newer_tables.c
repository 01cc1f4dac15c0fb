/* SPDX-License-Identifier: BSD-2-Clause */
/* accepted: longer tables than the host's are those of a newer SDK */
/* check: 0 failed */
#include "plugin.h"

static int32_t
answer(struct hostd_inst *in, hostd_req req, void *d)
{
	(void)d;
	return hostd_respond(in, req, 200, "text/plain", "new\n");
}

static const struct {
	struct hostd_http_ops known;
	const void *unknown[8];
} new_ops = { { sizeof(new_ops), 0, 0, 0, answer, NULL, NULL, NULL },
	{ &new_ops, &new_ops, NULL, NULL, NULL, NULL, NULL, NULL } };
static const struct {
	struct hostd_provide known;
	const void *unknown[8];
} new_provide = { { sizeof(new_provide), 0, HOSTD_KIND_HTTP_ROUTE, NULL,
		      &new_ops, "/new" },
	{ &new_ops, NULL, NULL, NULL, NULL, NULL, NULL, NULL } };
/* The second one is of a kind that nobody knows yet: no reason to refuse. */
static const struct hostd_provide future = { sizeof(future), 0,
	"gopher_route/1", NULL, &new_ops, NULL };
static const struct hostd_provide *const new_provides[] = { &new_provide.known,
	&future, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(0), "newer", "1.0", HOSTD_SDK_VERSION,
	new_provides, NULL, NULL, bad_create, NULL, NULL, bad_destroy, NULL };

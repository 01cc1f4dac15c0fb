/* SPDX-License-Identifier: BSD-2-Clause */
/* As ws_echo, but what it knows of a socket can't go to another worker. */
#include <hostd/easy.h>

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	(void)d;
	return e->ws->send(e->host, ws, msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

static const struct hostd_ws_ops ops = {
	.struct_size = sizeof(ops),
	.on_message = on_message,
};

HOSTD_EASY_PLUGIN("stay_ws", "1.0", HOSTD_KIND_WS_HANDLER, &ops, "/echo")

/* SPDX-License-Identifier: BSD-2-Clause */
/* As plugin.h, of a plugin that talks WebSocket. */
#ifndef BAD_WS_H
#define BAD_WS_H

#include "plugin.h"

__attribute__((unused)) static int32_t
bad_on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	(void)in, (void)ws, (void)d, (void)msg, (void)flags;
	return HOSTD_OK;
}

#define BAD_WS_SIZE		sizeof(struct hostd_ws_ops)
#define BAD_WS_FLAGS		0
#define BAD_WS_DATA_SIZE	0
#define BAD_WS_MESSAGE		bad_on_message

#define BAD_WS_TABLES							\
static const struct hostd_ws_ops ops = {				\
	BAD_WS_SIZE, BAD_WS_FLAGS, BAD_WS_DATA_SIZE, 0, NULL, NULL,	\
	NULL, BAD_WS_MESSAGE, NULL, NULL				\
};									\
static const struct hostd_provide provide = {				\
	sizeof(provide), 0, HOSTD_KIND_WS_HANDLER, NULL, &ops, "/bad"	\
};									\
static const struct hostd_provide *const provides[] = { &provide, NULL };

#endif

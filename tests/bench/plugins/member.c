/* SPDX-License-Identifier: BSD-2-Clause */
/* Everybody is in a room of all and in one of a hundred others; what one says
 * comes back to it. */
#include <hostd/easy.h>

#define ROOMS 100

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	static unsigned n;
	char room[32];

	(void)d;
	(void)snprintf(room, sizeof(room), "room%u", n++ % ROOMS);
	(void)hostd_room_join(in, ws, "all");
	(void)hostd_room_join(in, ws, room);
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const struct hostd_easy *e = hostd_easy_of(in);

	(void)d;
	return e->ws->send(e->host, ws, msg,
	    flags & (HOSTD_WS_TEXT | HOSTD_WS_BINARY));
}

HOSTD_EASY_WS("member", "1.0", "/member", on_open, on_message, NULL)

/* SPDX-License-Identifier: BSD-2-Clause */
/* A room for each path below /room/: what one says, all others there hear. */
#include <hostd/easy.h>

static const char *
room(struct hostd_inst *in, hostd_ws ws, char name[256])
{
	const struct hostd_easy *e = hostd_easy_of(in);
	hostd_buf path = e->ws->info(e->host, ws)->path;

	(void)snprintf(name, 256, "%.*s", (int)path.n, (const char *)path.p);
	return name;
}

static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	char name[256];

	(void)d;
	(void)hostd_room_join(in, ws, room(in, ws, name));
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	char name[256];

	(void)d;
	return hostd_room_send(in, room(in, ws, name), msg, flags, ws);
}

HOSTD_EASY_WS("room_ws", "1.0", "/room/", on_open, on_message, NULL)
